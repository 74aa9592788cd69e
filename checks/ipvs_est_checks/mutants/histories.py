"""Histories for the kill matrix: random ones from a seed, and hand-made ones."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    Disable,
    ExitNetns,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    Packet,
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
from ipvs_est.language.params import Params
from ipvs_est_checks.history.made_objects import MadeObjects, new_id, start


@dataclass(frozen=True, slots=True)
class TrialHistory:
    """What happens on one machine."""

    params: Params
    operations: tuple[Operation, ...]


# Estimators per kthread: 15, 30, 15, 10, 20, 40.
GEOMETRIES = (
    Params(hz=100, nticks=5, chain_factor=3, possible_cpus=1, est_cost_ns=23750),
    Params(hz=100, nticks=5, chain_factor=3, possible_cpus=2, est_cost_ns=11875),
    Params(hz=100, nticks=5, chain_factor=3, possible_cpus=2, est_cost_ns=23750, preempt_rcu=True),
    Params(hz=100, nticks=5, chain_factor=2, possible_cpus=2, est_cost_ns=23750, sysctl=False),
    Params(
        hz=250,
        nticks=5,
        chain_factor=2,
        possible_cpus=2,
        est_cost_ns=11875,
        word_bits=32,
        initial_jiffies=2**32 - 900,
    ),
    Params(hz=100, nticks=20, chain_factor=2, possible_cpus=1, est_cost_ns=23750),
)

# Chains of 31, 4, 2, 1 and none measurable (0: no time at all; the last: too long a time).
_COSTS = (750, 5936, 11875, 23750, 0, 300_000_000)
_TEXTS = ("0", "0-1", "\n", "1-0", "0-N", "all:1/2", "9", "x")

_WEIGHTS = {
    "start": 8,
    "burst": 6,
    "delete": 10,
    "purge": 2,
    "add_service": 2,
    "add_dest": 4,
    "delete_dest": 3,
    "delete_service": 1,
    "get_dest": 1,
    "put_dest": 1,
    "traffic": 3,
    "packet": 1,
    "zero": 1,
    "cpulist": 2,
    "write_cpulist": 3,
    "nice": 2,
    "run_estimation": 2,
    "cost": 3,
    "settle": 4,
    "jiffies": 4,
    "tick": 5,
    "revolution": 5,
    "minute": 1,
    "fail": 2,
    "disable": 1,
}


def random_history(seed: int, index: int, length: int = 48) -> TrialHistory:
    """The history of that number; the same for the same numbers, on every machine."""
    # A string as the seed: integers near each other would give related sequences.
    rng = random.Random(f"{seed}/{index}")
    params = GEOMETRIES[index % len(GEOMETRIES)]
    made = MadeObjects()
    operations: list[Operation] = []
    if not rng.randrange(4):
        operations.append(FailAllocations(1 + rng.randrange(6)))
    operations.append(InitNetns())
    operations += _some(rng, params, made, rng.choice(("start", "add_service")))
    if rng.randrange(4):
        operations += [*_some(rng, params, made, "burst"), *_some(rng, params, made, "revolution")]
    kinds = list(_WEIGHTS)
    weights = list(_WEIGHTS.values())
    while len(operations) < length:
        kind = rng.choices(kinds, weights)[0]
        operations += _some(rng, params, made, kind)
        if operations[-1] == Disable():
            after: tuple[Operation, ...] = (Settle(), Advance(params.hz))
            operations += after[rng.randrange(3) :]
            break
    if rng.randrange(2):
        operations.append(ExitNetns())
    return TrialHistory(params, tuple(operations))


def _some(rng: random.Random, params: Params, made: MadeObjects, kind: str) -> list[Operation]:
    """Operations of that kind; none if there is nothing to apply them to."""
    tick = params.tick_jiffies
    match kind:
        case "start":
            return [start(made, service=not rng.randrange(3))]
        case "burst":
            return [start(made, service=False) for _ in range(rng.randrange(4, 24))]
        case "delete" if made.bare:
            return [Delete(made.bare.pop(rng.randrange(len(made.bare))))]
        case "purge":
            gone, made.bare = made.bare[1:], made.bare[:1]
            return [Delete(number) for number in gone]
        case "add_service":
            made.services.append(new_id(made))
            return [AddService(made.services[-1])]
        case "add_dest" if made.services:
            dest = new_id(made)
            made.dests[dest] = rng.choice(made.services)
            return [AddDest(dest, made.dests[dest])]
        case "delete_dest" if made.dests:
            dest = rng.choice(list(made.dests))
            if rng.randrange(2):
                return [DeleteDest(dest), AddDest(dest, made.dests[dest])]
            del made.dests[dest]
            return [DeleteDest(dest)]
        case "delete_service" if made.services:
            service = made.services.pop(rng.randrange(len(made.services)))
            made.dests = {dest: owner for dest, owner in made.dests.items() if owner != service}
            return [DeleteService(service)]
        case "get_dest" if made.dests:
            made.held.append(rng.choice(list(made.dests)))
            return [GetDest(made.held[-1])]
        case "put_dest" if made.held:
            return [PutDest(made.held.pop())]
        case "traffic" if made.bare:
            few, many = rng.randrange(1000), rng.randrange(1 << 33)
            cpu = rng.randrange(params.possible_cpus)
            return [Traffic(rng.choice(made.bare), cpu, few, few, 1 << 40, many, 2**64 - many - 1)]
        case "packet" if made.dests:
            few = rng.randrange(1000)
            cpu = rng.randrange(params.possible_cpus)
            return [Packet(rng.choice(list(made.dests)), cpu, few, few, few, 1 << 20, 1 << 20)]
        case "zero" if made.bare:
            return [Zero(rng.choice(made.bare))]
        case "cpulist" if params.sysctl:
            return [SetCpulist(rng.randrange(params.possible_cpus + 1))]
        case "write_cpulist" if params.sysctl:
            allowed = frozenset({0}) if rng.randrange(2) else None
            return [WriteCpulist(rng.choice(_TEXTS), allowed)]
        case "nice" if params.sysctl:
            return [SetNice(rng.randrange(-20, 20))]
        case "run_estimation" if params.sysctl:
            return [SetRunEstimation(rng.randrange(3))]
        case "cost":
            return [SetCost(rng.choice(_COSTS))]
        case "settle":
            return [Settle()]
        case "jiffies":
            return [Advance(rng.randrange(3 * tick))]
        case "tick":
            return [Advance(tick)]
        case "revolution":
            return [Advance(params.nticks * tick + rng.randrange(3))]
        case "minute":
            return [Advance(60 * params.hz)]
        case "fail":
            return [FailAllocations(1 + rng.randrange(6), 1 + rng.randrange(2))]
        case "disable" if not rng.randrange(3):
            return [Disable()]
        case _:
            return []


_SMALL = GEOMETRIES[1]
_REVOLUTION = _SMALL.nticks * _SMALL.tick_jiffies

# 15 estimators in a kthread, 8 kthreads.
_MANY = replace(_SMALL, est_cost_ns=23750)


def _dests(first: int, last: int) -> tuple[Operation, ...]:
    return tuple(StartDest(number) for number in range(first, last + 1))


DIRECTED: Mapping[str, TrialHistory] = {
    "exit-in-limits-test": TrialHistory(
        _SMALL, (InitNetns(), StartService(1), Settle(), Disable(), Advance(20), ExitNetns())
    ),
    "disable-in-limits-test": TrialHistory(
        _SMALL,
        (InitNetns(), StartService(1), *_dests(2, 8), Settle(), Disable(), Advance(20)),
    ),
    "traffic-and-a-revolution": TrialHistory(
        replace(_SMALL, word_bits=32),
        (InitNetns(), StartService(1), Traffic(1, 0, 1, 1, 1, 1, 1), Advance(2 * _REVOLUTION)),
    ),
    "thread-limit-shrinks": TrialHistory(
        _MANY,
        (
            *(InitNetns(), StartService(1), *_dests(2, 80), Advance(2 * _REVOLUTION)),
            *(SetCpulist(1), Advance(_REVOLUTION)),
        ),
    ),
    "constant-load": TrialHistory(
        _SMALL,
        (
            *(InitNetns(), StartService(1)),
            *((Traffic(1, 0, 7, 100, 100, 1000, 999), Advance(_REVOLUTION)) * 12)[2:],
        ),
    ),
    "load-ends": TrialHistory(
        _SMALL,
        (
            *(InitNetns(), StartService(1), Advance(_REVOLUTION)),
            *(Traffic(1, 0, 7, 100, 100, 1000, 999), Advance(4 * _REVOLUTION)),
        ),
    ),
    "zero-after-traffic": TrialHistory(
        _SMALL,
        (
            *(InitNetns(), StartService(1), Advance(_REVOLUTION)),
            *(Traffic(1, 0, 7, 100, 100, 1000, 999), Advance(_REVOLUTION), Zero(1)),
        ),
    ),
    "counters-wrap": TrialHistory(
        _SMALL,
        (
            *(InitNetns(), StartService(1), Traffic(1, 0, *[2**64 - 1] * 5), Advance(200)),
            *(Traffic(1, 0, 5, 5, 5, 5, 5), Advance(2 * _REVOLUTION)),
        ),
    ),
    "restart-after-a-revolution": TrialHistory(
        replace(_SMALL, nticks=20, chain_factor=1),
        (InitNetns(), StartService(1), *_dests(2, 30), Advance(700), SetNice(1), Advance(300)),
    ),
    "two-kthreads-restart": TrialHistory(
        GEOMETRIES[0],
        (
            *(InitNetns(), StartService(1), *_dests(2, 20), Advance(2 * _REVOLUTION)),
            *(SetNice(1), Advance(_REVOLUTION), SetNice(2)),
        ),
    ),
    "nice-at-an-offset": TrialHistory(
        _SMALL, (InitNetns(), StartService(1), SetNice(1), SetNice(2, offset=1))
    ),
    "disable-with-work-pending": TrialHistory(
        _SMALL,
        (InitNetns(), StartService(1), Advance(_REVOLUTION), SetNice(1), Disable(), Settle()),
    ),
    "no-time-passes": TrialHistory(
        replace(_SMALL, est_cost_ns=0), (InitNetns(), StartService(1), Advance(_REVOLUTION))
    ),
    "first-start-fails": TrialHistory(GEOMETRIES[3], (FailAllocations(2), StartService(1))),
    "writer-with-one-cpu": TrialHistory(
        _SMALL, (InitNetns(), StartService(1), WriteCpulist("0-1", frozenset({0})))
    ),
    "dest-from-the-trash": TrialHistory(
        _SMALL,
        (
            *(InitNetns(), AddService(1), AddDest(2, 1), Advance(_REVOLUTION), DeleteDest(2)),
            *(AddDest(2, 1), DeleteDest(2), ExitNetns()),
        ),
    ),
    "run-estimation-off": TrialHistory(
        _SMALL,
        (InitNetns(), StartService(1), Advance(_REVOLUTION), SetRunEstimation(0), Settle()),
    ),
    "recalculated-in-each-row": TrialHistory(
        _SMALL,
        (
            *(InitNetns(), StartService(1)),
            *(
                operation
                for row in range(_SMALL.nticks)
                for operation in (
                    *(Advance(_REVOLUTION + _SMALL.tick_jiffies), SetCpulist(1)),
                    *(Advance(_SMALL.tick_jiffies // 2), StartDest(2 + row)),
                )
            ),
        ),
    ),
    "first-service-fails": TrialHistory(GEOMETRIES[3], (FailAllocations(3), AddService(1))),
    "default-geometry": TrialHistory(Params(), (InitNetns(), StartService(1), Advance(100))),
    "kthreads-go-in-order": TrialHistory(
        GEOMETRIES[3],
        (
            *(StartService(1), *_dests(2, 10), Advance(_REVOLUTION)),
            *(*_dests(11, 20), Advance(_REVOLUTION), *_dests(21, 30), Advance(_REVOLUTION)),
            *(Delete(number) for number in range(11, 31)),
        ),
    ),
    "last-estimator-goes": TrialHistory(
        # One estimator fills a kthread, so that est_add_ktid moves on at once.
        replace(GEOMETRIES[3], nticks=1, chain_factor=1),
        (StartService(1), Advance(400), Delete(1)),
    ),
    "kthread-0-empties": TrialHistory(
        GEOMETRIES[3],
        (
            *(StartService(1), *_dests(2, 10), Advance(_REVOLUTION)),
            *(StartDest(11), Advance(_REVOLUTION)),
            *(Delete(number) for number in range(1, 11)),
        ),
    ),
    "limits-shrink": TrialHistory(
        replace(_SMALL, est_cost_ns=5936),
        (
            *(InitNetns(), StartService(1), *_dests(2, 40), Advance(2 * _REVOLUTION)),
            *(SetCost(23750), SetCpulist(2), Advance(2 * _REVOLUTION)),
        ),
    ),
    "room-at-the-thread-limit": TrialHistory(
        GEOMETRIES[0],
        (
            *(InitNetns(), StartService(1), *_dests(2, 70), Advance(2 * _REVOLUTION)),
            *(Delete(60), Advance(_REVOLUTION)),
        ),
    ),
}
"""By name; each is there for the mutant that names it."""
