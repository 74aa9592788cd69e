"""The network namespace's estimator state (semantics section 1, `netns_ipvs`)."""

from dataclasses import dataclass, field

from ipvs_est.machine.hlist import ListHead, add_head, linked, unlink
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.memory import HeapObject
from ipvs_est.machine.tasks import Task
from ipvs_est.state.control_objects import Dest, Service
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.stats import TEMP_LIST_KTID, Estimator, StatsObject


@dataclass(slots=True, eq=False)
class DelayedWork:
    """`est_reload_work`."""

    pending: bool = False
    due: int = 0
    """When pending: jiffies since boot, not wrapped."""
    running: Task | None = None
    """The instance that is alive."""
    refused: bool = False
    """It is being cancelled: nobody can queue it."""


@dataclass(slots=True, eq=False)
class Cpumask(HeapObject):
    """The memory of `est_cpulist`, allocated when it is first written."""

    def describe(self) -> str:
        return "est_cpulist"


@dataclass(slots=True, eq=False)
class Netns:
    """One network namespace."""

    est_mutex: Mutex = field(default_factory=lambda: Mutex("est_mutex"))
    enable: bool = False
    est_kt_arr: list[KthreadContext | None] = field(default_factory=list)
    """Slots, holes (None) included."""
    est_add_ktid: int = 0
    est_max_threads: int = 0
    est_chain_max: int = 0
    """0 = never computed."""
    est_calc_phase: bool = False
    est_temp_list: ListHead[Estimator] = field(default_factory=ListHead)
    est_genid: int = 0
    est_genid_done: int = 0
    est_stopped: bool = False
    run_estimation: int = 1
    """Any int; 0 stops the tasks."""
    est_nice: int = 0
    est_cpulist: frozenset[int] = frozenset()
    """Valid only with est_cpulist_valid."""
    est_cpulist_valid: bool = False
    est_cpulist_mask: Cpumask | None = None
    """What `est_cpulist` points to; after netns exit it points there still."""
    reload_work: DelayedWork = field(default_factory=DelayedWork)
    total: StatsObject | None = None
    idle_total: StatsObject | None = None
    """Without sysctls: the total's stats, which nobody estimates."""
    services: dict[int, Service] = field(default_factory=dict)
    """By id."""
    dests: dict[int, Dest] = field(default_factory=dict)
    """Destinations that are in their service, by id."""
    trash: list[Dest] = field(default_factory=list)
    """Deleted destinations that may still be referenced, the one deleted last first."""
    trash_scan_due: int | None = None
    """Next scan of the trash: jiffies since boot, not wrapped."""

    @property
    def est_kt_count(self) -> int:
        """Allocated slots, holes included."""
        return len(self.est_kt_arr)


def context_at(netns: Netns, slot: int) -> KthreadContext | None:
    """The kd in that slot; None for a hole and for a slot that was dropped."""
    return netns.est_kt_arr[slot] if slot < len(netns.est_kt_arr) else None


def dest_of(netns: Netns, dest_id: int) -> Dest | None:
    """The dest of that id: the one in its service, else the one that was deleted last."""
    found = netns.dests.get(dest_id)
    return found or next((dest for dest in netns.trash if dest.id == dest_id), None)


def usable_context(netns: Netns) -> KthreadContext | None:
    """The kd that est_add_ktid names, if there is one."""
    return context_at(netns, netns.est_add_ktid)


def move_total_to_head(netns: Netns) -> None:
    """If the total is on est_temp_list, make it the first there, so that it gets into kd 0."""
    total = netns.total
    if total is not None and linked(total.est) and total.est.ktid == TEMP_LIST_KTID:
        unlink(total.est)
        add_head(netns.est_temp_list, total.est)
