"""What is proved of est_timer is about the timer that the model has."""

import random
from itertools import pairwise

import pytest

from ipvs_est import REVISIONS, Oracle, Params
from ipvs_est.language.events import Estimated
from ipvs_est.language.operations import AddService, Advance, InitNetns, SetNice
from ipvs_est.language.revision import MAINLINE, REPAIRED
from ipvs_est_checks.proving.counterexamples.lone_kthread import LoneKthread
from ipvs_est_checks.proving.counterexamples.reading import read, twin_values, word_at
from ipvs_est_checks.proving.counterexamples.timer_values import (
    REPLAYS,
    Values,
    elapsed,
    first_head,
    inputs_of,
    kthread_at,
    restart_times,
    sizes_of,
    words_of,
)
from ipvs_est_spec.proof.framework.solve import Options, ProofVerdict, ask, decide
from ipvs_est_spec.proof.timer import hz as timer_hz
from ipvs_est_spec.proof.timer import revolutions as timer_revolutions
from ipvs_est_spec.proof.timer import terms as timer_terms
from ipvs_est_spec.proof.timer import words as timer_words

_SEED = 20260728
_THEOREMS = (*timer_words.THEOREMS, *timer_revolutions.THEOREMS, *timer_hz.THEOREMS)
_BY_ID = {theorem.id: theorem for theorem in _THEOREMS}
# `ipvs-est prove` decides this one too; it takes z3 some seconds.
_SLOW = ("timer.start",)


def test_number_of_theorems_on_the_timer_is_known() -> None:
    assert len(_BY_ID) == len(_THEOREMS) == 15


@pytest.mark.parametrize("id_", [name for name in _BY_ID if name not in _SLOW])
def test_theorem_stands_and_needs_all_that_it_assumes(id_: str) -> None:
    outcome = decide(_BY_ID[id_], Options(seed=7))
    expected = ProofVerdict.FINDING if id_ == "timer.closest" else ProofVerdict.PROVED
    assert outcome.verdict is expected, outcome.complaints


# The terms and the model


def _sample(rng: random.Random) -> Values:
    bits, tick = rng.choice(timer_terms.WORDS), rng.choice((2, 10, 40, 400, 4000))
    now = rng.choice((rng.getrandbits(bits), 2**bits - rng.randrange(1, 9 * tick), 5))
    gap = rng.choice(
        (
            rng.randrange(-12 * tick, 12 * tick),
            rng.choice((-8, -4, 0, 1, 2, 4)) * tick + rng.choice((-1, 0, 1)),
            rng.getrandbits(bits),
        )
    )
    return {"bits": bits, "tick": tick, "now": now, "est_timer": (now + gap) % 2**bits}


def test_proved_step_of_the_loop_is_the_models() -> None:
    rng = random.Random(_SEED)
    slept = 0
    for _ in range(300):
        values = _sample(rng)
        timer, sleep = timer_terms.head(*words_of(values))
        expected = tuple(
            word_at(term, inputs_of(values), sizes_of(values)) for term in (timer, sleep)
        )
        assert first_head(values) == expected, values
        slept += expected[1] > 0
    assert 50 < slept < 250


def test_proved_start_is_the_models() -> None:
    rng = random.Random(_SEED)
    kept = 0
    for _ in range(300):
        values = _sample(rng)
        expected = word_at(
            timer_terms.start(*words_of(values)), inputs_of(values), sizes_of(values)
        )
        kthread = kthread_at(values)
        # In a netns without limits the function returns at once, so est_timer is the start's.
        kthread.machine.netns.est_chain_max = 0
        kthread.start()
        assert kthread.kd.est_timer == expected, values
        kept += expected == values["est_timer"]
    assert 50 < kept < 250


def test_difference_from_the_model_would_be_seen() -> None:
    rng = random.Random(_SEED)

    def differs(values: Values) -> bool:
        now, est_timer, tick = words_of(values)
        timer, _ = timer_terms.head(now, est_timer, tick, cut_ticks=0)
        return word_at(timer, inputs_of(values), sizes_of(values)) != first_head(values)[0]

    assert any(differs(_sample(rng)) for _ in range(100))


# Counterexamples of twins, replayed


@pytest.mark.parametrize("id_", _BY_ID)
def test_counterexample_of_a_twin_shows_in_the_model(id_: str) -> None:
    assert REPLAYS[id_](twin_values(_BY_ID[id_]))


# The bounds, reached in the model


@pytest.mark.parametrize("ticks", range(10))
@pytest.mark.parametrize("revision", REVISIONS)
def test_lateness_of_up_to_9_ticks_is_made_up_for(revision: str, ticks: int) -> None:
    assert elapsed(10, ticks * 10, revision) == 500 - ticks * 10


@pytest.mark.parametrize("late", [91, 200, 5000])
def test_more_lateness_than_9_ticks_costs_the_row_one_tick(late: int) -> None:
    # est_timer becomes now for the next row, so 49 ticks later it is the row's turn.
    assert elapsed(10, late) == 490


def test_finding_of_the_proof_is_the_models() -> None:
    (two,) = _BY_ID["timer.closest"].obligations()
    values = read(ask(two, Options()).values)
    restarts = restart_times(values)
    assert len(restarts) == 2
    assert elapsed(10, 0, "mainline", restarts) == values["second"] < 450
    # The repair: no row comes early.
    assert elapsed(10, 0, "repaired", restarts) == 500


def test_a_restart_takes_at_most_3_ticks_of_which_almost_all_can_be_reached() -> None:
    # A jiffy into each sleep, a tick and a jiffy apart: 3 ticks less a jiffy for each.
    for number in range(1, 9):
        restarts = tuple(1 + 11 * one_number for one_number in range(number))
        assert elapsed(10, 0, "mainline", restarts) == 500 - 29 * number, number


def test_restarts_without_time_between_them_bring_rows_forward_too() -> None:
    # Of two restarts at one moment the second finds est_timer now: 1.5 ticks for each.
    kthread = LoneKthread(Params(hz=250), MAINLINE)
    kthread.kd.est_timer += 10
    kthread.start()
    before = kthread.kd.est_row
    for _ in range(10):
        kthread.restart(0)
    assert kthread.kd.est_row - before == 15
    assert kthread.machine.now == 1000


def _estimations(params: Params, revision: str, pairs: int, pause: int) -> list[int]:
    """When the first service's estimator is estimated, with so many restarts by est_nice."""
    oracle = Oracle(params, REVISIONS[revision])
    oracle.machine.events = []
    oracle.apply(InitNetns())
    oracle.apply(AddService(1))
    oracle.apply(Advance(5 * 2 * params.hz - 3))
    for index in range(pairs):
        oracle.apply(SetNice(1 + index % 2))
        oracle.apply(Advance(pause))
    oracle.apply(Advance(2 * 2 * params.hz))
    return [
        event.jiffies
        for event in oracle.machine.events
        if isinstance(event, Estimated) and event.id == 1
    ]


def test_whole_netns_shows_the_early_rows_and_the_repaired_one_does_not() -> None:
    closest = {
        revision: min(
            second - first
            for times in [_estimations(Params(hz=250), revision, 3, 11)]
            for first, second in pairwise(times)
        )
        for revision in ("mainline", "repaired")
    }
    assert closest["mainline"] < 450
    assert closest["repaired"] >= 500 - 10


def test_kthread_that_nobody_disturbs_keeps_its_revolution_over_the_wrap_of_jiffies() -> None:
    for bits in timer_terms.WORDS:
        params = Params(hz=1000, word_bits=bits, initial_jiffies=2**bits - 700)
        for revision in (MAINLINE, REPAIRED):
            kthread = LoneKthread(params, revision)
            kthread.start()
            first = kthread.turns[0][1]
            assert kthread.until_turn(kthread.turns[0][0], first) == first + 2000


def _random_run(rng: random.Random, revision: str) -> list[tuple[int, int, int, int]]:
    """Row, time, restarts and jiffies lost so far, for each turn of a kthread that wakes late, is
    stopped in its sleep and started again after a while."""
    bits = rng.choice(timer_terms.WORDS)
    params = Params(hz=250, word_bits=bits, initial_jiffies=2**bits - rng.randrange(1, 2000))
    kthread = LoneKthread(params, REVISIONS[revision])
    kthread.start()
    restarts = lost = 0
    turns: list[tuple[int, int, int, int]] = []
    often = rng.choice((0.02, 0.1, 0.5))
    for _ in range(300):
        if rng.random() < often:
            kthread.stop(rng.randint(0, kthread.asleep))
            idle = rng.choice((0, 0, 1, 15, 39, 41, 200))
            kthread.machine.now += idle
            restarts, lost = restarts + 1, lost + idle
            kthread.start()
        else:
            late = rng.choice((0, 0, 0, 0, 3, 40, 89, 300)) if rng.random() < often else 0
            lost += late
            kthread.wake(late)
        new = kthread.turns[len(turns) :]
        turns += [(row, at, restarts, lost) for row, at in new]
    return turns


@pytest.mark.parametrize("revision", REVISIONS)
def test_random_runs_keep_the_proved_bounds_and_come_near_them(revision: str) -> None:
    rng = random.Random(_SEED)
    early = 0 if revision == "repaired" else 30
    least = most = revolutions = 0
    for _ in range(60):
        last: dict[int, tuple[int, int, int]] = {}
        for row, at, restarts, lost in _random_run(rng, revision):
            if row in last:
                before, old_restarts, old_lost = last[row]
                number = restarts - old_restarts
                assert at - before >= 410 - early * number
                assert at - before <= 500 * (number + 1) + lost - old_lost
                revolutions += 1
                least += at - before <= 420 - early * number
                most += at - before == 500 + lost - old_lost
            last[row] = at, restarts, lost
    assert revolutions > 5000
    assert least > 5
    assert most > 1000


# 2 * HZ / 50 rounded down, by hand: jiffies in a tick, jiffies missing of 2 s.
@pytest.mark.parametrize(
    ("hz", "tick", "missing"),
    [
        (48, 1, 46),
        (100, 4, 0),
        (128, 5, 6),
        (250, 10, 0),
        (256, 10, 12),
        (300, 12, 0),
        (1000, 40, 0),
        (1024, 40, 48),
        (1200, 48, 0),
    ],
)
def test_revolution_is_short_by_twice_the_rest_of_hz_over_25(
    hz: int, tick: int, missing: int
) -> None:
    assert _elapsed_at(hz) == 50 * tick == 2 * hz - missing


def _elapsed_at(hz: int) -> int:
    kthread = LoneKthread(Params(hz=hz), MAINLINE)
    kthread.start()
    row, first = kthread.turns[0]
    return kthread.until_turn(row, first) - first
