"""Services, destinations, and their stats objects."""

import ipaddress
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from ipvs_est.answers.snapshot import DestSnapshot, ObjectState, ServiceSnapshot
from ipvs_est_checks.live.memory.layout import Layout
from ipvs_est_checks.live.memory.protocol import Kernel, symbol
from ipvs_est_checks.live.memory.unreadable import TornError
from ipvs_est_checks.live.reading.lists import MOST, Noted, bl_list, hlist
from ipvs_est_checks.live.reading.structs import COUNTERS, PLACE, Structs

# Any in this file: values of a struct, whose number its layout knows.

TOTAL = 0
"""The id of the total's object."""
_AF_INET6 = 10
_PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}
_STATIC_BUCKETS = 256
_MOST_BUCKETS = 1 << 22
_MOST_TABLES = 8
_SCHEDULER_NAME = 32
_PLACED = len(PLACE)
_LINKED = _PLACED + 2
"""Values of a service or destination: its estimator's place, two pointers of a list, counters,"""
_MORE = _LINKED + 4 * len(COUNTERS)
"""and then the others."""
_id = attrgetter("id")


Peer = tuple[str, int, bytes, bytes]
"""A service or destination as its struct says: what its name begins with, address family, address
and port. It is told when somebody asks."""


class Names(Mapping[int, str]):
    """What objects are called, by id."""

    __slots__ = ("_said",)

    def __init__(self, said: Mapping[int, str | Peer]) -> None:
        self._said = said

    def __getitem__(self, id_: int) -> str:
        said = self._said[id_]
        return said if isinstance(said, str) else _peer_text(said)

    def __iter__(self) -> Iterator[int]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)


@dataclass(slots=True)
class Ids:
    """Numbers of objects by address, kept from reading to reading, and what they are called."""

    by_address: dict[int, int] = field(default_factory=dict)
    said: dict[int, str | Peer] = field(default_factory=dict)
    following: int = TOTAL + 1

    def number(self, stats: int, name: str | Peer) -> int:
        """The id of a stats object, a new one at the first time."""
        found = self.by_address.get(stats)
        if found is None:
            found = self.by_address[stats] = self.following
            self.following += 1
        self.said[found] = name
        return found


Node = tuple[int, int, int]
"""Of an estimator: the next one's node, what points to it, and the object's id."""


@dataclass(slots=True)
class NetnsTables:
    """All that is found in the tables of a netns."""

    objects: list[ObjectState] = field(default_factory=list)
    services: list[ServiceSnapshot] = field(default_factory=list)
    dests: list[DestSnapshot] = field(default_factory=list)
    trash: list[DestSnapshot] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)
    """By address: all estimators' nodes, noted like the rest."""


class ObjectReader:
    """Reads the tables of a netns. Its methods raise UnreadableError."""

    def __init__(self, kernel: Kernel, structs: Structs) -> None:
        self._kernel = kernel
        self._memory = kernel.memory
        self._structs = structs
        types = kernel.types
        if structs.service_marks is None:
            self._table = Layout(types, "ip_vs_rht", ("buckets", "new_tbl", "size"))
            self._netns_table = Layout(types, "netns_ipvs", ("svc_table",))
        self._scheduler_names: dict[int, str] = {}

    def read(self, netns: int, total: int, ids: Ids, noted: Noted) -> NetnsTables:
        """The services of a netns, their destinations, the trash, and the total if it has one."""
        found = NetnsTables()
        structs, memory = self._structs, self._memory
        to_node = structs.dest_stats + structs.est_list
        if total:
            at = total + structs.total
            ids.by_address[at] = TOTAL
            ids.said[TOTAL] = "total"
            raw, base = memory.around(at, structs.stats.size)
            values = structs.stats.values(raw, base)
            noted.structs.append((at, structs.stats, values[:_PLACED]))
            found.objects.append(_object(TOTAL, "total", values, _PLACED))
            found.nodes[at + structs.est_list] = (values[4], values[3], TOTAL)
        for service in self._services(netns, noted):
            self._service(service, found, ids, noted)
        trash, link = netns + structs.trash, structs.dest_trash_list
        for dest, values, peer in self._listed(trash, structs.trashed, link, "trash ", noted):
            id_ = ids.number(dest + structs.dest_stats, peer)
            found.trash.append(self._trashed(id_, values, ids))
            found.nodes[dest + to_node] = (values[4], values[3], id_)
        for group in (found.objects, found.services, found.dests):
            group.sort(key=_id)
        return found

    def _service(self, at: int, found: NetnsTables, ids: Ids, noted: Noted) -> None:
        structs, memory = self._structs, self._memory
        raw, base = memory.around(at, structs.service.size)
        values = structs.service.values(raw, base)
        noted.structs.append((at, structs.service, values[:_LINKED]))
        _, family, protocol, mark, scheduler, references = values[_MORE:]
        if mark:
            name = f"FWM {mark}"
        else:
            kind = _PROTOCOLS.get(protocol, str(protocol))
            address, port = base + structs.service_address, base + structs.service_port
            name = _peer_text(
                (f"{kind} ", family, raw[address : address + 16], raw[port : port + 2])
            )
        stats = at + structs.service_stats
        id_ = ids.number(stats, name)
        nodes, objects, dests = found.nodes, found.objects, found.dests
        objects.append(_object(id_, "service", values, _LINKED))
        nodes[stats + structs.est_list] = (values[4], values[3], id_)
        own: list[int] = []
        head, link = at + structs.service_dests, structs.dest_list
        to_stats, to_node = structs.dest_stats, structs.dest_stats + structs.est_list
        for dest, values, peer in self._listed(head, structs.dest, link, f"{name} -> ", noted):
            dest_id = ids.number(dest + to_stats, peer)
            own.append(dest_id)
            objects.append(_object(dest_id, "dest", values, _LINKED))
            nodes[dest + to_node] = (values[4], values[3], dest_id)
            held = max(0, values[_MORE + 1] - 1)
            dests.append(DestSnapshot(dest_id, id_, held, None, False, None))
        own.sort()
        bound = self._scheduler(scheduler) if scheduler else None
        found.services.append(ServiceSnapshot(id_, bound, tuple(own), max(0, references)))

    def _listed(
        self, head: int, layout: Layout, link: int, prefix: str, noted: Noted
    ) -> Iterator[tuple[int, tuple[int, ...], Peer]]:
        """Destinations on a list: address, values and what it is called. As `linked`, but each is
        read at once."""
        structs, around = self._structs, self._memory.around
        note, size, values_of = noted.structs.append, layout.size, layout.values
        to_address, to_port = structs.dest_address, structs.dest_port
        raw = self._memory.read(head, 16)
        noted.add(head, raw)
        back, node = head, int.from_bytes(raw[:8], "little")
        for _ in range(MOST):
            if node == head:
                return
            at = node - link
            raw, base = around(at, size)
            values = values_of(raw, base)
            if values[6] != back:
                raise TornError(f"a list is broken at {node:#x}: its node does not point back")
            note((at, layout, values[:_LINKED]))
            address, port = base + to_address, base + to_port
            peer = (prefix, values[_MORE], raw[address : address + 16], raw[port : port + 2])
            yield at, values, peer
            back, node = node, values[5]
        raise TornError(f"a list without end at {head:#x}")

    def _trashed(self, id_: int, values: tuple[int, ...], ids: Ids) -> DestSnapshot:
        _, held, idle, service = values[_MORE:]
        of = ids.by_address.get(service + self._structs.service_stats) if service else None
        stats = _object(id_, "dest", values, _LINKED)
        return DestSnapshot(id_, of, max(0, held - 1), idle or None, True, stats)

    def _services(self, netns: int, noted: Noted) -> Iterator[int]:
        """Addresses of the services of a netns."""
        structs = self._structs
        if structs.service_marks is None:
            yield from self._services_of_tables(netns, noted)
            return
        tables = (
            ("ip_vs_svc_table", structs.service_list),
            ("ip_vs_svc_fwm_table", structs.service_marks),
        )
        for name, offset in tables:
            table = symbol(self._kernel, name)
            if table is None:
                raise TornError(f"the kernel has no symbol {name} (CONFIG_KALLSYMS_ALL)")
            for bucket in range(_STATIC_BUCKETS):
                for node in hlist(self._memory, table + 8 * bucket, noted):
                    at = node - offset
                    raw, base = self._memory.around(at, structs.service.size)
                    if structs.service.values(raw, base)[_MORE] == netns:
                        yield at

    def _services_of_tables(self, netns: int, noted: Noted) -> Iterator[int]:
        """From the netns's own tables: one, or two while it grows or shrinks."""
        memory = self._memory
        (at,) = self._netns_table.values(memory.read(netns, self._netns_table.size))
        seen: set[int] = set()
        for _ in range(_MOST_TABLES):
            if not at:
                return
            buckets, following, size = self._table.values(memory.read(at, self._table.size))
            if not 0 < size <= _MOST_BUCKETS:
                raise TornError(f"a table of {size} buckets of services, which cannot be")
            heads = memory.read(buckets, 8 * size)
            noted.add(buckets, heads)
            for (head,) in struct.iter_unpack("<Q", heads):
                for node in bl_list(memory, head) if head else ():
                    service = node - self._structs.service_list
                    if service not in seen:
                        seen.add(service)
                        yield service
            if following == at:
                return
            at = following
        raise TornError("tables of services without end")

    def _scheduler(self, at: int) -> str:
        found = self._scheduler_names.get(at)
        if found is None:
            pointer = self._memory.read(at + self._structs.scheduler_name, 8)
            text = self._memory.read(int.from_bytes(pointer, "little"), _SCHEDULER_NAME)
            found = text.split(b"\0")[0].decode("ascii", "replace")
            self._scheduler_names[at] = found
        return found


def _object(id_: int, owner: str, values: tuple[Any, ...], counted: int) -> ObjectState:
    """Of a struct's values, in which the counters begin there."""
    ktid = values[0]
    if not -1 <= ktid < 1 << 15:
        raise TornError(f"an estimator of kthread {ktid}, which cannot be")
    return ObjectState(
        id=id_,
        owner=owner,
        life="live",
        linked=values[3] != 0,
        ktid=ktid,
        ktrow=values[1] & 0xFF,
        ktcid=values[2] & 0xFF,
        last=values[counted : counted + 5],
        rates=values[counted + 5 : counted + 10],
        kstats=values[counted + 10 : counted + 15],
        kstats0=values[counted + 15 : counted + 20],
        cpustats=(),
    )


def _peer_text(peer: Peer) -> str:
    prefix, family, address, port = peer
    number = int.from_bytes(port, "big")
    if family == _AF_INET6:
        return f"{prefix}[{ipaddress.IPv6Address(address)}]:{number}"
    return f"{prefix}{ipaddress.IPv4Address(address[:4])}:{number}"
