"""What the steps are made of: each says when it can be taken and what the state is afterwards.

Written from the semantics (sections 4 to 7, 10 to 12, 14) over the fields that the predicates
ask, and parameterised by the fields of `Revision`. Where the kernel searches, the answer is an
input, with a premise that says what the search ensures.
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ipvs_est.language.revision import Revision
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.proof.inductive.states.updates import (
    more_at,
    number_at,
    number_within,
    truth_at,
    truth_within,
)
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Change(Generic[B, N]):
    """One change of a state."""

    premise: B
    """When it can be made, and what its inputs may be."""
    after: AbstractState[B, N]


def wanted_threads(state: AbstractState[B, N]) -> N:
    """`est_max_threads` as the configuration gives it (section 12)."""
    a = state.algebra
    wanted = a.times(a.number(state.params.cpu_kthreads), state.kthread_cpus)
    return a.choose(a.less(wanted, a.number(1)), a.number(1), wanted)


def restart_requested(state: AbstractState[B, N]) -> AbstractState[B, N]:
    """Section 9: with `enable`, est_stopped is computed anew."""
    a = state.algebra
    empty = a.both(state.cpulist_valid, a.equal(state.kthread_cpus, a.number(0)))
    stopped = a.either(a.negate(state.run_estimation), empty)
    return replace(state, est_stopped=a.choose_truth(state.enable, stopped, state.est_stopped))


def refused(state: AbstractState[B, N], revision: Revision) -> B:
    """Section 6: the thread limit is reached."""
    a = state.algebra
    threads = state.contexts if revision.thread_limit_counts_contexts else state.est_kt_count
    zero = a.number(0)
    tested = a.negate(a.equal(state.est_max_threads, zero))
    if not revision.thread_limit_when_disabled:
        tested = a.both(state.enable, tested)
    return a.both(tested, a.at_most(state.est_max_threads, threads))


def is_lowest_empty(state: AbstractState[B, N], slot: N) -> B:
    """The lowest hole, else est_kt_count."""
    a = state.algebra
    return a.both(
        a.at_most(a.number(0), slot),
        a.at_most(slot, state.est_kt_count),
        a.negate(state.exists(slot)),
        state.every_slot(lambda item: a.implies(a.less(item, slot), state.exists(item))),
    )


def has_space(state: AbstractState[B, N], slot: N) -> B:
    """The slot has a kd, and that has room."""
    a = state.algebra
    return a.both(state.exists(slot), a.less(state.est_count(slot), state.est_max_count(slot)))


def is_choice(state: AbstractState[B, N], slot: N) -> B:
    """Section 5.7: the lowest slot whose kd has room, else the lowest empty one."""
    a = state.algebra
    lowest = a.both(
        has_space(state, slot),
        state.every_slot(
            lambda item: a.implies(a.less(item, slot), a.negate(has_space(state, item)))
        ),
    )
    nobody = state.every_slot(lambda item: a.negate(has_space(state, item)))
    return a.either(lowest, a.both(nobody, is_lowest_empty(state, slot)))


def limits_applied(state: AbstractState[B, N], slot: N | None, chain_max: N) -> AbstractState[B, N]:
    """Section 2: a kd's limits, or those of all (None)."""
    a, params = state.algebra, state.params
    factor = params.chain_factor if params.preempt_rcu else 1
    of_chain = a.times(a.number(factor), chain_max)
    of_tick = a.times(a.number(params.tick_chains), of_chain)
    of_kd = a.times(a.number(params.nticks), of_tick)
    outer = () if slot is None else (slot,)
    return replace(
        state,
        chain_max=number_within(a, state.chain_max, outer, of_chain),
        tick_max=number_within(a, state.tick_max, outer, of_tick),
        est_max_count=number_within(a, state.est_max_count, outer, of_kd),
    )


def context_added(state: AbstractState[B, N], revision: Revision, slot: N) -> Change[B, N]:
    """Section 6, with memory for it: a new kd in the lowest empty slot."""
    a = state.algebra
    yes, zero = a.truth(True), a.number(0)
    premise = a.both(is_lowest_empty(state, slot), a.negate(refused(state, revision)))
    grown = a.plus(slot, a.number(1))
    after = replace(
        state,
        est_kt_count=a.choose(a.equal(slot, state.est_kt_count), grown, state.est_kt_count),
        est_add_ktid=slot,
        contexts=a.plus(state.contexts, a.number(1)),
        exists=truth_at(a, state.exists, (slot,), yes),
        est_count=number_at(a, state.est_count, (slot,), zero),
        est_row=number_at(a, state.est_row, (slot,), zero),
        kd_length=number_at(a, state.kd_length, (slot,), zero),
        # A number that is no row stays one that is not available.
        avail=lambda s, r: a.choose_truth(a.equal(s, slot), _is_row(state, r), state.avail(s, r)),
        tick_len=number_within(a, state.tick_len, (slot,), zero),
    )
    after = limits_applied(after, slot, state.est_chain_max)
    return Change(premise, restart_requested(after) if revision.work_starts_tasks else after)


def _is_row(state: AbstractState[B, N], row: N) -> B:
    a = state.algebra
    return a.both(a.at_most(a.number(0), row), a.less(row, a.number(state.params.nticks)))


def put_on_temp_list(state: AbstractState[B, N], est: N, delay: N) -> AbstractState[B, N]:
    """An estimator that is on no list."""
    a = state.algebra
    return replace(
        state,
        temp_length=a.plus(state.temp_length, a.number(1)),
        times_listed=more_at(a, state.times_listed, (est,), 1),
        on_temp_list=truth_at(a, state.on_temp_list, (est,), a.truth(True)),
        ktid=number_at(a, state.ktid, (est,), a.number(-1)),
        ktrow=number_at(a, state.ktrow, (est,), delay),
    )


def taken_off_temp_list(state: AbstractState[B, N], est: N) -> Change[B, N]:
    """An estimator that is on the temp list."""
    a = state.algebra
    after = replace(
        state,
        temp_length=a.minus(state.temp_length, a.number(1)),
        times_listed=more_at(a, state.times_listed, (est,), -1),
        on_temp_list=truth_at(a, state.on_temp_list, (est,), a.truth(False)),
    )
    return Change(state.on_temp_list(est), after)


def enqueued(
    state: AbstractState[B, N], est: N, slot: N, row: N, cid: N, add_ktid: N
) -> Change[B, N]:
    """Section 5, items 2 to 7: an estimator that is on no list gets a row and a chain.

    Which of the available rows, and which of the chains that are not full, is left open.
    """
    a, params = state.algebra, state.params
    one = a.number(1)
    zero = a.number(0)
    place = (slot, row, cid)
    yes = a.truth(True)
    premise = a.both(
        state.exists(slot),
        state.avail(slot, row),
        a.at_most(zero, cid),
        a.less(cid, a.number(params.tick_chains)),
        a.negate(state.full(slot, row, cid)),
    )
    chain_len = a.plus(state.chain_len(*place), one)
    tick_len = a.plus(state.tick_len(slot, row), one)
    est_count = a.plus(state.est_count(slot), one)
    chain_full = a.at_most(state.chain_max(slot), chain_len)
    closed = a.both(chain_full, a.at_most(state.tick_max(slot), tick_len))
    linked = replace(
        state,
        est_count=number_at(a, state.est_count, (slot,), est_count),
        kd_length=more_at(a, state.kd_length, (slot,), 1),
        tick_len=number_at(a, state.tick_len, (slot, row), tick_len),
        tick_length=more_at(a, state.tick_length, (slot, row), 1),
        tick_exists=truth_at(a, state.tick_exists, (slot, row), yes),
        avail=truth_at(a, state.avail, (slot, row), a.negate(closed)),
        present=truth_at(a, state.present, place, yes),
        chain_len=number_at(a, state.chain_len, place, chain_len),
        true_length=more_at(a, state.true_length, place, 1),
        full=truth_at(a, state.full, place, chain_full),
        ktid=number_at(a, state.ktid, (est,), slot),
        ktrow=number_at(a, state.ktrow, (est,), row),
        ktcid=number_at(a, state.ktcid, (est,), cid),
        times_listed=more_at(a, state.times_listed, (est,), 1),
        on_chain=truth_at(a, state.on_chain, (est, *place), yes),
    )
    filled = a.equal(est_count, state.est_max_count(slot))
    chosen = a.choose(filled, add_ktid, state.est_add_ktid)
    after = replace(linked, est_add_ktid=chosen)
    return Change(a.both(premise, a.implies(filled, is_choice(linked, add_ktid))), after)


def taken_off_chain(state: AbstractState[B, N], est: N) -> Change[B, N]:
    """Section 7 up to `est_count`--."""
    a = state.algebra
    slot, row, cid = state.ktid(est), state.ktrow(est), state.ktcid(est)
    place = (slot, row, cid)
    no, zero, one = a.truth(False), a.number(0), a.number(1)
    chain_len = a.minus(state.chain_len(*place), one)
    tick_len = a.minus(state.tick_len(slot, row), one)
    occupied = a.negate(a.equal(chain_len, zero))
    unlinked = replace(
        state,
        est_count=more_at(a, state.est_count, (slot,), -1),
        kd_length=more_at(a, state.kd_length, (slot,), -1),
        tick_len=number_at(a, state.tick_len, (slot, row), tick_len),
        tick_length=more_at(a, state.tick_length, (slot, row), -1),
        avail=truth_at(a, state.avail, (slot, row), a.truth(True)),
        present=truth_at(a, state.present, place, a.both(state.present(*place), occupied)),
        full=truth_at(a, state.full, place, no),
        chain_len=number_at(a, state.chain_len, place, chain_len),
        true_length=more_at(a, state.true_length, place, -1),
        times_listed=more_at(a, state.times_listed, (est,), -1),
        on_chain=truth_at(a, state.on_chain, (est, *place), no),
    )
    return Change(
        state.on_chain(est, *place), _tick_freed(unlinked, slot, row, a.equal(tick_len, zero))
    )


def _tick_freed(state: AbstractState[B, N], slot: N, row: N, when: B) -> AbstractState[B, N]:
    """Its lists are gone, and with them whoever is still on one."""
    a = state.algebra
    zero = a.number(0)

    def here(s: N, r: N) -> B:
        return a.both(when, a.equal(s, slot), a.equal(r, row))

    def lost(est: N) -> B:
        on_chain = state.on_chain(est, slot, row, state.ktcid(est))
        return a.both(here(state.ktid(est), state.ktrow(est)), on_chain)

    gone = a.choose(when, state.tick_length(slot, row), zero)
    return replace(
        state,
        kd_length=number_at(a, state.kd_length, (slot,), a.minus(state.kd_length(slot), gone)),
        tick_length=lambda s, r: a.choose(here(s, r), zero, state.tick_length(s, r)),
        tick_exists=lambda s, r: a.both(a.negate(here(s, r)), state.tick_exists(s, r)),
        present=lambda s, r, c: a.both(a.negate(here(s, r)), state.present(s, r, c)),
        full=lambda s, r, c: a.both(a.negate(here(s, r)), state.full(s, r, c)),
        chain_len=lambda s, r, c: a.choose(here(s, r), zero, state.chain_len(s, r, c)),
        true_length=lambda s, r, c: a.choose(here(s, r), zero, state.true_length(s, r, c)),
        on_chain=lambda e, s, r, c: a.both(a.negate(here(s, r)), state.on_chain(e, s, r, c)),
        times_listed=lambda e: a.choose(
            lost(e), a.minus(state.times_listed(e), a.number(1)), state.times_listed(e)
        ),
    )


def context_freed(state: AbstractState[B, N], slot: N) -> AbstractState[B, N]:
    """Its lists are gone, and with them whoever is still on one; est_kt_count stays."""
    a = state.algebra
    no, zero = a.truth(False), a.number(0)
    outer = (slot,)

    def lost(est: N) -> B:
        on_chain = state.on_chain(est, slot, state.ktrow(est), state.ktcid(est))
        return a.both(a.equal(state.ktid(est), slot), on_chain)

    return replace(
        state,
        contexts=a.minus(state.contexts, a.number(1)),
        exists=truth_at(a, state.exists, outer, no),
        est_count=number_at(a, state.est_count, outer, zero),
        est_max_count=number_at(a, state.est_max_count, outer, zero),
        chain_max=number_at(a, state.chain_max, outer, zero),
        tick_max=number_at(a, state.tick_max, outer, zero),
        est_row=number_at(a, state.est_row, outer, zero),
        kd_length=number_at(a, state.kd_length, outer, zero),
        avail=truth_within(a, state.avail, outer, no),
        tick_exists=truth_within(a, state.tick_exists, outer, no),
        tick_len=number_within(a, state.tick_len, outer, zero),
        tick_length=number_within(a, state.tick_length, outer, zero),
        present=truth_within(a, state.present, outer, no),
        full=truth_within(a, state.full, outer, no),
        chain_len=number_within(a, state.chain_len, outer, zero),
        true_length=number_within(a, state.true_length, outer, zero),
        on_chain=lambda e, s, r, c: a.both(a.negate(a.equal(s, slot)), state.on_chain(e, s, r, c)),
        times_listed=lambda e: a.choose(
            lost(e), a.minus(state.times_listed(e), a.number(1)), state.times_listed(e)
        ),
    )


def slot_cleared(state: AbstractState[B, N], slot: N, kt_count: N, add_ktid: N) -> Change[B, N]:
    """Section 7 for a kd above 0 whose last estimator is gone: freed, the array trimmed to
    `kt_count` slots, est_add_ktid chosen anew if it named that slot."""
    a = state.algebra
    freed = context_freed(state, slot)
    one, old = a.number(1), freed.est_kt_count
    is_last = a.equal(slot, a.minus(old, one))
    trimmed = a.both(
        a.at_most(one, kt_count),
        a.less(kt_count, old),
        freed.every_slot(
            lambda item: a.implies(a.at_most(kt_count, item), a.negate(freed.exists(item)))
        ),
        a.either(a.equal(kt_count, one), freed.exists(a.minus(kt_count, one))),
    )
    # With a single slot left there is nothing to drop.
    unchanged = a.equal(kt_count, old)
    shorter = a.choose_truth(a.both(is_last, a.less(one, old)), trimmed, unchanged)
    after = replace(freed, est_kt_count=kt_count)
    named = a.equal(freed.est_add_ktid, slot)
    chosen = replace(after, est_add_ktid=a.choose(named, add_ktid, freed.est_add_ktid))
    return Change(a.both(shorter, a.implies(named, is_choice(after, add_ktid))), chosen)


def kd0_released(
    state: AbstractState[B, N], revision: Revision, *, relinking: bool
) -> AbstractState[B, N]:
    """Section 7's last step, if it applies: nothing is left to estimate."""
    if relinking and revision.kd0_until_exit and revision.relinking_keeps_kd0_needed:
        return state
    a = state.algebra
    zero = a.number(0)
    empty = a.both(
        a.equal(state.est_kt_count, a.number(1)),
        a.equal(state.temp_length, zero),
        a.either(a.negate(state.exists(zero)), a.equal(state.est_count(zero), zero)),
    )
    if revision.kd0_until_exit:
        applies = a.both(empty, state.exists(zero))
        asked = restart_requested(state)
        return replace(
            state,
            est_stopped=a.choose_truth(applies, asked.est_stopped, state.est_stopped),
            est_add_ktid=a.choose(applies, zero, state.est_add_ktid),
        )
    freed = context_freed(state, zero)
    return replace(
        either(a, empty, freed, state),
        contexts=a.choose(a.both(empty, state.exists(zero)), freed.contexts, state.contexts),
        est_kt_count=a.choose(empty, zero, state.est_kt_count),
        est_add_ktid=a.choose(empty, zero, state.est_add_ktid),
    )


def either(
    a: Algebra[B, N], condition: B, then: AbstractState[B, N], otherwise: AbstractState[B, N]
) -> AbstractState[B, N]:
    """One of two states, as far as freeing a context changes any."""
    x, y = then, otherwise
    return replace(
        y,
        exists=lambda s: a.choose_truth(condition, x.exists(s), y.exists(s)),
        est_count=lambda s: a.choose(condition, x.est_count(s), y.est_count(s)),
        est_max_count=lambda s: a.choose(condition, x.est_max_count(s), y.est_max_count(s)),
        chain_max=lambda s: a.choose(condition, x.chain_max(s), y.chain_max(s)),
        tick_max=lambda s: a.choose(condition, x.tick_max(s), y.tick_max(s)),
        est_row=lambda s: a.choose(condition, x.est_row(s), y.est_row(s)),
        kd_length=lambda s: a.choose(condition, x.kd_length(s), y.kd_length(s)),
        avail=lambda s, r: a.choose_truth(condition, x.avail(s, r), y.avail(s, r)),
        tick_exists=lambda s, r: a.choose_truth(
            condition, x.tick_exists(s, r), y.tick_exists(s, r)
        ),
        tick_len=lambda s, r: a.choose(condition, x.tick_len(s, r), y.tick_len(s, r)),
        tick_length=lambda s, r: a.choose(condition, x.tick_length(s, r), y.tick_length(s, r)),
        present=lambda s, r, c: a.choose_truth(condition, x.present(s, r, c), y.present(s, r, c)),
        full=lambda s, r, c: a.choose_truth(condition, x.full(s, r, c), y.full(s, r, c)),
        chain_len=lambda s, r, c: a.choose(condition, x.chain_len(s, r, c), y.chain_len(s, r, c)),
        true_length=lambda s, r, c: a.choose(
            condition, x.true_length(s, r, c), y.true_length(s, r, c)
        ),
        on_chain=lambda e, s, r, c: a.choose_truth(
            condition, x.on_chain(e, s, r, c), y.on_chain(e, s, r, c)
        ),
        times_listed=lambda e: a.choose(condition, x.times_listed(e), y.times_listed(e)),
    )


OTHERS = "others stay in its kd"
LAST = "the last of a kd above 0"
"""Two cases of an estimator that is stopped."""


def stopped(
    state: AbstractState[B, N],
    revision: Revision,
    est: N,
    kt_count: N,
    add_ktid: N,
    *,
    relinking: bool = False,
) -> dict[str, Change[B, N]]:
    """Section 7, by case: on the temp list; others stay; the last of its kd."""
    a = state.algebra
    zero = a.number(0)
    waits = a.equal(state.ktid(est), a.number(-1))
    off_temp = taken_off_temp_list(state, est)
    on_temp = Change(
        a.both(waits, off_temp.premise), kd0_released(off_temp.after, revision, relinking=relinking)
    )

    off_chain = taken_off_chain(state, est)
    rest = off_chain.after
    slot = state.ktid(est)
    on_chain = a.both(a.negate(waits), off_chain.premise)
    left = a.negate(a.equal(rest.est_count(slot), zero))
    smaller = a.choose(a.less(slot, state.est_add_ktid), slot, state.est_add_ktid)
    one_less = replace(rest, est_add_ktid=smaller)
    premise = a.both(on_chain, left)
    if revision.stop_prefers_room_to_holes:
        hole = a.negate(rest.exists(smaller))
        premise = a.both(premise, a.implies(hole, is_choice(rest, add_ktid)))
        one_less = replace(rest, est_add_ktid=a.choose(hole, add_ktid, smaller))

    last = a.both(on_chain, a.negate(left))
    cleared = slot_cleared(rest, slot, kt_count, add_ktid)
    above = Change(
        a.both(last, a.less(zero, slot), cleared.premise),
        kd0_released(cleared.after, revision, relinking=relinking),
    )
    of_kd0 = Change(
        a.both(last, a.at_most(slot, zero)), kd0_released(rest, revision, relinking=relinking)
    )
    return {
        "on the temp list": on_temp,
        OTHERS: Change(premise, one_less),
        LAST: above,
        "the last of kd 0": of_kd0,
    }


def limits_renewed(state: AbstractState[B, N], revision: Revision, chain_max: N) -> Change[B, N]:
    """Section 11's end: new limits for kd 0, if there is one."""
    a = state.algebra
    zero = a.number(0)
    every = revision.limits_for_every_context
    applied = limits_applied(state, None if every else zero, chain_max)
    # A slot without a kd has no limits.
    g = replace(
        applied,
        est_chain_max=chain_max,
        chain_max=lambda s: a.choose(state.exists(s), applied.chain_max(s), state.chain_max(s)),
        tick_max=lambda s: a.choose(state.exists(s), applied.tick_max(s), state.tick_max(s)),
        est_max_count=lambda s: a.choose(
            state.exists(s), applied.est_max_count(s), state.est_max_count(s)
        ),
    )
    after = g
    premise = a.both(state.exists(zero), a.less(zero, chain_max))
    return Change(premise, flags_renewed(after) if revision.renews_flags_with_limits else after)


def flags_renewed(state: AbstractState[B, N]) -> AbstractState[B, N]:
    """Repair of F01: kd 0's flags are made to say what its limits of now make of its chains."""
    a = state.algebra
    zero, chains = a.number(0), a.number(state.params.tick_chains)

    def renewed(slot: N, row: N) -> B:
        return a.both(a.equal(slot, zero), state.tick_exists(slot, row))

    def full(slot: N, row: N, cid: N) -> B:
        inside = a.both(a.at_most(zero, cid), a.less(cid, chains))
        reached = a.both(inside, a.at_most(state.chain_max(slot), state.chain_len(slot, row, cid)))
        return a.choose_truth(renewed(slot, row), reached, state.full(slot, row, cid))

    def avail(slot: N, row: N) -> B:
        some = a.negate(state.every_chain(slot, row, lambda cid: full(slot, row, cid)))
        return a.choose_truth(renewed(slot, row), some, state.avail(slot, row))

    return replace(state, full=full, avail=avail)
