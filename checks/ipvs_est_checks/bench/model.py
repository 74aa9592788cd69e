"""Measuring the model's speed: the recorded set and a synthetic load.

The work is the same in every run; only the times differ. Times are wall-clock seconds of
this process unless stated.
"""

import gc
import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ipvs_est import MAINLINE, Oracle, Params
from ipvs_est.language.operations import (
    Advance,
    Delete,
    Operation,
    StartDest,
    StartService,
    StartTotal,
)
from ipvs_est.language.operations import Traffic as TrafficOperation
from ipvs_est_checks.history.file import History, read_history

BENCH_VERSION = 1

# Estimating is cheap enough here for chains of 23, so that 100,000 need two kthreads.
SYNTHETIC_COST_NS = 1000
# Estimators deleted and started again to measure what one costs among many.
SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class OperationRate:
    """One kind of operation over the recorded set."""

    op: str
    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Operations per second."""
        return self.count / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class RecordedBench:
    """The recorded set, applied operation by operation without reading or comparing."""

    traces: int
    operations: int
    seconds: float
    """Sum over the operations, best of the repetitions."""
    rates: tuple[OperationRate, ...]
    """Most time first."""


@dataclass(frozen=True, slots=True)
class Load:
    """A synthetic load."""

    estimators: int = 100_000
    possible_cpus: int = 256
    busy_cpus: int = 4
    """CPUs that count traffic, for each estimator."""


@dataclass(frozen=True, slots=True)
class SyntheticBench:
    """What a synthetic load costs."""

    load: Load
    kthreads: int
    start_seconds: float
    """Starting all estimators."""
    drain_seconds: float
    """Calc phase and enqueueing all of them."""
    traffic_seconds: float
    """Counting once on each busy CPU of each estimator."""
    revolution_seconds: float
    """Estimating every estimator once, right after the traffic."""
    stop_microseconds: float
    """One stop, mean over SAMPLE of them."""
    restart_microseconds: float
    """One start among all the others, mean over SAMPLE of them."""
    peak_megabytes: float
    """Largest resident set of this process so far, interpreter included."""


def bench_recorded(files: Iterable[Path], repetitions: int) -> RecordedBench:
    """Apply every operation of the traces, best of `repetitions`; raises TraceError."""
    histories = [read_history(file) for file in files]
    runs = [_apply_all(histories) for _ in range(repetitions)]
    best = min(runs, key=lambda times: sum(seconds for _, seconds in times.values()))
    rates = [OperationRate(op, count, seconds) for op, (count, seconds) in best.items()]
    rates.sort(key=lambda rate: (-rate.seconds, rate.op))
    return RecordedBench(
        traces=len(histories),
        operations=sum(rate.count for rate in rates),
        seconds=sum(rate.seconds for rate in rates),
        rates=tuple(rates),
    )


def _apply_all(histories: list[History]) -> dict[str, tuple[int, float]]:
    times: dict[str, tuple[int, float]] = {}
    for history in histories:
        apply = Oracle(history.header.params, history.header.revision).apply
        for operation in history.operations:
            started = perf_counter()
            apply(operation)
            spent = perf_counter() - started
            count, seconds = times.get(operation.op, (0, 0.0))
            times[operation.op] = (count + 1, seconds + spent)
    return times


def bench_synthetic(load: Load) -> SyntheticBench:
    """Run the load once: start, drain, traffic, a revolution, stops and starts."""
    params = Params(possible_cpus=load.possible_cpus, est_cost_ns=SYNTHETIC_COST_NS)
    oracle = Oracle(params, MAINLINE)
    revolution = params.nticks * params.tick_jiffies

    def timed(operations: Iterable[Operation]) -> float:
        gc.collect()
        started = perf_counter()
        for operation in operations:
            oracle.apply(operation)
        return perf_counter() - started

    ids = range(1, load.estimators + 1)
    start = timed(
        StartTotal()
        if identity == 0
        else StartService(identity)
        if identity == 1
        else StartDest(identity)
        for identity in (0, *ids)
    )
    # The calc phase takes three pauses of HZ/50; the drain follows in the same jiffy.
    drain = timed([Advance(params.hz // 10)])
    stride = max(1, load.possible_cpus // load.busy_cpus)
    traffic = timed(
        TrafficOperation(
            identity,
            cpu * stride,
            1000 + identity,
            2000 + identity,
            identity,
            999 * identity,
            identity,
        )
        for identity in ids
        for cpu in range(load.busy_cpus)
    )
    revolving = timed([Advance(revolution)])
    state = oracle.state()
    if state.temp:
        raise ValueError(f"{len(state.temp)} estimators found no room: the load is too large")
    sample = range(1, min(SAMPLE, load.estimators) + 1)
    stop = timed(Delete(number) for number in sample)
    restart = timed(StartDest(number) for number in sample)
    return SyntheticBench(
        load=load,
        kthreads=state.kt_count,
        start_seconds=start,
        drain_seconds=drain,
        traffic_seconds=traffic,
        revolution_seconds=revolving,
        stop_microseconds=stop / len(sample) * 1e6,
        restart_microseconds=restart / len(sample) * 1e6,
        peak_megabytes=_peak_megabytes(),
    )


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, KiB elsewhere.
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
