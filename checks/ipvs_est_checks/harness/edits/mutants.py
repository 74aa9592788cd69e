"""Mistakes planted into a tree's C: what each is, and by which property it is expected to show.

Written for 7.3; most fit other trees with the kthread estimator, and one that does not is refused
by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from ipvs_est import MAINLINE, Revision
from ipvs_est.language.operations import Advance
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.edits.code_edit import FOUND, CodeEdit, edited
from ipvs_est_checks.harness.histories.directed import HISTORIES, MACHINE
from ipvs_est_checks.harness.histories.judge import broken_on_tree
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.subjects.schedules import prepare, search

EST, CTL, CORE = "ip_vs_est.c", "ip_vs_ctl.c", "ip_vs_core.c"
_ENQUEUE, _STOP = "ip_vs_enqueue_estimator", "ip_vs_stop_estimator"
_MOST_SCHEDULES = 4000


@dataclass(frozen=True, slots=True)
class TreeMutant:
    """One mistake."""

    id: str
    sentence: str
    edits: tuple[CodeEdit, ...]
    property: str
    """That it is expected to break; of a schedule: how the cause begins that it fails by."""
    history: str = ""
    """Of `HISTORIES`, which shows it."""
    scenario: str = ""
    """Of the library, whose schedules show it."""
    preemptions: int = 1
    later: int = 0
    """Jiffies that pass before its tasks begin."""
    fields: bool = False
    """Only with points at shared fields."""
    variant: Variant = Variant.PLAIN


def shown_by(tree: Tree, mutant: TreeMutant, revision: Revision = MAINLINE) -> Mapping[str, str]:
    """What the mutant breaks that the tree itself does not, in what is to show it.

    By property, or by the cause of a schedule's failure; with the detail. Raises BadInputError if
    an edit does not fit.
    """
    changed = edited(tree, mutant.id, mutant.edits)
    if mutant.history:
        broken = _broken(changed, mutant.history, mutant.variant, revision)
        known = _broken(tree, mutant.history, mutant.variant, revision)
        return {id_: text for id_, text in broken.items() if id_ not in known}
    known_causes = _causes(tree, mutant)
    return {cause: cause for cause in _causes(changed, mutant) if cause not in known_causes}


def found(tree: Tree, mutant: TreeMutant, revision: Revision = MAINLINE) -> bool:
    """Whether it is found by what it is expected to break."""
    shown = shown_by(tree, mutant, revision)
    return any(name == mutant.property or name.startswith(f"{mutant.property}:") for name in shown)


@cache
def _broken(tree: Tree, history: str, variant: Variant, revision: Revision) -> Mapping[str, str]:
    return broken_on_tree(tree, MACHINE, revision, HISTORIES[history], variant)


def _causes(tree: Tree, mutant: TreeMutant) -> list[str]:
    """Of the first failure of the scenario that is of the expected kind, and of those before."""
    scenario = load(mutant.scenario)
    scenario = replace(scenario, setup=(*scenario.setup, Advance(mutant.later)))
    with running(build(tree, options_for(scenario.params, Variant.POINTS))) as program:
        prepare(asking(program), scenario)
        searched = search(
            asking(program),
            scenario,
            preemptions=mutant.preemptions,
            fields=mutant.fields,
            most=_MOST_SCHEDULES,
            ends=lambda cause: cause.startswith(mutant.property),
        )
    return [failure.cause for failure in searched.failures]


def _of_history(
    id_: str,
    sentence: str,
    history: str,
    property_id: str,
    *edits: CodeEdit,
    variant: Variant = Variant.PLAIN,
) -> TreeMutant:
    return TreeMutant(id_, sentence, edits, property_id, history=history, variant=variant)


def _of_schedule(
    id_: str,
    sentence: str,
    scenario: str,
    cause: str,
    *edits: CodeEdit,
    preemptions: int = 1,
    fields: bool = False,
    later: int = 0,
) -> TreeMutant:
    return TreeMutant(
        id_,
        sentence,
        edits,
        cause,
        scenario=scenario,
        preemptions=preemptions,
        fields=fields,
        later=later,
        variant=Variant.POINTS,
    )


MUTANTS: tuple[TreeMutant, ...] = (
    _of_history(
        "present-never-set",
        "A chain's present bit is not set.",
        "one-by-one",
        "bitmaps.present",
        CodeEdit(EST, _ENQUEUE, "__set_bit(cid, td->present);", ";"),
    ),
    _of_history(
        "present-never-cleared",
        "A chain's present bit is not cleared.",
        "fills-and-empties",
        "bitmaps.present",
        CodeEdit(EST, _STOP, "__clear_bit(cid, td->present);", ";"),
    ),
    _of_history(
        "full-one-late",
        "A chain is marked as full one estimator late.",
        "fills-and-empties",
        "bitmaps.full",
        CodeEdit(
            EST,
            _ENQUEUE,
            "td->chain_len[cid] >= kd->chain_max",
            "td->chain_len[cid] > kd->chain_max",
        ),
    ),
    _of_history(
        "full-never-cleared",
        "A chain that has room again stays marked as full.",
        "fills-and-empties",
        "bitmaps.full",
        CodeEdit(EST, _STOP, "__clear_bit(cid, td->full);", ";"),
    ),
    _of_history(
        "avail-never-set",
        "A row that has room again is not made available.",
        "fills-and-empties",
        "bitmaps.avail",
        CodeEdit(EST, _STOP, "__set_bit(row, kd->avail);", ";"),
    ),
    _of_history(
        "avail-never-cleared",
        "A full row stays available.",
        "fills-and-empties",
        "memory.pointer",
        CodeEdit(EST, _ENQUEUE, "__clear_bit(row, kd->avail);", ";"),
    ),
    _of_history(
        "tick-len-kept",
        "tick_len does not go down.",
        "fills-and-empties",
        "counts.tick-len",
        CodeEdit(EST, _STOP, "kd->tick_len[row]--;", ";"),
    ),
    _of_history(
        "chain-len-kept",
        "chain_len does not go down.",
        "fills-and-empties",
        "counts.chain-len",
        CodeEdit(EST, _STOP, "td->chain_len[cid]--;", ";"),
    ),
    _of_history(
        "est-count-kept",
        "est_count does not go down.",
        "fills-and-empties",
        "counts.est-count",
        CodeEdit(EST, _STOP, "kd->est_count--;", ";"),
    ),
    _of_history(
        "tick-stays",
        "A freed tick stays in its row.",
        "fills-and-empties",
        "counts.tick",
        CodeEdit(EST, _STOP, "RCU_INIT_POINTER(kd->ticks[row], NULL);", ";"),
    ),
    _of_history(
        "ktcid-not-stored",
        "An estimator does not know its chain.",
        "fills-and-empties",
        "place.fields",
        CodeEdit(EST, _ENQUEUE, "est->ktcid = cid;", ";"),
    ),
    _of_history(
        "ktid-kept-by-relinking",
        "A relinked estimator keeps its ktid on the temp list.",
        "limits-come-anew",
        "place.total",
        CodeEdit(EST, "ip_vs_est_calc_phase", "est->ktid = -1;", ";"),
    ),
    _of_history(
        "trailing-holes",
        "Only one empty slot at the end of est_kt_arr is given up.",
        "threads-are-limited",
        "array.trailing-hole",
        CodeEdit(EST, _STOP, "ipvs->est_kt_count > 1", "ipvs->est_kt_count < 1"),
    ),
    _of_history(
        "add-ktid-not-moved",
        "A kthread that has room again is not preferred.",
        "threads-are-limited",
        "array.add-ktid-usable",
        CodeEdit(EST, _STOP, "ktid < ipvs->est_add_ktid", "ktid > ipvs->est_add_ktid"),
    ),
    _of_history(
        "full-kthread-is-usable",
        "A full kthread counts as one with room.",
        "threads-are-limited",
        "memory.pointer",
        CodeEdit(
            EST,
            "ip_vs_est_update_ktid",
            "kd->est_count < kd->est_max_count",
            "kd->est_count <= kd->est_max_count",
        ),
    ),
    _of_history(
        "one-thread-too-many",
        "The thread limit is reached one kthread late.",
        "threads-are-full",
        "limits.threads",
        CodeEdit(
            EST,
            "ip_vs_est_add_kthread",
            "ipvs->est_kt_count >= ipvs->est_max_threads",
            "ipvs->est_kt_count > ipvs->est_max_threads",
        ),
    ),
    _of_history(
        "tick-max-of-one-chain",
        "tick_max is that of one chain.",
        "one-by-one",
        "limits.computed",
        CodeEdit(
            EST,
            "ip_vs_est_set_params",
            "IPVS_EST_TICK_CHAINS * kd->chain_max",
            "kd->chain_max",
        ),
    ),
    _of_history(
        "last-not-kept",
        "The sum of connections from which the next rate starts is not kept.",
        "counts-and-rates",
        "rates.sums",
        CodeEdit(EST, "ip_vs_chain_estimation", "e->last_conns = s->kstats.conns;", ";"),
    ),
    _of_history(
        "calc-stats-leak",
        "The stats of the limits test are not freed with their context.",
        "netns-goes-while-full",
        "memory.leak",
        CodeEdit(EST, "ip_vs_est_kthread_destroy", "ip_vs_stats_free(kd->calc_stats);", ";"),
    ),
    _of_history(
        "task-without-reference",
        "A started task is not referenced.",
        "tasks-stop-and-start",
        "memory.double-free",
        CodeEdit(EST, "ip_vs_est_kthread_start", "get_task_struct(kd->task);", ";"),
    ),
    _of_history(
        "chain-forgotten",
        "An estimator is counted in a chain and not linked.",
        "one-by-one",
        "place.one-list",
        CodeEdit(EST, _ENQUEUE, "hlist_add_head_rcu(&est->list, &td->chains[cid]);", ";"),
    ),
    _of_history(
        "nobody-moves-the-total",
        "The total is not put first after the calc phase.",
        "limits-come-anew",
        "place.total",
        CodeEdit(
            EST,
            "ip_vs_est_calc_phase",
            "ipvs->tot_stats->s.est.ktid == -1",
            "ipvs->tot_stats->s.est.ktid == -3",
        ),
    ),
    _of_history(
        "cpulist-of-others",
        "A cpulist may name CPUs that its writer may not use.",
        "tasks-stop-and-start",
        "limits.cpulist",
        CodeEdit(
            CTL,
            "ipvs_proc_est_cpumask_set",
            "ipvs->est_max_threads = ip_vs_est_max_threads(ipvs);",
            f"cpumask_copy(ipvs->sysctl_est_cpulist, cpu_possible_mask); {FOUND}",
        ),
    ),
    _of_history(
        "limit-of-old-cpulist",
        "A written cpulist does not change est_max_threads.",
        "limits-come-anew",
        "limits.max-threads",
        CodeEdit(
            CTL,
            "ipvs_proc_est_cpumask_set",
            "ipvs->est_max_threads = ip_vs_est_max_threads(ipvs);",
            ";",
        ),
    ),
    _of_history(
        "one-cpu-counts",
        "The packets of the last CPU stand for those of all.",
        "counts-and-rates",
        "model.counters",
        CodeEdit(EST, "ip_vs_chain_estimation", "kinpkts += inpkts", "kinpkts = inpkts"),
    ),
    _of_history(
        "zero-keeps-a-rate",
        "Zeroing keeps the rate of outgoing bytes.",
        "counts-and-rates",
        "model.counters",
        CodeEdit(EST, "ip_vs_zero_estimator", "est->outbps = 0;", ";"),
    ),
    _of_history(
        "calc-phase-not-requested",
        "A written cpulist does not request the calc phase.",
        "limits-come-anew",
        "limits.requested",
        CodeEdit(CTL, "ipvs_proc_est_cpumask_set", "ipvs->est_calc_phase = 1;", ";"),
    ),
    _of_history(
        "wrong-row-for-a-new-one",
        "A new estimator gets the earliest available row.",
        "limits-come-anew",
        "delay.new-row",
        CodeEdit(
            EST,
            _ENQUEUE,
            "row = find_last_bit(kd->avail, crow);",
            "row = find_first_bit(kd->avail, crow);",
        ),
    ),
    _of_history(
        "tick-comes-late",
        "The time of the next tick is one jiffy late.",
        "counts-and-rates",
        "delay.period",
        CodeEdit(
            EST,
            "ip_vs_estimation_kthread",
            "kd->est_timer += IPVS_EST_TICK;",
            "kd->est_timer += IPVS_EST_TICK + 1;",
        ),
    ),
    _of_history(
        "delay-forgotten-by-relinking",
        "A relinked estimator wants the row after the one that it had.",
        "limits-come-anew",
        "delay.remaining",
        CodeEdit(
            EST, "ip_vs_est_calc_phase", "est->ktrow = delay;", "est->ktrow = delay + (delay < 4);"
        ),
    ),
    _of_history(
        "restart-without-est-mutex",
        "A write of est_nice does not take est_mutex.",
        "tasks-stop-and-start",
        "locks.est-fields",
        CodeEdit(CTL, "ipvs_proc_est_nice", "mutex_lock(&ipvs->est_mutex);", ";"),
        CodeEdit(CTL, "ipvs_proc_est_nice", "mutex_unlock(&ipvs->est_mutex);", ";"),
    ),
    _of_schedule(
        "tick-freed-at-once",
        "A tick is freed without a grace period.",
        "delete-while-kthreads-read",
        "use-after-free",
        CodeEdit(EST, _STOP, "kfree_rcu(td, rcu_head);", "kfree(td);"),
        preemptions=2,
        fields=True,
        later=10,
    ),
    _of_schedule(
        "join-under-est-mutex",
        "The reload work waits for kthread 0 under est_mutex.",
        "restart-in-calc-phase",
        "deadlock",
        *(
            CodeEdit(
                CTL,
                "est_reload_work_handler",
                f"mutex_{name}(&ipvs->est_mutex);",
                ";",
                after="if (!id)",
                before="} else {",
            )
            for name in ("unlock", "lock")
        ),
    ),
    _of_schedule(
        "drain-without-lock",
        "The drain does not take the service mutex.",
        "services-come-and-go",
        "broken-lock",
        CodeEdit(EST, "ip_vs_est_drain_temp_list", "mutex_lock(&ipvs->service_mutex);", ";"),
        preemptions=0,
    ),
)
"""In no order."""
