"""Kthread contexts and their ticks (semantics sections 1 and 2)."""

from dataclasses import dataclass, field

from ipvs_est.language.params import Params
from ipvs_est.machine.hlist import ListHead
from ipvs_est.machine.memory import HeapObject
from ipvs_est.machine.tasks import Task
from ipvs_est.state.stats import Estimator, StatsObject

Chain = ListHead[Estimator]


@dataclass(slots=True, eq=False)
class Tick(HeapObject):
    """`ip_vs_est_tick_data`: the chains of one row."""

    row: int = 0
    chains: list[Chain] = field(default_factory=list)
    chain_len: list[int] = field(default_factory=list)
    present: int = 0
    """Bitmap over chains: not empty."""
    full: int = 0
    """Bitmap over chains: chain_len has reached chain_max."""

    def describe(self) -> str:
        return f"tick of row {self.row}"


@dataclass(slots=True, eq=False)
class KthreadContext(HeapObject):
    """`ip_vs_est_kt_data`: all that one kthread works on."""

    id: int = 0
    """Slot in est_kt_arr."""
    ticks: list[Tick | None] = field(default_factory=list)
    tick_len: list[int] = field(default_factory=list)
    """Estimators per row."""
    avail: int = 0
    """Bitmap over rows: the tick has a chain with space."""
    est_count: int = 0
    est_max_count: int = 0
    chain_max: int = 0
    tick_max: int = 0
    add_row: int = 0
    """Base row for new estimators, fixed while the kthread is nearly empty."""
    est_row: int = 0
    """Row that is estimated next."""
    est_timer: int = 0
    """When that is due: jiffies, wrapping at the word size."""
    task: Task | None = None
    calc_stats: StatsObject | None = None
    """Only for id 0: the object that the limits test estimates."""
    needed: bool = False
    """Only in revisions that keep kd 0: its task should run."""

    def describe(self) -> str:
        return f"kd {self.id}"


def new_context(params: Params, slot: int, jiffies: int, est_chain_max: int) -> KthreadContext:
    """An empty context for that slot: all rows available, due now."""
    kd = KthreadContext(
        id=slot,
        ticks=[None] * params.nticks,
        tick_len=[0] * params.nticks,
        avail=(1 << params.nticks) - 1,
        est_timer=jiffies,
    )
    apply_limits(params, kd, est_chain_max)
    return kd


def new_tick(params: Params, row: int) -> Tick:
    """An empty tick."""
    chains = params.tick_chains
    return Tick(row=row, chains=[Chain() for _ in range(chains)], chain_len=[0] * chains)


def apply_limits(params: Params, kd: KthreadContext, est_chain_max: int) -> None:
    """Set chain_max, tick_max and est_max_count (`ip_vs_est_set_params`, semantics section 2)."""
    kd.chain_max = est_chain_max * params.chain_factor if params.preempt_rcu else est_chain_max
    kd.tick_max = params.tick_chains * kd.chain_max
    kd.est_max_count = params.nticks * kd.tick_max


def renew_flags(kd: KthreadContext) -> None:
    """Make `full` and `avail` say what the limits of now make of the chains (repair of F01)."""
    for td in kd.ticks:
        if td is None:
            continue
        td.full = sum(1 << cid for cid, length in enumerate(td.chain_len) if length >= kd.chain_max)
        kd.avail |= 1 << td.row
        if td.full == (1 << len(td.chains)) - 1:
            kd.avail &= ~(1 << td.row)
