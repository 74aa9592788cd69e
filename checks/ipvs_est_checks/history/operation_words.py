"""An operation in words, for readers who know the kernel and not the operation language."""

from typing import assert_never

from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Cleanup,
    Delete,
    DeleteDest,
    DeleteService,
    Disable,
    Dump,
    ExitNetns,
    Export,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    Packet,
    PutDest,
    Read,
    ReadCpulist,
    ReadPercpu,
    ReadStatus,
    SetCost,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    StartTotal,
    TakeSnapshot,
    Traffic,
    WriteCpulist,
    Zero,
)


def in_words(operation: Operation) -> str:
    """What happens, in the kernel's terms."""
    match operation:
        case StartTotal():
            return "the total's estimator starts"
        case StartService(id_):
            return f"the estimator of service {id_} starts; the first service sets enable"
        case StartDest(id_):
            return f"the estimator of destination {id_} starts"
        case Delete(id_):
            return f"the estimator of {id_} stops"
        case SetCpulist(weight):
            return f"est_cpulist is written: {_cpus(weight)}"
        case SetCost(ns):
            return f"from now on estimating one estimator takes {ns} ns"
        case SetNice(_, offset):
            return f"est_nice is written{_without_number(offset)}"
        case SetRunEstimation(_, offset):
            return f"run_estimation is written{_without_number(offset)}"
        case Traffic(id_, cpu):
            return f"packets of {id_} are counted on CPU {cpu}"
        case Zero(id_):
            return f"the counters and rates of {id_} are zeroed"
        case Read(id_) | Export(id_):
            return f"the counters and rates of {id_} are read"
        case Disable():
            return "netns exit begins: enable is cleared"
        case Cleanup():
            return "netns exit ends: the kthread contexts are destroyed"
        case Settle():
            return "tasks run until all of them wait; no time passes"
        case Advance(n):
            return f"tasks run, {n} jiffies pass"
        case Dump() | TakeSnapshot():
            return "the state is looked at"
        case InitNetns():
            return "netns init, which starts the total's estimator if there are sysctls"
        case ExitNetns():
            return "netns exit"
        case AddService(id_):
            return f"service {id_} is added"
        case DeleteService(id_):
            return f"service {id_} is deleted, with its destinations"
        case AddDest(id_, service):
            return f"destination {id_} of service {service} is added"
        case DeleteDest(id_):
            return f"destination {id_} is deleted and goes to the trash"
        case GetDest(id_):
            return f"a connection takes a reference to destination {id_}"
        case PutDest(id_):
            return f"a connection drops its reference to destination {id_}"
        case WriteCpulist():
            return "est_cpulist is written"
        case ReadCpulist():
            return "est_cpulist is read"
        case Packet(id_, cpu):
            return f"packets of destination {id_} are counted on CPU {cpu}, if it is available"
        case ReadStatus():
            return "/proc/net/ip_vs_status is read"
        case ReadPercpu():
            return "/proc/net/ip_vs_stats_percpu is read"
        case FailAllocations(nth, count):
            return _failing(nth, count)
        case _:
            assert_never(operation)


def _without_number(offset: int) -> str:
    return ", at an offset: without a number" if offset else ""


def _cpus(weight: int) -> str:
    if not weight:
        return "no CPU"
    return "CPU 0" if weight == 1 else f"CPUs 0-{weight - 1}"


def _failing(nth: int, count: int) -> str:
    if not count:
        return "no allocation fails any more"
    if count == 1:
        return f"of the allocations from now on number {nth} fails"
    return f"of the allocations from now on numbers {nth} to {nth + count - 1} fail"
