"""Measuring how many estimators fit into a chain (semantics section 11, limits test)."""

from collections.abc import Generator
from dataclasses import dataclass

from ipvs_est.estimator.thread_limits import kthread_cpus
from ipvs_est.language.counters import ZERO
from ipvs_est.language.events import LimitsMeasured
from ipvs_est.language.fixed import signed
from ipvs_est.language.params import CHAIN_GOAL_NS
from ipvs_est.language.violations import DivisionByZero
from ipvs_est.machine.points import RCU_READ_LOCK, RCU_READ_UNLOCK, READ_ENABLE, Point, Sleep
from ipvs_est.machine.tasks import Task
from ipvs_est.state.machine import PS_PER_NS, Machine, report
from ipvs_est.state.netns import context_at
from ipvs_est.state.stats import estimate

# Answer when nothing could be measured.
DEFAULT_CHAIN_MAX = 8
TESTS = 12
# A pause before every fourth test, in which a cpufreq transition can end.
TESTS_PER_PAUSE = 4
PAUSES_PER_SECOND = 50
# One estimation with a cold cache is taken to cost as much as 4 with a warm one.
CACHE_FACTOR = 4
MIN_DIFF_NS = 1000
MAX_DIFF_NS = 10**9

_WHERE = "ip_vs_est_calc_limits"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the tests so far have shown."""

    loops: int = 1
    """A test times CACHE_FACTOR * loops estimations."""
    min_est: int = 0
    """Cheapest estimation seen, ns (s32); 0 = none yet."""
    chain_max: int = DEFAULT_CHAIN_MAX


def measured(state: Measurement, diff: int) -> Measurement | None:
    """The state after a test that took `diff` ns; None: it would divide by zero."""
    if diff <= MIN_DIFF_NS:
        return Measurement(state.loops * 2, state.min_est, state.chain_max)
    if diff >= MAX_DIFF_NS:
        return state
    val = diff // state.loops
    if state.min_est and val >= state.min_est:
        return state
    min_est = signed(val, 32)
    if not min_est:
        return None
    chain_max = CHAIN_GOAL_NS // min_est if min_est <= CHAIN_GOAL_NS else 1
    return Measurement(state.loops, min_est, chain_max)


def calc_limits(machine: Machine, task: Task) -> Generator[Point, None, int | None]:
    """`est_chain_max` for this machine, or None if aborted (`ip_vs_est_calc_limits`)."""
    netns = machine.netns
    est_mutex = machine.revision.calc_stats_under_est_mutex
    yield machine.lock_est if est_mutex else machine.lock_service
    kd0 = context_at(netns, 0)
    calc_stats = kd0.calc_stats if kd0 is not None else None
    yield machine.unlock_est if est_mutex else machine.unlock_service
    if calc_stats is None:
        return DEFAULT_CHAIN_MAX
    state = Measurement()
    for test in range(TESTS):
        if test % TESTS_PER_PAUSE == 0:
            yield Sleep(machine.params.hz // PAUSES_PER_SECOND, _WHERE)
            if not netns.enable or task.should_stop:
                return None
        yield RCU_READ_LOCK
        machine.clock_ps += machine.est_cost_ps  # warms the cache
        started = machine.clock_ps // PS_PER_NS
        estimate(calc_stats, ZERO)  # it has no counters: once is as good as CACHE_FACTOR * loops
        machine.clock_ps += CACHE_FACTOR * state.loops * machine.est_cost_ps
        yield RCU_READ_UNLOCK
        after = measured(state, machine.clock_ps // PS_PER_NS - started)
        if after is None:
            report(machine, DivisionByZero("min_est", _WHERE))
        assert after is not None  # report() has raised
        state = after
        if machine.interleaved and (test + 1) % TESTS_PER_PAUSE == 0:
            # Only the last test before a pause is a point: it sees all that those before would.
            yield READ_ENABLE
        if not netns.enable or task.should_stop:
            return None
    if machine.events is not None:
        machine.events.append(
            LimitsMeasured(
                machine.now,
                state.chain_max,
                state.min_est,
                netns.est_max_threads,
                len(kthread_cpus(machine)),
            )
        )
    return state.chain_max
