"""What a step really touches is in its footprint: every read and write of the model is looked at.

The fields of the model's objects are replaced by properties that note who reads and writes them.
"""

import sys
from collections.abc import Callable
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.violations import ViolationError
from ipvs_est.machine.hlist import Link, Node
from ipvs_est.machine.memory import HeapObject
from ipvs_est.machine.tasks import Task
from ipvs_est.state.control_objects import Dest, Service
from ipvs_est.state.kthread_context import KthreadContext, Tick
from ipvs_est.state.machine import Machine
from ipvs_est.state.netns import DelayedWork, Netns
from ipvs_est.state.stats import Estimator, StatsObject
from ipvs_est_checks.explore.engine.world import World, enabled, start, step
from ipvs_est_checks.explore.reduction.footprint import (
    GUARDED_BY_EST,
    GUARDED_BY_SERVICE,
    Footprint,
    FootprintTaker,
)
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, load
from ipvs_est_checks.explore.scenarios.strategy import scenarios

ANY_LIST = "any list"
KINDS: dict[type, dict[str, str]] = {
    Machine: {"now": "now", "objects": "objects"},
    Netns: {
        **{
            name: name
            for name in (
                "enable",
                "est_add_ktid",
                "est_calc_phase",
                "est_chain_max",
                "est_cpulist",
                "est_cpulist_valid",
                "est_genid",
                "est_genid_done",
                "est_max_threads",
                "est_nice",
                "est_stopped",
                "run_estimation",
                "trash",
            )
        },
        "trash_scan_due": "trash",
        "est_cpulist_mask": "est_cpulist",
        "est_kt_arr": "est_kt_count",
        "services": "objects",
        "dests": "objects",
        "total": "objects",
        "idle_total": "objects",
    },
    DelayedWork: dict.fromkeys(("pending", "due", "running", "refused"), "work"),
    KthreadContext: {
        **dict.fromkeys(("ticks", "tick_len", "avail", "est_count"), "lists"),
        **dict.fromkeys(("chain_max", "tick_max", "est_max_count"), "limits"),
        **dict.fromkeys(("add_row", "est_row"), "row"),
        "est_timer": "timer",
        "task": "kthread",
        "needed": "needed",
    },
    Tick: dict.fromkeys(("chains", "chain_len", "present", "full"), ANY_LIST),
    Link: {"next": ANY_LIST},
    Node: {"prev": ANY_LIST},
    Estimator: {
        **dict.fromkeys(("ktid", "ktrow", "ktcid"), ANY_LIST),
        **dict.fromkeys(("last", "rates"), "kstats"),
    },
    StatsObject: {"cpustats": "cpustats", "kstats": "kstats", "kstats0": "kstats"},
    Task: {"should_stop": "task"},
    Service: dict.fromkeys(("references", "scheduler", "dests"), "objects"),
    Dest: dict.fromkeys(("references", "available", "service"), "objects"),
}
"""By class and field: the kind of the part that it belongs to."""
GUARDS = {"service": GUARDED_BY_SERVICE | {ANY_LIST}, "est": GUARDED_BY_EST}
UNTOLD = frozenset({"start_due_work", "end_task"})
"""Functions whose reads are no touch: after each step it is looked whether work that is due is to
start; it is not, unless the step has written what is looked at."""

Touch = tuple[str, object, str, bool, str]
"""The part's kind, whose field, which, whether it is written, and by which function."""


@pytest.fixture
def touches(monkeypatch: pytest.MonkeyPatch) -> list[Touch]:
    seen: list[Touch] = []
    for kind, parts in KINDS.items():
        for name, part in parts.items():
            monkeypatch.setattr(kind, name, _noting(kind, name, part, seen))
    return seen


def _noting(kind: type, name: str, part: str, seen: list[Touch]) -> property:
    slot = kind.__dict__[name]

    def note(thing: object, *, write: bool) -> None:
        caller = sys._getframe(2)
        module = caller.f_globals["__name__"]
        function = caller.f_code.co_name
        if module.startswith("ipvs_est.") and function not in UNTOLD:
            seen.append((part, thing, name, write, f"{module}:{function}"))

    def read(thing: object) -> object:
        note(thing, write=False)
        value: object = slot.__get__(thing, kind)
        return value

    def write(thing: object, value: object) -> None:
        note(thing, write=True)
        slot.__set__(thing, value)

    return property(read, write)


def _undeclared(
    world: World,
    taker: FootprintTaker,
    footprint: Footprint,
    touch: Touch,
    new_from: int,
    *,
    kthread_0: bool,
) -> bool:
    part, thing, _, write, _ = touch
    if isinstance(thing, HeapObject) and not 0 < thing.serial <= new_from:
        # Made in this step, or not from the heap: nobody else knows it.
        return False
    if isinstance(thing, Estimator):
        thing = thing.stats
    if isinstance(thing, StatsObject) and (
        thing.owner == "calc" or not 0 < thing.serial <= new_from
    ):
        # Of the limits test, which only kthread 0 makes, or made in this step.
        return False
    declared = footprint.writes if write else footprint.reads | footprint.writes
    names = {name for name, bit in taker.names.bits.items() if bit & declared}
    held = {
        str(whose)
        for (kind, whose), bit in taker.names.bits.items()
        if kind == "guarded" and bit & footprint.reads
    }
    machine = world.machine
    for mutex, guarded in (
        (machine.service_mutex, GUARDS["service"]),
        (machine.netns.est_mutex, GUARDS["est"]),
    ):
        if part in guarded and mutex.name in held:
            return False
    kinds = {kind for kind, _ in names}
    if part == ANY_LIST:
        return not kinds & {ANY_LIST, "lists", "est_temp_list"}
    if part == "cpustats":
        return not kinds & {"cpustats", "words", "new words"}
    if isinstance(thing, KthreadContext):
        if thing not in machine.netns.est_kt_arr:
            # Not published yet, or not any more: whoever works on it is told by its task.
            return False
        if part == "row" and not thing.id and kthread_0:
            # Nobody else looks at it.
            return False
        return (part, thing.id) not in names and not (part == "lists" and ANY_LIST in kinds)
    if isinstance(thing, Task):
        return part not in kinds
    if isinstance(thing, StatsObject):
        return (part, thing.serial) not in names
    return part not in kinds


def _walk(
    scenario: Scenario, revision: Revision, seed: int, touches: list[Touch]
) -> tuple[int, set[str]]:
    """Steps of a random schedule, and what they touch that they do not declare."""
    choose = Random(seed)
    steps, wrong = 0, set[str]()
    try:
        world, taker = start(scenario, revision), FootprintTaker()
    except ViolationError:
        return steps, wrong
    while available := enabled(world):
        # Time seldom, lest everything be over at once.
        choices = [number for number in available if number != -1] or available
        choice = choose.choice(choices if choose.random() < 0.9 else available)
        taking = taker.before(world, choice)
        new_from = world.machine.memory.serials
        touches.clear()
        try:
            step(world, choice)
        except ViolationError:
            break
        seen = list(touches)
        taker.after(world, taking)
        footprint = taker.last
        assert footprint is not None
        steps += 1
        kd = world.by_index[choice].task.kd if choice >= 0 else None
        kthread_0 = kd is not None and kd.id == 0
        for touch in seen:
            if _undeclared(world, taker, footprint, touch, new_from, kthread_0=kthread_0):
                verb = "writes" if touch[3] else "reads"
                wrong.add(f"{touch[4]} {verb} {touch[2]} of {touch[0]}")
    return steps, wrong


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=REVISIONS)
def test_no_step_touches_what_it_does_not_declare(revision: Revision, touches: list[Touch]) -> None:
    wrong: dict[str, set[str]] = {}
    steps = 0
    # Half of the scenarios each: neighbours have the other half.
    half = list(REVISIONS).index(revision.name) % 2
    for number, name in enumerate(library()):
        if number % 2 != half:
            continue
        done, found = _walk(load(name), revision, number, touches)
        steps += done
        for item in found:
            wrong.setdefault(item, set()).add(name)
    assert steps > 500
    assert wrong == {}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scenarios(), st.sampled_from(list(REVISIONS)), st.integers(0, 2**32))
def test_nor_does_one_of_a_random_scenario(
    touches: list[Touch], scenario: Scenario, revision: str, seed: int
) -> None:
    assert _walk(scenario, REVISIONS[revision], seed, touches)[1] == set()


def test_a_touch_that_is_not_declared_is_seen(
    touches: list[Touch], monkeypatch: pytest.MonkeyPatch
) -> None:
    forget: Callable[..., None] = lambda *args: None  # noqa: E731 - in place of a function
    monkeypatch.setattr("ipvs_est_checks.explore.reduction.footprint._of_functions", forget)
    found = set()
    for seed in range(5):
        found |= _walk(load("delete-while-kthreads-read"), REVISIONS["repaired"], seed, touches)[1]
    assert any("estimation_kthread reads" in name for name in found)
