"""Theorems on the time between two estimations of one row, by induction over all that a kthread
can do in between (semantics 8 and 9).

Times are jiffies since the first of the two, and do not wrap: `timer.true-times` says when words
do the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ipvs_est_spec.algebra.z3_algebra import Z3Algebra
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.timer import terms
from ipvs_est_spec.proof.timer.terms import CATCH_UP_TICKS, NTICKS
from ipvs_est_spec.properties import delay

_GROUP = "timer"
_ALGEBRA = Z3Algebra()
_SCOPE = (
    "all ticks, all delays of wake-ups, of work and without a task; every number of rows and"
    " restarts, by induction"
)
# A restart of a merged revision takes est_timer from 2 ticks ahead to one tick ago.
_LOST_TICKS = 3
# 8 ticks are caught up with, and one is that of the row that comes late.
_SHORTEST_TICKS = NTICKS - CATCH_UP_TICKS - 1

_tick = z3.Int("tick")


@dataclass(frozen=True, slots=True)
class _TimerState:
    """A kthread at the head of its loop, or without a task."""

    now: z3.ArithRef
    est_timer: z3.ArithRef
    due: z3.ArithRef
    """A tick for each row whose turn has passed, the first estimation's included."""
    fresh: z3.BoolRef
    """The task has not estimated yet."""
    early: z3.ArithRef
    """By how much restarts may have brought rows forward: 3 ticks for each, or 0."""
    lost: z3.ArithRef
    """Time without a task, in the calc phase, of late wake-ups and of work."""


_STATE = _TimerState(
    z3.Int("now"),
    z3.Int("est_timer"),
    z3.Int("due"),
    z3.Bool("fresh"),
    z3.Int("early"),
    z3.Int("lost"),
)
# The lateness of the first estimation, or 9 ticks if that is less: what can be made up for.
_late = z3.Int("late")
_first_timer = z3.Int("first_timer")
_woken_late, _work, _idle = z3.Int("woken_late"), z3.Int("work"), z3.Int("idle")
_stopped_after = z3.Int("stopped_after")
_TIMES = (_tick >= 1, _woken_late >= 0, _work >= 0, _idle >= 0, _stopped_after >= 0)

_SHOWN: tuple[tuple[str, z3.ExprRef], ...] = (
    ("tick", _tick),
    ("now", _STATE.now),
    ("est_timer", _STATE.est_timer),
    ("due", _STATE.due),
    ("fresh", _STATE.fresh),
    ("early", _STATE.early),
    ("lost", _STATE.lost),
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What differs between revisions."""

    repaired: bool
    """A task stopped in its sleep leaves its row and est_timer alone (repair of F15)."""

    @property
    def ahead_ticks(self) -> int:
        """How far ahead a task finds est_timer at most."""
        return 1 if self.repaired else 2

    @property
    def early_ticks(self) -> int:
        """What a restart can bring rows forward."""
        return 0 if self.repaired else _LOST_TICKS


_MERGED, _REPAIRED = _Rules(False), _Rules(True)
_Invariant = Callable[[_TimerState, _Rules], z3.BoolRef]


def _first(lateness: z3.ArithRef) -> _TimerState:
    """After the first estimation, at 0, which was `lateness` late."""
    return _TimerState(_work, _tick - lateness, _tick, z3.BoolVal(False), z3.IntVal(0), _work)


def _row(state: _TimerState) -> _TimerState:
    """The kthread goes through its loop once."""
    timer, sleep = terms.head(state.now, state.est_timer, _tick)
    late = z3.If(sleep > 0, _woken_late, z3.IntVal(0))
    return _TimerState(
        state.now + sleep + late + _work,
        timer + _tick,
        state.due + _tick,
        z3.BoolVal(False),
        state.early,
        state.lost + late + _work,
    )


def _restart(state: _TimerState, rules: _Rules) -> _TimerState:
    """The task is stopped at the loop's head, and after a while another is started."""
    now = state.now + _idle
    return _TimerState(
        now,
        terms.start(now, state.est_timer, _tick),
        state.due,
        z3.BoolVal(True),
        state.early + rules.early_ticks * _tick,
        state.lost + _idle,
    )


def _stopped_in_sleep(state: _TimerState, rules: _Rules) -> _TimerState:
    """The task is stopped while it sleeps, or estimates; another is started."""
    timer, sleep = terms.head(state.now, state.est_timer, _tick)
    moved = 0 if rules.repaired else 1
    late = terms.later(_stopped_after - sleep, z3.IntVal(0))
    stopped = _TimerState(
        state.now + _stopped_after,
        timer + moved * _tick,
        state.due + moved * _tick,
        state.fresh,
        state.early,
        state.lost + late,
    )
    return _restart(stopped, rules)


def _calc_phase(state: _TimerState) -> _TimerState:
    """Time passes before the first row."""
    return _TimerState(
        state.now + _idle,
        state.est_timer,
        state.due,
        state.fresh,
        state.early,
        state.lost + _idle,
    )


def _not_before(state: _TimerState, rules: _Rules) -> z3.BoolRef:
    """est_timer, or what it is reset to at the least, is not behind the rows that have passed by
    more than the lateness and what restarts have taken."""
    reached = terms.later(state.est_timer, state.now - CATCH_UP_TICKS * _tick)
    to_take = z3.If(state.fresh, z3.IntVal(rules.early_ticks), z3.IntVal(0)) * _tick
    ahead = z3.If(state.fresh, z3.IntVal(rules.ahead_ticks), z3.IntVal(1)) * _tick
    return z3.And(
        reached + state.early - to_take >= state.due - _late,
        state.est_timer <= state.now + ahead,
    )


def _not_after(state: _TimerState, rules: _Rules) -> z3.BoolRef:
    """Neither est_timer nor the time is further than the rows that have passed and the time
    lost."""
    del rules
    return terms.later(state.est_timer, state.now) <= state.due + state.lost


def _steps(invariant: _Invariant, rules: _Rules) -> tuple[Goal, ...]:
    return tuple(
        _step(name, invariant, rules)
        for name in ("first", "row", "stopped in sleep", "restart", "calc phase")
    )


def _step(name: str, invariant: _Invariant, rules: _Rules) -> Goal:
    before = Assumption("before", "It was so before.", invariant(_STATE, rules))
    if name == "first":
        on_time = Assumption(
            "not-early", "The first estimation is not before est_timer.", _first_timer <= 0
        )
        after = _first(-_first_timer)
        return Goal(
            name,
            (on_time,),
            invariant(after, rules),
            (*_TIMES, _late == _made_up()),
            (("tick", _tick), ("first_timer", _first_timer), ("late", _late)),
        )
    if name == "row":
        after = _row(_STATE)
    elif name == "restart":
        after = _restart(_STATE, rules)
    elif name == "calc phase":
        after = _calc_phase(_STATE)
    else:
        after = _stopped_in_sleep(_STATE, rules)
    return Goal(name, (before,), invariant(after, rules), _TIMES, _SHOWN)


def _made_up(ticks: int = CATCH_UP_TICKS + 1) -> z3.ArithRef:
    limit = ticks * _tick
    return z3.If(-_first_timer < limit, -_first_timer, limit)


def _second(state: _TimerState) -> z3.ArithRef:
    """When the row whose turn it is gets estimated."""
    _, sleep = terms.head(state.now, state.est_timer, _tick)
    return state.now + sleep + z3.If(sleep > 0, _woken_late, z3.IntVal(0))


def _at_turn(rules: _Rules) -> tuple[Assumption, Assumption]:
    return (
        Assumption("before", "The invariant holds.", _not_before(_STATE, rules)),
        Assumption(
            "turn", "It is the row's turn again, for the first time.", _STATE.due == NTICKS * _tick
        ),
    )


def _ranges(rules: _Rules) -> tuple[z3.BoolRef, ...]:
    return (*_TIMES, _STATE.early == 0) if rules.repaired else _TIMES


def _shortest(rules: _Rules) -> Goal:
    """Never closer than that, and 3 ticks for each restart."""
    late = Assumption("late", "What can be made up for is at most 9 ticks.", _late <= 9 * _tick)
    conclusion = _second(_STATE) >= _SHORTEST_TICKS * _tick - _STATE.early
    shown = (*_SHOWN, ("late", _late))
    return Goal("turn", (*_at_turn(rules), late), conclusion, _ranges(rules), shown)


def _shorter(rules: _Rules) -> Goal:
    """Wrong: a tick more than that, with a first estimation 9 ticks late and no restart."""
    conclusion = _second(_STATE) >= (_SHORTEST_TICKS + 1) * _tick
    ranges = (*_ranges(rules), _STATE.early == 0, _late == 9 * _tick)
    second = ("second", _second(_STATE))
    return Goal("turn", _at_turn(rules), conclusion, ranges, (*_SHOWN, ("late", _late), second))


def _closest(rules: _Rules, late_ticks: int, name: str) -> Goal:
    """The catalogue's predicate."""
    invariant, turn = _at_turn(rules)
    late = Assumption(
        "late",
        "The first estimation is late by at most 5 ticks, less 3 for the restart.",
        _late <= late_ticks * _tick,
    )
    one = Assumption(
        "one",
        "There is at most one restart that brings rows forward.",
        _STATE.early <= _LOST_TICKS * _tick,
    )
    assumptions = (invariant, turn, late) if rules.repaired else (invariant, turn, late, one)
    closest = (NTICKS - delay.RESTART_TICKS) * _tick
    conclusion = delay.not_closer(_ALGEBRA, [_second(_STATE), closest])
    shown = (*_SHOWN, ("late", _late))
    return Goal(name, assumptions, conclusion, _ranges(rules), shown)


def _restarts_in_a_row(number: int) -> Goal:
    """The first estimation is on time; so many restarts, each in a sleep, after the rows that the
    one before has brought forward, and then nothing more.

    Until a restart the rows come a tick apart, from 0 or from the restart before. A restart in the
    sleep skips a row, and cuts the next sleep to a tick, after which three rows come at once.
    """
    tick = z3.IntVal(10)
    times = [z3.Int(f"restart {one_number}") for one_number in range(1, number + 1)]
    definitions: list[z3.BoolRef] = []
    since: z3.ArithRef = z3.IntVal(0)
    # Ticks that the rows have moved on: those that have passed, and 3 for each restart.
    moved: z3.ArithRef = z3.IntVal(0)
    shown: list[tuple[str, z3.ExprRef]] = [("hz", z3.IntVal(250)), ("tick", tick)]
    for index, time in enumerate(times):
        whole = z3.Int(f"ticks before restart {index + 1}")
        into = time - since - whole * tick
        definitions += [whole >= (1 if index else 0), into > 0, into < tick]
        # One row is skipped, and two of the three that come at once come early.
        moved = moved + whole + _LOST_TICKS
        since = time
        shown.append((f"restart {index + 1}", time))
    left = NTICKS - moved
    second = since + left * tick
    definitions += [left >= 1]
    closest = z3.IntVal((NTICKS - delay.RESTART_TICKS) * 10)
    conclusion = delay.not_closer(_ALGEBRA, [second, closest])
    shown += [("second", second)]
    return Goal(f"{number} restarts", (), conclusion, tuple(definitions), tuple(shown))


def _longest(skipped: int = 0) -> Goal:
    """The catalogue's predicate, at the turn after as many that were skipped."""
    restarts, skips = z3.Int("restarts"), z3.Int("skips")
    revolution = NTICKS * _tick
    woken = z3.If(_second(_STATE) > _STATE.now, _woken_late, z3.IntVal(0))
    lost = _STATE.lost + woken
    assumptions = (
        Assumption("before", "The invariant holds.", _not_after(_STATE, _MERGED)),
        Assumption(
            "turn",
            "It is the row's turn, after the turns that were skipped.",
            _STATE.due == (skips + 1) * revolution,
        ),
        Assumption(
            "skips",
            "A restart skips one row, so this row at most once.",
            skips <= restarts + skipped,
        ),
    )
    case = [_second(_STATE), lost, restarts, revolution, _tick]
    conclusion = z3.And(
        delay.not_longer(_ALGEBRA, case),
        # The tick that the predicate grants for each restart is not needed.
        _second(_STATE) <= (restarts + 1) * revolution + lost,
    )
    definitions = (*_TIMES, restarts >= 0, skips >= 0)
    shown = (*_SHOWN, ("restarts", restarts), ("skips", skips))
    return Goal("turn", assumptions, conclusion, definitions, shown)


_most = z3.Int("most_late")


def _on_time(state: _TimerState) -> z3.BoolRef:
    """At the loop's head; est_timer was moved by ticks alone."""
    return z3.And(
        state.now <= state.est_timer + _most,
        state.est_timer <= state.now + _tick,
        _first_timer + state.due == state.est_timer,
    )


def _steady() -> tuple[Goal, ...]:
    return (_steady_first(), _steady_row(), _steady_second(), _never_late())


def _steady_assumptions() -> dict[str, Assumption]:
    return {
        assumption.id: assumption
        for assumption in (
            Assumption("wake-ups", "No sleep ends later than that.", _woken_late <= _most),
            Assumption("work", "A row takes at most a tick.", _work <= _tick),
            Assumption("limit", "That is at most 8 ticks.", _most <= CATCH_UP_TICKS * _tick),
            Assumption(
                "first",
                "The first estimation is not before est_timer, and no later than that.",
                z3.And(_first_timer <= 0, -_first_timer <= _most),
            ),
            Assumption("before", "It was so before.", _on_time(_STATE)),
            Assumption("turn", "It is the row's turn again.", _STATE.due == NTICKS * _tick),
        )
    }


def _steady_goal(name: str, ids: tuple[str, ...], conclusion: z3.BoolRef) -> Goal:
    known = _steady_assumptions()
    definitions = (*_TIMES, _most >= 0)
    shown = (*_SHOWN, ("first_timer", _first_timer), ("most_late", _most), ("work", _work))
    return Goal(name, tuple(known[identity] for identity in ids), conclusion, definitions, shown)


def _steady_first() -> Goal:
    return _steady_goal("first", ("first", "work"), _on_time(_first(-_first_timer)))


def _steady_row() -> Goal:
    timer, _ = terms.head(_STATE.now, _STATE.est_timer, _tick)
    kept = timer == _STATE.est_timer
    return _steady_goal(
        "row",
        ("before", "wake-ups", "work", "limit"),
        z3.And(_on_time(_row(_STATE)), kept),
    )


def _steady_second(extra: int = 0) -> Goal:
    second = _second(_STATE)
    revolution = NTICKS * _tick
    conclusion = z3.And(second >= revolution - _most + extra, second <= revolution + _most)
    return _steady_goal("turn", ("before", "turn", "first", "wake-ups"), conclusion)


def _never_late() -> Goal:
    """The catalogue's predicate."""
    never = Assumption("never", "No sleep ends late.", _most == 0)
    known = _steady_assumptions()
    ids = ("before", "turn", "first", "wake-ups")
    case = [_second(_STATE), NTICKS * _tick]
    return Goal(
        "never late",
        (*(known[identity] for identity in ids), never),
        delay.exactly_a_revolution(_ALGEBRA, case),
        (*_TIMES, _most >= 0),
        (*_SHOWN, ("most_late", _most)),
    )


THEOREMS = (
    Theorem(
        "timer.steady",
        _GROUP,
        "While no sleep ends more than some time late, at most 8 ticks, and a row's work takes at"
        " most a tick, est_timer only moves by ticks and a revolution is 50 ticks, give or take"
        " that time: lateness does not add up, and without any the catalogue's predicate holds.",
        _SCOPE,
        "8",
        _steady,
        Twin("A revolution is never shorter than that less a jiffy.", lambda: _steady_second(1)),
        properties=("delay.period",),
    ),
    Theorem(
        "timer.shortest",
        _GROUP,
        "Two estimations of a row are at least 41 ticks apart, less 3 for each restart: 9 ticks of"
        " lateness can be made up for, and a restart takes est_timer from 2 ticks ahead to one tick"
        " ago.",
        _SCOPE,
        "8, 9; F15",
        lambda: (*_steps(_not_before, _MERGED), _shortest(_MERGED)),
        Twin("At least 42 ticks.", lambda: _shorter(_MERGED)),
        revision="mainline",
    ),
    Theorem(
        "timer.shortest-repaired",
        _GROUP,
        "With the repair of F15 two estimations of a row are at least 41 ticks apart, whatever the"
        " number of restarts; est_timer is never more than a tick ahead, so never cut.",
        _SCOPE,
        "8, 9; F15",
        lambda: (*_steps(_not_before, _REPAIRED), _shortest(_REPAIRED)),
        Twin("At least 42 ticks.", lambda: _shorter(_REPAIRED)),
        revision="repaired",
    ),
    Theorem(
        "timer.closest",
        _GROUP,
        "Two restarts bring an estimation at most 5 ticks forward.",
        "HZ 250, all times of the restarts, on-time wake-ups",
        "8, 9; F15",
        lambda: (_restarts_in_a_row(2),),
        Twin("Three restarts do not either.", lambda: _restarts_in_a_row(3)),
        revision="mainline",
        properties=("delay.closest",),
        refuted_by=("F15",),
    ),
    Theorem(
        "timer.closest-one",
        _GROUP,
        "The catalogue's predicate holds over one restart, if the first estimation is at most 2"
        " ticks late; with the repair of F15 over any number of restarts, if it is at most 5 late.",
        _SCOPE,
        "8, 9; F15",
        lambda: (
            _closest(_MERGED, 2, "mainline, one restart"),
            _closest(_REPAIRED, 5, "repaired, any number"),
        ),
        Twin("It may be 3 ticks late.", lambda: _closest(_MERGED, 3, "mainline")),
        properties=("delay.closest",),
    ),
    Theorem(
        "timer.longest",
        _GROUP,
        "The catalogue's predicate holds: an estimation comes at most a revolution after the one"
        " before, the time lost, and a revolution for each restart, which may have skipped its row;"
        " the extra tick that the predicate grants is not needed.",
        _SCOPE,
        "8, 9",
        lambda: (
            *_steps(_not_after, _MERGED),
            _step("stopped in sleep", _not_after, _REPAIRED),
            _longest(),
        ),
        Twin("A restart may skip a row twice.", lambda: _longest(1)),
        properties=("delay.longest",),
    ),
)
