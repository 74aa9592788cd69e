"""A Hypothesis strategy that makes scenarios: small worlds of two to four racing tasks."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    DeleteDest,
    DeleteService,
    ExitNetns,
    FailAllocations,
    InitNetns,
    Operation,
    Read,
    SetCost,
    SetNice,
    SetRunEstimation,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est.language.params import Params
from ipvs_est_checks.explore.scenarios.scenario import TINY, Actor, Scenario

_MACHINES = (
    TINY,
    replace(TINY, possible_cpus=2, load_divisor=2),
    replace(TINY, chain_factor=2, steps_per_break=2),
    replace(TINY, nticks=3, preempt_rcu=True),
    replace(TINY, word_bits=32),
    replace(TINY, sysctl=False),
)
_SERVICES = (1, 2, 3)
_DESTS = (11, 12)

_services = st.sampled_from(_SERVICES)
_dests = st.sampled_from(_DESTS)
_control: st.SearchStrategy[Operation] = st.one_of(
    st.builds(AddService, st.sampled_from((4, 5))),
    st.builds(DeleteService, _services),
    st.builds(AddDest, _dests, _services),
    st.builds(DeleteDest, _dests),
)
_sysctl: st.SearchStrategy[Operation] = st.one_of(
    st.builds(WriteCpulist, st.sampled_from(("", "0", "all"))),
    st.builds(SetNice, st.sampled_from((0, 1))),
    st.builds(SetRunEstimation, st.sampled_from((0, 1))),
)
_packets: st.SearchStrategy[Operation] = st.builds(
    Traffic, _services, *map(st.just, (0, 1, 1, 1, 70, 70))
)
_readers: st.SearchStrategy[Operation] = st.one_of(
    st.builds(Read, _services), st.builds(Zero, _services)
)
_KINDS = {"CTL": _control, "SYSCTL": _sysctl, "PACKETS": _packets, "READER": _readers}


_ABOUT = {"control": "CTL", "sysctls": "SYSCTL", "packets": "PACKETS", "readers": "READER"}
EXIT = "exit"
THEMES = (*_ABOUT, EXIT)
"""What one of the tasks can be asked to do."""
MOST_TASKS = 3
"""Beside the one that takes the netns away."""


@st.composite
def scenarios(
    draw: Callable[[st.SearchStrategy[object]], object],
    machine: Params | None = None,
    theme: str | None = None,
    most_tasks: int = MOST_TASKS,
) -> Scenario:
    """Services and destinations, some time, perhaps a recalculation; then tasks that race.

    `machine`: None = small ones of all kinds. `theme`: of `THEMES`, what one of the tasks does;
    that of sysctls needs a machine that has them.
    """

    def number(low: int, high: int) -> int:
        drawn = draw(st.integers(low, high))
        assert isinstance(drawn, int)
        return drawn

    machines = [machine for machine in _MACHINES if machine.sysctl or theme != "sysctls"]
    params = machine or draw(st.sampled_from(machines))
    assert isinstance(params, Params)
    setup: list[Operation] = [InitNetns()]
    setup += [AddService(service) for service in _SERVICES[: number(0, 3)]]
    if len(setup) > 1 and number(0, 1):
        setup.append(AddDest(_DESTS[0], _SERVICES[0]))
    setup.append(Advance(draw_from(draw, (0, 5, 150, 250, 350))))
    # Both need sysctls.
    kinds = sorted(_KINDS.keys() - (set() if params.sysctl else {"SYSCTL"}))
    if params.sysctl and number(0, 1):
        setup += [SetCost(draw_from(draw, (23_750, 95_000))), WriteCpulist("0"), Advance(5)]
    if number(0, 3) == 0:
        setup.append(FailAllocations(number(1, 4)))
    actors: list[Actor] = []
    for index in range(number(1, most_tasks)):
        wanted = _ABOUT.get(theme or "") if index == 0 else None
        kind = wanted or draw(st.sampled_from(kinds))
        assert isinstance(kind, str)
        operations = draw(st.lists(_KINDS[kind], min_size=1, max_size=2).map(tuple))
        assert isinstance(operations, tuple)
        actors.append(Actor(f"{kind}{index}", operations))
    if number(0, 2) == 0 or theme == EXIT:
        actors.append(Actor("EXIT", (ExitNetns(),)))
    jiffies = draw_from(draw, (3, 10, 110))
    return Scenario(
        "generated", "Made by Hypothesis.", params, tuple(setup), tuple(actors), jiffies
    )


def draw_from(draw: Callable[[st.SearchStrategy[object]], object], numbers: tuple[int, ...]) -> int:
    """One of the numbers."""
    drawn = draw(st.sampled_from(numbers))
    assert isinstance(drawn, int)
    return drawn
