"""The modelled machine: one kernel with one network namespace, its time, heap and record."""

from dataclasses import dataclass, field

from ipvs_est.language.events import Event
from ipvs_est.language.params import Params
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import (
    UNDEFINED,
    DoubleFree,
    UseAfterFree,
    Violation,
    ViolationError,
)
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.memory import HeapObject, Life, Memory, forget, may_allocate, track
from ipvs_est.machine.points import Lock, Unlock
from ipvs_est.machine.rcu import Rcu
from ipvs_est.state.netns import Netns
from ipvs_est.state.stats import StatsObject

PS_PER_NS = 1000


@dataclass(slots=True, eq=False)
class Machine:
    """All state. Build it with `boot`."""

    params: Params
    revision: Revision
    now: int
    """Jiffies since boot, not wrapped."""
    est_cost_ps: int
    """Picoseconds that one estimation takes; `Params` gives whole nanoseconds."""
    clock_ps: int = 0
    """Only estimating advances it. What the limits test reads of it are whole nanoseconds."""
    netns: Netns = field(default_factory=Netns)
    service_mutex: Mutex = field(default_factory=lambda: Mutex("__ip_vs_mutex"))
    memory: Memory = field(default_factory=Memory)
    rcu: Rcu = field(default_factory=Rcu)
    objects: dict[int, StatsObject] = field(default_factory=dict)
    """Stats objects by id, as their owners know them."""
    tasks_created: int = 0
    violations: list[Violation] = field(default_factory=list)
    raise_violations: bool = False
    """Raise each violation instead of recording it and going on."""
    events: list[Event] | None = None
    """The event record, if one is kept."""
    interleaved: bool = False
    """A driver switches between tasks at accesses to shared fields too; see FieldAccess."""
    lock_service: Lock = field(init=False)
    unlock_service: Unlock = field(init=False)
    lock_est: Lock = field(init=False)
    unlock_est: Unlock = field(init=False)

    def __post_init__(self) -> None:
        # The four most frequent points, made once.
        self.lock_service = Lock(self.service_mutex)
        self.unlock_service = Unlock(self.service_mutex)
        self.lock_est = Lock(self.netns.est_mutex)
        self.unlock_est = Unlock(self.netns.est_mutex)


def boot(params: Params, revision: Revision) -> Machine:
    """A machine before netns init."""
    return Machine(
        params=params,
        revision=revision,
        now=params.initial_jiffies,
        est_cost_ps=params.est_cost_ns * PS_PER_NS,
    )


def jiffies(machine: Machine) -> int:
    """The kernel's jiffies, wrapping at the word size."""
    return machine.now & machine.params.jiffies_mask


def report(machine: Machine, violation: Violation) -> None:
    """Record a violation; raise it if the caller wants that or nothing defined follows it."""
    machine.violations.append(violation)
    if machine.raise_violations or isinstance(violation, UNDEFINED):
        raise ViolationError(violation)


def allocate(machine: Machine, thing: HeapObject) -> bool:
    """Allocate `thing`; False when this allocation was chosen to fail."""
    if not may_allocate(machine.memory):
        return False
    track(machine.memory, thing)
    return True


def free(machine: Machine, thing: HeapObject, where: str) -> None:
    """Free `thing`; a second time is a violation."""
    if thing.life is Life.FREED:
        report(machine, DoubleFree(thing.describe(), where))
        return
    forget(machine.memory, thing)


def touch(machine: Machine, thing: HeapObject, field_name: str, where: str) -> None:
    """`where` reads or writes a field of an object that may have been freed by now."""
    if thing.life is Life.FREED:
        report(machine, UseAfterFree(thing.describe(), field_name, where))
