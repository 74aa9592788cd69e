"""Which system a machine compares with its model."""

from dataclasses import dataclass

from ipvs_est import Oracle
from ipvs_est_checks.history.monitor import NewOracle


@dataclass(frozen=True, slots=True)
class System:
    """Wrapped, since a function in a class attribute would become a method."""

    new_oracle: NewOracle


REFERENCE = System(Oracle)
