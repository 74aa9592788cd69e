"""Looking at all netns of a kernel: twice, and at what fails a third time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ipvs_est_checks.broken_properties import quiet_jiffies
from ipvs_est_checks.live.consistent import Looked, Target
from ipvs_est_checks.live.judge import JudgedProperty, Quiet, both, judge
from ipvs_est_checks.live.memory.unreadable import UnreadableError
from ipvs_est_checks.live.reading.netns import Namespace, NetnsReading
from ipvs_est_checks.report.verdict import Verdict, worst

Wait = Callable[[float], None]
"""Lets so many seconds pass."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What is known of one netns."""

    namespace: Namespace
    reading: NetnsReading | None
    """The last one; None: none was one state."""
    judged: tuple[JudgedProperty, ...]
    quiet: Quiet
    load: tuple[float | None, ...]
    """By slot: the share of a CPU that the task used between two looks."""
    tries: int
    """Readings that it took."""
    seconds: float
    """The last reading, from its first read to the snapshot."""

    @property
    def verdict(self) -> Verdict:
        """Of all properties together."""
        if self.reading is None:
            return Verdict.INCOMPLETE
        return worst(judged_property.verdict for judged_property in self.judged)


def inspect(
    target: Target, wait: Wait, seconds: float, *, netns: int | None, assume_quiet: bool
) -> tuple[list[Inspected], int]:
    """The netns that are in use, or the one that is asked for; and how many are left out.

    `seconds` pass between the first look and the second. Raises UnreadableError.
    """
    chosen = _choose(target, netns)
    first = {namespace: target.look(namespace) for namespace in chosen}
    used = [namespace for namespace in chosen if netns is not None or _is_used(first[namespace])]
    # Of a machine without services one page shows that there are none.
    used = used or chosen[:1]
    found: dict[Namespace, Inspected] = {}
    if target.goes_on and seconds > 0:
        wait(seconds)
        for namespace in used:
            found[namespace] = _second(target, namespace, first[namespace])
        failing = [namespace for namespace in used if found[namespace].verdict is Verdict.FAIL]
        if failing:
            wait(_revolution(target) * 1.1)
        for namespace in failing:
            found[namespace] = _third(target, found[namespace])
    else:
        quiet = Quiet.YES if assume_quiet else Quiet.UNKNOWN
        for namespace in used:
            found[namespace] = _inspected(namespace, first[namespace], quiet, ())
    return [found[namespace] for namespace in used], len(chosen) - len(used)


def _choose(target: Target, netns: int | None) -> list[Namespace]:
    spaces = list(target.reader.namespaces())
    if not spaces:
        raise UnreadableError("no netns has an IPVS")
    if netns is None:
        return spaces
    chosen = [space for space in spaces if space.inode == netns]
    if not chosen:
        known = ", ".join(str(space.inode) for space in spaces[:8])
        raise UnreadableError(f"no netns {netns} has an IPVS; some that have one: {known}")
    return chosen


def _is_used(looked: Looked) -> bool:
    if looked.reading is None:
        return True
    snapshot = looked.reading.snapshot
    return bool(snapshot.state.enable or snapshot.services or snapshot.state.temp)


def _second(target: Target, namespace: Namespace, first: Looked) -> Inspected:
    second = target.look(namespace)
    if second.reading is None:
        return _inspected(namespace, second, Quiet.NO, ())
    quiet = _quiet_between(target, first, second)
    return _inspected(namespace, second, quiet, _load(first.reading, second.reading))


def _third(target: Target, before: Inspected) -> Inspected:
    """What failed has to fail a revolution later."""
    third = target.look(before.namespace)
    if third.reading is None:
        return _inspected(before.namespace, third, Quiet.NO, before.load)
    again = _inspected(before.namespace, third, before.quiet, before.load)
    return Inspected(
        again.namespace,
        again.reading,
        both(before.judged, again.judged),
        again.quiet,
        again.load,
        before.tries + again.tries,
        again.seconds,
    )


def _inspected(
    namespace: Namespace, looked: Looked, quiet: Quiet, load: tuple[float | None, ...]
) -> Inspected:
    reading = looked.reading
    judged: tuple[JudgedProperty, ...] = ()
    if reading is not None:
        judged = judge(reading.snapshot, quiet, reading.names)
    return Inspected(namespace, reading, judged, quiet, load, looked.tries, looked.seconds)


def _quiet_between(target: Target, first: Looked, second: Looked) -> Quiet:
    """By the probes; without them by everything being where it was."""
    if first.reading is None or second.reading is None:
        return Quiet.NO
    passed = second.reading.snapshot.now - first.reading.snapshot.now
    if passed < quiet_jiffies(target.reader.machine.params):
        return Quiet.UNKNOWN
    if target.watched:
        same = first.changes == second.changes
    else:
        same = _settled(first.reading) == _settled(second.reading)
    return Quiet.YES if same else Quiet.NO


def _settled(reading: NetnsReading) -> object:
    """What nobody changes but by configuring; destinations in the trash go away by themselves, and
    kthread 0 takes mutexes at each of its ticks."""
    snapshot = reading.snapshot
    state = snapshot.state
    return (
        snapshot.sysctls,
        # Not by how many each is referenced: the trash has references.
        [(service.id, service.dests) for service in snapshot.services],
        (state.enable, state.stopped, state.max_threads, state.genid, state.genid_done),
        state.temp,
        [
            None if kthread is None else (kthread.est_max_count, kthread.ticks)
            for kthread in state.kthreads
        ],
    )


def _revolution(target: Target) -> float:
    """Seconds."""
    params = target.reader.machine.params
    return params.nticks * params.tick_jiffies / params.hz


def _load(first: NetnsReading | None, second: NetnsReading) -> tuple[float | None, ...]:
    if first is None:
        return ()
    passed = (second.snapshot.now - first.snapshot.now) / second.snapshot.params.hz
    shares: list[float | None] = []
    for index, after in enumerate(second.times):
        before = first.times[index] if index < len(first.times) else None
        known = before is not None and after is not None and passed > 0
        if before is not None and after is not None and known:
            used = (after.runtime_ns - before.runtime_ns) / 1e9
            shares.append(used / passed if used >= 0 else None)
        else:
            shares.append(None)
    return tuple(shares)


def verdict_of(found: Iterable[Inspected]) -> Verdict:
    """Of all netns together."""
    return worst(inspected.verdict for inspected in found)
