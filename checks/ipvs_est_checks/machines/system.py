"""Which system a machine compares with its model."""

from dataclasses import dataclass

from ipvs_est import Oracle, Params
from ipvs_est.language.operations import Operation
from ipvs_est_checks.history.monitor import NewOracle


@dataclass(frozen=True, slots=True)
class SystemUnderTest:
    """A system under test."""

    new_oracle: NewOracle
    explains: NewOracle = Oracle
    """On what it is tried whether a repair removes a failure. A subject cannot be repaired, so
    the model stands in for it; mutants are edits of the model, in force there too."""
    operations: frozenset[str] | None = None
    """Names of those that it takes; None = all."""
    geometries: tuple[Params, ...] | None = None
    """Machines that it can be; None = any."""


REFERENCE = SystemUnderTest(Oracle)


def takes(system: SystemUnderTest, operation: Operation) -> bool:
    """Whether the operation can be asked of it."""
    return system.operations is None or operation.op in system.operations


def nearest(system: SystemUnderTest, params: Params) -> Params:
    """The machine itself if the system can be it, else one that it can be."""
    geometries = system.geometries
    if geometries is None or params in geometries:
        return params
    # Which one does not matter, but equal wishes get the same one.
    return geometries[(params.hz + params.nticks + params.possible_cpus) % len(geometries)]
