"""Random histories that are valid by construction, for property tests."""

from collections.abc import Sequence

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
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est_checks.history.made_objects import MadeObjects, new_id, start

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
    made = MadeObjects()
    operations: list[Operation] = [InitNetns()]
    for kind, first, second in chosen:
        operations += _operations(params, made, kind, first, second, failures=failures)
    return operations


def _operations(
    params: Params, made: MadeObjects, kind: str, first: int, second: int, *, failures: bool
) -> list[Operation]:
    tick = params.tick_jiffies
    revolution = tick * params.nticks
    match kind:
        case "svc" | "dest":
            return [start(made, service=kind == "svc")]
        case "burst":
            return [start(made, service=False) for _ in range(1 + first % 24)]
        case "del" if made.bare:
            return [Delete(made.bare.pop(first % len(made.bare)))]
        case "add_service":
            made.services.append(new_id(made))
            return [AddService(made.services[-1])]
        case "add_dest" if made.services:
            service = made.services[first % len(made.services)]
            dest = new_id(made)
            made.dests[dest] = service
            return [AddDest(dest, service)]
        case "delete_dest" if made.dests:
            dest = sorted(made.dests)[first % len(made.dests)]
            service = made.dests.pop(dest)
            gone: list[Operation] = [DeleteDest(dest)]
            if second % 2:
                made.dests[dest] = service
                gone += [Advance(second % 90), AddDest(dest, service)]
            return gone
        case "delete_service" if made.services:
            service = made.services.pop(first % len(made.services))
            made.dests = {dest: owner for dest, owner in made.dests.items() if owner != service}
            return [DeleteService(service)]
        case "get_dest" if made.dests:
            dest = sorted(made.dests)[first % len(made.dests)]
            made.held.append(dest)
            return [GetDest(dest)]
        case "put_dest" if made.held:
            return [PutDest(made.held.pop(first % len(made.held)))]
        case "traffic" if made.bare:
            cpu = second % params.possible_cpus
            target = made.bare[first % len(made.bare)]
            return [
                Traffic(target, cpu, first, second, 1 << 40, first * second, (2**64 - 1) - second)
            ]
        case "zero" if made.bare:
            return [Zero(made.bare[first % len(made.bare)])]
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
