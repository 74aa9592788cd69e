"""Accesses that no common lock orders: which pairs count, and those of a real tree."""

from ipvs_est import MAINLINE, Params
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    ExitNetns,
    GetDest,
    InitNetns,
    StartService,
)
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.histories.judge import broken_on_tree
from ipvs_est_checks.harness.schedules.conflicts import (
    CodeAccess,
    Conflict,
    conflicting,
    conflicts_of,
    new_conflicts,
)
from kernels.kernel_trees import need_tree

WRITE = CodeAccess(1, 100, "f", True, False, "A", 2)
READ = CodeAccess(2, 100, "f", False, True, "B", 4)


def other(**changes: object) -> CodeAccess:
    values = {name: getattr(READ, name) for name in CodeAccess.__dataclass_fields__}
    return CodeAccess(**{**values, **changes})


def test_two_tasks_at_one_field_conflict_unless_a_lock_or_their_kind_orders_them() -> None:
    assert conflicting([WRITE, READ]) == [(WRITE, READ)]
    for code_access in (
        other(task="A"),
        other(object=200),
        other(field="g"),
        other(locks=6),
    ):
        assert conflicting([WRITE, code_access]) == []
    # Two reads, and two that are both marked, do not.
    assert conflicting([other(once=False), other(task="C", once=False)]) == []
    assert conflicting([READ, other(task="C", write=True)]) == []


def test_the_reads_of_7_3_that_take_no_lock_are_listed_with_both_places() -> None:
    found = conflicts_of(need_tree((7, 3)), [load("exit-and-sysctl")], 400)
    fields = {conflict.field for conflict in found}
    assert {"tick_len", "present", "est_calc_phase", "est_cpulist_valid"} <= fields
    assert "est_max_threads" not in fields
    (tick_len,) = (conflict for conflict in found if conflict.field == "tick_len")
    assert tick_len.places[0].startswith("read in ip_vs_estimation_kthread (net/")
    assert tick_len.places[1].startswith("write in ip_vs_stop_estimator (net/")


def test_without_sysctls_a_netns_has_no_total() -> None:
    params = Params(hz=100, nticks=4, chain_factor=2, possible_cpus=2, sysctl=False)
    operations = (InitNetns(), StartService(1), ExitNetns())
    assert broken_on_tree(need_tree((7, 3)), params, MAINLINE, operations) == {}


def test_connections_end_with_their_netns() -> None:
    operations = (InitNetns(), AddService(1), AddDest(2, 1), GetDest(2), ExitNetns())
    assert broken_on_tree(need_tree((7, 3)), Params(hz=100), MAINLINE, operations) == {}


def test_what_a_base_has_too_is_not_new_where_lines_have_moved() -> None:
    def conflict(line: int, function: str = "f") -> Conflict:
        return Conflict("x", (f"read in {function} (a.c:{line})", "write once in g (a.c:7)"))

    assert new_conflicts([conflict(10)], [conflict(12)]) == []
    assert new_conflicts([conflict(10, "h")], [conflict(10)]) == [conflict(10, "h")]
