"""State matching rests on fingerprints: they leave nothing out that decides what follows."""

import ast
import random
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

import ipvs_est
from ipvs_est import MAINLINE, REPAIRED, REVISIONS, V7, Revision
from ipvs_est.language.events import CalcPhaseBegun, CalcPhaseRequested, Event
from ipvs_est.language.violations import ViolationError
from ipvs_est.machine.memory import Life, Memory
from ipvs_est.machine.points import Body, GiveWay, Sleep
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.machine import Machine
from ipvs_est.state.netns import Netns
from ipvs_est_checks.explore.engine import bodies
from ipvs_est_checks.explore.engine.states.fingerprint import fingerprint
from ipvs_est_checks.explore.engine.states.image import _LEFT_OUT
from ipvs_est_checks.explore.engine.world import enabled, start, step
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, load, scenario_from_text

SOURCES = [*sorted(Path(ipvs_est.__file__).parent.rglob("*.py")), Path(bodies.__file__)]


def _loops(tree: ast.AST) -> Iterator[ast.For]:
    """The for loops that go on after a point."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and any(
            isinstance(one_node, ast.Yield | ast.YieldFrom)
            for statement in node.body
            for one_node in ast.walk(statement)
        ):
            yield node


def test_what_a_task_goes_through_is_a_local_variable() -> None:
    """The iterator of a loop is not seen by a fingerprint; what it goes through has to be."""
    loops = 0
    for path in SOURCES:
        if path.name in {"trace.py", "violations.py"}:  # no tasks
            continue
        for loop in _loops(ast.parse(path.read_text(encoding="utf-8"))):
            loops += 1
            over = loop.iter
            if isinstance(over, ast.Call) and ast.unparse(over.func) in {"range", "enumerate"}:
                over = over.args[-1]
            assert isinstance(over, ast.Name | ast.Attribute), f"{path.name}:{loop.lineno}"
            assert loop.lineno == loop.iter.lineno == loop.iter.end_lineno
    assert loops == 15


def _driver(inner: Body) -> Body:
    for point in inner:  # noqa: UP028 - the case: driven, not waited for
        yield point


def _points() -> Body:
    for _ in range(3):
        yield GiveWay("test", rcu=False)


def test_a_fingerprint_sees_where_a_generator_in_a_variable_stands() -> None:
    world = start(load("restart-in-drain"), V7)
    world.threads[0].body = _driver(_points())
    seen = set()
    for _ in range(3):
        next(world.threads[0].body)
        seen.add(fingerprint(world))
    assert len(seen) == 3


OTHER_VALUES: dict[str, object] = {
    "enable": False,
    "est_add_ktid": 7,
    "est_max_threads": 7,
    "est_chain_max": 7,
    "est_calc_phase": True,
    "est_genid": 77,
    "est_genid_done": 77,
    "est_stopped": True,
    "run_estimation": False,
    "est_nice": 7,
    "est_cpulist": frozenset({3}),
    "est_cpulist_valid": True,
    "trash_scan_due": 7,
}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_every_plain_field_of_the_netns_is_in_the_fingerprint(name: str) -> None:
    world = start(load("restart-in-drain"), MAINLINE)
    before = fingerprint(world)
    assert getattr(world.machine.netns, name) != OTHER_VALUES[name]
    setattr(world.machine.netns, name, OTHER_VALUES[name])
    assert fingerprint(world) != before


def test_no_plain_field_of_the_netns_is_forgotten() -> None:
    objects = {
        "est_mutex",
        "est_kt_arr",
        "est_temp_list",
        "est_cpulist_mask",
        "reload_work",
        "total",
        "idle_total",
        "services",
        "dests",
        "trash",
    }
    assert {field.name for field in fields(Netns)} == OTHER_VALUES.keys() | objects


@pytest.mark.parametrize("under_way", [False, True])
def test_a_request_since_the_calc_phase_began_is_in_the_fingerprint_while_it_can_be_lost(
    under_way: bool,
) -> None:
    def seen(*events: Event) -> bytes:
        world = start(load("exit-of-an-idle-netns"), V7)
        machine = world.machine
        machine.netns.est_calc_phase = under_way
        machine.events = list(events)
        return fingerprint(world)

    begun, requested = CalcPhaseBegun(1), CalcPhaseRequested(1)
    before, meanwhile = seen(requested, begun), seen(begun, requested)
    assert (before != meanwhile) is under_way
    # How often, and what was asked for before an earlier calc phase, makes no difference.
    assert seen(begun, requested, requested) == meanwhile
    assert seen(begun, requested, begun) == before == seen()


def test_what_a_fingerprint_leaves_out_is_known() -> None:
    assert {
        # Records; constants of a search; a number that only names tasks.
        Machine: {"events", "tasks_created", "violations", "revision", "params"},
        # Numbers of objects; all objects, which are reached otherwise while they matter;
        # allocations are there by those that are still to fail.
        Memory: {"allocations", "fail_first", "fail_last", "serials", "live"},
        # When it ends is a time of the thread.
        Sleep: {"jiffies"},
        # What only the sequential driver uses; the thread says where the task stands.
        Task: {
            "serial",
            "age",
            "rank",
            "body",
            "state",
            "wake_at",
            "sleep_ticket",
            "waits_for",
        },
    } == _LEFT_OUT


def _nothing() -> None:
    pass


def test_lives_clocks_callbacks_and_stop_requests_are_in_the_fingerprint() -> None:
    def changed(change: int) -> bytes:
        world = start(load("two-kthreads-restart"), MAINLINE)
        machine = world.machine
        kd = machine.netns.est_kt_arr[1]
        assert kd is not None
        assert kd.task is not None
        match change:
            case 1:
                kd.life = Life.FREED
            case 2:
                machine.clock_ps += 1000
            case 3:
                machine.now += 1
            case 4:
                kd.task.should_stop = True
            case 5:
                world.callbacks.append((_nothing, frozenset()))
            case 6:
                kd.est_timer += 1
            case 7:
                machine.memory.fail_last = 100
            case 8:
                world.threads[-1].wake_at += 1
            case 9:
                world.threads[-1].reading = 1
            case 11:
                kd.task.state = TaskState.EXITED
            case 10:
                world.quiet_since = 7
            case _:
                pass
        return fingerprint(world)

    assert len({changed(change) for change in range(12)}) == 12
    assert changed(0) == changed(0)


SMALL = {
    "two-writers": """{"scenario": 1, "about": "", "setup": [{"op": "init"}],
 "tasks": {"A": [{"op": "nice", "value": 1}], "B": [{"op": "run_estimation", "value": 0}]},
 "jiffies": 0}""",
    "service-and-writer": """{"scenario": 1, "about": "", "setup": [{"op": "init"}],
 "tasks": {"A": [{"op": "add_service", "id": 1}], "B": [{"op": "write_cpulist", "text": "0"}]},
 "jiffies": 0}""",
    "packet-and-zero": """{"scenario": 1, "about": "", "params": {"word_bits": 32},
 "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "advance", "n": 150}],
 "tasks": {"A": [{"op": "zero", "id": 1}], "B": [{"op": "delete_service", "id": 1}]},
 "jiffies": 0}""",
}


def _outcomes(scenario: Scenario, revision: Revision, *, matching: bool) -> tuple[set[bytes], int]:
    """The states in which all schedules with at most two switches end, and how many ran."""
    ends: set[bytes] = set()
    seen: set[tuple[bytes, int | None, int]] = set()
    runs = 0
    todo: list[tuple[int, ...]] = [()]
    while todo:
        choices = todo.pop()
        runs += 1
        world = start(scenario, revision)
        try:
            for choice in choices:
                step(world, choice)
        except ViolationError as error:
            ends.add(str(error).encode())
            continue
        current = choices[-1] if choices else None
        switches = sum(left != right for left, right in pairwise(choices))
        key = fingerprint(world), current, switches
        if matching and key in seen:
            continue
        seen.add(key)
        available = enabled(world)
        if not available:
            ends.add(fingerprint(world))
        for choice in available:
            costs = choice != current and current in available
            if switches + int(choice != current and bool(choices)) <= 2 or not costs:
                todo.append((*choices, choice))
    return ends, runs


@pytest.mark.parametrize(
    ("name", "revision"),
    [
        ("two-writers", V7),
        ("two-writers", REPAIRED),
        ("service-and-writer", REPAIRED),
        ("packet-and-zero", V7),
        ("packet-and-zero", REPAIRED),
    ],
)
def test_matching_states_leads_to_the_same_ends(name: str, revision: Revision) -> None:
    scenario = scenario_from_text(name, SMALL[name])
    ends, runs = _outcomes(scenario, revision, matching=True)
    all_ends, all_runs = _outcomes(scenario, revision, matching=False)
    assert ends == all_ends
    assert runs <= all_runs


def test_no_schedule_ends_with_an_error_that_is_no_violation() -> None:
    """Each list that two tasks spoil, each pointer that went, is a violation by its name."""
    kinds: dict[str, set[str]] = {name: set() for name in REVISIONS}
    for name in library():
        for revision in REVISIONS.values():
            for seed in range(6):
                numbers = random.Random(seed)
                world = start(load(name), revision)
                try:
                    while (choices := enabled(world)) and world.steps < 400:
                        step(world, numbers.choice(choices))
                except ViolationError as error:
                    kinds[revision.name].add(error.violation.kind)
    assert {"use-after-free", "deadlock"} <= kinds["v7"]
    assert {"use-after-free", "deadlock"} <= kinds["stable"]
    assert kinds["repaired"] == set()
