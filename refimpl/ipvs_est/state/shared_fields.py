"""Reading and writing fields of the netns that tasks share without a common lock, one at a time.

Each function is a generator: with an interleaved machine others may run before the access.
A value read here is a copy; what is done with it later may rest on a stale one.

Two kinds of points stand where the access is instead: where a field is read in one step with
another (`enable` with should_stop), and where the field is that of a context, an estimator or a
counter group.
"""

from collections.abc import Generator

from ipvs_est.machine.points import (
    COUNT_GENID,
    READ_CALC_PHASE,
    READ_CPULIST,
    READ_CPULIST_VALID,
    READ_ENABLE,
    READ_GENID,
    READ_KT_COUNT,
    READ_MAX_THREADS,
    READ_NICE,
    READ_RUN_ESTIMATION,
    READ_STOPPED,
    WRITE_CALC_PHASE,
    WRITE_CPULIST,
    WRITE_CPULIST_VALID,
    WRITE_ENABLE,
    WRITE_MAX_THREADS,
    WRITE_RUN_ESTIMATION,
    WRITE_STOPPED,
    Body,
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


def read_nice(machine: Machine) -> Number:
    """`est_nice`."""
    if machine.interleaved:
        yield READ_NICE
    return machine.netns.est_nice


def set_enable(machine: Machine) -> Body:
    """`enable` becomes 1."""
    if machine.interleaved:
        yield WRITE_ENABLE
    machine.netns.enable = True


def count_genid(machine: Machine) -> Body:
    """`est_genid` becomes one more."""
    if machine.interleaved:
        yield COUNT_GENID
    machine.netns.est_genid += 1


def write_calc_phase(machine: Machine, value: bool) -> Body:
    """`est_calc_phase`."""
    if machine.interleaved:
        yield WRITE_CALC_PHASE
    machine.netns.est_calc_phase = value


def write_stopped(machine: Machine, value: bool) -> Body:
    """`est_stopped`."""
    if machine.interleaved:
        yield WRITE_STOPPED
    machine.netns.est_stopped = value


def write_max_threads(machine: Machine, value: int) -> Body:
    """`est_max_threads`."""
    if machine.interleaved:
        yield WRITE_MAX_THREADS
    machine.netns.est_max_threads = value


def write_run_estimation(machine: Machine, value: int) -> Body:
    """`run_estimation`."""
    if machine.interleaved:
        yield WRITE_RUN_ESTIMATION
    machine.netns.run_estimation = value


def set_cpulist_valid(machine: Machine) -> Body:
    """A cpulist was written."""
    if machine.interleaved:
        yield WRITE_CPULIST_VALID
    machine.netns.est_cpulist_valid = True


def write_cpulist_mask(machine: Machine, cpus: frozenset[int]) -> Body:
    """The CPUs of the cpulist."""
    if machine.interleaved:
        yield WRITE_CPULIST
    netns = machine.netns
    if netns.est_cpulist_mask is not None:
        touch(machine, netns.est_cpulist_mask, "bits", "est_cpulist")
    netns.est_cpulist = cpus
