"""Hypothesis strategies for the operation language."""

from dataclasses import fields

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from histories import history, params, revisions, steps
from ipvs_est import Params, Revision
from ipvs_est.language.operations import (
    BOUNDS,
    OPERATIONS,
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
from ipvs_est.language.params import MAX_POSSIBLE_CPUS

# Fixed seeds: a run on another day finds the same. How long an example takes is no matter.
repeatable = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

Machine = tuple[Params, Revision, list[Operation]]
"""A machine and the history that it is to go through."""


def operations_of(kind: type[Operation]) -> st.SearchStrategy[Operation]:
    """Operations of one kind, well-formed, over the whole range of their fields."""
    chosen = {each.name: _value(each.name) for each in fields(kind)}
    return st.builds(kind, **chosen)


def operations() -> st.SearchStrategy[Operation]:
    """Any well-formed operation; most make no sense on a given machine."""
    return st.one_of([operations_of(kind) for kind in OPERATIONS])


def _value(name: str) -> st.SearchStrategy[object]:
    if name == "text":
        # Without surrogates: JSON makes one character of two of them.
        return st.text(max_size=40)
    if name == "allowed":
        return st.none() | st.frozensets(st.integers(0, MAX_POSSIBLE_CPUS - 1), max_size=8)
    return st.integers(*BOUNDS[name])


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
