"""The steps between two moments at which the mutexes are free, by operation and case."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from ipvs_est.language.revision import Revision
from ipvs_est_spec.proof.inductive import changes
from ipvs_est_spec.proof.inductive.changes import Change
from ipvs_est_spec.proof.inductive.states.updates import number_at, truth_at
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Inputs(Generic[B, N]):
    """What a step is given, and the answers of its searches."""

    est: N
    total: B
    """The estimator is the netns total's."""
    slot: N
    """Of a context that is added."""
    row: N
    cid: N
    add_ktid: N
    """What the search for a new est_add_ktid finds."""
    kt_count: N
    """Slots that are left when the array is trimmed."""
    delay: N
    chain_max: N
    """What the limits test answers."""
    cpus: N
    """How many CPUs the new cpulist names."""
    flag: B
    """A new value of run_estimation; or whether the calc phase stays requested."""


Cases = Mapping[str, Change[B, N]]


class Build(Protocol):
    """The cases of a step, for every algebra."""

    def __call__(
        self, state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N], /
    ) -> Mapping[str, Change[B, N]]:
        """Case -> when it applies and what comes of it."""
        ...


@dataclass(frozen=True, slots=True)
class InductiveStep:
    """One kind of step."""

    id: str
    sentence: str
    source: str
    """Sections of the semantics."""
    build: Build


def _start(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state
    zero = a.number(0)
    est = inputs.est
    new = a.both(
        a.negate(f.is_object(est)),
        a.equal(f.times_listed(est), zero),
        # The total's is started at netns init.
        a.implies(inputs.total, a.equal(f.est_kt_count, zero)),
        a.implies(inputs.total, a.equal(f.est_chain_max, zero)),
    )
    if revision.computes_max_threads_at_start:
        unset = a.both(f.enable, a.equal(f.est_max_threads, zero))
        threads = a.choose(unset, changes.wanted_threads(state), f.est_max_threads)
        state = replace(f, est_max_threads=threads)
    has_kd0 = f.exists(zero)
    added = changes.context_added(state, revision, zero)
    marked = state
    if revision.start_marks_kd0_needed:
        # If kd 0 is needed already nothing is requested; then est_stopped is what it was.
        asked = changes.restart_requested(state)
        stopped = a.choose_truth(inputs.flag, asked.est_stopped, f.est_stopped)
        marked = replace(state, est_stopped=stopped)
    return {
        "kd 0 exists": Change(a.both(new, has_kd0), _linked(marked, inputs)),
        "kd 0 is added": Change(
            a.both(new, a.negate(has_kd0), added.premise), _linked(added.after, inputs)
        ),
        "kd 0 is refused": Change(a.both(new, a.negate(has_kd0)), state),
    }


def _linked(state: AbstractState[B, N], inputs: Inputs[B, N]) -> AbstractState[B, N]:
    a = state.algebra
    delay = a.number(state.params.nticks - 1)
    after = changes.put_on_temp_list(state, inputs.est, delay)
    yes, est = a.truth(True), inputs.est
    return replace(
        after,
        is_object=truth_at(a, after.is_object, (est,), yes),
        is_total=truth_at(a, after.is_total, (est,), inputs.total),
        ktcid=number_at(a, after.ktcid, (est,), a.number(0)),
    )


def _add_context(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    added = changes.context_added(state, revision, inputs.slot)
    a = state.algebra
    no_kd = a.negate(state.exists(state.est_add_ktid))
    begun = a.both(draining(state, revision, inputs), no_kd)
    return {"": Change(a.both(begun, added.premise), added.after)}


def draining(state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]) -> B:
    """Kthread 0 is in its loop, and takes this estimator off the temp list."""
    a = state.algebra
    est = inputs.est
    premises = [state.on_temp_list(est), state.exists(a.number(0))]
    if revision.returns_after_aborted_calc_phase:
        premises.append(a.less(a.number(0), state.est_chain_max))
    if revision.drain_takes_total_first:
        premises.append(
            state.every_estimator(
                lambda item: a.implies(
                    a.both(state.is_total(item), state.on_temp_list(item)), a.equal(item, est)
                )
            )
        )
    return a.both(*premises)


def _drain(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    est, row, cid, chosen = inputs.est, inputs.row, inputs.cid, inputs.add_ktid
    off = changes.taken_off_temp_list(state, est)
    begun = a.both(draining(state, revision, inputs), off.premise)
    usable = state.exists(state.est_add_ktid)
    there = changes.enqueued(off.after, est, state.est_add_ktid, row, cid, chosen)
    added = changes.context_added(off.after, revision, inputs.slot)
    new = changes.enqueued(added.after, est, inputs.slot, row, cid, chosen)
    full = a.both(begun, a.negate(usable), added.premise)
    back = changes.put_on_temp_list(added.after, est, state.ktrow(est))
    return {
        "into the kd that est_add_ktid names": Change(
            a.both(begun, usable, there.premise), there.after
        ),
        "into a new kd": Change(a.both(full, new.premise), new.after),
        "no memory for a tick of the new kd": Change(full, back),
    }


def _stop(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, est = state.algebra, inputs.est
    owned = state.is_object(est)
    found = changes.stopped(state, revision, est, inputs.kt_count, inputs.add_ktid)
    return {
        case: Change(a.both(owned, change.premise), _disowned(change.after, est))
        for case, change in found.items()
    }


def _disowned(state: AbstractState[B, N], est: N) -> AbstractState[B, N]:
    a = state.algebra
    no = a.truth(False)
    return replace(
        state,
        is_object=truth_at(a, state.is_object, (est,), no),
        is_total=truth_at(a, state.is_total, (est,), no),
    )


def _relink(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, est = state.algebra, inputs.est
    zero = a.number(0)
    only = a.both(a.equal(state.ktid(est), zero), a.at_most(state.est_count(zero), a.number(1)))
    begun = a.both(
        state.est_calc_phase,
        state.exists(zero),
        a.negate(only),
        a.at_most(zero, inputs.delay),
        a.less(inputs.delay, a.number(state.params.nticks)),
    )
    found = changes.stopped(state, revision, est, inputs.kt_count, inputs.add_ktid, relinking=True)
    return {
        case: Change(
            a.both(begun, change.premise),
            changes.put_on_temp_list(change.after, est, inputs.delay),
        )
        for case, change in found.items()
        # It is taken off a chain, and kd 0 keeps its last one.
        if case in (changes.OTHERS, changes.LAST)
    }


def relinked(state: AbstractState[B, N]) -> B:
    """All estimators are on the temp list, but for one of kd 0."""
    a = state.algebra
    zero, one = a.number(0), a.number(1)
    return state.every_slot(
        lambda slot: a.at_most(state.est_count(slot), a.choose(a.equal(slot, zero), one, zero))
    )


def _finish(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    renewed = changes.limits_renewed(state, revision, inputs.chain_max)
    g = renewed.after
    # It stays requested if genid has changed meanwhile.
    phase = a.both(state.est_calc_phase, inputs.flag)
    return {
        "": Change(
            # The first two are what the walk ends with (`walk`).
            a.both(relinked(state), state.est_calc_phase, renewed.premise),
            replace(g, est_calc_phase=phase),
        )
    }


def _run(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    phase = a.either(state.est_calc_phase, a.equal(state.est_chain_max, a.number(0)))
    after = replace(state, est_calc_phase=phase)
    return {"": Change(state.exists(a.number(0)), after)}


def _enable(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    enabled = replace(state, enable=a.truth(True))
    if revision.est_mutex_at_enable:
        enabled = replace(enabled, est_max_threads=changes.wanted_threads(state))
    after = changes.restart_requested(enabled)
    # No task has run yet: enable becomes 1 once, and 0 for good.
    first = a.both(a.negate(state.enable), a.at_most(state.est_kt_count, a.number(1)))
    return {"": Change(first, after)}


def _write_cpulist(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    yes = a.truth(True)
    written = replace(state, cpulist_valid=yes, kthread_cpus=inputs.cpus, est_calc_phase=yes)
    g = replace(written, est_max_threads=changes.wanted_threads(written))
    after = changes.restart_requested(g)
    return {"": Change(a.at_most(a.number(0), inputs.cpus), after)}


def _set_run_estimation(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    changed = replace(state, run_estimation=inputs.flag)
    different = a.negate(a.same(state.run_estimation, inputs.flag))
    return {"": Change(different, changes.restart_requested(changed))}


def _disable(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    return {"": Change(state.enable, replace(state, enable=a.truth(False)))}


def _release(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    no, zero = a.truth(False), a.number(0)
    nobody = state.every_estimator(lambda est: a.negate(state.is_object(est)))
    gone = empty_fields(state)
    after = replace(
        gone,
        run_estimation=state.run_estimation,
        est_stopped=state.est_stopped,
        cpulist_valid=no,
        kthread_cpus=inputs.cpus,
        temp_length=state.temp_length,
        is_object=state.is_object,
        is_total=state.is_total,
        ktid=state.ktid,
        ktrow=state.ktrow,
        ktcid=state.ktcid,
        on_temp_list=state.on_temp_list,
        times_listed=lambda est: a.choose(state.on_temp_list(est), a.number(1), zero),
    )
    premise = a.both(nobody, a.negate(state.enable), a.less(zero, inputs.cpus))
    return {"": Change(premise, after)}


def empty_fields(state: AbstractState[B, N]) -> AbstractState[B, N]:
    """A netns before its init (section 1: fields start as 0, run_estimation as 1)."""
    a = state.algebra
    no, zero = a.truth(False), a.number(0)
    return replace(
        state,
        enable=no,
        est_stopped=no,
        est_calc_phase=no,
        run_estimation=a.truth(True),
        cpulist_valid=no,
        est_kt_count=zero,
        est_add_ktid=zero,
        est_max_threads=zero,
        est_chain_max=zero,
        temp_length=zero,
        contexts=zero,
        exists=lambda s: no,
        est_count=lambda s: zero,
        est_max_count=lambda s: zero,
        chain_max=lambda s: zero,
        tick_max=lambda s: zero,
        est_row=lambda s: zero,
        kd_length=lambda s: zero,
        avail=lambda s, r: no,
        tick_exists=lambda s, r: no,
        tick_len=lambda s, r: zero,
        tick_length=lambda s, r: zero,
        present=lambda s, r, c: no,
        full=lambda s, r, c: no,
        chain_len=lambda s, r, c: zero,
        true_length=lambda s, r, c: zero,
        is_object=lambda e: no,
        is_total=lambda e: no,
        ktid=lambda e: zero,
        ktrow=lambda e: zero,
        ktcid=lambda e: zero,
        times_listed=lambda e: zero,
        on_temp_list=lambda e: no,
        on_chain=lambda e, s, r, c: no,
    )


def _init(
    state: AbstractState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    return {"": Change(a.truth(True), empty_fields(state))}


INITIAL = InductiveStep("initial", "Before netns init.", "1", _init)

STEPS: tuple[InductiveStep, ...] = (
    InductiveStep("start", "An estimator is started.", "4, 6", _start),
    InductiveStep("add-context", "Kthread 0 adds a context.", "6", _add_context),
    InductiveStep("drain", "Kthread 0 enqueues an estimator of the temp list.", "5, 6, 10", _drain),
    InductiveStep("stop", "An estimator is stopped; with the last one its kd goes.", "7", _stop),
    InductiveStep(
        "relink", "The calc phase moves an estimator to the temp list.", "7, 11", _relink
    ),
    InductiveStep("finish", "The calc phase applies new limits and ends.", "2, 11", _finish),
    InductiveStep("run", "Kthread 0 begins to run.", "8", _run),
    InductiveStep("enable", "The first service is added.", "13", _enable),
    InductiveStep("cpulist", "est_cpulist is written.", "12", _write_cpulist),
    InductiveStep("run-estimation", "run_estimation is written.", "12", _set_run_estimation),
    InductiveStep("disable", "Netns exit begins.", "14", _disable),
    InductiveStep("release", "Netns exit frees what is left of kthreads.", "14", _release),
)

BY_ID = {step.id: step for step in (INITIAL, *STEPS)}
