"""The catalogue is complete, says what it means, and nothing in it is idle."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ipvs_est.language.counters import ZERO
from ipvs_est.language.events import (
    Averaged,
    Counted,
    Event,
    ExitBegun,
    LimitsMeasured,
    ReadingBegun,
    StartReturned,
    TaskStarted,
)
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.catalogue import (
    PROPERTIES,
    RECORD_PROPERTIES,
    STATE_PROPERTIES,
    VIOLATION_PROPERTIES,
)
from ipvs_est_spec.properties import load, rates, readers, tasks
from ipvs_est_spec.property import Case, Scope
from sampled import samples

Cases = Callable[[Params, Sequence[Event]], Iterator[Case]]

OF_GROUP = {
    "place": 4,
    "counts": 4,
    "bitmaps": 4,
    "limits": 13,
    "array": 4,
    "delay": 7,
    "progress": 5,
    "load": 3,
    "rates": 6,
    "readers": 3,
    "locks": 7,
    "memory": 5,
    "tasks": 3,
}

DEFECTS = (
    *("D01", "D02", "D03", "D04a", "D04b", "D04d", "D07", "D08", "D09", "D10", "D18"),
    *("D20", "D21", "D22", "D23", "D24", "D30", "D31", "D33", "D34", "D35", "D36"),
    *("D50", "D51", "D53", "R1", "R2", "R3", "R4", "R5", "R6", "R7"),
)
"""What the known defects name; D03 stands for its six forms."""

A = PythonAlgebra()
AVERAGED = Averaged(0, 1, ZERO, (3, 0, 0, 0, 0), ZERO, ZERO)
"""An object of which 3 connections were read."""


def test_ids_are_unique_and_made_of_group_and_name() -> None:
    ids = [prop.id for prop in PROPERTIES]
    assert len(set(ids)) == len(ids)
    for prop in PROPERTIES:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", prop.id)
        assert prop.id.partition(".")[0] == prop.group


def test_number_of_properties() -> None:
    assert len(PROPERTIES) == 68
    assert len(STATE_PROPERTIES) == 28
    assert len(RECORD_PROPERTIES) == 33
    assert len(VIOLATION_PROPERTIES) == 7
    assert Counter(prop.group for prop in PROPERTIES) == OF_GROUP


def test_each_sentence_is_one_plain_sentence() -> None:
    for prop in PROPERTIES:
        assert re.fullmatch(r"[A-Za-z][^.!?\n]*\.", prop.sentence), prop.id
        assert len(prop.sentence) <= 130, prop.id
    assert len({prop.sentence for prop in PROPERTIES}) == len(PROPERTIES)


def test_each_source_names_a_section_or_a_known_defect() -> None:
    for prop in PROPERTIES:
        assert re.fullmatch(
            r"(semantics \d+(\.\d)?(, \d+(\.\d)?)*|known defects)?[; ]*([DR]\d+[a-z]?(, )?)*",
            prop.source,
        ), prop.id
        assert prop.source


def test_each_known_defect_has_a_property() -> None:
    named = {word for prop in PROPERTIES for word in re.findall(r"\b[DR]\d+[a-z]?", prop.source)}
    assert named == set(DEFECTS)


def test_each_predicate_stands_once() -> None:
    predicates = [prop.predicate for prop in STATE_PROPERTIES]
    assert len(set(predicates)) == len(predicates)
    pairs = [(prop.cases, prop.predicate) for prop in RECORD_PROPERTIES]
    assert len(set(pairs)) == len(pairs)


def test_every_scope_is_used() -> None:
    assert {prop.scope for prop in STATE_PROPERTIES} == set(Scope)


def test_every_property_is_evaluated_in_random_histories() -> None:
    checks = samples().checks
    idle = {prop.id for prop in PROPERTIES if checks[prop.id] < 10}
    assert idle == set()


def test_nothing_fails_on_the_repaired_revision_but_what_is_known() -> None:
    assert samples().failures == {}


# Cases that the model does not record yet, from records made by hand


def test_cases_of_load_come_from_limits_tests() -> None:
    params = Params(hz=250, possible_cpus=2)
    events = [LimitsMeasured(0, 8, 0, 8, 2), LimitsMeasured(7, 23, 4000, 8, 2)]
    assert list(load.chain_cases(params, events)) == [(23, 4000)]
    geometry = (48, 8, 250, 10 * 10**9)
    assert list(load.tick_cases(params, events)) == [(23, 4000, *geometry)]
    assert list(load.cpu_cases(params, events)) == [(8, 2, 23, 4000, *geometry)]
    assert list(load.cpu_cases(params, [LimitsMeasured(7, 23, 4000, 1, 0)])) == []


def test_load_holds_for_every_cost_up_to_its_range_and_not_above() -> None:
    for params in (Params(hz=250), Params(hz=100), Params(hz=1000), Params(hz=1024)):
        tick_ns = params.tick_jiffies * 10**9 // params.hz
        for cost in [*range(1, 700), *range(94_000, 106_000, 7), 10**6, 10**9 - 1]:
            chain_max = 95_000 // cost if cost <= 95_000 else 1
            (chain,) = load.chain_cases(params, [LimitsMeasured(0, chain_max, cost, 4, 1)])
            (tick,) = load.tick_cases(params, [LimitsMeasured(0, chain_max, cost, 4, 1)])
            (cpus,) = load.cpu_cases(params, [LimitsMeasured(0, chain_max, cost, 4, 1)])
            assert load.chain_short(A, chain)
            assert load.tick_light(A, tick)
            assert load.cpus_half_free(A, cpus)
            assert (chain_max * cost <= 100_000) == (cost <= 100_000)
            assert (48 * chain_max * cost * 8 <= tick_ns) == (48 * cost * 8 <= tick_ns)


def test_group_may_be_any_that_was_there_during_the_reading() -> None:
    def counted(cpu: int, number: int) -> Counted:
        return Counted(0, 1, cpu, (number, 0, 0, 0, 0))

    def read_after(*during: Counted) -> list[tuple[int, ...]]:
        events: list[Event] = [
            StartReturned(0, 1, True, 0, True),
            counted(0, 1),
            counted(0, 2),
            ReadingBegun(0, 1),
            *during,
            AVERAGED,
        ]
        return list(readers.group_cases(Params(word_bits=32), events))

    (case,) = read_after()
    assert case == (3, 0, 0, 0, 0, 3, 0, 0, 0, 0)
    assert readers.is_one_of_the_groups(A, case)
    (case,) = read_after(counted(1, 5))
    assert case[::5] == (3, 3, 8)
    (case,) = read_after(counted(0, 5), counted(0, 2**64 - 9))
    assert case[::5] == (3, 3, 8, 2**64 - 1)
    assert not readers.is_one_of_the_groups(A, (4, *case[1:]))


def test_readings_of_an_object_that_an_id_does_not_tell_from_another_are_not_judged() -> None:
    """Two destinations with one address may lie in the trash, of two services."""
    new, back = StartReturned(0, 1, True, 0, True), StartReturned(0, 1, False, 0, True)
    read: list[Event] = [ReadingBegun(0, 1), replace(AVERAGED, sums=(5, 0, 0, 0, 0))]
    once: list[Event] = [new, *read, back, *read]
    twice: list[Event] = [new, *read, new, *read, back, *read]
    for cases, of_one_reading in ((readers.group_cases, 1), (readers.counter_cases, 5)):

        def judged(events: Sequence[Event], cases: Cases = cases) -> int:
            return len(list(cases(Params(word_bits=32), events)))

        assert judged(once) == 2 * of_one_reading
        assert judged(twice) == 2 * of_one_reading
        assert judged([*twice, new, *read]) == 3 * of_one_reading
    # Of each counter, from one reading to the next one of the same object.
    assert len(list(rates.continued_cases(Params(), once))) == 5
    assert list(rates.continued_cases(Params(), twice)) == []


def test_a_counter_is_judged_by_itself_whatever_the_others_are() -> None:
    """On 64-bit machines, where a reader may see packets without their bytes."""
    averaged = replace(AVERAGED, sums=(0, 1, 0, 0, 0))
    events: list[Event] = [
        StartReturned(0, 1, True, 0, True),
        ReadingBegun(0, 1),
        Counted(0, 1, 0, (0, 1, 0, 0, 0)),
        Counted(0, 1, 0, (0, 0, 0, 60, 0)),
        averaged,
    ]
    cases = list(readers.counter_cases(Params(), events))
    assert cases == [(0, 0), (1, 0, 1), (0, 0), (0, 0, 60), (0, 0)]
    assert all(readers.is_one_of_the_values(A, case) for case in cases)
    assert not readers.is_one_of_the_values(A, (2, 0, 1))
    assert list(readers.group_cases(Params(), events)) == []


def test_the_first_group_of_all_is_read_whole_or_not_at_all() -> None:
    """Its write section may be under way, and is not on record before it has ended."""

    def read(number: int) -> tuple[int, ...]:
        averaged = replace(AVERAGED, sums=(number, 0, 0, 0, 0))
        events: list[Event] = [StartReturned(0, 1, True, 0, True), ReadingBegun(0, 1), averaged]
        (case,) = readers.group_cases(Params(word_bits=32), events)
        return case

    assert readers.is_one_of_the_groups(A, read(0))
    assert not readers.is_one_of_the_groups(A, read(1))


def test_task_that_starts_during_netns_exit_is_seen() -> None:
    case_before, case_during = tasks.start_cases(
        Params(), [TaskStarted(0, 0, True), ExitBegun(1), TaskStarted(2, 0, True)]
    )
    assert tasks.started_while_enabled(A, case_before)
    assert not tasks.started_while_enabled(A, case_during)
