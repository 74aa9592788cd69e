"""Readers under RCU and under the seqcount, while others write, move and free."""

import random
from dataclasses import replace

import pytest

from ipvs_est import MAINLINE, REPAIRED, V7, Revision
from ipvs_est.language.events import Averaged
from ipvs_est.language.violations import BrokenProperty, UseAfterFree, Violation, ViolationError
from ipvs_est.machine.points import FieldAccess, Point, WordAccess
from ipvs_est_checks.explore.engine.outcome import Bounds, Found, Outcome
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.engine.watch import Watch
from ipvs_est_checks.explore.engine.world import RCU, World, enabled, start, step
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, load, scenario_from_text
from ipvs_est_checks.explore.schedulers.dfs import Dfs
from ipvs_est_checks.explore.schedulers.scheduler import system_of
from ipvs_est_checks.mutants.from_reviews import REVIEWED
from ipvs_est_checks.text_edits import Edit, applied

MUTANTS = {mutant.id: mutant for mutant in REVIEWED}

# The first counter is one step before its low word wraps.
COUNT = '"op": "traffic", "id": 1, "cpu": 0, "inpkts": 1, "outpkts": 1, "inbytes": 1, "outbytes": 1'
WORDS = (
    '{"scenario": 1, "about": "A packet is counted while kthread 0 reads the counters.",'
    ' "params": {"word_bits": 32},'
    ' "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "advance", "n": 150},'
    f' {{{COUNT}, "conns": 4294967295}}],'
    f' "tasks": {{"SOFTIRQ": [{{{COUNT}, "conns": 1}}]}}, "jiffies": 150}}'
)
READERS = """{
 "scenario": 1,
 "about": "A service is read, zeroed and counted on while it is deleted.",
 "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "advance", "n": 150}],
 "tasks": {
  "CTL": [{"op": "delete_service", "id": 1}],
  "READER": [{"op": "read", "id": 1}, {"op": "zero", "id": 1}],
  "SOFTIRQ": [{"op": "traffic", "id": 1, "cpu": 0,
   "conns": 1, "inpkts": 1, "outpkts": 1, "inbytes": 1, "outbytes": 1}]
 },
 "jiffies": 100
}"""


KTHREAD = """{
 "scenario": 1,
 "about": "A service is deleted while its kthread may be at its estimator.",
 "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "advance", "n": 150}],
 "tasks": {"CTL": [{"op": "delete_service", "id": 1}]},
 "jiffies": 220
}"""


def search(scenario: Scenario, revision: Revision, *properties: str, preemptions: int) -> Outcome:
    system = system_of(scenario, revision, Watch(frozenset(properties)))
    return run(system, Dfs(preemptions), Bounds(preemptions))


@pytest.mark.parametrize("id_", ["D53-reader", "D53-writer"])
def test_a_torn_group_is_read_without_the_seqcount(id_: str) -> None:
    with applied(MUTANTS[id_].edits):
        outcome = search(
            scenario_from_text("words", WORDS), REPAIRED, "readers.group", preemptions=2
        )
    assert outcome.found is not None
    assert isinstance(outcome.found.violation, BrokenProperty)
    assert outcome.found.violation.property == "readers.group"


def test_no_torn_group_is_read_with_the_seqcount() -> None:
    scenario = scenario_from_text("words", WORDS)
    outcome = search(scenario, REPAIRED, "readers.group", preemptions=4)
    assert outcome.found is None
    assert outcome.figures.exhausted


PACKET = """{
 "scenario": 1,
 "about": "A packet is counted while kthread 0 reads the counters.",
 "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "advance", "n": 150},
  {"op": "traffic", "id": 1, "cpu": 0,
   "conns": 1, "inpkts": 0, "outpkts": 0, "inbytes": 0, "outbytes": 0}],
 "tasks": {"SOFTIRQ": [{"op": "traffic", "id": 1, "cpu": 0,
  "conns": 0, "inpkts": 1, "outpkts": 0, "inbytes": 60, "outbytes": 0}]},
 "jiffies": 150
}"""


def _sums_read(word_bits: int) -> set[tuple[int, int]]:
    """inpkts and inbytes that any schedule with 2 preemptions reads."""
    scenario = scenario_from_text("packet", PACKET)
    scenario = replace(scenario, params=replace(scenario.params, word_bits=word_bits))
    found: set[tuple[int, int]] = set()

    def note(world: World, _: Found) -> bool:
        events = world.machine.events or []
        found.update(
            (event.sums[1], event.sums[3])
            for event in events
            if isinstance(event, Averaged) and event.id == 1
        )
        return False

    watch = Watch(frozenset({"readers.group", "readers.counter"}))
    # Every reading ends its schedule, to be looked at.
    edit = Edit(
        "estimator.estimate_tick:_estimate_split",
        "    estimate(stats, sums)\n",
        "    estimate(stats, sums)\n"
        "    if stats.id == 1 and machine.interleaved and machine.events is not None:\n"
        "        event = Averaged(machine.now, 1, last, sums, before, est.rates)\n"
        "        machine.events.append(event)\n"
        "        from ipvs_est.language.violations import InvalidPointer\n"
        "        from ipvs_est.state.machine import report\n"
        '        report(machine, InvalidPointer("reading", _WHERE))\n',
    )
    with applied([edit]):
        run(system_of(scenario, REPAIRED, watch), Dfs(2), Bounds(2), wanted=note)
    assert run(system_of(scenario, REPAIRED, watch), Dfs(2), Bounds(2)).found is None
    return found


def test_packets_may_be_read_without_their_bytes_on_64_bit_machines_only() -> None:
    assert _sums_read(32) == {(0, 0), (1, 60)}
    assert _sums_read(64) == {(0, 0), (1, 0), (0, 60), (1, 60)}


def test_a_writer_is_interrupted_at_every_word() -> None:
    """Whoever waits for the end of a write section sees each word of it change by itself."""
    world = start(scenario_from_text("words", WORDS), REPAIRED)
    thread = world.threads[0]
    words: list[tuple[int, bool]] = []
    while 0 in enabled(world):
        step(world, 0)
        if isinstance(thread.point, WordAccess):
            words.append((thread.point.word, thread.point.write))
    assert words == [(10, True), *((word, True) for word in range(10)), (10, True)]


def _frees_at_once(scenario: Scenario, preemptions: int) -> Violation | None:
    edit = Edit(
        "control.services:put_service",
        "        call_rcu(machine.rcu, lambda: _free_service(machine, service))\n",
        "        _free_service(machine, service)\n",
    )
    with applied([edit]):
        found = search(scenario, REPAIRED, preemptions=preemptions).found
    return None if found is None else found.violation


def test_stats_that_are_freed_at_once_are_used_by_who_reads_them() -> None:
    scenario = scenario_from_text("readers", READERS)
    violation = _frees_at_once(scenario, 1)
    assert isinstance(violation, UseAfterFree)
    assert violation.thing == "stats of service 1"
    outcome = search(scenario, REPAIRED, preemptions=2)
    assert outcome.found is None
    assert outcome.figures.exhausted


def test_stats_that_are_freed_at_once_are_used_by_the_kthread() -> None:
    assert isinstance(_frees_at_once(scenario_from_text("kthread", KTHREAD), 2), UseAfterFree)


def test_a_tick_that_is_freed_at_once_is_used_by_the_kthread() -> None:
    edit = Edit(
        "estimator.start_stop:free_tick_later",
        '    call_rcu(machine.rcu, lambda: free(machine, td, "kfree_rcu"))\n',
        '    free(machine, td, "kfree_rcu")\n',
    )
    scenario = scenario_from_text("kthread", KTHREAD)
    with applied([edit]):
        found = search(scenario, REPAIRED, preemptions=2).found
    assert found is not None
    assert isinstance(found.violation, UseAfterFree)
    assert found.violation.thing.startswith("tick of row")
    assert search(scenario, REPAIRED, preemptions=2).found is None


def test_estimators_moved_under_a_reader_are_noticed() -> None:
    mutant = MUTANTS["R1"]
    scenario = load("recalculation-of-full-kthreads")
    with applied(mutant.edits):
        found = search(scenario, MAINLINE, "readers.moved", preemptions=1).found
    assert found is not None
    assert found.violation == BrokenProperty("readers.moved", "1, 1")


@pytest.mark.parametrize("revision", [V7, REPAIRED], ids=lambda revision: revision.name)
def test_no_grace_period_ends_inside_a_reader(revision: Revision) -> None:
    """Who stands in a read-side section when a callback is queued is out of it when it runs."""
    numbers = random.Random(1)
    ended = waited = 0
    scenarios = [load(name) for name in library()]
    scenarios += [
        scenario_from_text("readers", READERS),
        scenario_from_text("kthread", KTHREAD),
    ] * 9
    for scenario in scenarios:
        world = start(scenario, revision)
        # Callbacks and who was inside when they were queued and has not left since.
        queued: list[tuple[object, set[int]]] = []
        try:
            for _ in range(300):
                choices = enabled(world)
                if not choices:
                    break
                choice = numbers.choice(choices)
                if choice == RCU:
                    callback = world.callbacks[0][0]
                    (inside,) = [who for value, who in queued if value is callback]
                    assert not inside
                    ended += 1
                step(world, choice)
                now = {thread.index for thread in world.threads if thread.reading}
                for _callback, inside in queued:
                    inside &= now
                known = [value for value, _ in queued]
                new = [function for function, _ in world.callbacks if function not in known]
                queued += [(function, set(now)) for function in new]
                waited += bool(new and now)
        except ViolationError:
            continue
    assert ended > 50
    assert waited > 5


FIELDS_EVERYWHERE = {
    "chains",
    "cpustats",
    "enable",
    "est_calc_phase",
    "est_genid",
    "est_nice",
    "est_row",
    "est_temp_list",
    "kstats",
    "list",
    "present",
    "should_stop",
    "tick_len",
    "ticks",
}
FIELDS_WITHOUT_EST_MUTEX = {
    "est_cpulist",
    "est_cpulist_valid",
    "est_kt_count",
    "est_max_threads",
    "est_stopped",
    "run_estimation",
    # Of the total, which netns exit stops without the service mutex.
    "ktid",
}


@pytest.mark.parametrize(
    ("revision", "accessed"),
    [(V7, FIELDS_EVERYWHERE | FIELDS_WITHOUT_EST_MUTEX), (REPAIRED, FIELDS_EVERYWHERE)],
    ids=lambda value: value.name if isinstance(value, Revision) else "",
)
def test_tasks_stop_at_every_kind_of_point(revision: Revision, accessed: set[str]) -> None:
    kinds: set[type[Point]] = set()
    stops: set[str] = set()
    numbers = random.Random(2)
    scenarios = [load(name) for name in library()]
    scenarios += [scenario_from_text("readers", READERS), scenario_from_text("words", WORDS)]
    for scenario in scenarios * 3:
        world = start(scenario, revision)
        try:
            while (choices := enabled(world)) and world.steps < 400:
                step(world, numbers.choice(choices))
                for thread in world.threads:
                    if thread.point is not None:
                        kinds.add(type(thread.point))
                    if isinstance(thread.point, FieldAccess):
                        stops.add(thread.point.field)
        except ViolationError:
            continue
    assert {kind.__name__ for kind in kinds} == {
        "CancelWork",
        "FieldAccess",
        "GiveWay",
        "Join",
        "Lock",
        "QueueWork",
        "Sleep",
        "Start",
        "Stop",
        "WordAccess",
    }
    assert stops - {"objects"} == accessed
