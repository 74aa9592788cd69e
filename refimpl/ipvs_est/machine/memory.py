"""The heap: what is allocated, waits for a grace period or is freed; which allocations fail."""

from dataclasses import dataclass, field
from enum import Enum


class Life(Enum):
    """Where an allocated object is in its life."""

    LIVE = "live"
    WAITING = "waiting"
    """Unpublished; an RCU callback will free it."""
    FREED = "freed"


@dataclass(slots=True, eq=False)
class HeapObject:
    """Anything that the modelled kernel allocates and frees."""

    serial: int = 0
    """Order of allocation, from 1; 0 = not from the heap."""
    life: Life = Life.LIVE

    def describe(self) -> str:
        """A short name for reports, in kernel terms."""
        return type(self).__name__


@dataclass(slots=True)
class Memory:
    """Allocation counter, injected failures and everything not yet freed."""

    allocations: int = 0
    """Allocations tried so far, failed ones included."""
    fail_first: int = 0
    """Number (from 1) of the first allocation that fails; 0 = none."""
    fail_last: int = 0
    serials: int = 0
    """Serial of the newest object."""
    live: dict[int, HeapObject] = field(default_factory=dict)
    """By serial."""


def may_allocate(memory: Memory) -> bool:
    """Count one allocation and tell whether it succeeds."""
    memory.allocations += 1
    return not memory.fail_first <= memory.allocations <= memory.fail_last


def fail_allocations(memory: Memory, nth: int, count: int) -> None:
    """Let `count` allocations fail, from the `nth` (1 = the next) from now on; count 0 = none."""
    memory.fail_first = memory.allocations + nth
    memory.fail_last = memory.fail_first + count - 1


def track(memory: Memory, thing: HeapObject) -> None:
    """Enter a newly allocated object into the heap's books."""
    memory.serials += 1
    thing.serial = memory.serials
    memory.live[thing.serial] = thing


def forget(memory: Memory, thing: HeapObject) -> None:
    """The object is freed: take it out of the books."""
    thing.life = Life.FREED
    memory.live.pop(thing.serial, None)
