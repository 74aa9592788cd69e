"""Reference implementation and oracle of the Linux IPVS kthread stats estimator.

    from ipvs_est import MAINLINE, Oracle, Params
    from ipvs_est.operations import Advance, StartService, StartTotal

Uses the standard library only.
"""

from ipvs_est.cpulist import CpulistError, format_cpulist, parse_cpulist
from ipvs_est.operations import Operation, OperationError
from ipvs_est.oracle import Oracle
from ipvs_est.params import Params, ParamsError
from ipvs_est.results import Result
from ipvs_est.revision import KERNELS, MAINLINE, REVISIONS, STABLE, V7, Revision
from ipvs_est.snapshot import Snapshot
from ipvs_est.violations import Violation, ViolationError

__all__ = [
    "KERNELS",
    "MAINLINE",
    "REVISIONS",
    "STABLE",
    "V7",
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
    "format_cpulist",
    "parse_cpulist",
]
