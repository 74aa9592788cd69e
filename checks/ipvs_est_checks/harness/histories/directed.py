"""Histories by hand for what random ones hardly reach, on one small machine."""

from ipvs_est import Params
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    Disable,
    ExitNetns,
    Export,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    PutDest,
    Read,
    ReadCpulist,
    SetCost,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    Traffic,
    WriteCpulist,
    Zero,
)

MACHINE = Params(
    hz=100, nticks=5, chain_factor=3, possible_cpus=2, load_divisor=4, est_cost_ns=11875
)
"""A kthread takes some tens of estimators there."""
_REVOLUTION = MACHINE.nticks * MACHINE.tick_jiffies
_WEEK = Advance(8 * _REVOLUTION)
_TURN = Advance(2 * _REVOLUTION + 3)


def _services(first: int, last: int) -> list[Operation]:
    return [StartService(number) for number in range(first, last + 1)]


def _filled(count: int) -> list[Operation]:
    """A netns with so many estimators in their chains."""
    return [InitNetns(), *_services(1, count), _WEEK]


def _traffic(id_: int, size: int) -> list[Operation]:
    return [Traffic(id_, cpu, size, 2 * size, 3 * size, 5 * size, 7 * size) for cpu in (0, 1)]


HISTORIES: dict[str, tuple[Operation, ...]] = {
    "fills-and-empties": (
        *_filled(75),
        *(Delete(number) for number in range(1, 76, 2)),
        _TURN,
        *(Delete(number) for number in range(74, 1, -2)),
        _TURN,
        *_services(101, 104),
        _WEEK,
    ),
    "one-by-one": (
        InitNetns(),
        *(
            operation
            for id_ in range(1, 12)
            for operation in (StartService(id_), Advance(_REVOLUTION))
        ),
        *(
            operation
            for id_ in range(11, 0, -1)
            for operation in (Delete(id_), Advance(_REVOLUTION // 3))
        ),
    ),
    "limits-come-anew": (
        *_filled(40),
        SetCost(23750),
        WriteCpulist("0-1"),
        _WEEK,
        *_services(101, 110),
        _TURN,
        SetCost(5000),
        WriteCpulist("0"),
        _WEEK,
        *_services(201, 206),
        _WEEK,
    ),
    "tasks-stop-and-start": (
        *_filled(12),
        SetRunEstimation(0),
        _TURN,
        StartService(20),
        _TURN,
        SetRunEstimation(1),
        _TURN,
        SetNice(7),
        _TURN,
        WriteCpulist(""),
        WriteCpulist(" "),
        WriteCpulist("1", frozenset({0})),
        _TURN,
        WriteCpulist("0-1", frozenset({1})),
        ReadCpulist(),
        _TURN,
    ),
    "memory-runs-out": tuple(
        service
        for nth in range(1, 8)
        for service in (
            *([InitNetns()] if nth == 1 else []),
            FailAllocations(nth),
            StartService(nth),
            *_services(10 * nth + 1, 10 * nth + 6),
            _TURN,
        )
    ),
    "counts-and-rates": (
        *_filled(3),
        *_traffic(1, 1000),
        *_traffic(2, 5),
        Advance(_REVOLUTION),
        Read(1),
        *_traffic(1, 300000),
        Advance(_REVOLUTION),
        Read(1),
        Read(2),
        Zero(1),
        Read(1),
        Export(1),
        *_traffic(1, 17),
        _TURN,
        Read(1),
        Export(1),
        Export(2),
    ),
    "destinations-come-back": (
        InitNetns(),
        AddService(1),
        AddDest(2, 1),
        AddDest(3, 1),
        _TURN,
        GetDest(2),
        *_traffic(2, 900),
        _TURN,
        DeleteDest(2),
        Advance(100),
        AddDest(2, 1),
        Read(2),
        FailAllocations(1, 3),
        AddDest(4, 1),
        FailAllocations(2),
        AddService(5),
        _TURN,
        PutDest(2),
        DeleteDest(3),
        DeleteService(1),
        _TURN,
        ExitNetns(),
    ),
    "netns-goes-while-full": (
        InitNetns(),
        *(AddService(number) for number in range(1, 31)),
        _TURN,
        *_traffic(1, 9),
        ExitNetns(),
    ),
    "threads-are-limited": (
        InitNetns(),
        WriteCpulist("0-1"),
        SetCost(23750),
        *_services(1, 70),
        _TURN,
        *(Delete(number) for number in range(70, 59, -1)),
        Delete(1),
        Delete(2),
        *(Delete(number) for number in range(59, 2, -1)),
        _TURN,
    ),
    "threads-are-full": (
        InitNetns(),
        WriteCpulist("0"),
        SetCost(23750),
        *_services(1, 50),
        _TURN,
    ),
    "stopped-in-first-calc-phase": (
        InitNetns(),
        *_services(1, 4),
        Settle(),
        Disable(),
        Advance(20),
        ExitNetns(),
    ),
    "destinations-alone": (
        InitNetns(),
        *(StartDest(number) for number in range(1, 9)),
        _TURN,
        StartService(20),
        _WEEK,
        Delete(20),
        *(Delete(number) for number in range(1, 9)),
        _WEEK,
    ),
}
"""By name."""
