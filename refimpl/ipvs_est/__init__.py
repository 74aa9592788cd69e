"""Reference implementation and oracle of the Linux IPVS kthread stats estimator.

    from ipvs_est import MAINLINE, Oracle, Params
    from ipvs_est.language.operations import Advance, StartService, StartTotal

`python -m ipvs_est` is the oracle as a process (docs: SCHEMA.md). Uses the standard library
only.
"""

from typing import TYPE_CHECKING

from ipvs_est.language.cpulist import CpulistError, format_cpulist, parse_cpulist
from ipvs_est.language.params import Params, ParamsError
from ipvs_est.language.revision import (
    KERNELS,
    MAINLINE,
    REPAIRED,
    REVISIONS,
    STABLE,
    V7,
    V7_UNWIND,
    Revision,
)
from ipvs_est.language.violations import Violation, ViolationError

if TYPE_CHECKING:
    from ipvs_est.answers.results import Result
    from ipvs_est.answers.snapshot import Snapshot
    from ipvs_est.language.operations import Operation, OperationError
    from ipvs_est.oracle import Oracle
else:
    # The model takes most of the time of an import, and who only wants the vocabulary (the
    # properties, a command's --help) does without. Not for type checkers: with a
    # `__getattr__` they would let every misspelt name pass.
    def __getattr__(name):
        if name not in {"Operation", "OperationError", "Oracle", "Result", "Snapshot"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ipvs_est import oracle

        return getattr(oracle, name)


__all__ = [
    "KERNELS",
    "MAINLINE",
    "REPAIRED",
    "REVISIONS",
    "STABLE",
    "V7",
    "V7_UNWIND",
    "CpulistError",
    "Operation",
    "OperationError",
    "Oracle",
    "Params",
    "ParamsError",
    "Result",
    "Revision",
    "Snapshot",
    "Violation",
    "ViolationError",
    "__version__",
    "format_cpulist",
    "parse_cpulist",
]

__version__ = "0.2.0"


def __dir__() -> list[str]:
    """What a person looks for: also what is loaded only when it is used."""
    return sorted({*globals(), *__all__})
