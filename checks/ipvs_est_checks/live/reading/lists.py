"""The kernel's lists, followed in both directions: what does not fit together is no list."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipvs_est_checks.live.memory.layout import Layout
from ipvs_est_checks.live.memory.protocol import KernelMemory
from ipvs_est_checks.live.memory.unreadable import TornError

_NODE = struct.Struct("<QQ")
_POINTER = struct.Struct("<Q")
MOST = 1 << 22
"""Members of a list."""


@dataclass(slots=True)
class Noted:
    """What was read and must not have changed at the end; equal ones saw the same."""

    places: list[tuple[int, bytes]] = field(default_factory=list)
    """Addresses, with what was there."""
    structs: list[tuple[int, Layout, tuple[int, ...]]] = field(default_factory=list)
    """Addresses, with the values of a layout's first fields."""

    def add(self, address: int, found: bytes) -> None:
        """Note a place."""
        self.places.append((address, found))

    def still(self, memory: KernelMemory) -> bool:
        """Whether all of it is there. Raises UnreadableError."""
        if not all(memory.read(at, len(found)) == found for at, found in self.places):
            return False
        for at, layout, found in self.structs:
            raw, base = memory.around(at, layout.size)
            if layout.values(raw, base)[: len(found)] != found:
                return False
        return True


def hlist(memory: KernelMemory, head: int, noted: Noted) -> Iterator[int]:
    """Addresses of the nodes of an hlist. Raises UnreadableError, TornError if a node does not
    point back."""
    (node,) = _POINTER.unpack(memory.read(head, 8))
    yield from hlist_from(memory, node, head, noted)


def hlist_from(memory: KernelMemory, node: int, head: int, noted: Noted) -> Iterator[int]:
    """As `hlist`, of a head that was read."""
    back = head
    for _ in range(MOST):
        if not node:
            return
        raw = memory.read(node, 16)
        following, before = _NODE.unpack(raw)
        if before != back:
            raise TornError(f"a list is broken at {node:#x}: its node does not point back")
        noted.add(node, raw)
        yield node
        back, node = node, following
    raise TornError(f"a list without end at {head:#x}")


def linked(memory: KernelMemory, head: int, noted: Noted) -> Iterator[int]:
    """Addresses of the nodes of a list_head. Raises as `hlist`."""
    raw = memory.read(head, 16)
    node, _ = _NODE.unpack(raw)
    noted.add(head, raw)
    back = head
    for _ in range(MOST):
        if node == head:
            return
        raw = memory.read(node, 16)
        following, before = _NODE.unpack(raw)
        if before != back:
            raise TornError(f"a list is broken at {node:#x}: its node does not point back")
        noted.add(node, raw)
        yield node
        back, node = node, following
    raise TornError(f"a list without end at {head:#x}")


def bl_list(memory: KernelMemory, head: int) -> Iterator[int]:
    """Addresses of the nodes of an hlist_bl or hlist_nulls whose head was read."""
    node = head & ~1
    for _ in range(MOST):
        if not node or node & 1:
            return
        yield node
        (node,) = _POINTER.unpack(memory.read(node, 8))
    raise TornError("a bucket of services without end")
