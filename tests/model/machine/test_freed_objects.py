"""Whoever touches or frees what is freed already is named as the kernel names it."""

from collections.abc import Generator
from dataclasses import replace

import pytest

from by_hand import GIVE_WAY, NEW, SMALL, Others, place, put_kd, run, small, start_task
from ipvs_est import MAINLINE, STABLE, Params
from ipvs_est.control.netns_life import exit_netns
from ipvs_est.control.sysctl import set_cpulist
from ipvs_est.estimator.calc_phase import calc_phase
from ipvs_est.estimator.estimate_tick import estimate_tick
from ipvs_est.estimator.kthread_tasks import stop_kthread
from ipvs_est.language.violations import DoubleFree, UseAfterFree, Violation
from ipvs_est.machine.memory import HeapObject, Life
from ipvs_est.machine.points import Point
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine, boot
from ipvs_est.state.netns import Cpumask
from ipvs_est.state.shared_fields import read_cpulist_mask
from ipvs_est.state.stats import StatsObject


def freed(*things: HeapObject | None) -> None:
    for thing in things:
        assert thing is not None
        thing.life = Life.FREED


def reports(
    machine: Machine, body: Generator[Point, None, object], *others: Others, task: Task
) -> list[Violation]:
    """What `body` has reported when it returns."""
    machine.raise_violations = False
    run(machine, body, *others, task=task)
    return machine.violations


def test_estimating_from_a_freed_tick_or_freed_stats() -> None:
    machine = small()
    machine.interleaved = True
    kd = put_kd(machine)
    task = start_task(machine, kd)
    est = place(machine, kd, 1)
    td = kd.ticks[NEW]
    assert td is not None
    freed(td, est.stats)
    tick, stats = td.describe(), est.stats.describe()
    assert reports(machine, estimate_tick(machine, kd, task, NEW), task=task) == [
        UseAfterFree(tick, "present", "ip_vs_tick_estimation"),
        UseAfterFree(tick, "chains", "ip_vs_tick_estimation"),
        UseAfterFree(stats, "cpustats", "ip_vs_chain_estimation"),
        UseAfterFree(stats, "kstats", "ip_vs_chain_estimation"),
        UseAfterFree(stats, "list", "ip_vs_chain_estimation"),
        UseAfterFree(tick, "present", "ip_vs_tick_estimation"),
    ]


def phase_over_two(params: Params) -> tuple[Machine, KthreadContext, Task]:
    """Kthread 0 about to enter the calc phase, with two estimators in its own context."""
    machine = small(STABLE, params)
    kd = put_kd(machine)
    kd.calc_stats = StatsObject(owner="calc")
    task = start_task(machine, kd)
    place(machine, kd, 1)
    place(machine, kd, 2)
    return machine, kd, task


def test_a_walk_that_finds_its_context_or_tick_freed_after_a_break() -> None:
    machine, kd, task = phase_over_two(replace(SMALL, steps_per_break=2))
    td = kd.ticks[NEW]
    assert td is not None
    # Only what the walk reads there is asked for: the context stays where it was.
    first_break = Others(GIVE_WAY, 1, lambda: freed(kd, td))
    found = reports(machine, calc_phase(machine, task), first_break, task=task)
    assert found[:2] == [
        UseAfterFree(kd.describe(), "ticks", "ip_vs_est_calc_phase"),
        UseAfterFree(td.describe(), "chains", "ip_vs_est_calc_phase"),
    ]


def test_a_context_freed_while_its_task_is_waited_for() -> None:
    machine = small()
    kd = put_kd(machine)
    start_task(machine, kd)
    freed(kd)
    found = reports(machine, stop_kthread(machine, kd), task=Task(name="control"))
    assert found == [UseAfterFree(kd.describe(), "task", "ip_vs_est_kthread_stop")]


def machine_with_cpulist() -> tuple[Machine, Cpumask]:
    machine = boot(replace(SMALL, possible_cpus=4), MAINLINE)
    assert run(machine, set_cpulist(machine, frozenset({1})))[1] == 0
    mask = machine.netns.est_cpulist_mask
    assert mask is not None
    return machine, mask


def test_a_cpulist_has_memory_from_its_first_write_to_netns_exit() -> None:
    machine, mask = machine_with_cpulist()
    assert machine.memory.live == {mask.serial: mask}
    run(machine, set_cpulist(machine, frozenset({2})))
    assert machine.netns.est_cpulist_mask is mask
    run(machine, exit_netns(machine))
    assert mask.life is Life.FREED
    assert machine.memory.live == {}
    # Whoever looks at the list now reads freed memory.
    assert machine.netns.est_cpulist_valid


def use_mask(machine: Machine, how: str) -> Generator[Point, None, object]:
    match how:
        case "write":
            return set_cpulist(machine, frozenset({2}))
        case "read":
            return read_cpulist_mask(machine)
        case _:
            return exit_netns(machine)


@pytest.mark.parametrize(
    ("how", "first"),
    [
        ("write", UseAfterFree("est_cpulist", "bits", "est_cpulist")),
        ("read", UseAfterFree("est_cpulist", "bits", "cpumask")),
        ("exit", DoubleFree("est_cpulist", "free_cpumask_var")),
    ],
)
def test_a_cpulist_used_after_it_was_freed(how: str, first: Violation) -> None:
    machine, mask = machine_with_cpulist()
    freed(mask)
    found = reports(machine, use_mask(machine, how), task=Task(name="test"))
    assert found[0] == first
