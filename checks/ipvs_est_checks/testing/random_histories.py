"""Random histories that are valid by construction, for property tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from ipvs_est import REVISIONS, Params, Revision
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    PutDest,
    SetCost,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    Traffic,
    WriteCpulist,
    Zero,
)

Step = tuple[str, int, int]
"""Kind of operation and two numbers that choose its operands."""

_KINDS = (
    *("svc", "dest", "dest", "dest", "dest", "del", "del", "add_service", "add_dest", "add_dest"),
    *("delete_dest", "delete_service", "get_dest", "put_dest", "traffic", "traffic", "zero"),
    *("cpulist", "write_cpulist", "nice", "run_estimation", "cost", "settle", "burst", "burst"),
    *("advance", "advance", "advance", "tick", "tick", "revolution", "minute", "fail"),
)
_TEXTS = ("0", "0-1", "", "1-0", "0-N", "all:1/2", "9", "x")
_COSTS = (3, 900, 5936, 7916, 11875, 23750, 30000, 300_000_000)

SMALL = (
    Params(hz=100, nticks=5, chain_factor=3, possible_cpus=1, est_cost_ns=23750),
    Params(hz=100, nticks=5, chain_factor=3, possible_cpus=2, est_cost_ns=11875),
    Params(hz=250, nticks=5, chain_factor=3, possible_cpus=2, est_cost_ns=23750, word_bits=32),
    Params(hz=100, nticks=5, chain_factor=3, possible_cpus=2, preempt_rcu=True, est_cost_ns=7916),
    Params(hz=300, nticks=7, chain_factor=2, possible_cpus=2, est_cost_ns=23750),
    Params(
        hz=100,
        nticks=5,
        chain_factor=2,
        est_cost_ns=23750,
        word_bits=32,
        initial_jiffies=2**32 - 150,
    ),
    Params(hz=1000, possible_cpus=4, est_cost_ns=20000, initial_jiffies=2**64 - 900),
)


@dataclass(slots=True)
class _Ids:
    """Which objects a history has so far."""

    next: int = 1
    bare: list[int] = field(default_factory=list)
    services: list[int] = field(default_factory=list)
    dests: dict[int, int] = field(default_factory=dict)
    """Destination -> its service."""
    held: list[int] = field(default_factory=list)


def steps(min_size: int = 30, max_size: int = 60) -> st.SearchStrategy[list[Step]]:
    """Lists of steps."""
    number = st.integers(0, 1000)
    return st.lists(
        st.tuples(st.sampled_from(_KINDS), number, number), min_size=min_size, max_size=max_size
    )


def params() -> st.SearchStrategy[Params]:
    """Small geometries, both RCU flavours and word sizes, jiffies about to wrap."""
    return st.sampled_from(SMALL)


def revisions() -> st.SearchStrategy[Revision]:
    """All revisions."""
    return st.sampled_from(list(REVISIONS.values()))


def history(params: Params, chosen: Sequence[Step], *, failures: bool = False) -> list[Operation]:
    """The operations of the steps; those that have no operand yet are left out.

    With `failures` allocations may fail, so that an operation's object need not exist:
    only `bad-input` tells then.
    """
    ids = _Ids()
    operations: list[Operation] = [InitNetns()]
    for kind, first, second in chosen:
        operations += _operations(params, ids, kind, first, second, failures=failures)
    return operations


def _operations(
    params: Params, ids: _Ids, kind: str, first: int, second: int, *, failures: bool
) -> list[Operation]:
    tick = params.tick_jiffies
    revolution = tick * params.nticks
    match kind:
        case "svc" | "dest":
            return [_start(ids, service=kind == "svc")]
        case "burst":
            return [_start(ids, service=False) for _ in range(1 + first % 24)]
        case "del" if ids.bare:
            return [Delete(ids.bare.pop(first % len(ids.bare)))]
        case "add_service":
            ids.services.append(_new_id(ids))
            return [AddService(ids.services[-1])]
        case "add_dest" if ids.services:
            service = ids.services[first % len(ids.services)]
            dest = _new_id(ids)
            ids.dests[dest] = service
            return [AddDest(dest, service)]
        case "delete_dest" if ids.dests:
            dest = sorted(ids.dests)[first % len(ids.dests)]
            service = ids.dests.pop(dest)
            gone: list[Operation] = [DeleteDest(dest)]
            if second % 2:
                ids.dests[dest] = service
                gone += [Advance(second % 90), AddDest(dest, service)]
            return gone
        case "delete_service" if ids.services:
            service = ids.services.pop(first % len(ids.services))
            ids.dests = {dest: owner for dest, owner in ids.dests.items() if owner != service}
            return [DeleteService(service)]
        case "get_dest" if ids.dests:
            dest = sorted(ids.dests)[first % len(ids.dests)]
            ids.held.append(dest)
            return [GetDest(dest)]
        case "put_dest" if ids.held:
            return [PutDest(ids.held.pop(first % len(ids.held)))]
        case "traffic" if ids.bare:
            cpu = second % params.possible_cpus
            target = ids.bare[first % len(ids.bare)]
            return [
                Traffic(target, cpu, first, second, 1 << 40, first * second, (2**64 - 1) - second)
            ]
        case "zero" if ids.bare:
            return [Zero(ids.bare[first % len(ids.bare)])]
        case "cpulist":
            return [SetCpulist(first % (params.possible_cpus + 1))]
        case "write_cpulist":
            allowed = frozenset({0}) if second % 2 else None
            return [WriteCpulist(_TEXTS[first % len(_TEXTS)], allowed)]
        case "nice":
            return [SetNice(first % 44 - 22)]
        case "run_estimation":
            return [SetRunEstimation(first % 2)]
        case "cost":
            return [SetCost(_COSTS[first % len(_COSTS)])]
        case "settle":
            return [Settle()]
        case "advance":
            return [Advance(first % (3 * tick))]
        case "tick":
            return [Advance(tick)]
        case "revolution":
            return [Advance(revolution + second % 3)]
        case "minute" if not second % 4:
            return [Advance(60 * params.hz)]
        case "fail" if failures:
            return [FailAllocations(1 + first % 6, 1 + second % 3)]
        case _:
            return []


def _start(ids: _Ids, *, service: bool) -> Operation:
    ids.bare.append(_new_id(ids))
    return StartService(ids.bare[-1]) if service else StartDest(ids.bare[-1])


def _new_id(ids: _Ids) -> int:
    ids.next += 1
    return ids.next - 1
