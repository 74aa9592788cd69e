"""A model's snapshot, put into a made kernel's memory as the kernel's structs hold it."""

import struct

from ipvs_est import Snapshot
from ipvs_est.answers.snapshot import ObjectState, ServiceSnapshot
from kernels.made_btf import MadeTypes
from kernels.made_kernel import MadeKernel

INODE = 4026531840
COUNTERS = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
RATES = ("cps", "inpps", "outpps", "inbps", "outbps")
_IP_VS = (
    "ip_vs_counters",
    "ip_vs_estimator",
    "ip_vs_stats",
    "ip_vs_stats_rcu",
    "ip_vs_est_tick_data",
    "ip_vs_est_kt_data",
    "ip_vs_scheduler",
    "ip_vs_service",
    "ip_vs_dest",
    "ip_vs_rht",
    "netns_ipvs",
)
_MASK_BYTES = 8


def types_for(snapshot: Snapshot, *, one_table: bool = True) -> MadeTypes:
    """Structs for the geometry of a snapshot's machine; the fields' places are our own."""
    params = snapshot.params
    made = MadeTypes()
    add = made.add
    add("list_head", [("next", "ptr"), ("prev", "ptr")])
    add("hlist_node", [("next", "ptr"), ("pprev", "ptr")])
    add("atomic_t", [("counter", "s32")])
    add("refcount_struct", [("refs", "atomic_t")])
    add("mutex", [("owner", "s64"), ("pad", "pad[24]")])
    add("timer_list", [("entry", "hlist_node"), ("expires", "u64")])
    add("work_struct", [("data", "u64"), ("entry", "list_head")])
    add("delayed_work", [("work", "work_struct"), ("timer", "timer_list")])
    add("ns_common", [("stashed", "ptr"), ("inum", "u32")])
    add("net", [("pad", "pad[40]"), ("list", "list_head"), ("ns", "ns_common"), ("ipvs", "ptr")])
    add("clocksource", [("pad", "pad[16]"), ("mult", "u32"), ("shift", "u32")])
    add("thread_info", [("flags", "u64"), ("cpu", "u32")])
    add("sched_entity", [("pad", "pad[24]"), ("sum_exec_runtime", "u64")])
    add(
        "task_struct",
        [
            ("thread_info", "thread_info"),
            ("__state", "u32"),
            ("usage", "refcount_struct"),
            ("flags", "u32"),
            ("static_prio", "s32"),
            ("se", "sched_entity"),
            ("cpus_ptr", "ptr"),
            ("tasks", "list_head"),
            ("exit_state", "s32"),
            ("pid", "s32"),
            ("worker_private", "ptr"),
            ("comm", "u8[16]"),
        ],
    )
    add("kthread", [("flags", "u64"), ("data", "ptr")])
    add("worker", [("pad", "pad[8]"), ("current_work", "ptr")])
    add("housekeeping", [("cpumasks", "u64[4]"), ("flags", "u64")])
    add("ip_vs_counters", [(counter, "u64") for counter in COUNTERS])
    add(
        "ip_vs_estimator",
        [
            ("list", "hlist_node"),
            *[(f"last_{counter}", "u64") for counter in reversed(COUNTERS)],
            *[(rate, "u64") for rate in RATES],
            ("ktid", "s32:16"),
            ("ktrow", "s32:8"),
            ("ktcid", "s32:8"),
        ],
    )
    add(
        "ip_vs_stats",
        [
            ("kstats", "ip_vs_counters"),
            ("est", "ip_vs_estimator"),
            ("cpustats", "ptr"),
            ("kstats0", "ip_vs_counters"),
        ],
    )
    add("ip_vs_stats_rcu", [("rcu", "u64[2]"), ("s", "ip_vs_stats")])
    add(
        "ip_vs_est_tick_data",
        [
            ("rcu", "u64[2]"),
            ("chains", f"ptr[{params.tick_chains}]"),
            ("present", "u64[1]"),
            ("full", "u64[1]"),
            ("chain_len", f"s32[{params.tick_chains}]"),
        ],
    )
    rows = params.nticks
    add(
        "ip_vs_est_kt_data",
        [
            ("ipvs", "ptr"),
            ("task", "ptr"),
            ("ticks", f"ptr[{rows}]"),
            ("avail", "u64[1]"),
            ("est_timer", "u64"),
            ("calc_stats", "ptr"),
            *([("needed", "s32")] if one_table else []),
            ("tick_len", f"s32[{rows}]"),
            *[
                (name, "s32")
                for name in ("id", "chain_max", "tick_max", "est_count", "est_max_count")
            ],
            ("add_row", "s32"),
            ("est_row", "s32"),
        ],
    )
    add("ip_vs_scheduler", [("n_list", "list_head"), ("name", "ptr")])
    add(
        "ip_vs_service",
        [
            ("s_list", "hlist_node"),
            *([] if one_table else [("f_list", "hlist_node")]),
            ("af", "u16"),
            ("protocol", "u16"),
            ("addr", "u8[16]"),
            ("port", "u16"),
            ("fwmark", "u32"),
            ("refcnt", "atomic_t"),
            ("ipvs", "ptr"),
            ("destinations", "list_head"),
            ("stats", "ip_vs_stats"),
            ("scheduler", "ptr"),
        ],
    )
    add(
        "ip_vs_dest",
        [
            ("n_list", "list_head"),
            ("af", "u16"),
            ("port", "u16"),
            ("addr", "u8[16]"),
            ("refcnt", "refcount_struct"),
            ("stats", "ip_vs_stats"),
            ("idle_start", "u64"),
            ("svc", "ptr"),
            ("t_list", "list_head"),
        ],
    )
    add("ip_vs_rht", [("buckets", "ptr"), ("new_tbl", "ptr"), ("mask", "s32"), ("size", "s32")])
    add(
        "netns_ipvs",
        [
            ("pad", "pad[72]"),
            ("enable", "s32"),
            ("tot_stats", "ptr"),
            ("dest_trash", "list_head"),
            ("dest_trash_timer", "timer_list"),
            *([("service_mutex", "mutex"), ("svc_table", "ptr")] if one_table else []),
            ("sysctl_run_estimation", "s32"),
            ("sysctl_est_cpulist", "ptr"),
            ("est_cpulist_valid", "s32"),
            ("sysctl_est_nice", "s32"),
            ("est_stopped", "s32"),
            ("est_reload_work", "delayed_work"),
            ("est_mutex", "mutex"),
            ("est_temp_list", "ptr"),
            ("est_kt_arr", "ptr"),
            ("est_max_threads", "u64"),
            ("est_calc_phase", "s32"),
            ("est_chain_max", "s32"),
            ("est_kt_count", "s32"),
            ("est_add_ktid", "s32"),
            ("est_genid", "atomic_t"),
            ("est_genid_done", "atomic_t"),
        ],
    )
    made.enums["KTHREAD_BITS"] = {"KTHREAD_IS_PER_CPU": 0, "KTHREAD_SHOULD_STOP": 1}
    made.enums["hk_type"] = {"HK_TYPE_DOMAIN": 0, "HK_TYPE_KERNEL_NOISE": 1}
    return made


def made_kernel(
    snapshot: Snapshot,
    *,
    one_table: bool = True,
    release: str = "",
    from_place: bool = True,
    five_levels: bool = False,
    finish: bool = True,
) -> MadeKernel:
    """A machine with one netns, whose estimators are those of the snapshot."""
    kernel = MadeKernel(
        types_for(snapshot, one_table=one_table),
        release or ("7.3.4-made" if one_table else "6.12.117-made"),
        _IP_VS,
        from_place,
        five_levels,
    )
    _Maker(kernel, snapshot, one_table).make()
    if finish:
        kernel.finish()
    return kernel


def _services(snapshot: Snapshot) -> tuple[ServiceSnapshot, ...]:
    """Those of the snapshot, and one for each object that a history started without a service."""
    known = {service.id for service in snapshot.services} | {dest.id for dest in snapshot.dests}
    alone = [
        object_state.id
        for object_state in snapshot.objects
        if object_state.owner != "total" and object_state.id not in known
    ]
    return (*snapshot.services, *[ServiceSnapshot(number, None, (), 0) for number in alone])


class _Maker:
    """Puts a snapshot into memory."""

    def __init__(self, kernel: MadeKernel, snapshot: Snapshot, one_table: bool) -> None:
        self.k = kernel
        self.s = snapshot
        self.one_table = one_table
        self.stats: dict[int, int] = {}
        self.services: dict[int, int] = {}

    def make(self) -> None:
        k, s = self.k, self.s
        self._machine()
        netns = k.new("netns_ipvs")
        k.places["netns"] = netns
        net = k.new("net")
        k.put("net", net, "ns.inum", INODE)
        k.put("net", net, "ipvs", netns)
        head = k.symbols["net_namespace_list"] = k.alloc_image(16)
        k.list(head, [net + k.offset("net", "list")])
        state = s.state
        for name, value in {
            "enable": state.enable,
            "est_stopped": state.stopped,
            "est_max_threads": state.max_threads,
            "est_calc_phase": state.calc_phase,
            "est_chain_max": state.chain_max,
            "est_kt_count": state.kt_count,
            "est_add_ktid": state.add_ktid,
            "est_genid.counter": state.genid,
            "est_genid_done.counter": state.genid_done,
            "sysctl_run_estimation": s.sysctls.run_estimation,
            "sysctl_est_nice": s.sysctls.nice,
            "est_cpulist_valid": int(s.sysctls.cpulist is not None),
            "sysctl_est_cpulist": self._mask(s.sysctls.cpulist or ()),
            "est_reload_work.work.data": int(s.work.pending),
            "est_reload_work.timer.expires": s.work.due or 0,
            "dest_trash_timer.entry.pprev": 0 if s.trash_scan_due is None else netns,
            "dest_trash_timer.expires": s.trash_scan_due or 0,
        }.items():
            k.put("netns_ipvs", netns, name, value)
        self._mutexes(netns)
        self._objects(netns)
        node = k.offset("ip_vs_stats", "est.list")
        k.hlist(
            netns + k.offset("netns_ipvs", "est_temp_list"),
            [self.stats[number] + node for number in state.temp],
        )
        array = k.alloc(8 * max(1, len(state.kthreads)))
        k.put("netns_ipvs", netns, "est_kt_arr", array)
        for slot in range(len(state.kthreads)):
            k.pointer(array + 8 * slot, self._context(slot, netns))

    def _machine(self) -> None:
        k, s = self.k, self.s
        params = s.params
        names = ("jiffies_64", "nr_cpu_ids", "__cpu_possible_mask", "housekeeping")
        for name in (*names, "clocksource_jiffies", "init_task", "__per_cpu_offset"):
            k.symbols[name] = k.alloc_image(1024)
        k.pointer(k.symbols["jiffies_64"], s.now)
        k.write(k.symbols["nr_cpu_ids"], struct.pack("<I", params.possible_cpus))
        possible = (1 << params.possible_cpus) - 1
        k.write(k.symbols["__cpu_possible_mask"], possible.to_bytes(1024, "little"))
        clock = k.symbols["clocksource_jiffies"]
        k.put("clocksource", clock, "mult", (10**9 // params.hz) << 8)
        k.put("clocksource", clock, "shift", 8)
        if params.housekeeping_cpus is not None:
            keeping = k.symbols["housekeeping"]
            k.put("housekeeping", keeping, "flags", 2)
            k.pointer(keeping + 8, self._mask(params.housekeeping_cpus))
        head = k.symbols["init_task"] + k.offset("task_struct", "tasks")
        k.list(head, [])

    def _mask(self, cpus: "tuple[int, ...] | frozenset[int]") -> int:
        at = self.k.alloc(_MASK_BYTES * 16)
        for cpu in cpus:
            place = at + cpu // 8
            (old,) = self.k.read(place, 1)
            self.k.write(place, bytes([old | 1 << cpu % 8]))
        return at

    def _task(self, name: str) -> int:
        k = self.k
        task = k.new("task_struct")
        k.text(task + k.offset("task_struct", "comm"), name[:15])
        k.put("task_struct", task, "usage.refs.counter", 2)
        k.put("task_struct", task, "pid", 77)
        return task

    def _mutexes(self, netns: int) -> None:
        k = self.k
        for mutex_snapshot in self.s.mutexes:
            owner = 0 if mutex_snapshot.owner is None else self._task(mutex_snapshot.owner)
            if mutex_snapshot.name == "est_mutex":
                k.put("netns_ipvs", netns, "est_mutex.owner", owner)
            elif self.one_table:
                k.put("netns_ipvs", netns, "service_mutex.owner", owner)
            else:
                mutex = k.module_symbols["__ip_vs_mutex"] = k.new("mutex")
                k.put("mutex", mutex, "owner", owner)

    def _objects(self, netns: int) -> None:
        k, s = self.k, self.s
        total = next(
            (object_state for object_state in s.objects if object_state.owner == "total"), None
        )
        if total is not None:
            at = k.new("ip_vs_stats_rcu")
            k.put("netns_ipvs", netns, "tot_stats", at)
            self._stats(total, at + k.offset("ip_vs_stats_rcu", "s"))
        scheduler = k.new("ip_vs_scheduler")
        name = k.alloc(16)
        k.text(name, "rr")
        k.put("ip_vs_scheduler", scheduler, "name", name)
        objects = {object_state.id: object_state for object_state in s.objects}
        for service in _services(s):
            at = self.services[service.id] = k.new("ip_vs_service")
            k.put("ip_vs_service", at, "af", 2)
            k.put("ip_vs_service", at, "protocol", 6)
            k.write(at + k.offset("ip_vs_service", "addr"), bytes([10, 0, 0, service.id & 255]))
            k.write(at + k.offset("ip_vs_service", "port"), (80).to_bytes(2, "big"))
            k.put("ip_vs_service", at, "ipvs", netns)
            k.put("ip_vs_service", at, "scheduler", scheduler if service.scheduler else 0)
            k.put("ip_vs_service", at, "refcnt.counter", service.references)
            self._stats(objects[service.id], at + k.offset("ip_vs_service", "stats"))
        places: dict[int, list[int]] = {service.id: [] for service in _services(s)}
        trash: list[int] = []
        for dest in s.dests:
            at = k.new("ip_vs_dest")
            k.put("ip_vs_dest", at, "af", 2)
            k.write(at + k.offset("ip_vs_dest", "addr"), (0x0A01_0000 + dest.id).to_bytes(4, "big"))
            k.write(at + k.offset("ip_vs_dest", "port"), (8080).to_bytes(2, "big"))
            k.put("ip_vs_dest", at, "refcnt.refs.counter", dest.references + 1)
            k.put("ip_vs_dest", at, "idle_start", dest.idle_start or 0)
            stats = dest.stats if dest.stats is not None else objects[dest.id]
            self._stats(stats, at + k.offset("ip_vs_dest", "stats"))
            if dest.service is not None:
                k.put("ip_vs_dest", at, "svc", self.services.get(dest.service, 0))
            if dest.in_trash:
                trash.append(at + k.offset("ip_vs_dest", "t_list"))
            elif dest.service is not None:
                places[dest.service].append(at + k.offset("ip_vs_dest", "n_list"))
        for id_, at in self.services.items():
            k.list(at + k.offset("ip_vs_service", "destinations"), places[id_])
        k.list(netns + k.offset("netns_ipvs", "dest_trash"), trash)
        self._table(netns)

    def _table(self, netns: int) -> None:
        """All services in one bucket, in the order of their ids."""
        k = self.k
        nodes = [at + k.offset("ip_vs_service", "s_list") for at in self.services.values()]
        if not self.one_table:
            for name in ("ip_vs_svc_table", "ip_vs_svc_fwm_table"):
                k.module_symbols[name] = k.alloc(8 * 256)
            k.hlist(k.module_symbols["ip_vs_svc_table"] + 8 * 5, nodes)
            return
        table = k.new("ip_vs_rht")
        buckets = k.alloc(8 * 4)
        k.put("ip_vs_rht", table, "buckets", buckets)
        k.put("ip_vs_rht", table, "new_tbl", table)
        k.put("ip_vs_rht", table, "size", 4)
        k.put("netns_ipvs", netns, "svc_table", table)
        for bucket in range(4):
            k.pointer(buckets + 8 * bucket, 1)
        back = buckets + 8
        for node in nodes:
            k.pointer(back, node)
            back = node
        k.pointer(back, 1)

    def _stats(self, stats: ObjectState, at: int) -> None:
        k = self.k
        if not self.s.dests or stats.id not in self.stats:
            self.stats[stats.id] = at
        for index, counter in enumerate(COUNTERS):
            k.put("ip_vs_stats", at, f"est.last_{counter}", stats.last[index])
            k.put("ip_vs_stats", at, f"kstats.{counter}", stats.kstats[index])
            k.put("ip_vs_stats", at, f"kstats0.{counter}", stats.kstats0[index])
            k.put("ip_vs_stats", at, f"est.{RATES[index]}", stats.rates[index])
        k.put("ip_vs_stats", at, "est.ktid", stats.ktid)
        k.put("ip_vs_stats", at, "est.ktrow", stats.ktrow)
        k.put("ip_vs_stats", at, "est.ktcid", stats.ktcid)

    def _context(self, slot: int, netns: int) -> int:
        k, s = self.k, self.s
        kd, context = s.state.kthreads[slot], s.contexts[slot]
        if kd is None or context is None:
            return 0
        at = k.new("ip_vs_est_kt_data")
        task = 0
        if context.task is not None:
            task = self._task(f"ipvs-e:0:{slot}")
            k.put("task_struct", task, "__state", 1)
            k.put("task_struct", task, "exit_state", 0 if kd.running else 16)
            k.put("task_struct", task, "static_prio", 120 + context.task.nice)
            k.put("task_struct", task, "cpus_ptr", self._mask(context.task.cpus))
            k.put("task_struct", task, "se.sum_exec_runtime", 1000 * (slot + 1))
            kthread = k.new("kthread")
            k.put("kthread", kthread, "flags", 2 if context.task.should_stop else 0)
            k.put("task_struct", task, "worker_private", kthread)
            if context.task.life == "freed":
                k.put("task_struct", task, "usage.refs.counter", 0)
        numbers = {
            "id": kd.id,
            "ipvs": netns,
            "task": task,
            "calc_stats": 1 if context.calc_stats else 0,
            "est_count": kd.est_count,
            "est_max_count": kd.est_max_count,
            "chain_max": kd.chain_max,
            "tick_max": kd.tick_max,
            "add_row": kd.add_row,
            "est_row": kd.est_row,
            "est_timer": kd.est_timer,
        }
        for name, value in numbers.items():
            k.put("ip_vs_est_kt_data", at, name, value)
        if self.one_table:
            k.put("ip_vs_est_kt_data", at, "needed", int(context.needed))
        # As in a kernel: bits of rows that there are not are set.
        beyond = (1 << 64) - (1 << s.params.nticks)
        k.pointer(at + k.offset("ip_vs_est_kt_data", "avail"), kd.avail | beyond)
        lengths = struct.pack(f"<{len(context.tick_len)}i", *context.tick_len)
        k.write(at + k.offset("ip_vs_est_kt_data", "tick_len"), lengths)
        chain_len = dict(context.chain_len)
        node = k.offset("ip_vs_stats", "est.list")
        for tick in kd.ticks:
            td = k.new("ip_vs_est_tick_data")
            k.pointer(at + k.offset("ip_vs_est_kt_data", "ticks") + 8 * tick.row, td)
            k.pointer(td + k.offset("ip_vs_est_tick_data", "present"), tick.present)
            k.pointer(td + k.offset("ip_vs_est_tick_data", "full"), tick.full)
            lengths = struct.pack(f"<{len(chain_len[tick.row])}i", *chain_len[tick.row])
            k.write(td + k.offset("ip_vs_est_tick_data", "chain_len"), lengths)
            for cid, ids in tick.chains:
                head = td + k.offset("ip_vs_est_tick_data", "chains") + 8 * cid
                k.hlist(head, [self.stats[identity] + node for identity in ids])
        return at
