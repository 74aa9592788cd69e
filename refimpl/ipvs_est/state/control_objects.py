"""Services and destinations (semantics section 13)."""

from dataclasses import dataclass, field

from ipvs_est.machine.memory import HeapObject
from ipvs_est.state.stats import StatsObject


@dataclass(slots=True, eq=False)
class Service(HeapObject):
    """`ip_vs_service`."""

    id: int = 0
    stats: StatsObject | None = None
    scheduler: str | None = None
    """The bound scheduler; None: none, or cleared."""
    dests: "dict[int, Dest]" = field(default_factory=dict)
    """By id, in the order in which they were added or taken from the trash."""
    references: int = 0
    """One while it is hashed and one from each of its dests, those in the trash included."""

    def describe(self) -> str:
        return f"service {self.id}"


@dataclass(slots=True, eq=False)
class Dest(HeapObject):
    """`ip_vs_dest`."""

    id: int = 0
    service: Service | None = None
    stats: StatsObject | None = None
    references: int = 0
    """References that connections hold."""
    idle_start: int | None = None
    """In the trash: when it was first seen without references, jiffies since boot. Kept while a
    connection refers to it again."""
    available: bool = False
    """Packets that use it are counted (`IP_VS_DEST_F_AVAILABLE`)."""

    def describe(self) -> str:
        return f"dest {self.id}"
