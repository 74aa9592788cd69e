"""How kernels access each field of the estimator, and which points the model has for it.

Read from 7.3.4 and 6.12.117. S: the service mutex, E: est_mutex, L: the object's stats lock,
R: an RCU read-side section, -: none. "before": v7 and stable, where those differ.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One field."""

    owner: str
    """The class of the model that has it."""
    field: str
    access: str
    """How the kernel reads (r) and writes (w) it."""
    lock: str
    """Held by readers and writers."""
    points: frozenset[str]
    """The model's: the point's field, and r or w."""
    why: str = ""
    """Why there is none, or why those are all."""


def _row(owner: str, field: str, access: str, lock: str, points: str = "", why: str = "") -> Row:
    return Row(owner, field, access, lock, frozenset(points.split(", ") if points else ()), why)


_UNDER_S = "S excludes all others; before, the total's stop in netns exit meets no other estimator"

TABLE: tuple[Row, ...] = (
    _row(
        "Netns",
        "enable",
        "READ_ONCE, WRITE_ONCE",
        "w: S+E (before: S), exit -; r: S, E, -",
        "enable r, enable w",
        "Not at each test of the limits test: the last before a pause sees what the others would."
        " Exit's store goes with its beginning.",
    ),
    _row(
        "Netns",
        "est_kt_arr",
        "plain; count plain",
        "w: S+E; r: S, E; before also the count before E",
        "est_kt_count r",
        "The pointer, the slots and the count change under both mutexes. Adding grows the count"
        " before it stores the slot: only before, exit's stop of the total could see that, which"
        " is over when a context is added for it.",
    ),
    _row("Netns", "est_add_ktid", "plain", "S (init, and before exit's stop: -)", "", _UNDER_S),
    _row(
        "Netns",
        "est_max_threads",
        "plain",
        "w: E; before also S alone; r: E; before S alone, twice",
        "est_max_threads r, est_max_threads w",
    ),
    _row(
        "Netns",
        "est_chain_max",
        "plain",
        "w: S, by kthread 0; r: S, kthreads at entry -",
        "",
        "Kthread 0 reads what it wrote. It becomes other than 0 once, before a kthread above 0 is"
        " added.",
    ),
    _row(
        "Netns",
        "est_calc_phase",
        "plain; w, then a full barrier",
        "w: kthread 0 -, E; r: kthread 0 -, E",
        "est_calc_phase r, est_calc_phase w",
    ),
    _row(
        "Netns",
        "est_temp_list",
        "plain list operations; its emptiness READ_ONCE",
        "S; kthread 0's look -; before exit's stop -",
        "est_temp_list r, est_temp_list w, list w",
    ),
    _row(
        "Netns",
        "est_genid",
        "atomic_inc, atomic_read",
        "w: E (before also S alone); r: E, kthread 0 -",
        "est_genid r, est_genid w",
        "An increment is one indivisible step.",
    ),
    _row("Netns", "est_genid_done", "atomic", "the reload work alone", "", "It has one task."),
    _row(
        "Netns",
        "est_stopped",
        "plain",
        "E; before also w by the first service S, r by add S+E",
        "est_stopped r, est_stopped w",
    ),
    _row(
        "Netns",
        "run_estimation",
        "plain",
        "w: E; r: E, the handler's first look -; before S alone",
        "run_estimation r, run_estimation w",
        "The handler's first look is a point only of a write without a number: any other forgets"
        " what it saw.",
    ),
    _row(
        "Netns",
        "est_nice",
        "plain",
        "w: E; r: E, the handler's first look -",
        "est_nice r",
        "As run_estimation; nobody else reads it without E. Its store follows the taking of E.",
    ),
    _row(
        "Netns",
        "est_cpulist",
        "the mask's words, one after the other, plain",
        "w: E; r: E, before also S alone; freed by exit -",
        "est_cpulist r, est_cpulist w",
        "Words: before, a mixture of two lists is one more wrong value of F18's race; under E none"
        " is seen.",
    ),
    _row(
        "Netns",
        "est_cpulist_valid",
        "plain; read twice in a row",
        "w: E; r: E, before also S alone; exit -",
        "est_cpulist_valid r, est_cpulist_valid w",
        "Once instead of twice: it never goes back to 0 while anybody looks.",
    ),
    _row("Netns", "est_cpulist_mask", "plain", "w: E, before valid; r: after valid", "", "Valid."),
    _row(
        "Netns",
        "reload_work",
        "workqueue operations",
        "the workqueue's own",
        "",
        "QueueWork and CancelWork are points. Nothing while it is pending or being cancelled.",
    ),
    _row(
        "Netns",
        "total",
        "plain; stays after its object is freed",
        "w: init; r: S, packets R, /proc -",
        "",
        "It does not change while anybody uses the netns.",
    ),
    _row(
        "Netns",
        "idle_total",
        "the same field, of a kernel without sysctls",
        "w: init",
        "",
        "No estimator belongs to it, and it does not change while anybody uses the netns.",
    ),
    _row("Netns", "est_mutex", "mutex", "", "", "Lock and Unlock are points."),
    _row("Netns", "services", "hash table, RCU", "w: S; r: S, R", "objects r"),
    _row("Netns", "dests", "RCU list", "w: S; r: S, R", "objects r"),
    _row("Netns", "trash", "plain list", "the trash lock", "", "The timer's scan is one step."),
    _row("Netns", "trash_scan_due", "timer", "the trash lock", "", "The timer's scan is one step."),
    _row("DelayedWork", "pending", "workqueue", "its own", "", "QueueWork is a point."),
    _row("DelayedWork", "due", "workqueue", "its own", "", "QueueWork is a point."),
    _row("DelayedWork", "running", "workqueue", "its own", "", "Its task is a task."),
    _row("DelayedWork", "refused", "workqueue", "its own", "", "CancelWork is a point."),
    _row("KthreadContext", "id", "plain, constant", "before publication", "", "Constant."),
    _row(
        "KthreadContext",
        "ticks",
        "rcu_assign_pointer, rcu_dereference; RCU_INIT_POINTER(NULL)",
        "w: S; r: its kthread R, again after each chain; S",
        "ticks r",
        "The writer's stores are one step: see tick_len. After a chain it is read again with the"
        " giving way, which is a point.",
    ),
    _row(
        "KthreadContext",
        "tick_len",
        "plain",
        "w: S; r: its kthread -, S",
        "tick_len r",
        "Enqueueing and removal are one step each for the kthread that walks: it meets the"
        " estimator or not by one pointer, whatever it sees of the rest.",
    ),
    _row("KthreadContext", "avail", "plain bit operations", "S", "", _UNDER_S),
    _row("KthreadContext", "est_count", "plain", "S", "", _UNDER_S),
    _row("KthreadContext", "est_max_count", "plain", "S", "", _UNDER_S),
    _row("KthreadContext", "chain_max", "plain", "S", "", _UNDER_S),
    _row("KthreadContext", "tick_max", "plain", "S", "", _UNDER_S),
    _row("KthreadContext", "add_row", "plain", "S", "", _UNDER_S),
    _row(
        "KthreadContext",
        "est_row",
        "WRITE_ONCE; READ_ONCE in enqueueing, else plain",
        "w: its kthread -; r: S, while it runs or is stopped",
        "est_row r, est_row w",
        "Kthread 0 alone reads its own.",
    ),
    _row(
        "KthreadContext",
        "est_timer",
        "plain",
        "w: its kthread -; E while there is none",
        "",
        "Nobody else reads it; est_row and est_timer are not read together.",
    ),
    _row(
        "KthreadContext",
        "task",
        "plain; set before nice and affinity are",
        "w: E; kthread 0's by the reload work -; r: E, S+E, exit -",
        "",
        "Stop, Join and Start are points. Who joins kthread 0 without E is the reload work, which"
        " alone stops it until exit has waited for the work. Set at the end of its start: that"
        " is under E.",
    ),
    _row(
        "KthreadContext",
        "calc_stats",
        "plain; the kd is looked up under a mutex, this is not",
        "w: before publication; r: kthread 0 -",
        "",
        "It is constant, and kthread 0 is joined before its kd is freed.",
    ),
    _row("KthreadContext", "needed", "plain", "w: S+E; r: S, E", "", "Each reader holds one."),
    _row("Tick", "row", "not in the kernel", "", "", "For reports."),
    _row(
        "Tick",
        "chains",
        "hlist_add_head_rcu, hlist_del_rcu; rcu_dereference",
        "w: S; r: its kthread R, S",
        "chains r, list r, list w",
    ),
    _row("Tick", "chain_len", "plain", "S", "", _UNDER_S),
    _row(
        "Tick",
        "present",
        "plain bit operations; plain words",
        "w: S; r: its kthread R, again for each chain",
        "present r",
        "The writer's stores are one step: see tick_len.",
    ),
    _row("Tick", "full", "plain bit operations", "S", "", _UNDER_S),
    _row("Estimator", "next", "RCU list; kept by a removal", "w: S; r: its kthread R", "list r"),
    _row(
        "Estimator",
        "prev",
        "plain; poisoned by hlist_del and hlist_del_rcu, NULL by hlist_del_init",
        "S; before exit's stop of the total -",
        "list r, list w",
    ),
    _row("Estimator", "stats", "container_of", "constant", "", "Constant."),
    _row(
        "Estimator",
        "ktid",
        "bit-field of one word with ktrow and ktcid",
        "S; before exit's stop of the total -, copied before the list is looked at",
        "ktid r, ktid w",
        "The drain's for the total, before; the three are read, and stored, together.",
    ),
    _row("Estimator", "ktrow", "as ktid", "as ktid", "ktid r, ktid w"),
    _row("Estimator", "ktcid", "as ktid", "as ktid", "ktid r, ktid w"),
    _row("Estimator", "last", "plain", "L", "kstats w", "L makes one step of what it guards."),
    _row("Estimator", "rates", "plain", "L", "kstats r, kstats w", "L makes one step of it."),
    _row("StatsObject", "id", "not in the kernel", "", "", "For reports."),
    _row("StatsObject", "owner", "not in the kernel", "", "", "For reports."),
    _row(
        "StatsObject",
        "cpustats",
        "64-bit: each counter atomic, no group; 32-bit: words in a seqcount section",
        "w: packets, BH off, their CPU; r: kthreads R, before L",
        "cpustats r, cpustats w",
        "With 32 bits each word is a point of its own (WordAccess), with 64 each counter.",
    ),
    _row("StatsObject", "kstats", "plain", "L", "kstats r, kstats w"),
    _row("StatsObject", "kstats0", "plain", "L", "kstats r, kstats w"),
    _row("StatsObject", "est", "part of it", "constant", "", "Constant."),
    _row(
        "Task",
        "should_stop",
        "set_bit, then a wake-up; a full barrier before it is read in the sleep",
        "-",
        "should_stop r",
        "Stop is a point; a request is never taken back.",
    ),
)
