"""The checks as calls in the tests of another project.

A *subject* is what is tested: a function that makes an object with `apply` and `state` for some
parameters (the class `ipvs_est.Oracle` is one), or a program that answers the oracle's protocol,
as a command line or `unix:PATH`.

    class PortMachine(NetnsMachine):
        subject = Port

    TestPort = PortMachine.TestCase

The names here are stable; what they are made of is not. With the package comes a plugin of
pytest; see docs/how-to/test-in-python.md.
"""

from ipvs_est_checks.testing.errors import HistoryError
from ipvs_est_checks.testing.history import Judged, check_history, check_trace
from ipvs_est_checks.testing.machine import NetnsMachine
from ipvs_est_checks.testing.schedules import (
    Explored,
    ScheduleFailure,
    ScheduleRun,
    explore,
    run_schedule,
)
from ipvs_est_checks.testing.strategies import cpulists, histories, operations, scenarios
from ipvs_est_checks.testing.subject import (
    AnySubject,
    CommandSubject,
    GivesEvents,
    GivesSnapshot,
    GivesViolations,
    MakesSubject,
    PythonSubject,
    TakesSome,
)

__all__ = [
    "AnySubject",
    "CommandSubject",
    "Explored",
    "GivesEvents",
    "GivesSnapshot",
    "GivesViolations",
    "HistoryError",
    "Judged",
    "MakesSubject",
    "NetnsMachine",
    "PythonSubject",
    "ScheduleFailure",
    "ScheduleRun",
    "TakesSome",
    "check_history",
    "check_trace",
    "cpulists",
    "explore",
    "histories",
    "operations",
    "run_schedule",
    "scenarios",
]
