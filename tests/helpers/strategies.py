"""Hypothesis strategies for the operation language."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ipvs_est import Params, Revision
from ipvs_est.language.operations import (
    Advance,
    Cleanup,
    Disable,
    Dump,
    ExitNetns,
    Export,
    InitNetns,
    Operation,
    Read,
    ReadCpulist,
    StartTotal,
    TakeSnapshot,
)
from ipvs_est_checks.testing.random_histories import history, params, revisions, steps

# Fixed seeds: a run on another day finds the same. How long an example takes is no matter.
repeatable = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

Machine = tuple[Params, Revision, list[Operation]]
"""A machine and the history that it is to go through."""


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Machines with histories that may hold every operation, and are mostly valid.

    Allocations may fail, so that an operation's object need not exist.
    """
    machine = draw(params())
    chosen = history(machine, draw(steps(20, 40)), failures=True)
    looked: list[Operation] = []
    for operation in chosen:
        looked.append(operation)
        if draw(st.integers(0, 3)) == 0:
            looked += draw(st.sampled_from(_LOOKS))
    ending = draw(st.sampled_from(_ENDINGS))
    return machine, draw(revisions()), [*looked, *ending, TakeSnapshot(), Dump()]


_LOOKS: list[list[Operation]] = [
    [Read(0), Export(0), Read(3)],
    [Dump(), TakeSnapshot()],
    [ReadCpulist()],
    [Read(1), Export(2), Advance(7)],
]
_ENDINGS: list[list[Operation]] = [
    [],
    [ExitNetns()],
    [ExitNetns(), StartTotal(), Advance(9), Disable(), Cleanup(), InitNetns(), Advance(9)],
    [Disable(), Advance(400), ExitNetns(), InitNetns()],
]
