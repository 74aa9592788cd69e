"""Counterexamples of the timer's twins, tried with a kthread of the model."""

from collections.abc import Callable, Mapping

from ipvs_est import REVISIONS, Params
from ipvs_est.language.fixed import signed
from ipvs_est.language.revision import MAINLINE
from ipvs_est_checks.proving.counterexamples.lone_kthread import LoneKthread
from ipvs_est_checks.proving.counterexamples.reading import word_at
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.timer import terms as timer_terms

Values = dict[str, int]


def kthread_at(values: Values, revision: str = "mainline") -> LoneKthread:
    """One whose kd has that est_timer at that time."""
    params = Params(hz=25 * values["tick"], word_bits=values["bits"], initial_jiffies=values["now"])
    kthread = LoneKthread(params, REVISIONS[revision])
    kthread.kd.est_timer = values["est_timer"]
    return kthread


def first_head(values: Values) -> tuple[int, int]:
    """est_timer after the first step of a loop whose timer is within reach of a start, or was
    moved there: the model tests it at the start as well."""
    kthread = kthread_at(values)
    # A start would change it; so the timer is set after the start, before the next loop.
    kthread.kd.est_timer = (values["now"] + values["tick"]) % 2 ** values["bits"]
    kthread.start()
    # It sleeps for a tick, after which est_timer moves on by one.
    kthread.kd.est_timer = (values["est_timer"] - values["tick"]) % 2 ** values["bits"]
    kthread.machine.now -= values["tick"]
    kthread.wake()
    slept = kthread.asleep
    rows = len(kthread.turns) - 1
    timer = kthread.kd.est_timer
    # Undo the ticks of the rows that needed no sleep, but for what was late and reset.
    return (timer - rows * values["tick"]) % 2 ** values["bits"], 0 if rows else slept


def sizes_of(values: Values) -> Values:
    return dict.fromkeys(("now", "est_timer", "tick"), values["bits"])


def inputs_of(values: Values) -> Values:
    return {name: values[name] for name in ("now", "est_timer", "tick")}


def words_of(values: Values) -> tuple[z3.BitVecRef, z3.BitVecRef, z3.BitVecRef]:
    bits = values["bits"]
    return z3.BitVec("now", bits), z3.BitVec("est_timer", bits), z3.BitVec("tick", bits)


def _differs_at_the_head(values: Values) -> bool:
    return first_head(values) != (values["est_timer after"], values["sleep"])


def _wrap_shows(values: Values) -> bool:
    """The model's step does not change under the shift; the twin's result is not the model's, or
    not with the shift."""
    shift, bits = values["shift"], values["bits"]
    timer, sleep = first_head(values)
    moved = values | {name: (values[name] + shift) % 2**bits for name in ("now", "est_timer")}
    same = first_head(moved) == ((timer + shift) % 2**bits, sleep)
    now, est_timer, tick = words_of(values)
    wrong = [
        tuple(
            word_at(term, inputs_of(inputs), sizes_of(inputs))
            for term in timer_terms.head_unsigned(now, est_timer, tick)
        )
        for inputs in (values, moved)
    ]
    return same and wrong != [first_head(values), first_head(moved)]


def _start_differs(values: Values) -> bool:
    kthread = kthread_at(values)
    kthread.machine.netns.est_chain_max = 0
    kthread.start()
    gap = signed(values["est_timer"] - values["now"], values["bits"])
    assert 4 * values["tick"] < abs(gap) <= 8 * values["tick"]
    return kthread.kd.est_timer == values["now"] != values["est_timer after"]


def _nine_rows(values: Values) -> bool:
    """The ninth head, after eight rows, does not sleep either."""
    gap = values["est_timer"] - values["now"]
    now = 10**6
    word = values | {"bits": 64, "now": now, "est_timer": now + gap}
    kthread = kthread_at(word)
    kthread.kd.est_timer = now + values["tick"]
    kthread.start()
    kthread.kd.est_timer = now + gap - values["tick"]
    kthread.machine.now -= values["tick"]
    kthread.wake()
    return len(kthread.turns) - 1 == 9


def revolution(
    tick: int, late: int, revision: str, restarts: tuple[int, ...] = ()
) -> tuple[int, int]:
    """When a row is estimated `late` jiffies late, and when the next time; restarts at those
    times after the first, all other wake-ups on time."""
    kthread = LoneKthread(Params(hz=25 * tick), REVISIONS[revision])
    kthread.kd.est_timer += tick
    kthread.start()
    row = kthread.kd.est_row
    kthread.wake(late)
    first = kthread.turns[0][1]
    for restart in restarts:
        at = first + restart
        while kthread.machine.now + kthread.asleep < at:
            kthread.wake()
        kthread.restart(at - kthread.machine.now)
    return first, kthread.until_turn(row, first)


def elapsed(
    tick: int, late: int, revision: str = "mainline", restarts: tuple[int, ...] = ()
) -> int:
    first, second = revolution(tick, late, revision, restarts)
    return second - first


def _steady_is_shorter(values: Values) -> bool:
    tick, late = values["tick"], -values["first_timer"]
    return elapsed(tick, late) == 50 * tick - late < 50 * tick - values["most_late"] + 1


def _below_42_ticks(revision: str) -> Callable[[Values], bool]:
    def shows(values: Values) -> bool:
        tick = values["tick"]
        return elapsed(tick, values["late"], revision) == 41 * tick < 42 * tick

    return shows


def restart_times(values: Values) -> tuple[int, ...]:
    return tuple(value for name, value in values.items() if name.startswith("restart "))


def _three_restarts_come_as_said(values: Values) -> bool:
    restarts = restart_times(values)
    assert len(restarts) == 3
    return elapsed(10, 0, "mainline", restarts) == values["second"] < 450


def _late_and_a_restart(values: Values) -> bool:
    """3 ticks late, and a restart as early in its sleep as can be."""
    tick = values["tick"]
    assert 2 * tick < values["late"] <= 3 * tick
    # From 3 ticks ago the rows have caught up when the first sleep is on time again.
    return elapsed(10, 30, "mainline", (0,)) < 450


def _one_row_skipped_once(values: Values) -> bool:
    """One restart in the row's own sleep: it waits less than two revolutions, not three."""
    assert values["skips"] == values["restarts"] + 1
    kthread = LoneKthread(Params(hz=250), MAINLINE)
    kthread.kd.est_timer += 10
    kthread.start()
    row = kthread.kd.est_row
    kthread.wake()
    first = kthread.turns[0][1]
    while kthread.kd.est_row != row:
        kthread.wake()
    kthread.restart(0)
    elapsed = kthread.until_turn(row, first) - first
    return 500 < elapsed <= 2 * 500


def _tick_jiffies(hz: int) -> int:
    return Params(hz=hz).tick_jiffies


REPLAYS: Mapping[str, Callable[[Values], bool]] = {
    "timer.classes": _differs_at_the_head,
    "timer.wrap": _wrap_shows,
    "timer.true-times": _differs_at_the_head,
    "timer.start": _start_differs,
    "timer.catch-up": _nine_rows,
    "timer.steady": _steady_is_shorter,
    "timer.shortest": _below_42_ticks("mainline"),
    "timer.shortest-repaired": _below_42_ticks("repaired"),
    "timer.closest": _three_restarts_come_as_said,
    "timer.closest-one": _late_and_a_restart,
    "timer.longest": _one_row_skipped_once,
    "timer.hz": lambda v: 50 * _tick_jiffies(v["hz"]) == 2 * v["hz"] and v["hz"] % 50 != 0,
    "timer.kernel-hz": lambda v: 50 * _tick_jiffies(v["hz"]) < 2 * v["hz"] == 2048,
    "timer.short-revolution": lambda v: (
        273 * 50 * _tick_jiffies(v["hz"]) < 250 * 2 * v["hz"] and v["hz"] >= 250
    ),
    "timer.bias": lambda v: (
        v["read"] == v["per_jiffy"] * 50 * _tick_jiffies(v["hz"]) != v["per_jiffy"] * v["hz"]
    ),
}
"""By theorem: whether a counterexample of its twin shows in the model."""


def _two_restarts_bring_it_forward(values: Values) -> bool:
    """And with the repair no row comes early."""
    restarts = restart_times(values)
    early = elapsed(10, 0, "mainline", restarts) == values["second"] < 450
    return early and len(restarts) == 2 and elapsed(10, 0, "repaired", restarts) == 500


FOUND: Mapping[str, Callable[[Values], bool]] = {"timer.closest": _two_restarts_bring_it_forward}
"""By refuted theorem: whether a counterexample shows in the model."""
