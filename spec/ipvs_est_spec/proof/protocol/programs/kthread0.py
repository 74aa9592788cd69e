"""Kthread 0: calc phase, drain, and its loop (semantics sections 8, 10, 11)."""

from collections.abc import Iterator

from ipvs_est.language.revision import Revision
from ipvs_est_spec.proof.protocol.expression import (
    NO,
    YES,
    Condition,
    both,
    either,
    flag,
    negated,
    unset,
)
from ipvs_est_spec.proof.protocol.programs.parts import (
    KT0,
    KTN,
    add_context,
    last_of_another,
    last_of_kthread,
    release_kd0,
    request,
)
from ipvs_est_spec.proof.protocol.programs.step import (
    EST,
    EXITED,
    FREED,
    NEW,
    SERVICE,
    ProtocolStep,
    goto,
    labelled,
    lock,
    stop_task,
    touching,
    unlock,
)

STOPPED = flag("stop_KT0")
GIVE_UP: Condition = either(unset("enable"), STOPPED)

RELINK, RELINK_N = "relinking", "relinking kd n"


def program(revision: Revision) -> Iterator[ProtocolStep]:
    """All of it."""
    yield from _entry(revision)
    yield from _calc_limits(revision)
    yield from _stop_others(revision)
    yield from _relink(revision)
    yield from _finish(revision)
    yield from _after_calc(revision)
    yield from _loop()
    yield from _drain(revision)


def _entry(revision: Revision) -> Iterator[ProtocolStep]:
    yield goto(KT0, NEW, EXITED, STOPPED)
    yield goto(KT0, NEW, "entry", negated(STOPPED))
    yield goto(KT0, "entry", "calc?", flag("chain_max"))
    yield goto(KT0, "entry", "calc?", unset("chain_max"), calc_phase=YES)
    yield goto(KT0, "calc?", "loop", unset("calc_phase"))
    yield goto(KT0, "calc?", "calc", flag("calc_phase"))
    yield labelled("remember genid", goto(KT0, "calc", "limits", kt0_genid_old=NO, requested=NO))


def _calc_limits(revision: Revision) -> Iterator[ProtocolStep]:
    mutex = EST if revision.calc_stats_under_est_mutex else SERVICE
    yield lock(KT0, "limits", "limits, locked", mutex)
    yield unlock(KT0, "limits, locked", "measuring", mutex)
    yield goto(KT0, "measuring", "calc over", GIVE_UP)
    yield goto(KT0, "measuring", "measured", negated(GIVE_UP))


def _stop_others(revision: Revision) -> Iterator[ProtocolStep]:
    """Stop the tasks of ids above 0: those of other slots than n pass by unseen."""
    if revision.calc_stops_tasks_before_service_mutex:
        yield lock(KT0, "measured", "stopping", EST)
        give_up = GIVE_UP
    else:
        yield lock(KT0, "measured", "measured, locked", SERVICE)
        yield lock(KT0, "measured, locked", "stopping", EST)
        give_up = unset("enable")
    yield goto(KT0, "stopping", "not stopped", give_up)
    yield goto(KT0, "stopping", "stopping n", both(flag("kdn"), negated(give_up)))
    # Without slot n there is no test before it.
    yield goto(KT0, "stopping", "stopped", unset("kdn"))
    yield from stop_task(KT0, "stopping n", "stopped", KTN, flag("kdn"))
    yield goto(KT0, "stopped", "not stopped", give_up)
    if revision.calc_stops_tasks_before_service_mutex:
        yield unlock(KT0, "not stopped", "calc over", EST)
        yield unlock(KT0, "stopped", "stopped, unlocked", EST)
        yield lock(KT0, "stopped, unlocked", RELINK, SERVICE)
    else:
        yield unlock(KT0, "not stopped", "not relinked", EST)
        yield unlock(KT0, "stopped", RELINK, EST)
    yield unlock(KT0, "not relinked", "calc over", SERVICE)


def _relink(revision: Revision) -> Iterator[ProtocolStep]:
    yield labelled("give up", goto(KT0, RELINK, "not relinked", GIVE_UP))
    yield goto(KT0, RELINK, "relinked")
    # kd 0, which keeps its last estimator.
    yield goto(KT0, RELINK, RELINK, temp=YES)
    yield from last_of_another(KT0, RELINK, "kd n gone")
    yield unlock(KT0, RELINK, "giving way", SERVICE)
    yield labelled("relock", lock(KT0, "giving way", RELINK, SERVICE))
    # kd n: a pointer to it is kept over the break.
    yield goto(KT0, RELINK, RELINK_N, flag("kdn"), kt0_ref=YES)
    valid = flag("kt0_ref")
    yield touching(valid, goto(KT0, RELINK_N, RELINK))
    yield goto(KT0, RELINK_N, "not relinked", STOPPED)
    yield touching(valid, goto(KT0, RELINK_N, RELINK_N, temp=YES))
    yield touching(valid, goto(KT0, RELINK_N, "last of kd n"))
    yield unlock(KT0, RELINK_N, "giving way in kd n", SERVICE)
    yield lock(KT0, "giving way in kd n", "recheck kd n", SERVICE)
    yield labelled("recheck", goto(KT0, "recheck kd n", RELINK, negated(valid)))
    yield goto(KT0, "recheck kd n", RELINK_N, valid)
    yield from last_of_kthread(KT0, "last of kd n", "kd n gone", valid)
    yield from release_kd0(revision, KT0, "kd n gone", "unlinked")
    delay_needs = both() if revision.relinked_delay_from_loop else valid
    yield touching(delay_needs, goto(KT0, "unlinked", RELINK, temp=YES))


def _finish(revision: Revision) -> Iterator[ProtocolStep]:
    yield goto(KT0, "relinked", "limits set", flag("kd0"), chain_max=YES)
    yield goto(KT0, "relinked", "limits set", unset("kd0"))
    yield lock(KT0, "limits set", "clearing", EST)
    yield labelled("clear", goto(KT0, "clearing", "cleared", unset("kt0_genid_old"), calc_phase=NO))
    yield goto(KT0, "clearing", "cleared", flag("kt0_genid_old"))
    if not revision.starts_contexts_left:
        yield unlock(KT0, "cleared", "not relinked", EST)
        return
    # With slots above 0, of which n need not be one, their start is requested.
    yield goto(KT0, "cleared", "finished")
    yield from request(KT0, "cleared", "finished", restart=False)
    yield unlock(KT0, "finished", "not relinked", EST)


def _after_calc(revision: Revision) -> Iterator[ProtocolStep]:
    if not revision.returns_after_aborted_calc_phase:
        yield goto(KT0, "calc over", "loop")
        return
    by_itself = EXITED if revision.holds_task_reference else FREED
    yield goto(KT0, "calc over", EXITED, STOPPED)
    alone = goto(KT0, "calc over", by_itself, both(negated(STOPPED), unset("enable")))
    yield labelled("by itself", alone)
    yield goto(KT0, "calc over", "loop", negated(GIVE_UP))


def _loop() -> Iterator[ProtocolStep]:
    yield goto(KT0, "loop", "draining", flag("temp"))
    yield goto(KT0, "loop", "loop, stop?", unset("temp"))
    yield goto(KT0, "loop, stop?", EXITED, STOPPED)
    # Sleep, estimate a row of its own, move on.
    yield goto(KT0, "loop, stop?", "loop", negated(STOPPED))


def _drain(revision: Revision) -> Iterator[ProtocolStep]:
    yield lock(KT0, "draining", "drain", SERVICE)
    yield goto(KT0, "drain", "drained", either(unset("temp"), STOPPED))
    more = both(flag("temp"), negated(STOPPED))
    # Enqueue in kd 0 or kd n, which have room, or in another; or there is no memory.
    yield goto(KT0, "drain", "drain", more)
    yield goto(KT0, "drain", "drain", more, temp=NO)
    yield goto(KT0, "drain", "drained", more)
    yield goto(KT0, "drain", "no room", more)
    yield goto(KT0, "drain", "no room", more, temp=NO)
    yield from add_context(revision, KT0, "no room", "drain", "put back", "n")
    yield goto(KT0, "put back", "drained", temp=YES)
    high = {} if revision.drain_takes_total_first else {"total_high": YES}
    if high:
        yield goto(KT0, "drain", "drain", both(more, flag("kdn"), flag("total")), **high)
    yield unlock(KT0, "drained", "loop, stop?", SERVICE)
    # A full batch.
    yield unlock(KT0, "drain", "draining", SERVICE)
