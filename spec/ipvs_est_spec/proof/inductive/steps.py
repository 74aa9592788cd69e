"""The steps between two moments at which the mutexes are free, by operation and case."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from ipvs_est.language.revision import Revision
from ipvs_est_spec.proof.inductive import changes
from ipvs_est_spec.proof.inductive.changes import Change
from ipvs_est_spec.proof.inductive.functional_state import Fields, FunctionalState
from ipvs_est_spec.proof.inductive.updates import number_at, truth_at

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
        self, state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N], /
    ) -> Mapping[str, Change[B, N]]:
        """Case -> when it applies and what comes of it."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of step."""

    id: str
    sentence: str
    source: str
    """Sections of the semantics."""
    build: Build


def _start(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
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
        state = state.with_fields(replace(f, est_max_threads=threads))
    has_kd0 = f.exists(zero)
    added = changes.context_added(state, revision, zero)
    marked = state
    if revision.start_marks_kd0_needed:
        # If kd 0 is needed already nothing is requested; then est_stopped is what it was.
        asked = changes.restart_requested(state).fields
        stopped = a.choose_truth(inputs.flag, asked.est_stopped, f.est_stopped)
        marked = state.with_fields(replace(state.fields, est_stopped=stopped))
    return {
        "kd 0 exists": Change(a.both(new, has_kd0), _linked(marked, inputs)),
        "kd 0 is added": Change(
            a.both(new, a.negate(has_kd0), added.premise), _linked(added.after, inputs)
        ),
        "kd 0 is refused": Change(a.both(new, a.negate(has_kd0)), state),
    }


def _linked(state: FunctionalState[B, N], inputs: Inputs[B, N]) -> FunctionalState[B, N]:
    a = state.algebra
    delay = a.number(state.params.nticks - 1)
    after = changes.put_on_temp_list(state, inputs.est, delay)
    f = after.fields
    yes, est = a.truth(True), inputs.est
    return after.with_fields(
        replace(
            f,
            is_object=truth_at(a, f.is_object, (est,), yes),
            is_total=truth_at(a, f.is_total, (est,), inputs.total),
            ktcid=number_at(a, f.ktcid, (est,), a.number(0)),
        )
    )


def _add_context(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    added = changes.context_added(state, revision, inputs.slot)
    a, f = state.algebra, state.fields
    no_kd = a.negate(f.exists(f.est_add_ktid))
    begun = a.both(draining(state, revision, inputs), no_kd)
    return {"": Change(a.both(begun, added.premise), added.after)}


def draining(state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]) -> B:
    """Kthread 0 is in its loop, and takes this estimator off the temp list."""
    a, f = state.algebra, state.fields
    est = inputs.est
    premises = [f.on_temp_list(est), f.exists(a.number(0))]
    if revision.returns_after_aborted_calc_phase:
        premises.append(a.less(a.number(0), f.est_chain_max))
    if revision.drain_takes_total_first:
        premises.append(
            state.every_estimator(
                lambda each: a.implies(
                    a.both(f.is_total(each), f.on_temp_list(each)), a.equal(each, est)
                )
            )
        )
    return a.both(*premises)


def _drain(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    est, row, cid, chosen = inputs.est, inputs.row, inputs.cid, inputs.add_ktid
    off = changes.taken_off_temp_list(state, est)
    begun = a.both(draining(state, revision, inputs), off.premise)
    usable = f.exists(f.est_add_ktid)
    there = changes.enqueued(off.after, est, f.est_add_ktid, row, cid, chosen)
    added = changes.context_added(off.after, revision, inputs.slot)
    new = changes.enqueued(added.after, est, inputs.slot, row, cid, chosen)
    full = a.both(begun, a.negate(usable), added.premise)
    back = changes.put_on_temp_list(added.after, est, f.ktrow(est))
    return {
        "into the kd that est_add_ktid names": Change(
            a.both(begun, usable, there.premise), there.after
        ),
        "into a new kd": Change(a.both(full, new.premise), new.after),
        "no memory for a tick of the new kd": Change(full, back),
    }


def _stop(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, est = state.algebra, inputs.est
    owned = state.is_object(est)
    found = changes.stopped(state, revision, est, inputs.kt_count, inputs.add_ktid)
    return {
        case: Change(a.both(owned, each.premise), _disowned(each.after, est))
        for case, each in found.items()
    }


def _disowned(state: FunctionalState[B, N], est: N) -> FunctionalState[B, N]:
    a, f = state.algebra, state.fields
    no = a.truth(False)
    return state.with_fields(
        replace(
            f,
            is_object=truth_at(a, f.is_object, (est,), no),
            is_total=truth_at(a, f.is_total, (est,), no),
        )
    )


def _relink(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f, est = state.algebra, state.fields, inputs.est
    zero = a.number(0)
    only = a.both(a.equal(f.ktid(est), zero), a.at_most(f.est_count(zero), a.number(1)))
    begun = a.both(
        f.est_calc_phase,
        f.exists(zero),
        a.negate(only),
        a.at_most(zero, inputs.delay),
        a.less(inputs.delay, a.number(state.params.nticks)),
    )
    found = changes.stopped(state, revision, est, inputs.kt_count, inputs.add_ktid, relinking=True)
    return {
        case: Change(
            a.both(begun, each.premise),
            changes.put_on_temp_list(each.after, est, inputs.delay),
        )
        for case, each in found.items()
        # It is taken off a chain, and kd 0 keeps its last one.
        if case in (changes.OTHERS, changes.LAST)
    }


def relinked(state: FunctionalState[B, N]) -> B:
    """All estimators are on the temp list, but for one of kd 0."""
    a, f = state.algebra, state.fields
    zero, one = a.number(0), a.number(1)
    return state.every_slot(
        lambda slot: a.at_most(f.est_count(slot), a.choose(a.equal(slot, zero), one, zero))
    )


def _finish(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    renewed = changes.limits_renewed(state, revision, inputs.chain_max)
    g = renewed.after.fields
    # It stays requested if genid has changed meanwhile.
    phase = a.both(f.est_calc_phase, inputs.flag)
    return {
        "": Change(
            # The first two are what the walk ends with (`walk`).
            a.both(relinked(state), f.est_calc_phase, renewed.premise),
            renewed.after.with_fields(replace(g, est_calc_phase=phase)),
        )
    }


def _run(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    phase = a.either(f.est_calc_phase, a.equal(f.est_chain_max, a.number(0)))
    after = state.with_fields(replace(f, est_calc_phase=phase))
    return {"": Change(f.exists(a.number(0)), after)}


def _enable(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    enabled = replace(f, enable=a.truth(True))
    if revision.est_mutex_at_enable:
        enabled = replace(enabled, est_max_threads=changes.wanted_threads(state))
    after = changes.restart_requested(state.with_fields(enabled))
    # No task has run yet: enable becomes 1 once, and 0 for good.
    first = a.both(a.negate(f.enable), a.at_most(f.est_kt_count, a.number(1)))
    return {"": Change(first, after)}


def _write_cpulist(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    yes = a.truth(True)
    written = state.with_fields(
        replace(f, cpulist_valid=yes, kthread_cpus=inputs.cpus, est_calc_phase=yes)
    )
    g = replace(written.fields, est_max_threads=changes.wanted_threads(written))
    after = changes.restart_requested(written.with_fields(g))
    return {"": Change(a.at_most(a.number(0), inputs.cpus), after)}


def _set_run_estimation(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    changed = state.with_fields(replace(f, run_estimation=inputs.flag))
    different = a.negate(a.same(f.run_estimation, inputs.flag))
    return {"": Change(different, changes.restart_requested(changed))}


def _disable(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    return {"": Change(f.enable, state.with_fields(replace(f, enable=a.truth(False))))}


def _release(
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a, f = state.algebra, state.fields
    no, zero = a.truth(False), a.number(0)
    nobody = state.every_estimator(lambda est: a.negate(f.is_object(est)))
    gone = empty_fields(state)
    after = replace(
        gone,
        run_estimation=f.run_estimation,
        est_stopped=f.est_stopped,
        cpulist_valid=no,
        kthread_cpus=inputs.cpus,
        temp_length=f.temp_length,
        is_object=f.is_object,
        is_total=f.is_total,
        ktid=f.ktid,
        ktrow=f.ktrow,
        ktcid=f.ktcid,
        on_temp_list=f.on_temp_list,
        times_listed=lambda est: a.choose(f.on_temp_list(est), a.number(1), zero),
    )
    premise = a.both(nobody, a.negate(f.enable), a.less(zero, inputs.cpus))
    return {"": Change(premise, state.with_fields(after))}


def empty_fields(state: FunctionalState[B, N]) -> Fields[B, N]:
    """A netns before its init (section 1: fields start as 0, run_estimation as 1)."""
    a, f = state.algebra, state.fields
    no, zero = a.truth(False), a.number(0)
    return replace(
        f,
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
    state: FunctionalState[B, N], revision: Revision, inputs: Inputs[B, N]
) -> dict[str, Change[B, N]]:
    a = state.algebra
    return {"": Change(a.truth(True), state.with_fields(empty_fields(state)))}


INITIAL = Step("initial", "Before netns init.", "1", _init)

STEPS: tuple[Step, ...] = (
    Step("start", "An estimator is started.", "4, 6", _start),
    Step("add-context", "Kthread 0 adds a context.", "6", _add_context),
    Step("drain", "Kthread 0 enqueues an estimator of the temp list.", "5, 6, 10", _drain),
    Step("stop", "An estimator is stopped; with the last one its kd goes.", "7", _stop),
    Step("relink", "The calc phase moves an estimator to the temp list.", "7, 11", _relink),
    Step("finish", "The calc phase applies new limits and ends.", "2, 11", _finish),
    Step("run", "Kthread 0 begins to run.", "8", _run),
    Step("enable", "The first service is added.", "13", _enable),
    Step("cpulist", "est_cpulist is written.", "12", _write_cpulist),
    Step("run-estimation", "run_estimation is written.", "12", _set_run_estimation),
    Step("disable", "Netns exit begins.", "14", _disable),
    Step("release", "Netns exit frees what is left of kthreads.", "14", _release),
)

BY_ID = {each.id: each for each in (INITIAL, *STEPS)}
