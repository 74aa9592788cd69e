"""A recording as events of the model's language, as far as it tells them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ipvs_est.answers.state import State
from ipvs_est.language.events import Estimated, Event, Started, Stopped, TaskExited, TaskStarted
from ipvs_est_checks.live.reading.objects import Ids
from ipvs_est_checks.live.reading.tasks import KTHREAD_NAME
from ipvs_est_checks.live.recording.live_log import SYSCTLS, Written
from ipvs_est_checks.live.recording.probes import NODES, Place
from ipvs_est_checks.live.recording.trace_text import TraceLine

_REGION = 43
"""Bits of an address that are alike in one of the kernel's regions of memory."""
_Chain = tuple[int, int, int]


@dataclass(slots=True)
class RecordedEvents:
    """What came of a recording."""

    events: list[Event] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    limits_test: int | None = None
    """Jiffies of the first limits test: estimators move then, unseen, and no estimation is told
    from there on."""


def tell(
    lines: Iterable[TraceLine], netns: int, node: int, place: Place, before: State, ids: Ids
) -> RecordedEvents:
    """The events of a netns. `node`: where an estimator's node is in its stats object.

    Which estimators a chain has is known from the state before, from the members that are
    recorded with each chain, and from what was stopped.
    """
    recorded = RecordedEvents()
    members = members_of(before)
    pending: dict[tuple[int, str], TraceLine] = {}
    for line in lines:
        jiffies = line.fields.get("j")
        if jiffies is None:
            continue
        if line.name == "chain":
            _chain(line, jiffies, node, place, members, ids, recorded)
        elif line.name.startswith(_WROTE):
            _wrote(line, jiffies, pending, recorded)
        elif line.fields.get("ipvs", netns) == netns:
            recorded.events += _other(line, jiffies, members, pending, ids)
    return recorded


def members_of(before: State) -> dict[tuple[int, int, int], list[int]]:
    """Estimators by kthread, row and chain, from head to tail."""
    return {
        (slot, tick.row, cid): list(chain)
        for slot, kd in enumerate(before.kthreads)
        if kd is not None
        for tick in kd.ticks
        for cid, chain in tick.chains
    }


def _chain(
    line: TraceLine,
    jiffies: int,
    node: int,
    place: Place,
    members: dict[_Chain, list[int]],
    ids: Ids,
    recorded: RecordedEvents,
) -> None:
    first = line.fields.get("n0", 0)
    if not first or recorded.limits_test is not None:
        return
    if line.fields.get("chain", first) >> _REGION != first >> _REGION:
        # The limits test's chain is on a stack, all others are allocated as the estimators are.
        recorded.limits_test = jiffies
        return
    if first - node not in ids.by_address:
        # Of another netns.
        return
    ktid, row, cid = place.unpacked(line.fields.get("p0", 0))
    chain = members.setdefault((ktid, row, cid), [])
    for number in reversed(range(NODES)):
        at = line.fields.get(f"n{number}", 0)
        id_ = ids.by_address.get(at - node) if at else None
        if id_ is not None and id_ not in chain:
            # New ones come first.
            for other in members.values():
                if id_ in other:
                    other.remove(id_)
            chain.insert(0, id_)
    recorded.events += [Estimated(jiffies, number, ktid, row) for number in chain]


def _wrote(
    line: TraceLine,
    jiffies: int,
    pending: dict[tuple[int, str], TraceLine],
    recorded: RecordedEvents,
) -> None:
    """A handler of a sysctl has ended; of another netns, or of what was read, none has begun."""
    file = line.name.removeprefix(_WROTE)
    begun = pending.pop((line.pid, f"write_{file}"), None)
    if begun is None or not begun.fields.get("write"):
        return
    cpus = line.fields.get("cpus", 0)
    cpulist = tuple([number for number in range(64) if cpus >> number & 1])
    recorded.written.append(
        Written(
            jiffies=jiffies,
            after_events=len(recorded.events),
            file=file,
            run_estimation=line.fields["run"],
            est_nice=line.fields["nice"],
            cpulist=cpulist if line.fields["valid"] else None,
        )
    )


def _other(
    line: TraceLine,
    jiffies: int,
    members: dict[_Chain, list[int]],
    pending: dict[tuple[int, str], TraceLine],
    ids: Ids,
) -> Iterator[Event]:
    if line.name in _BEGINNINGS:
        pending[line.pid, line.name] = line
        return
    if line.name == "stop":
        if line.task.startswith(KTHREAD_NAME):
            # Kthread 0 takes it off its chain, to link it anew with other limits.
            return
        id_ = ids.by_address.get(line.fields["stats"])
        if id_ is not None:
            for chain in members.values():
                if id_ in chain:
                    chain.remove(id_)
            yield Stopped(jiffies, id_)
        return
    begun = pending.pop((line.pid, _ENDINGS.get(line.name, "")), None)
    if begun is None or line.fields.get("ret", 0):
        return
    if line.name == "started":
        name = "an object that was started meanwhile"
        known = ids.by_address.get(begun.fields["stats"])
        yield Started(jiffies, ids.number(begun.fields["stats"], name) if known is None else known)
    elif line.name == "kstarted" and not begun.fields["task"]:
        yield TaskStarted(jiffies, begun.fields["ktid"], begun.fields["enable"] != 0)
    elif line.name == "kstopped" and begun.fields["task"]:
        yield TaskExited(jiffies, f"ipvs-e:{begun.fields['ktid']}")


_ENDINGS = {"started": "start", "kstarted": "kstart", "kstopped": "kstop"}
_WROTE = "wrote_"
_BEGINNINGS = frozenset({*_ENDINGS.values(), *(f"write_{sysctl}" for sysctl in SYSCTLS)})
