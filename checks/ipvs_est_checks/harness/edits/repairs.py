"""The repairs of `REPAIRED` as edits of C, and what of the findings is left with them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ipvs_est import Revision
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.edits.code_edit import FOUND, CodeEdit, edited
from ipvs_est_checks.harness.findings import FindingOnTree, Shown, tell_findings
from ipvs_est_checks.known.registry import ALL
from ipvs_est_checks.terminal.bad_input import BadInputError

EST, CTL = "ip_vs_est.c", "ip_vs_ctl.c"
_ADD, _CALC, _STOP = "ip_vs_est_add_kthread", "ip_vs_est_calc_phase", "ip_vs_stop_estimator"
_SET_PARAMS = "ip_vs_est_set_params(ipvs, kd);"


def _read_under_est_mutex(handler: str) -> tuple[CodeEdit, ...]:
    """The handler takes est_mutex before it reads what it may write back."""
    return (
        CodeEdit(CTL, handler, "mutex_lock(&ipvs->est_mutex);", ";"),
        CodeEdit(CTL, handler, "mutex_unlock(&ipvs->est_mutex);", ";"),
        CodeEdit(CTL, handler, "return ret;", f"mutex_unlock(&ipvs->est_mutex); {FOUND}"),
        CodeEdit(
            CTL,
            handler,
            "ret = proc_dointvec(&tmp_table, write, buffer, lenp, ppos);",
            f"mutex_lock(&ipvs->est_mutex); val = *valp; {FOUND}",
        ),
    )


REPAIRS: Mapping[str, tuple[CodeEdit, ...]] = {
    "renews_flags_with_limits": (
        CodeEdit(
            EST,
            _CALC,
            _SET_PARAMS,
            f"{FOUND} {{ int r, c;"
            " for (r = 0; r < IPVS_EST_NTICKS; r++) {"
            " struct ip_vs_est_tick_data *t = rcu_dereference_protected(kd->ticks[r], 1);"
            " if (!t) continue;"
            " for (c = 0; c < IPVS_EST_TICK_CHAINS; c++)"
            " if (t->chain_len[c] >= kd->chain_max) __set_bit(c, t->full);"
            " else __clear_bit(c, t->full);"
            " if (bitmap_full(t->full, IPVS_EST_TICK_CHAINS)) __clear_bit(r, kd->avail);"
            " else __set_bit(r, kd->avail); } }",
        ),
    ),
    "limits_for_every_context": (
        CodeEdit(
            EST,
            _CALC,
            _SET_PARAMS,
            f"{FOUND} for (id = 1; id < ipvs->est_kt_count; id++)"
            " if (ipvs->est_kt_arr[id]) ip_vs_est_set_params(ipvs, ipvs->est_kt_arr[id]);",
        ),
    ),
    "starts_contexts_left": (
        CodeEdit(
            EST,
            _CALC,
            "ipvs->est_calc_phase = 0;",
            f"{{ {FOUND} if (ipvs->est_kt_count > 1) ip_vs_est_reload_start(ipvs, false); }}",
        ),
    ),
    "keeps_row_when_stopped_in_sleep": (
        CodeEdit(
            EST,
            "ip_vs_estimation_kthread",
            "schedule_timeout(gap);",
            f"{FOUND} if (kthread_should_stop()) break;",
        ),
    ),
    "thread_limit_when_disabled": (CodeEdit(EST, _ADD, "READ_ONCE(ipvs->enable) &&", ""),),
    "thread_limit_counts_contexts": (
        CodeEdit(
            EST,
            _ADD,
            "ipvs->est_kt_count >= ipvs->est_max_threads",
            "({ int k, n = 0; for (k = 0; k < ipvs->est_kt_count; k++)"
            " n += !!ipvs->est_kt_arr[k]; n; }) >= ipvs->est_max_threads",
        ),
    ),
    "drain_takes_total_first": (
        CodeEdit(
            EST,
            "ip_vs_est_drain_temp_list",
            "mutex_lock(&ipvs->service_mutex);",
            f"{FOUND} if (ipvs->tot_stats && !hlist_unhashed(&ipvs->tot_stats->s.est.list) &&"
            " ipvs->tot_stats->s.est.ktid == -1) {"
            " hlist_del(&ipvs->tot_stats->s.est.list);"
            " hlist_add_head(&ipvs->tot_stats->s.est.list, &ipvs->est_temp_list); }",
        ),
    ),
    "stop_prefers_room_to_holes": (
        CodeEdit(
            EST,
            _STOP,
            "return;",
            "if (ipvs->est_add_ktid >= ipvs->est_kt_count ||"
            f" !ipvs->est_kt_arr[ipvs->est_add_ktid]) ip_vs_est_update_ktid(ipvs); {FOUND}",
            after="ipvs->est_add_ktid = ktid;",
            before="if (ktid > 0)",
        ),
    ),
    "relinking_keeps_kd0_needed": (
        # Only relinking stops an estimator in kthread 0's own task.
        CodeEdit(EST, _STOP, "kd && !kd->est_count", f"{FOUND} && kd->task != current"),
    ),
    "reads_sysctls_under_est_mutex": (
        *_read_under_est_mutex("ipvs_proc_est_nice"),
        *_read_under_est_mutex("ipvs_proc_run_estimation"),
    ),
}
"""By field of Revision; each is written for 7.3."""

NONE: Mapping[str, str] = {
    "F06": "no consequence was found, so nothing shows that a repair helps",
    "F16": "the harness itself does the half of netns exit that clears enable",
    "F20": "no kernel has a tick that one estimator fills",
}
"""By finding, why there are no edits for its repair."""


_RESTART = re.compile(r"\bip_vs_est_reload_start\(struct netns_ipvs \*\w+, bool \w+\)")
"""As 7.3 declares it."""
_NEEDS: Mapping[str, re.Pattern[str]] = {"starts_contexts_left": _RESTART}
"""By field: what the tree's header has to declare, where the edits use it."""


def repaired(tree: Tree) -> Tree:
    """The tree with all of them. Raises BadInputError if one does not fit."""
    return edited(tree, "repaired", [edit for repair in REPAIRS.values() for edit in repair])


def tree_with_repairs(tree: Tree, revision: Revision) -> tuple[Tree, Revision]:
    """A copy of the tree with each repair that fits and that its revision has not, and the
    revision with the same ones."""
    for name, edits in REPAIRS.items():
        # Any: a field of Revision by its name.
        has: Any = getattr(revision, name)
        needed = _NEEDS.get(name)
        if has or (needed is not None and not needed.search(tree.header)):
            continue
        try:
            tree = edited(tree, name, edits)
        except BadInputError:
            continue
        field: dict[str, Any] = {name: True}
        revision = replace(revision, **field)
    return tree, revision


def tell_repaired(tree: Tree, wanted: frozenset[str] | None = None) -> Iterator[FindingOnTree]:
    """Each finding on the tree with the edits of its own repair alone."""
    for finding in sorted(ALL, key=lambda finding: finding.id):
        if wanted is not None and finding.id not in wanted:
            continue
        fields = [repair for repair in finding.repairs if repair in REPAIRS]
        if finding.id in NONE or fields != list(finding.repairs):
            why = NONE.get(finding.id, "its repair is what later kernels have: try one of those")
            yield FindingOnTree(finding.id, finding.title, Shown.UNTRIED, why)
            continue
        try:
            changed = edited(tree, fields[0], [edit for field in fields for edit in REPAIRS[field]])
        except BadInputError as error:
            yield FindingOnTree(finding.id, finding.title, Shown.UNTRIED, error.message)
            continue
        yield from tell_findings(changed, frozenset({finding.id}))
