"""What the configuration says about kthreads (semantics sections 9 and 12)."""

from collections.abc import Generator

from ipvs_est.machine.points import Point
from ipvs_est.state.machine import Machine
from ipvs_est.state.shared_fields import (
    Flag,
    Number,
    read_cpulist_mask,
    read_cpulist_valid,
    read_run_estimation,
)


def kthread_cpus(machine: Machine) -> frozenset[int]:
    """CPUs that kthreads may use: the cpulist if one is valid, else the housekeeping CPUs."""
    netns = machine.netns
    return netns.est_cpulist if netns.est_cpulist_valid else machine.params.kthread_cpus


def read_kthread_cpus(machine: Machine) -> Generator[Point, None, frozenset[int]]:
    """The same for a task, which others may interrupt between the two fields."""
    valid = yield from read_cpulist_valid(machine)
    return (yield from read_cpulist_mask(machine)) if valid else machine.params.kthread_cpus


def max_threads(machine: Machine) -> Number:
    """`est_max_threads` as the configuration defines it (`ip_vs_est_max_threads`)."""
    cpus = yield from read_kthread_cpus(machine)
    return max(1, machine.params.cpu_kthreads * len(cpus))


def stopped(machine: Machine) -> Flag:
    """`est_stopped` as the configuration defines it."""
    if not (yield from read_run_estimation(machine)):
        return True
    if not (yield from read_cpulist_valid(machine)):
        return False
    return not (yield from read_cpulist_mask(machine))
