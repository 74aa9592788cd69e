"""The kernel's lists, followed in both directions: what does not fit together is no list."""

import struct
from collections.abc import Iterator

from ipvs_est_checks.live.memory.protocol import Memory
from ipvs_est_checks.live.memory.unreadable import TornError

_NODE = struct.Struct("<QQ")
_POINTER = struct.Struct("<Q")
_MOST = 1 << 22
"""Members of a list."""

Noted = list[tuple[int, bytes]]
"""Places that were read, with what was there."""


def hlist(memory: Memory, head: int, noted: Noted) -> Iterator[int]:
    """Addresses of the nodes of an hlist. Raises UnreadableError, TornError if a node does not
    point back."""
    (node,) = _POINTER.unpack(memory.read(head, 8))
    yield from hlist_from(memory, node, head, noted)


def hlist_from(memory: Memory, node: int, head: int, noted: Noted) -> Iterator[int]:
    """As `hlist`, of a head that was read."""
    back = head
    for _ in range(_MOST):
        if not node:
            return
        raw = memory.read(node, 16)
        following, before = _NODE.unpack(raw)
        if before != back:
            raise TornError(f"a list is broken at {node:#x}: its node does not point back")
        noted.append((node, raw))
        yield node
        back, node = node, following
    raise TornError(f"a list without end at {head:#x}")


def linked(memory: Memory, head: int, noted: Noted) -> Iterator[int]:
    """Addresses of the nodes of a list_head. Raises as `hlist`."""
    raw = memory.read(head, 16)
    node, _ = _NODE.unpack(raw)
    noted.append((head, raw))
    back = head
    for _ in range(_MOST):
        if node == head:
            return
        raw = memory.read(node, 16)
        following, before = _NODE.unpack(raw)
        if before != back:
            raise TornError(f"a list is broken at {node:#x}: its node does not point back")
        noted.append((node, raw))
        yield node
        back, node = node, following
    raise TornError(f"a list without end at {head:#x}")


def bl_list(memory: Memory, head: int) -> Iterator[int]:
    """Addresses of the nodes of an hlist_bl or hlist_nulls whose head was read."""
    node = head & ~1
    for _ in range(_MOST):
        if not node or node & 1:
            return
        yield node
        (node,) = _POINTER.unpack(memory.read(node, 8))
    raise TornError("a bucket of services without end")
