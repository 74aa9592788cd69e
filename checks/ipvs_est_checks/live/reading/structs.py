"""The structs that are read, compiled once for a kernel."""

from dataclasses import dataclass

from ipvs_est_checks.live.memory.btf import PTR, Btf
from ipvs_est_checks.live.memory.layout import Field, Layout, field_of, has_field, offset_of
from ipvs_est_checks.live.memory.unreadable import UnreadableError

COUNTERS = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
PLACE = ("est.ktid", "est.ktrow", "est.ktcid", "est.list.pprev", "est.list.next")
RATES = ("cps", "inpps", "outpps", "inbps", "outbps")

NETNS = (
    "enable",
    "est_stopped",
    "est_kt_count",
    "est_add_ktid",
    "est_max_threads",
    "est_chain_max",
    "est_calc_phase",
    "est_genid",
    "est_genid_done",
    "est_kt_arr",
    "tot_stats",
    "est_mutex.owner",
    "est_reload_work.work.data",
    "est_reload_work.timer.expires",
    "dest_trash_timer.entry.pprev",
    "dest_trash_timer.expires",
)
SYSCTLS = ("sysctl_run_estimation", "sysctl_est_nice", "est_cpulist_valid")
_CHANGING = frozenset(
    {
        "est_reload_work.timer.expires",
        "dest_trash_timer.entry.pprev",
        "dest_trash_timer.expires",
    }
)
"""Not part of what two readings have to agree on."""


@dataclass(frozen=True, slots=True)
class Structs:
    """Layouts, and places of fields that are no numbers."""

    netns: Layout
    netns_watched: tuple[Field, ...]
    temp_list: int
    trash: int
    cpulist: Field | None
    """None: built without sysctl support."""
    cpulist_is_pointer: bool
    service_mutex: Field | None
    """Its owner; None: one mutex for all netns."""
    mutex_owner: int
    service: Layout
    service_address: int
    service_port: int
    service_stats: int
    service_list: int
    service_marks: int | None
    """Node in the table of firewall marks; None: one table for both."""
    service_dests: int
    dest: Layout
    trashed: Layout
    """The same, with its pointers on the list of the trash."""
    dest_address: int
    dest_port: int
    dest_stats: int
    dest_list: int
    dest_trash_list: int
    stats: Layout
    stats_watched: Field
    """The bytes with the estimator's place."""
    est_list: int
    """The estimator's node, from the stats object's start."""
    total: int
    """The stats object in what `tot_stats` points to."""
    kd: Layout
    kd_needed: bool
    """It says whether its task is needed."""
    kd_watched: tuple[tuple[int, int], ...]
    """Offset and size."""
    kd_ticks: int
    kd_tick_len: int
    tick_size: int
    tick_chains: int
    tick_chain_len: int
    tick_bitmaps: tuple[int, int]
    """`present` and `full`."""
    nticks: int
    chains: int
    task: Layout
    task_comm: int
    kthread: Layout
    kthread_stop: int
    """Bit in its flags."""
    scheduler_name: int


def compile_structs(types: Btf) -> Structs:
    """Raises UnreadableError if the kernel has no kthread stats estimator."""
    if not has_field(types, "netns_ipvs", "est_kt_arr"):
        raise UnreadableError("its ip_vs has no kthread estimator: older than 6.2")
    sysctl = has_field(types, "netns_ipvs", "sysctl_est_cpulist")
    own_mutex = has_field(types, "netns_ipvs", "service_mutex")
    one_table = has_field(types, "netns_ipvs", "svc_table")
    needed = has_field(types, "ip_vs_est_kt_data", "needed")
    netns = Layout(types, "netns_ipvs", NETNS + (SYSCTLS if sysctl else ()))
    watched = [name for name in NETNS + (SYSCTLS if sysctl else ()) if name not in _CHANGING]
    kd = "ip_vs_est_kt_data"
    tick = "ip_vs_est_tick_data"
    ticks, tick_len = field_of(types, kd, "ticks"), field_of(types, kd, "tick_len")
    chains, chain_len = field_of(types, tick, "chains"), field_of(types, tick, "chain_len")
    stop = types.enumerator("KTHREAD_BITS", "KTHREAD_SHOULD_STOP")
    kd_fields: tuple[str, ...] = (
        "id",
        "task",
        "calc_stats",
        "est_count",
        "est_max_count",
        "chain_max",
    )
    kd_fields += ("tick_max", "add_row", "est_row", "est_timer", "avail")
    if needed:
        kd_fields += ("needed",)
    still = ("id", "task", "est_count", "est_max_count", "chain_max", "tick_max", "avail")
    counted = [f"est.last_{counter}" for counter in COUNTERS] + [f"est.{rate}" for rate in RATES]
    counted += [f"kstats.{counter}" for counter in COUNTERS] + [
        f"kstats0.{counter}" for counter in COUNTERS
    ]
    placed = [f"stats.{name}" for name in PLACE]
    counters = [f"stats.{name}" for name in counted]
    service = ("ipvs", "af", "protocol", "fwmark", "scheduler", "refcnt")
    dest = ("af", "refcnt", "idle_start", "svc")
    return Structs(
        netns=netns,
        netns_watched=tuple([field_of(types, "netns_ipvs", name) for name in watched]),
        temp_list=offset_of(types, "netns_ipvs", "est_temp_list"),
        trash=offset_of(types, "netns_ipvs", "dest_trash"),
        cpulist=field_of(types, "netns_ipvs", "sysctl_est_cpulist") if sysctl else None,
        cpulist_is_pointer=sysctl and _is_pointer(types, "netns_ipvs", "sysctl_est_cpulist"),
        service_mutex=field_of(types, "netns_ipvs", "service_mutex.owner") if own_mutex else None,
        mutex_owner=offset_of(types, "mutex", "owner"),
        service=Layout(
            types,
            "ip_vs_service",
            (*placed, "destinations.next", "destinations.prev", *counters, *service),
        ),
        service_address=offset_of(types, "ip_vs_service", "addr"),
        service_port=offset_of(types, "ip_vs_service", "port"),
        service_stats=offset_of(types, "ip_vs_service", "stats"),
        service_list=offset_of(types, "ip_vs_service", "s_list"),
        service_marks=None if one_table else offset_of(types, "ip_vs_service", "f_list"),
        service_dests=offset_of(types, "ip_vs_service", "destinations"),
        dest=Layout(types, "ip_vs_dest", (*placed, "n_list.next", "n_list.prev", *counters, *dest)),
        trashed=Layout(
            types, "ip_vs_dest", (*placed, "t_list.next", "t_list.prev", *counters, *dest)
        ),
        dest_address=offset_of(types, "ip_vs_dest", "addr"),
        dest_port=offset_of(types, "ip_vs_dest", "port"),
        dest_stats=offset_of(types, "ip_vs_dest", "stats"),
        dest_list=offset_of(types, "ip_vs_dest", "n_list"),
        dest_trash_list=offset_of(types, "ip_vs_dest", "t_list"),
        stats=Layout(types, "ip_vs_stats", (*PLACE, *counted)),
        stats_watched=_all_of(types, "ip_vs_stats", ("est.ktid", "est.ktrow", "est.ktcid")),
        est_list=offset_of(types, "ip_vs_stats", "est.list"),
        total=offset_of(types, "ip_vs_stats_rcu", "s"),
        kd=Layout(types, kd, kd_fields),
        kd_needed=needed,
        kd_watched=tuple(
            [(field.offset, field.size) for field in (field_of(types, kd, name) for name in still)]
            + [(field.offset, field.size) for field in (ticks, tick_len)]
        ),
        kd_ticks=ticks.offset,
        kd_tick_len=tick_len.offset,
        tick_size=_size(types, tick),
        tick_chains=chains.offset,
        tick_chain_len=chain_len.offset,
        tick_bitmaps=(offset_of(types, tick, "present"), offset_of(types, tick, "full")),
        nticks=_length(ticks.size, 8),
        chains=_length(chains.size, 8),
        task=Layout(
            types,
            "task_struct",
            (
                "__state",
                "exit_state",
                "static_prio",
                "cpus_ptr",
                "worker_private",
                "usage.refs.counter",
                "se.sum_exec_runtime",
                "thread_info.cpu",
                "pid",
            ),
        ),
        task_comm=offset_of(types, "task_struct", "comm"),
        kthread=Layout(types, "kthread", ("flags",)),
        kthread_stop=1 if stop is None else stop,
        scheduler_name=offset_of(types, "ip_vs_scheduler", "name"),
    )


def _is_pointer(types: Btf, name: str, path: str) -> bool:
    """Large masks are allocated, small ones are in the struct."""
    id_ = types.find(name)
    found = None if id_ is None else types.member(id_, path)
    return found is not None and types.kind(found.type) == PTR


def _all_of(types: Btf, name: str, paths: tuple[str, ...]) -> Field:
    """The bytes that hold all these fields."""
    found = [field_of(types, name, path) for path in paths]
    first = min(field.offset for field in found)
    last = max(field.offset + field.size for field in found)
    return Field(first, last - first, False, 0, 0)


def _size(types: Btf, name: str) -> int:
    id_ = types.find(name)
    if id_ is None or not 0 < types.size(id_) < 1 << 16:
        raise UnreadableError(f"its BTF has no struct {name} of a likely size")
    return types.size(id_)


def _length(size: int, number: int) -> int:
    if not 0 < size // number <= 64:
        raise UnreadableError("its BTF has rows or chains of an unlikely number")
    return size // number
