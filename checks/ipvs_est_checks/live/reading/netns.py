"""One netns, read whole: a snapshot, and what tells whether it is one state."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ipvs_est import Snapshot
from ipvs_est.answers.snapshot import (
    SNAPSHOT_VERSION,
    MemorySnapshot,
    MutexSnapshot,
    SysctlSnapshot,
    WorkSnapshot,
)
from ipvs_est.answers.state import State
from ipvs_est_checks.live.memory.layout import Layout, offset_of
from ipvs_est_checks.live.memory.protocol import Kernel, symbol
from ipvs_est_checks.live.memory.unreadable import TornError, UnreadableError
from ipvs_est_checks.live.reading.contexts import read_contexts
from ipvs_est_checks.live.reading.lists import Noted, hlist, hlist_from, linked
from ipvs_est_checks.live.reading.machine import (
    LiveMachine,
    need_symbol,
    read_cpumask,
    read_machine,
)
from ipvs_est_checks.live.reading.objects import Ids, Names, ObjectReader
from ipvs_est_checks.live.reading.structs import Structs, compile_structs
from ipvs_est_checks.live.reading.tasks import TaskReader, TaskTimes
from ipvs_est_checks.live.revisions import revision_of

SERVICE_MUTEX = "service_mutex"
EST_MUTEX = "est_mutex"

ABSENT = (
    "clock_ns",
    "contexts.task.references",
    "contexts.task.waits_for",
    "contexts.task.wake_at",
    "est_cost_ns",
    "memory",
    "mutexes.waiters",
    "objects.cpustats",
    "violations",
    "work.waits_for",
)
"""Members of a snapshot that are not read; nothing judges by them."""
_PENDING = 1
"""Bit of a work item's data."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A netns that has an IPVS."""

    inode: int
    """As in /proc/PID/ns/net."""
    address: int
    """Of its struct netns_ipvs."""


@dataclass(frozen=True, slots=True)
class NetnsReading:
    """One reading of a netns."""

    snapshot: Snapshot
    """Members named in `ABSENT` mean nothing."""
    names: Names
    """What the objects are, by id; those on lists that belong to nothing, too."""
    times: tuple[TaskTimes | None, ...]
    """By slot."""
    noted: Noted
    """What must not have changed meanwhile."""


@contextmanager
def _no_collection() -> Iterator[None]:
    """A reading makes many objects and no circles: to look for circles takes half of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Reader:
    """Reads the netns of one kernel. Its methods raise UnreadableError."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.structs: Structs = compile_structs(kernel.types)
        self.machine: LiveMachine = read_machine(kernel, self.structs)
        self.revision = revision_of(kernel.release, kernel.types)
        self._objects = ObjectReader(kernel, self.structs)
        self._tasks = TaskReader(kernel, self.structs, self.machine.cpus)
        self._ids: dict[int, Ids] = {}

    def namespaces(self) -> Iterator[Namespace]:
        """Those that have an IPVS."""
        types, memory = self.kernel.types, self.kernel.memory
        net = Layout(types, "net", ("ipvs", "ns.inum"))
        offset = offset_of(types, "net", "list")
        for node in linked(memory, need_symbol(self.kernel, "net_namespace_list"), Noted()):
            at = node - offset
            ipvs, inode = net.values(memory.read(at, net.size))
            if ipvs:
                yield Namespace(inode, ipvs)

    def read(self, namespace: Namespace) -> NetnsReading:
        """The netns as its memory says now. Raises TornError if that cannot be one state."""
        with _no_collection():
            return self._read(namespace)

    def _read(self, namespace: Namespace) -> NetnsReading:
        structs, memory = self.structs, self.kernel.memory
        at, noted = namespace.address, Noted()
        ids = self._ids.setdefault(at, Ids())
        now = int.from_bytes(memory.read(self.machine.jiffies, 8), "little")
        raw = memory.read(at, structs.netns.size)
        for field in structs.netns_watched:
            noted.add(at + field.offset, raw[field.offset : field.offset + field.size])
        (
            enable,
            stopped,
            count,
            add_ktid,
            max_threads,
            chain_max,
            calc_phase,
            genid,
            genid_done,
            array,
            total,
            est_owner,
            work,
            due,
            scan,
            scan_due,
            *sysctls,
        ) = structs.netns.values(raw)
        if min(count, add_ktid, chain_max) < 0:
            raise TornError("a negative number in the netns, which cannot be")
        mutexes = self._mutexes(at, raw, est_owner, noted)
        objects = self._objects.read(at, total, ids, noted)

        def ident(node: int) -> int:
            stats = node - structs.est_list
            found = ids.by_address.get(stats)
            if found is not None:
                return found
            return ids.number(stats, f"a stats object at {stats:#x} that belongs to nothing")

        def chain(node: int, head: int) -> tuple[int, ...]:
            """Ids of the estimators on a list; those of known objects were read with them."""
            found: list[int] = []
            back = head
            while node:
                known = objects.nodes.get(node)
                if known is None:
                    # What belongs to nothing: the rest is followed node by node.
                    rest = hlist_from(memory, node, back, noted)
                    return (*found, *[ident(number) for number in rest])
                following, before, id_ = known
                if before != back or len(found) > len(objects.nodes):
                    raise TornError(f"a list is broken at {node:#x}: its node does not point back")
                found.append(id_)
                back, node = node, following
            return tuple(found)

        temp = tuple([ident(number) for number in hlist(memory, at + structs.temp_list, noted)])
        contexts = read_contexts(memory, structs, self._tasks, array, count, chain, noted)
        pending = bool(work & _PENDING)
        place = at + offset_of(self.kernel.types, "netns_ipvs", "est_reload_work")
        snapshot = Snapshot(
            version=SNAPSHOT_VERSION,
            revision=self.revision,
            params=self.machine.params,
            now=now,
            clock_ns=0,
            est_cost_ns=0,
            state=State(
                jiffies=now,
                enable=enable,
                stopped=stopped,
                kt_count=count,
                add_ktid=add_ktid,
                max_threads=max_threads,
                chain_max=chain_max,
                calc_phase=calc_phase,
                genid=genid,
                genid_done=genid_done,
                temp=temp,
                kthreads=contexts.kthreads,
            ),
            contexts=contexts.contexts,
            objects=tuple(objects.objects),
            services=tuple(objects.services),
            dests=(*objects.dests, *objects.trash),
            trash_scan_due=scan_due if scan else None,
            sysctls=self._sysctls(at, sysctls, noted),
            mutexes=mutexes,
            work=WorkSnapshot(pending, due if pending else None, self._tasks.works_on(place), None),
            memory=MemorySnapshot(0, None, 0, (), 0),
            violations=(),
        )
        return NetnsReading(snapshot, Names(ids.said), contexts.times, noted)

    def ids(self, namespace: Namespace) -> Ids:
        """Numbers and names of the objects of a netns that was read."""
        return self._ids[namespace.address]

    def unchanged(self, reading: NetnsReading) -> bool:
        """Whether everything that was noted is still there, read anew."""
        self.kernel.forget()
        try:
            return reading.noted.still(self.kernel.memory)
        except UnreadableError:
            return False

    def _mutexes(
        self, at: int, raw: bytes, est_owner: int, noted: Noted
    ) -> tuple[MutexSnapshot, ...]:
        own = self.structs.service_mutex
        if own is not None:
            place = at + own.offset
            found = raw[own.offset : own.offset + own.size]
        else:
            # One mutex for all netns.
            mutex = symbol(self.kernel, "__ip_vs_mutex")
            if mutex is None:
                raise UnreadableError("the kernel has no symbol __ip_vs_mutex")
            place = mutex + self.structs.mutex_owner
            found = self.kernel.memory.read(place, 8)
        noted.add(place, found)
        owner = int.from_bytes(found, "little")
        return (
            MutexSnapshot(SERVICE_MUTEX, self._tasks.owner(owner), ()),
            MutexSnapshot(EST_MUTEX, self._tasks.owner(est_owner), ()),
        )

    def _sysctls(self, at: int, values: list[int], noted: Noted) -> SysctlSnapshot:
        if not values or self.structs.cpulist is None:
            return SysctlSnapshot(1, 0, None)
        run_estimation, nice, valid = values
        if not -20 <= nice <= 19:
            raise TornError(f"est_nice {nice}, which cannot be")
        cpulist = None
        if valid:
            place = at + self.structs.cpulist.offset
            memory = self.kernel.memory
            if self.structs.cpulist_is_pointer:
                place = int.from_bytes(memory.read(place, 8), "little")
            cpulist = read_cpumask(memory, place, self.machine.cpus)
            size = (self.machine.cpus + 63) // 64 * 8
            noted.add(place, memory.read(place, size))
        return SysctlSnapshot(run_estimation, nice, cpulist)
