"""Services, destinations, and their stats objects."""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipvs_est.answers.snapshot import DestSnapshot, ObjectState, ServiceSnapshot
from ipvs_est_checks.live.memory.layout import Layout
from ipvs_est_checks.live.memory.protocol import Kernel, symbol
from ipvs_est_checks.live.memory.unreadable import TornError
from ipvs_est_checks.live.reading.lists import Noted, bl_list, hlist, linked
from ipvs_est_checks.live.reading.structs import Structs

TOTAL = 0
"""The id of the total's object."""
_AF_INET6 = 10
_PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}
_STATIC_BUCKETS = 256
_MOST_BUCKETS = 1 << 22
_MOST_TABLES = 8
_SCHEDULER_NAME = 32


@dataclass(slots=True)
class Ids:
    """Numbers of objects by address, kept from reading to reading, and what they are called."""

    by_address: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    following: int = TOTAL + 1

    def number(self, stats: int, name: str) -> int:
        """The id of a stats object, a new one at the first time."""
        found = self.by_address.get(stats)
        if found is None:
            found = self.by_address[stats] = self.following
            self.following += 1
        self.names[found] = name
        return found


@dataclass(slots=True)
class Objects:
    """All that is found in the tables of a netns."""

    objects: list[ObjectState] = field(default_factory=list)
    services: list[ServiceSnapshot] = field(default_factory=list)
    dests: list[DestSnapshot] = field(default_factory=list)
    trash: list[DestSnapshot] = field(default_factory=list)


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

    def read(self, netns: int, total: int, ids: Ids, noted: Noted) -> Objects:
        """The services of a netns, their destinations, the trash, and the total if it has one."""
        found = Objects()
        structs, memory = self._structs, self._memory
        if total:
            at = total + structs.total
            ids.by_address[at] = TOTAL
            ids.names[TOTAL] = "total"
            raw = memory.read(at, structs.stats.size)
            found.objects.append(self._object(TOTAL, "total", at, raw, 0, noted))
        for service in self._services(netns, noted):
            self._service(service, found, ids, noted)
        for node in linked(memory, netns + structs.trash, noted):
            at = node - structs.dest_trash_list
            raw = memory.read(at, structs.dest.size)
            id_ = ids.number(at + structs.dest_stats, f"trash {self._where(raw, structs.dest)}")
            found.trash.append(self._trashed(id_, at, raw, ids, noted))
        found.objects.sort(key=lambda each: each.id)
        found.services.sort(key=lambda each: each.id)
        found.dests.sort(key=lambda each: each.id)
        return found

    def _service(self, at: int, found: Objects, ids: Ids, noted: Noted) -> None:
        structs, memory = self._structs, self._memory
        raw = memory.read(at, structs.service.size)
        _, _, protocol, mark, scheduler, references = structs.service.values(raw)
        if mark:
            name = f"FWM {mark}"
        else:
            kind = _PROTOCOLS.get(protocol, str(protocol))
            name = f"{kind} {self._where(raw, structs.service)}"
        stats = at + structs.service_stats
        id_ = ids.number(stats, name)
        found.objects.append(self._object(id_, "service", stats, raw, structs.service_stats, noted))
        own: list[int] = []
        for node in linked(memory, at + structs.service_dests, noted):
            dest = node - structs.dest_list
            dest_raw = memory.read(dest, structs.dest.size)
            dest_stats = dest + structs.dest_stats
            dest_id = ids.number(dest_stats, f"{name} -> {self._where(dest_raw, structs.dest)}")
            own.append(dest_id)
            found.objects.append(
                self._object(dest_id, "dest", dest_stats, dest_raw, structs.dest_stats, noted)
            )
            _, held, _, _ = structs.dest.values(dest_raw)
            found.dests.append(DestSnapshot(dest_id, id_, max(0, held - 1), None, False, None))
        bound = self._scheduler(scheduler) if scheduler else None
        found.services.append(ServiceSnapshot(id_, bound, tuple(sorted(own)), max(0, references)))

    def _trashed(self, id_: int, at: int, raw: bytes, ids: Ids, noted: Noted) -> DestSnapshot:
        structs = self._structs
        _, held, idle, service = structs.dest.values(raw)
        stats = self._object(id_, "dest", at + structs.dest_stats, raw, structs.dest_stats, noted)
        of = ids.by_address.get(service + structs.service_stats) if service else None
        return DestSnapshot(id_, of, max(0, held - 1), idle or None, True, stats)

    def _object(
        self, id_: int, owner: str, at: int, raw: bytes, base: int, noted: Noted
    ) -> ObjectState:
        structs = self._structs
        values = structs.stats.values(raw, base)
        ktid, ktrow, ktcid, linked_by = values[:4]
        place = structs.stats_watched
        start = base + place.offset
        noted.append((at + place.offset, raw[start : start + place.size]))
        if not -1 <= ktid < 1 << 15:
            raise TornError(f"an estimator of kthread {ktid}, which cannot be")
        return ObjectState(
            id=id_,
            owner=owner,
            life="live",
            linked=linked_by != 0,
            ktid=ktid,
            ktrow=ktrow & 0xFF,
            ktcid=ktcid & 0xFF,
            last=_five(values, 4),
            rates=_five(values, 9),
            kstats=_five(values, 14),
            kstats0=_five(values, 19),
            cpustats=(),
        )

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
                    owner, *_ = structs.service.values(self._memory.read(at, structs.service.size))
                    if owner == netns:
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
            noted.append((buckets, heads))
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

    def _where(self, raw: bytes, layout: Layout) -> str:
        """Address and port."""
        structs = self._structs
        if layout is structs.service:
            at, family = structs.service_address, layout.values(raw)[1]
            port = structs.service_port
        else:
            at, family = structs.dest_address, layout.values(raw)[0]
            port = structs.dest_port
        number = int.from_bytes(raw[port : port + 2], "big")
        if family == _AF_INET6:
            return f"[{ipaddress.IPv6Address(raw[at : at + 16])}]:{number}"
        return f"{raw[at]}.{raw[at + 1]}.{raw[at + 2]}.{raw[at + 3]}:{number}"

    def _scheduler(self, at: int) -> str:
        found = self._scheduler_names.get(at)
        if found is None:
            pointer = self._memory.read(at + self._structs.scheduler_name, 8)
            text = self._memory.read(int.from_bytes(pointer, "little"), _SCHEDULER_NAME)
            found = text.split(b"\0")[0].decode("ascii", "replace")
            self._scheduler_names[at] = found
        return found


def _five(values: tuple[int, ...], at: int) -> tuple[int, int, int, int, int]:
    one, two, three, four, five = values[at : at + 5]
    return one, two, three, four, five
