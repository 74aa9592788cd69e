"""What packets count, and in which stats objects (semantics sections 3 and 13)."""

from ipvs_est.language.counters import Group, count
from ipvs_est.language.events import Counted
from ipvs_est.machine.points import Call, FieldAccess
from ipvs_est.state.control_objects import Dest
from ipvs_est.state.machine import Machine
from ipvs_est.state.seqcount import count_split
from ipvs_est.state.stats import StatsObject

Packets = tuple[int, int, int, int]
"""inpkts, outpkts, inbytes, outbytes."""


def count_packets(machine: Machine, dest: Dest, cpu: int, conns: int, packets: Packets) -> Call:
    """New connections and packets of `dest` count on its CPU in three stats objects, one after the
    other: its own, its service's and the total's. Answers 0.

    Packets only while the dest is available (`ip_vs_in_stats`, `ip_vs_out_stats`); a connection
    counts without that test (`ip_vs_conn_stats`).
    """
    inpkts, outpkts, inbytes, outbytes = counted_of(dest, packets)
    steps = (conns, inpkts, outpkts, inbytes, outbytes)
    if any(steps):
        counted = counted_in(machine, dest)
        for stats in counted:
            if stats is not None:
                yield from count_on(machine, stats, cpu, steps)
    return 0


def counted_of(dest: Dest, packets: Packets) -> Packets:
    """What is counted of them."""
    return packets if dest.available else (0, 0, 0, 0)


def counted_in(machine: Machine, dest: Dest) -> tuple[StatsObject | None, ...]:
    """The stats objects, in their order; None: there is none."""
    service = dest.service
    return dest.stats, None if service is None else service.stats, machine.netns.total


def count_on(machine: Machine, stats: StatsObject, cpu: int, steps: Group) -> Call:
    """One write section: add `steps` to the counters of one CPU. Answers 0."""
    if machine.params.word_bits == 32:
        yield from count_split(stats.cpustats, cpu, steps)
        _record(machine, stats, cpu, steps)
    elif machine.interleaved:
        # On 64 bits the write section is empty: each counter is added to by itself.
        for index, step in enumerate(steps):
            if step:
                alone = _alone(index, step)
                yield FieldAccess(stats, "cpustats", write=True)
                count(stats.cpustats, cpu, alone)
                _record(machine, stats, cpu, alone)
    else:
        count(stats.cpustats, cpu, steps)
        _record(machine, stats, cpu, steps)
    return 0


def _alone(index: int, step: int) -> Group:
    conns, inpkts, outpkts, inbytes, outbytes = (step if at == index else 0 for at in range(5))
    return conns, inpkts, outpkts, inbytes, outbytes


def _record(machine: Machine, stats: StatsObject, cpu: int, steps: Group) -> None:
    if machine.events is not None:
        machine.events.append(Counted(machine.now, stats.id, cpu, steps))
