"""The kernel's hlist with RCU: insertion at the head, removal that leaves `next` to readers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast


@dataclass(slots=True, eq=False)
class Link:
    """What a list's head and its nodes have in common: a first or a next node."""

    next: "Node | None" = None


@dataclass(slots=True, eq=False)
class Node(Link):
    """A member of at most one list."""

    prev: Link | None = None
    """The link that points here (`pprev`); None = unhashed, POISON = was taken out."""


POISON = Link()
"""LIST_POISON2: where no memory is. Who writes through it crashes."""

NodeT = TypeVar("NodeT", bound=Node)


@dataclass(slots=True, eq=False)
class ListHead(Link, Generic[NodeT]):
    """A list; `next` is its first node."""


def add_head(head: ListHead[NodeT], node: NodeT) -> None:
    """Make `node` the first of the list (`hlist_add_head_rcu`)."""
    first = head.next
    node.next = first
    node.prev = head
    if first is not None:
        first.prev = node
    head.next = node


def unlink(node: Node) -> None:
    """Take `node` out and poison it; a reader that stands on it can still go on
    (`hlist_del_rcu`, and `hlist_del`, whose poison in `next` nobody would notice)."""
    before = node.prev
    assert linked(node), "unlinking a node that is on no list"
    assert before is not None  # linked() has said so
    after = node.next
    before.next = after
    if after is not None:
        after.prev = before
    node.prev = POISON


def unlink_init(node: Node) -> None:
    """Take `node` out and make it as if it had never been on a list (`hlist_del_init`)."""
    unlink(node)
    node.prev = None


def unhashed(node: Node) -> bool:
    """Whether the node was never on a list by now, or left it by unlink_init (`hlist_unhashed`)."""
    return node.prev is None


def linked(node: Node) -> bool:
    """Whether the node is on a list by now."""
    return node.prev is not None and node.prev is not POISON


def first(head: ListHead[NodeT]) -> NodeT | None:
    """The first node, if any."""
    # cast: a list's nodes are all of its parameter's type, add_head sees to it.
    return cast("NodeT | None", head.next)


def nodes(head: ListHead[NodeT]) -> Iterator[NodeT]:
    """The nodes from head to tail."""
    node = first(head)
    while node is not None:
        yield node
        node = cast("NodeT | None", node.next)  # cast: as in first()
