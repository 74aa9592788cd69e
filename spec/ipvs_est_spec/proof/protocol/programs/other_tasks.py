"""Kthread n, the reload work, control processes, sysctl writers and netns exit."""

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
    CANCELLING,
    CTL,
    EXIT,
    KT0,
    KTN,
    SYSCTL,
    WORK,
    destroy_context,
    last_of_kthread,
    queue_work,
    release_kd0,
    request,
    start_estimator,
    stop_estimator,
)
from ipvs_est_spec.proof.protocol.programs.step import (
    EST,
    EXITED,
    FREED,
    NEW,
    NONE,
    SERVICE,
    ProtocolStep,
    Value,
    at,
    goto,
    has_task,
    labelled,
    lock,
    start_task,
    stop_task,
    unlock,
)

WALK = "walking"
IDLE = "idle"
NOT_BEGUN, ENDED = "not begun", "ended"


def kthread_n(revision: Revision) -> Iterator[ProtocolStep]:
    """Any one kthread above 0 (section 8): it takes no mutex."""
    stopped: Condition = flag("stop_KTn")
    by_itself = EXITED if revision.holds_task_reference else FREED
    yield goto(KTN, NEW, EXITED, stopped)
    yield goto(KTN, NEW, "loop", both(negated(stopped), flag("chain_max")))
    yield goto(KTN, NEW, by_itself, both(negated(stopped), unset("chain_max")))
    yield goto(KTN, "loop", EXITED, stopped)
    yield goto(KTN, "loop", WALK, negated(stopped))
    yield goto(KTN, WALK, "loop")


def reload_work(revision: Revision) -> Iterator[ProtocolStep]:
    """Section 9. Slots other than 0 and n only test `enable`."""
    yield goto(WORK, IDLE, "queued", flag("work_pending"), work_pending=NO)
    yield lock(WORK, "queued", "locked", EST)
    seen: dict[str, Value] = {"work_restarts": flag("genid_new"), "work_genid_old": NO}
    recorded: dict[str, Value] = {"genid_new": flag("work_genid_old")}
    yield goto(WORK, "locked", "slot 0", **seen)
    yield goto(WORK, "slot 0", "all done", unset("kd0"))
    yield goto(WORK, "slot 0", "left", both(flag("kd0"), unset("enable")))
    on = both(flag("kd0"), flag("enable"))
    restarts: Condition = flag("work_restarts")
    yield goto(WORK, "slot 0", "start 0", both(on, negated(restarts)))
    alive = flag("work_ref")
    if revision.work_drops_est_mutex_for_kd0:
        yield goto(WORK, "slot 0", "stop 0", both(on, restarts), work_ref=YES)
        yield unlock(WORK, "stop 0", "stop 0, unlocked", EST)
        yield from stop_task(WORK, "stop 0, unlocked", "stopped 0", KT0, alive)
        yield lock(WORK, "stopped 0", "stopped 0, locked", EST)
        yield goto(WORK, "stopped 0, locked", "left", unset("enable"))
        yield goto(WORK, "stopped 0, locked", "start 0", flag("enable"))
    else:
        yield goto(WORK, "slot 0", "stop 0", both(on, restarts), work_ref=YES)
        yield from stop_task(WORK, "stop 0", "start 0", KT0, alive)
    wanted: Condition = unset("est_stopped")
    if revision.work_starts_kd0_if_needed:
        wanted = both(wanted, flag("needed"))
    yield start_task(WORK, "start 0", "other slots", KT0, wanted)
    yield goto(WORK, "start 0", "other slots", both(at(KT0, NONE), wanted), work_failed=YES)
    yield goto(WORK, "start 0", "other slots", either(has_task(KT0), negated(wanted)))
    yield goto(WORK, "other slots", "left", unset("enable"))
    yield goto(WORK, "other slots", "other slots", flag("enable"), work_failed=YES)
    yield goto(WORK, "other slots", "all done", unset("kdn"))
    yield goto(WORK, "other slots", "slot n", both(flag("kdn"), flag("enable")))
    yield goto(WORK, "slot n", "start n", negated(restarts))
    yield goto(WORK, "slot n", "stop n", restarts)
    yield from stop_task(WORK, "stop n", "start n", KTN, flag("kdn"))
    wanted = both(unset("est_stopped"), unset("calc_phase"))
    yield labelled("start n unless calc_phase", goto(WORK, "start n", "starting n", wanted))
    yield goto(WORK, "start n", "more slots", negated(wanted))
    yield start_task(WORK, "starting n", "more slots", KTN)
    yield goto(WORK, "starting n", "more slots", at(KTN, NONE), work_failed=YES)
    yield goto(WORK, "starting n", "more slots", has_task(KTN))
    yield goto(WORK, "more slots", "left", unset("enable"))
    yield goto(WORK, "more slots", "more slots", flag("enable"), work_failed=YES)
    yield goto(WORK, "more slots", "all done")
    yield goto(WORK, "all done", "over", **recorded)
    yield goto(WORK, "over", "unlocking", unset("work_failed"))
    yield from queue_work(WORK, "over", "unlocking", flag("work_failed"), work_failed=NO)
    # No new attempt in a netns that is being disabled.
    yield goto(WORK, "left", "unlocking", work_failed=NO)
    yield unlock(WORK, "unlocking", IDLE, EST)


def control(revision: Revision) -> Iterator[ProtocolStep]:
    """All control processes: they take turns by the service mutex (section 13)."""
    yield lock(CTL, IDLE, "control", SERVICE)
    yield goto(CTL, "control", "start")
    yield from start_estimator(revision, CTL, "start", "started", "control done")
    yield goto(CTL, "started", "control done")
    if revision.est_mutex_at_enable:
        yield goto(CTL, "started", "enabling", unset("enable"))
        yield lock(CTL, "enabling", "enabling, locked", EST)
        yield goto(CTL, "enabling, locked", "enabled", enable=YES)
        yield from request(CTL, "enabled", "enabled, done", restart=True)
        yield unlock(CTL, "enabled, done", "control done", EST)
    else:
        yield goto(CTL, "started", "enabled", unset("enable"), enable=YES)
        yield from request(CTL, "enabled", "control done", restart=True)
    yield goto(CTL, "control", "stop")
    yield from stop_estimator(revision, CTL, "stop", "control done")
    yield unlock(CTL, "control done", IDLE, SERVICE)


def sysctl(revision: Revision) -> Iterator[ProtocolStep]:
    """All writers of sysctls: they take turns by est_mutex (section 12)."""
    yield lock(SYSCTL, IDLE, "writing", EST)
    cpulist = goto(SYSCTL, "writing", "written", flag("sysctl"), calc_phase=YES, requested=YES)
    yield labelled("cpulist", cpulist)
    yield goto(SYSCTL, "writing", "written", flag("sysctl"))
    yield goto(SYSCTL, "writing", "write done")
    yield from request(SYSCTL, "written", "write done", restart=True)
    yield unlock(SYSCTL, "write done", IDLE, EST)


def netns_exit(revision: Revision) -> Iterator[ProtocolStep]:
    """Section 14."""
    if revision.clears_enable_under_est_mutex:
        yield lock(EXIT, NOT_BEGUN, "disabling", EST)
        yield labelled("disable", goto(EXIT, "disabling", "disabling, done", enable=NO))
        yield unlock(EXIT, "disabling, done", "disabled", EST)
    else:
        yield labelled("disable", goto(EXIT, NOT_BEGUN, "disabled", enable=NO))
    yield lock(EXIT, "disabled", "flush", SERVICE)
    yield from stop_estimator(revision, EXIT, "flush", "flush")
    if revision.total_stopped_under_service_mutex:
        yield from _stop_total(revision, "flush", "flushed")
        yield unlock(EXIT, "flushed", "total stopped", SERVICE)
        yield unlock(EXIT, "flush", "disabled", SERVICE)
    else:
        yield unlock(EXIT, "flush", "disabled", SERVICE)
        yield unlock(EXIT, "flush", "total", SERVICE)
        yield from _stop_total(revision, "total", "total stopped")
    if revision.frees_cpulist_under_est_mutex:
        yield lock(EXIT, "total stopped", "cpulist", EST)
        yield unlock(EXIT, "cpulist", "cancel", EST)
    else:
        yield goto(EXIT, "total stopped", "cancel")
    yield labelled("cancel", goto(EXIT, "cancel", CANCELLING, work_pending=NO))
    waits = ProtocolStep(EXIT, CANCELLING, "cancelled", at(WORK, IDLE), joins=WORK)
    yield labelled("wait for work", waits)
    yield goto(EXIT, "cancelled", "free 0", flag("kd0"))
    yield goto(EXIT, "cancelled", "freed 0", unset("kd0"))
    yield from destroy_context(EXIT, "free 0", "freed 0", "0")
    yield goto(EXIT, "freed 0", "free n", flag("kdn"))
    yield goto(EXIT, "freed 0", "freed n", unset("kdn"))
    yield from destroy_context(EXIT, "free n", "freed n", "n", flag("kdn"))
    yield goto(EXIT, "freed n", ENDED)


def _stop_total(revision: Revision, source: str, target: str) -> Iterator[ProtocolStep]:
    total: Condition = flag("total")
    left = f"{source}, total left"
    last = f"{source}, total last of kd n"
    yield goto(EXIT, source, target, negated(total))
    yield goto(EXIT, source, left, total, total=NO)
    yield goto(EXIT, source, left, both(total, flag("temp")), total=NO, temp=NO)
    yield goto(EXIT, source, target, total, total=NO)
    yield goto(EXIT, source, last, both(total, flag("total_high"), flag("kdn")), total=NO)
    yield from last_of_kthread(EXIT, last, left)
    yield from release_kd0(revision, EXIT, left, target)
