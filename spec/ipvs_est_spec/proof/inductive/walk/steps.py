"""The walk of the calc phase over all rows of all kds, step by step (semantics section 11).

For delay = 49 down to 0, for id = est_kt_count-1 down to 0: a row is entered, its chains are
visited one after the other, and between two visits the service mutex may be given up for a
moment, in which others start and stop estimators. The kernel does that at every 64th visit; here
it may happen before any visit. That no kthread above 0 goes on to another row meanwhile is for
`protocol.relinking` to prove.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from ipvs_est.language.revision import Revision
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.proof.inductive import changes, steps
from ipvs_est_spec.proof.inductive.states.updates import number_at
from ipvs_est_spec.proof.inductive.steps import Inputs
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Walk(Generic[B, N]):
    """Where the walk is: between two rows, or in one, with the service mutex or without it."""

    delay: N
    """-1: it is complete."""
    id: N
    """The slot of the row that it is in; between rows that of the last one, so that id - 1 is
    next."""
    in_row: B
    row: N
    """Of the row that it is in, as the other two."""
    cid: N
    """The chain that is visited next."""
    in_break: B
    """In the row, and the service mutex is given up."""
    same_kd: B
    """In the row: the slot's kd is still the one that was found."""
    same_tick: B
    """In the row: the row's tick is, as far as the kd is."""


@dataclass(frozen=True, slots=True)
class Walking(Generic[B, N]):
    """A state, and where the walk is."""

    state: AbstractState[B, N]
    walk: Walk[B, N]


@dataclass(frozen=True, slots=True)
class Stride(Generic[B, N]):
    """One step of the walk, or of others while it is under way."""

    premise: B
    after: Walking[B, N]


# What holds while the walk is under way.


class WalkPredicate(Protocol):
    """A formula over a state and where the walk is, for every algebra."""

    def __call__(self, now: Walking[B, N], /) -> B:
        """The formula's truth value or term."""
        ...


# Sums and differences of two rows modulo nticks, written so that z3 has one remainder for a kd.


def row_ahead(state: AbstractState[B, N], slot: N, delay: N) -> N:
    """The row that is `delay` ticks ahead, 0 <= delay < nticks."""
    a, nticks = state.algebra, state.params.nticks
    row = a.plus(a.modulo(state.est_row(slot), nticks), delay)
    return a.choose(a.less(row, a.number(nticks)), row, a.minus(row, a.number(nticks)))


def ticks_ahead(state: AbstractState[B, N], slot: N, row: N) -> N:
    """How many ticks ahead a row is."""
    a, nticks = state.algebra, state.params.nticks
    ahead = a.minus(row, a.modulo(state.est_row(slot), nticks))
    return a.choose(a.less(ahead, a.number(0)), a.plus(ahead, a.number(nticks)), ahead)


def passed(now: Walking[B, N], slot: N, row: N) -> B:
    """The walk has been to that row."""
    a, walk = now.state.algebra, now.walk
    ahead = ticks_ahead(now.state, slot, row)
    last = a.choose(walk.in_row, a.plus(walk.id, a.number(1)), walk.id)
    return a.either(
        a.less(walk.delay, ahead), a.both(a.equal(ahead, walk.delay), a.at_most(last, slot))
    )


def keeps_its_last(state: AbstractState[B, N]) -> B:
    """Kd 0 has at most one estimator."""
    a = state.algebra
    return a.at_most(state.est_count(a.number(0)), a.number(1))


def passed_rows_are_empty(now: Walking[B, N]) -> B:
    """No row that was passed has a tick, but for one of kd 0 with its last estimator."""
    state = now.state
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: a.either(
                a.negate(passed(now, slot, row)),
                a.negate(state.tick_exists(slot, row)),
                a.both(a.equal(slot, a.number(0)), keeps_its_last(state)),
            ),
        )
    )


def passed_chains_are_empty(now: Walking[B, N]) -> B:
    """In the row that the walk is in, no chain before the one that is visited next has any."""
    state, walk = now.state, now.walk
    a = state.algebra
    return state.every_chain(
        walk.id,
        walk.row,
        lambda cid: a.either(
            a.negate(walk.in_row),
            a.at_most(walk.cid, cid),
            a.equal(state.true_length(walk.id, walk.row, cid), a.number(0)),
        ),
    )


def place_is_its_own(now: Walking[B, N]) -> B:
    """With the service mutex, the row that the walk is in has the kd and the tick that it found."""
    state, walk = now.state, now.walk
    a = state.algebra
    zero = a.number(0)
    chains, rows = a.number(state.params.tick_chains), a.number(state.params.nticks)
    found = a.both(walk.same_kd, walk.same_tick)
    wanted = row_ahead(state, walk.id, walk.delay)
    there = a.both(
        a.at_most(zero, walk.cid),
        a.less(walk.cid, chains),
        a.implies(walk.same_kd, a.both(state.exists(walk.id), a.equal(walk.row, wanted))),
        # A kd that came meanwhile is kd 0, and empty.
        a.implies(a.negate(walk.same_kd), a.equal(state.est_count(walk.id), zero)),
        a.implies(walk.same_kd, a.same(walk.same_tick, state.tick_exists(walk.id, walk.row))),
        a.either(walk.in_break, found),
    )
    return a.both(
        a.at_most(zero, walk.id),
        a.at_most(a.number(-1), walk.delay),
        a.less(walk.delay, rows),
        a.implies(walk.in_row, a.both(a.at_most(zero, walk.delay), there)),
        a.either(walk.in_row, a.negate(walk.in_break)),
    )


def kd0_is_there(now: Walking[B, N]) -> B:
    """Kd 0, whose kthread walks, exists, and the calc phase is still requested."""
    return now.state.algebra.both(
        now.state.exists(now.state.algebra.number(0)), now.state.est_calc_phase
    )


# The walk's own steps.


def _between(
    a: Algebra[B, N], walk: Walk[B, N], *, delay: N | None = None, id_: N | None = None
) -> Walk[B, N]:
    """The row, if any, is left."""
    no = a.truth(False)
    return replace(
        walk,
        delay=walk.delay if delay is None else delay,
        id=walk.id if id_ is None else id_,
        in_row=no,
        in_break=no,
    )


def next_delay(now: Walking[B, N]) -> Walk[B, N]:
    """The row, if any, is left; the last slot comes next."""
    a, f = now.state.algebra, now.state
    delay = a.minus(now.walk.delay, a.number(1))
    return _between(a, now.walk, delay=delay, id_=f.est_kt_count)


def begun(state: AbstractState[B, N]) -> Stride[B, N]:
    """No row is passed yet."""
    a = state.algebra
    no, zero = a.truth(False), a.number(0)
    walk = Walk(a.number(state.params.nticks - 1), state.est_kt_count, no, zero, zero, no, no, no)
    return Stride(a.both(state.est_calc_phase, state.exists(zero)), Walking(state, walk))


def gone_on(now: Walking[B, N]) -> dict[str, Stride[B, N]]:
    """From between two rows to the next one, if it has a tick."""
    state, walk = now.state, now.walk
    a = state.algebra
    zero, yes, no = a.number(0), a.truth(True), a.truth(False)
    here = a.both(a.negate(walk.in_row), a.at_most(zero, walk.delay))
    slot = a.minus(walk.id, a.number(1))
    row = row_ahead(state, slot, walk.delay)
    over = a.less(slot, zero)
    kept = a.both(a.equal(slot, zero), state.exists(zero), keeps_its_last(state))
    usable = a.both(here, a.negate(over), a.negate(kept))
    entered = replace(
        walk, id=slot, in_row=yes, row=row, cid=zero, in_break=no, same_kd=yes, same_tick=yes
    )
    return {
        "to the next delay": Stride(
            a.both(here, a.either(over, kept)), Walking(state, next_delay(now))
        ),
        "past a hole or a row without a tick": Stride(
            a.both(usable, a.negate(state.tick_exists(slot, row))),
            Walking(state, _between(a, walk, id_=slot)),
        ),
        "into a row": Stride(a.both(usable, state.tick_exists(slot, row)), Walking(state, entered)),
    }


def visited(
    now: Walking[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Stride[B, N]]:
    """A visit to a chain's head: go on to the next chain or delay, or relink an estimator."""
    state, walk = now.state, now.walk
    a = state.algebra
    zero, one = a.number(0), a.number(1)
    here = a.both(walk.in_row, a.negate(walk.in_break))
    empty = a.equal(state.true_length(walk.id, walk.row, walk.cid), zero)
    cid = a.plus(walk.cid, one)
    more = a.less(cid, a.number(state.params.tick_chains))
    next_chain = replace(walk, cid=a.choose(more, cid, zero), in_row=a.both(walk.in_row, more))
    kept = a.both(a.equal(walk.id, zero), keeps_its_last(state))
    other = next_delay(now)
    further = replace(
        other,
        delay=a.choose(empty, walk.delay, other.delay),
        id=a.choose(empty, walk.id, other.id),
        in_row=a.choose_truth(empty, next_chain.in_row, other.in_row),
        cid=a.choose(empty, next_chain.cid, walk.cid),
    )
    # A tick has estimators, so that a single chain is empty for nobody.
    found = {
        "an empty chain, or the last one of kd 0": Stride(
            a.both(here, a.either(empty, kept)), Walking(state, further)
        )
    }
    est = inputs.est
    first = a.both(
        here,
        a.equal(state.ktid(est), walk.id),
        a.equal(state.ktrow(est), walk.row),
        a.equal(state.ktcid(est), walk.cid),
    )
    of_loop = replace(inputs, delay=walk.delay)
    last_in_tick = a.at_most(state.tick_len(walk.id, walk.row), one)
    for case, change in steps.BY_ID["relink"].build(state, revision, of_loop).items():
        left = a.truth(True) if case == changes.LAST else last_in_tick
        after = replace(walk, in_row=a.both(walk.in_row, a.negate(left)))
        found[f"relinked; {case}"] = Stride(
            a.both(first, change.premise), Walking(change.after, after)
        )
    return found


def broken_off(now: Walking[B, N]) -> Stride[B, N]:
    """The service mutex is given up before a visit."""
    walk, a = now.walk, now.state.algebra
    here = a.both(walk.in_row, a.negate(walk.in_break))
    return Stride(here, Walking(now.state, replace(walk, in_break=a.truth(True))))


SAME_TICK = "the same tick"


def taken_up(now: Walking[B, N]) -> dict[str, Stride[B, N]]:
    """The service mutex is taken again: the three tests."""
    walk, state = now.walk, now.state
    a, f = state.algebra, state
    here = a.both(walk.in_row, walk.in_break)
    beyond = a.at_most(f.est_kt_count, walk.id)
    inside = a.both(here, a.negate(beyond))
    other = a.negate(a.both(walk.same_kd, walk.same_tick))
    return {
        "the slot is gone": Stride(
            a.both(here, beyond), Walking(state, _between(a, walk, id_=f.est_kt_count))
        ),
        "another kd or tick": Stride(a.both(inside, other), Walking(state, _between(a, walk))),
        SAME_TICK: Stride(
            a.both(inside, a.negate(other)),
            Walking(state, replace(walk, in_break=a.truth(False))),
        ),
    }


# What others do meanwhile.


def meanwhile(now: Walking[B, N], change: changes.Change[B, N], *, in_break: bool) -> Stride[B, N]:
    """Somebody else's step; `in_break`: one that needs the service mutex.

    None of them frees a kd or a tick and puts a new one in its place.
    """
    walk, a = now.walk, now.state.algebra
    after = change.after
    same_kd = a.both(walk.same_kd, after.exists(walk.id))
    same_tick = a.both(walk.same_tick, after.tick_exists(walk.id, walk.row))
    moved = replace(walk, same_kd=same_kd, same_tick=same_tick)
    premise = a.both(walk.in_break, change.premise) if in_break else change.premise
    return Stride(premise, Walking(change.after, moved))


IN_BREAKS = ("start", "stop", "enable")
"""Steps of others that take the service mutex."""
AT_ANY_TIME = ("cpulist", "run-estimation", "disable")
"""Those that do not."""


def total_stopped(
    now: Walking[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Stride[B, N]]:
    """Netns exit stops the total's estimator without the service mutex, so at any time."""
    a, f = now.state.algebra, now.state
    when = a.both(f.is_total(inputs.est), a.negate(f.enable))
    return {
        case: meanwhile(now, replace(change, premise=a.both(when, change.premise)), in_break=False)
        for case, change in steps.BY_ID["stop"].build(now.state, revision, inputs).items()
    }


def next_row_estimated(now: Walking[B, N], inputs: Inputs[B, N], running: B) -> Stride[B, N]:
    """A kthread above 0, if one is running, goes on to its next row (section 8, e)."""
    state = now.state
    a, f = state.algebra, state
    row = a.modulo(a.plus(f.est_row(inputs.slot), a.number(1)), state.params.nticks)
    est_row = number_at(
        a, f.est_row, (inputs.slot,), a.choose(running, row, f.est_row(inputs.slot))
    )
    change = changes.Change(
        a.both(a.less(a.number(0), inputs.slot), f.exists(inputs.slot)),
        replace(f, est_row=est_row),
    )
    return meanwhile(now, change, in_break=False)


def strides(
    now: Walking[B, N], revision: Revision, inputs: Inputs[B, N]
) -> Mapping[str, Mapping[str, Stride[B, N]]]:
    """All steps while the walk is under way, by step and case."""
    found: dict[str, Mapping[str, Stride[B, N]]] = {
        "begin": {"": begun(now.state)},
        "go on": gone_on(now),
        "visit": visited(now, revision, inputs),
        "break": {"": broken_off(now)},
        "take up": taken_up(now),
    }
    for id_ in (*IN_BREAKS, *AT_ANY_TIME):
        cases = steps.BY_ID[id_].build(now.state, revision, inputs)
        found[f"{id_} meanwhile"] = {
            case: meanwhile(now, change, in_break=id_ in IN_BREAKS)
            for case, change in cases.items()
        }
    if not revision.total_stopped_under_service_mutex:
        found["exit meanwhile"] = total_stopped(now, revision, inputs)
    return found


# Why it ends.


def remaining(now: Walking[B, N]) -> tuple[N, ...]:
    """What is still to be done: delays, slots, the row, its chains, the estimators of one."""
    walk, state = now.walk, now.state
    a = state.algebra
    zero, one = a.number(0), a.number(1)
    chains = a.minus(a.number(state.params.tick_chains), walk.cid)
    length = state.true_length(walk.id, walk.row, walk.cid)
    return walk.delay, walk.id, a.choose(walk.in_row, one, zero), chains, length


def nearer_to_its_end(before: Walking[B, N], after: Walking[B, N], *, strictly: bool) -> B:
    """Less remains to be done, or no more: of the first thing in which the two differ."""
    a = before.state.algebra
    then, now = remaining(before), remaining(after)
    parts = [a.truth(True)]
    terms: list[B] = []
    for left, right in zip(now, then, strict=True):
        terms.append(a.both(*parts, a.less(left, right)))
        parts.append(a.equal(left, right))
    return a.either(*terms) if strictly else a.either(*terms, a.both(*parts))


OWN_STRIDES = ("go on", "visit", "take up")


def moves_on(step: str, case: str) -> bool:
    """The step has to bring the walk nearer to its end; a break alone does not."""
    return step in OWN_STRIDES and case != SAME_TICK
