"""The sysctls est_cpulist, est_nice and run_estimation (semantics section 12)."""

from ipvs_est.estimator.kthread_tasks import request_restart
from ipvs_est.estimator.thread_limits import kthread_cpus, max_threads
from ipvs_est.language.cpulist import CpulistError, format_cpulist, parse_cpulist
from ipvs_est.language.errno import EINVAL, ENOMEM, EOVERFLOW, ERANGE
from ipvs_est.language.events import CpulistSet, CpulistWritten, SysctlWritten
from ipvs_est.machine.points import (
    Call,
)
from ipvs_est.state.machine import Machine, allocate
from ipvs_est.state.netns import Cpumask
from ipvs_est.state.shared_fields import (
    read_nice,
    read_run_estimation,
    set_cpulist_valid,
    write_calc_phase,
    write_cpulist_mask,
    write_max_threads,
    write_run_estimation,
)
from ipvs_est.state.task_record import cpu_bitmap

MIN_NICE = -20
MAX_NICE = 19

_ERRNO = {"EINVAL": EINVAL, "ERANGE": ERANGE, "EOVERFLOW": EOVERFLOW}


def set_cpulist(machine: Machine, cpus: frozenset[int]) -> Call:
    """Make `cpus` the valid cpulist, and all that follows from it; 0 or -ENOMEM."""
    netns = machine.netns
    yield machine.lock_est
    if not netns.est_cpulist_valid:
        mask = Cpumask()
        if not allocate(machine, mask):
            yield machine.unlock_est
            return -ENOMEM
        netns.est_cpulist_mask = mask
        yield from set_cpulist_valid(machine)
    yield from write_cpulist_mask(machine, cpus)
    threads = yield from max_threads(machine)
    yield from write_max_threads(machine, threads)
    yield from write_calc_phase(machine, True)
    yield from request_restart(machine, recalculation=True)
    if machine.events is not None:
        machine.events.append(CpulistSet(machine.now, netns.est_calc_phase))
    yield machine.unlock_est
    return 0


def write_cpulist(machine: Machine, text: str, allowed: frozenset[int], offset: int = 0) -> Call:
    """A process that may run on the CPUs `allowed` writes `text` to est_cpulist, from `offset` on.

    Answers 0, -ENOMEM, or the negated errno of a malformed text; then nothing has changed. Nor
    has it after a write of no bytes or at an offset, which succeeds. A lone newline is an empty
    list.
    """
    if not text or offset:
        return 0
    try:
        cpus = parse_cpulist(text, machine.params.possible_cpus)
    except CpulistError as error:
        return -_ERRNO[error.errno_name]
    mask = cpus & allowed
    if machine.events is not None:
        machine.events.append(
            CpulistWritten(machine.now, cpu_bitmap(cpus), cpu_bitmap(allowed), cpu_bitmap(mask))
        )
    return (yield from set_cpulist(machine, mask))


def read_cpulist(machine: Machine) -> str:
    """The possible CPUs for kthreads, in ranges."""
    possible_cpus = machine.params.possible_cpus
    cpus = kthread_cpus(machine)
    return format_cpulist(frozenset(cpu for cpu in cpus if cpu < possible_cpus))


def set_nice(machine: Machine, nice: int, offset: int = 0) -> Call:
    """Write est_nice, from `offset` on; 0, or -EINVAL outside -20..19.

    At an offset there is no number, as in a write of no bytes: the value read before is written.
    A write of a number reads it as well and forgets it. The store is one step with the taking of
    est_mutex: whoever looks without the mutex does so before both or after both.
    """
    if not offset and not MIN_NICE <= nice <= MAX_NICE:
        return -EINVAL
    netns = machine.netns
    value = nice
    if offset:
        value = yield from read_nice(machine)
    yield machine.lock_est
    written = netns.est_nice if offset else nice
    if _reads_again(machine, offset):
        value = written
    changed = netns.est_nice != value
    netns.est_nice = value
    _record_write(machine, "est_nice", written, netns.est_nice)
    if changed:
        yield from request_restart(machine)
    yield machine.unlock_est
    return 0


def set_run_estimation(machine: Machine, value: int, offset: int = 0) -> Call:
    """Write run_estimation, from `offset` on: 0 stops the tasks, any other value lets them run. A
    new value restarts them, also one that means the same. Of the offset see `set_nice`."""
    netns = machine.netns
    if offset:
        value = yield from read_run_estimation(machine)
    yield machine.lock_est
    written = netns.run_estimation if offset else value
    if _reads_again(machine, offset):
        value = written
    changed = netns.run_estimation != value
    if changed:
        yield from write_run_estimation(machine, value)
    _record_write(machine, "run_estimation", written, netns.run_estimation)
    if changed:
        yield from request_restart(machine)
    yield machine.unlock_est
    return 0


def _reads_again(machine: Machine, offset: int) -> bool:
    return offset != 0 and machine.revision.reads_sysctls_under_est_mutex


def _record_write(machine: Machine, sysctl: str, written: int, value: int) -> None:
    if machine.events is not None:
        machine.events.append(SysctlWritten(machine.now, sysctl, written, value))
