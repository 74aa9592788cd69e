"""Stats objects and their estimators (semantics sections 1 and 3)."""

from dataclasses import dataclass, field
from typing import Literal

from ipvs_est.language.counters import ZERO, Counters, CpuStats, Group, Rates, difference
from ipvs_est.language.fixed import U32_MASK
from ipvs_est.machine.hlist import Node
from ipvs_est.machine.memory import HeapObject
from ipvs_est.state.rates import decode_rates, update_rates

Owner = Literal["total", "service", "dest", "calc"]

TEMP_LIST_KTID = -1
STOPPED_KTID = -2
"""Of the total once netns exit has stopped it, where that is done under the service mutex."""


@dataclass(slots=True, eq=False)
class Estimator(Node):
    """`ip_vs_estimator`: one list node, the last sums, the averages, and its place."""

    stats: "StatsObject" = field(kw_only=True)
    ktid: int = 0
    """Slot of its kd (s16); -1 = on est_temp_list, -2 = see STOPPED_KTID."""
    ktrow: int = 0
    """Row of its tick (u8); on the temp list the wanted delay in ticks."""
    ktcid: int = 0
    """Chain in its tick (u8); keeps its last value on the temp list."""
    last: Group = ZERO
    """Sums at the last estimation."""
    rates: Group = ZERO
    """Averages, u64, scaled by 2^10 (conns, packets) and 2^5 (bytes) per second."""


@dataclass(slots=True, eq=False)
class StatsObject(HeapObject):
    """`ip_vs_stats` of the netns total, a service or a destination."""

    id: int = 0
    owner: Owner = "dest"
    cpustats: CpuStats = field(default_factory=dict)
    kstats: Group = ZERO
    """Sums over CPUs as of the last estimation."""
    kstats0: Group = ZERO
    """Zero point."""
    est: Estimator = field(init=False)

    def __post_init__(self) -> None:
        self.est = Estimator(stats=self)

    def describe(self) -> str:
        return f"stats of {self.owner} {self.id}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader of a stats object gets: counters since the zero point, rates per second."""

    counters: Counters
    rates: Rates


def estimate(stats: StatsObject, sums: Group) -> None:
    """Estimate once from new sums over the CPUs (one step of `ip_vs_chain_estimation`)."""
    est = stats.est
    stats.kstats = sums
    if sums != est.last or est.rates != ZERO:
        est.rates = update_rates(est.rates, est.last, sums)
        est.last = sums


def read(stats: StatsObject) -> Reading:
    """Counters and rates (`ip_vs_copy_stats`)."""
    counted = Counters(*difference(stats.kstats, stats.kstats0))
    return Reading(counted, Rates(*decode_rates(stats.est.rates)))


def export(stats: StatsObject) -> Reading:
    """The old sockopt interface: low 32 bits of conns, packets and all rates; bytes stay u64."""
    full = read(stats)
    conns, inpkts, outpkts, inbytes, outbytes = full.counters
    return Reading(
        Counters(conns & U32_MASK, inpkts & U32_MASK, outpkts & U32_MASK, inbytes, outbytes),
        Rates(*(rate & U32_MASK for rate in full.rates)),
    )


def zero(stats: StatsObject) -> None:
    """Move the zero point to the last sums and forget the rates (`ip_vs_zero_stats`)."""
    stats.kstats0 = stats.kstats
    stats.est.last = stats.kstats
    stats.est.rates = ZERO
