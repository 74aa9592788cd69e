"""Parts that several programs share: restart requests, removing a context, the last step."""

from collections.abc import Iterator

from ipvs_est.language.revision import Revision
from ipvs_est_spec.proof.protocol.expression import (
    NO,
    TRUE,
    YES,
    Condition,
    both,
    either,
    flag,
    negated,
    unset,
)
from ipvs_est_spec.proof.protocol.programs.step import (
    EST,
    ProtocolStep,
    Value,
    at,
    goto,
    lock,
    start_task,
    stop_task,
    unlock,
)

KT0, KTN, WORK, CTL, SYSCTL, EXIT = "KT0", "KTn", "WORK", "CTL", "SYSCTL", "EXIT"
CANCELLING = "cancelling"
"""Where netns exit waits for the reload work."""
ACTORS = (KT0, KTN, WORK, CTL, SYSCTL, EXIT)


OLD = ("genid_new", "work_genid_old", "kt0_genid_old")
"""genid as three differences: from genid_done, from what the reload work has read, and from what
kthread 0 remembers."""


def request(actor: str, source: str, target: str, *, restart: bool) -> Iterator[ProtocolStep]:
    """Request a start or a restart (section 9): test `enable`, then the flags, then the work."""
    asked, decided, queued = (f"{source}, {name}" for name in ("enabled", "decided", "queueing"))
    yield goto(actor, source, target, unset("enable"))
    yield goto(actor, source, asked, flag("enable"))
    # The configuration decides about est_stopped; only the sysctls change it.
    yield goto(actor, asked, decided, est_stopped=NO)
    yield goto(actor, asked, decided, flag("sysctl"), est_stopped=YES)
    # est_genid is an atomic counter: nothing comes between reading it and storing one more.
    counted = dict.fromkeys(OLD, YES) if restart else {}
    yield goto(actor, decided, queued, **counted)
    yield from queue_work(actor, queued, target)


def queue_work(
    actor: str, source: str, target: str, guard: Condition = TRUE, /, **updates: Value
) -> Iterator[ProtocolStep]:
    """Queue the reload work, which is refused while netns exit cancels it."""
    cancelled = at(EXIT, CANCELLING)
    yield goto(actor, source, target, both(guard, negated(cancelled)), **updates, work_pending=YES)
    yield goto(actor, source, target, both(guard, cancelled), **updates)


def add_context(
    revision: Revision, actor: str, source: str, target: str, failed: str, slot: str
) -> Iterator[ProtocolStep]:
    """Add a context in `slot` ("0", or "n" or another), or fail for lack of memory or threads
    (section 6)."""
    kd, kthread = f"kd{slot}", f"KT{slot}"
    locked, added, starting = f"{source}, locked", f"{source}, added", f"{source}, starting"
    refused, done = f"{source}, refused", f"{source}, done"
    yield goto(actor, source, failed)  # the thread limit, where it is tested before the lock
    yield lock(actor, source, locked, EST)
    yield goto(actor, locked, refused)
    yield unlock(actor, refused, failed, EST)
    others = slot == "n"
    yield goto(actor, locked, added, TRUE if others else unset(kd))
    free = unset(kd)
    published: dict[str, str] = {kd: YES}
    if slot == "0":
        published["needed"] = YES if revision.work_starts_tasks else NO
    if revision.work_starts_tasks:
        yield from request(actor, added, f"{added}, requested", restart=False)
        yield goto(actor, f"{added}, requested", done, free, **published)
        if others:
            yield goto(actor, f"{added}, requested", done)
    else:
        runs = both(flag("enable"), unset("est_stopped"))
        yield goto(actor, added, starting, both(runs, free))
        yield start_task(actor, starting, f"{starting}, started", kthread)
        yield goto(actor, starting, refused)  # no memory for the task
        yield goto(actor, f"{starting}, started", done, **published)
        yield goto(actor, added, done, both(negated(runs), free), **published)
        if others:
            yield goto(actor, added, done)
    yield unlock(actor, done, target, EST)


def destroy_context(
    actor: str, source: str, target: str, slot: str, needs: Condition = TRUE
) -> Iterator[ProtocolStep]:
    """Stop and join the task, free the context, NULL the slot."""
    freeing = f"{source}, freeing"
    yield from stop_task(actor, source, freeing, f"KT{slot}", needs)
    gone = {"kt0_ref": NO} if slot == "n" else {"work_ref": NO, "needed": NO}
    yield goto(actor, freeing, target, **{f"kd{slot}": NO}, **gone)


def last_of_kthread(
    actor: str, source: str, target: str, needs: Condition = TRUE
) -> Iterator[ProtocolStep]:
    """kd n, or one of another slot, has lost its last estimator (section 7)."""
    locked, gone = f"{source}, locked", f"{source}, gone"
    yield lock(actor, source, locked, EST)
    yield from destroy_context(actor, locked, gone, "n", needs)
    yield unlock(actor, gone, target, EST)


def last_of_another(actor: str, source: str, target: str) -> Iterator[ProtocolStep]:
    """The same of a slot that is neither 0 nor n: its task, which takes no mutex, is joined."""
    another = f"{source}, another"
    yield goto(actor, source, another)
    yield lock(actor, another, f"{another}, locked", EST)
    yield unlock(actor, f"{another}, locked", target, EST)


def nothing_left() -> Condition:
    """kd 0 may be alone and without estimators, and the temp list empty.

    While the total is linked it is in kd 0, on the temp list, or with `total_high` in kd n.
    """
    return both(unset("kdn"), unset("temp"), negated(both(flag("total"), unset("total_high"))))


def release_kd0(revision: Revision, actor: str, source: str, target: str) -> Iterator[ProtocolStep]:
    """The last step of stopping an estimator (section 7); whether kd 0 has estimators is open."""
    yield goto(actor, source, target)
    locked, done = f"{source}, locked", f"{source}, done"
    last = f"{source}, last"
    if revision.kd0_until_exit:
        marked = f"{source}, marked"
        yield goto(actor, source, last, both(nothing_left(), flag("kd0")))
        yield lock(actor, last, locked, EST)
        yield goto(actor, locked, marked, needed=NO)
        yield from request(actor, marked, done, restart=True)
    else:
        yield goto(actor, source, last, nothing_left())
        yield lock(actor, last, locked, EST)
        yield goto(actor, locked, done, unset("kd0"))
        present = f"{source}, present"
        yield goto(actor, locked, present, flag("kd0"))
        yield from destroy_context(actor, present, done, "0")
    yield unlock(actor, done, target, EST)


def start_estimator(
    revision: Revision, actor: str, source: str, target: str, failed: str
) -> Iterator[ProtocolStep]:
    """Put an estimator on the temp list, after kd 0 is there (section 4)."""
    adding, linking = f"{source}, kd 0", f"{source}, linking"
    yield goto(actor, source, adding, unset("kd0"))
    yield from add_context(revision, actor, adding, linking, failed, "0")
    present: Condition = flag("kd0")
    if revision.start_marks_kd0_needed:
        wanting, locked = f"{source}, not needed", f"{source}, locked"
        marked, done = f"{source}, marked", f"{source}, done"
        yield goto(actor, source, wanting, both(present, unset("needed")))
        yield lock(actor, wanting, locked, EST)
        yield goto(actor, locked, marked, needed=YES)
        yield from request(actor, marked, done, restart=True)
        yield unlock(actor, done, linking, EST)
        present = both(present, flag("needed"))
    yield goto(actor, source, linking, present)
    yield goto(actor, linking, target, temp=YES)


def stop_estimator(
    revision: Revision, actor: str, source: str, target: str
) -> Iterator[ProtocolStep]:
    """Take an estimator off its list, and with it what it alone kept (section 7)."""
    last, releasing = f"{source}, last of kd n", f"{source}, left"
    yield goto(actor, source, releasing, flag("temp"))
    yield goto(actor, source, releasing, flag("temp"), temp=NO)
    yield goto(actor, source, target, either(flag("kd0"), flag("kdn")))
    yield goto(actor, source, releasing, flag("kd0"))
    yield goto(actor, source, last, flag("kdn"))
    yield from last_of_kthread(actor, last, releasing)
    yield from last_of_another(actor, source, releasing)
    yield from release_kd0(revision, actor, releasing, target)
