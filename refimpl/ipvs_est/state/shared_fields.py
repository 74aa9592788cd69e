"""Reading fields of the netns that tasks share without a common lock, one at a time.

Each function is a generator: with an interleaved machine others may run before the access.
A value read here is a copy; what is done with it later may rest on a stale one.
"""

from collections.abc import Generator

from ipvs_est.machine.points import (
    READ_CALC_PHASE,
    READ_CPULIST,
    READ_CPULIST_VALID,
    READ_ENABLE,
    READ_GENID,
    READ_KT_COUNT,
    READ_MAX_THREADS,
    READ_RUN_ESTIMATION,
    READ_STOPPED,
    Point,
)
from ipvs_est.state.machine import Machine, touch

Flag = Generator[Point, None, bool]
Number = Generator[Point, None, int]


def read_enable(machine: Machine) -> Flag:
    """`enable`."""
    if machine.interleaved:
        yield READ_ENABLE
    return machine.netns.enable


def read_genid(machine: Machine) -> Number:
    """`est_genid`."""
    if machine.interleaved:
        yield READ_GENID
    return machine.netns.est_genid


def read_calc_phase(machine: Machine) -> Flag:
    """`est_calc_phase`."""
    if machine.interleaved:
        yield READ_CALC_PHASE
    return machine.netns.est_calc_phase


def read_stopped(machine: Machine) -> Flag:
    """`est_stopped`."""
    if machine.interleaved:
        yield READ_STOPPED
    return machine.netns.est_stopped


def read_run_estimation(machine: Machine) -> Number:
    """`run_estimation`."""
    if machine.interleaved:
        yield READ_RUN_ESTIMATION
    return machine.netns.run_estimation


def read_cpulist_valid(machine: Machine) -> Flag:
    """Whether a cpulist was written."""
    if machine.interleaved:
        yield READ_CPULIST_VALID
    return machine.netns.est_cpulist_valid


def read_cpulist_mask(machine: Machine) -> Generator[Point, None, frozenset[int]]:
    """The CPUs of the cpulist."""
    if machine.interleaved:
        yield READ_CPULIST
    netns = machine.netns
    if netns.est_cpulist_mask is not None:
        touch(machine, netns.est_cpulist_mask, "bits", "cpumask")
    return netns.est_cpulist


def read_kt_count(machine: Machine) -> Number:
    """`est_kt_count`."""
    if machine.interleaved:
        yield READ_KT_COUNT
    return machine.netns.est_kt_count


def read_max_threads(machine: Machine) -> Number:
    """`est_max_threads`."""
    if machine.interleaved:
        yield READ_MAX_THREADS
    return machine.netns.est_max_threads
