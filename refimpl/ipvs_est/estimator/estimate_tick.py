"""A kthread estimates one row (semantics section 8d)."""

from ipvs_est.language.counters import sum_cpustats
from ipvs_est.language.events import Averaged, Estimated, ReadingBegun
from ipvs_est.language.violations import Deadlock, ViolationError
from ipvs_est.machine.bitmap import find_next_bit
from ipvs_est.machine.hlist import first
from ipvs_est.machine.memory import Life
from ipvs_est.machine.points import RCU_READ_LOCK, RCU_READ_UNLOCK, Body, FieldAccess, GiveWay
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine, report, touch
from ipvs_est.state.seqcount import SYNCP, sum_split, sum_whole
from ipvs_est.state.stats import Estimator, StatsObject, estimate

_WHERE = "ip_vs_chain_estimation"
_TICK = "ip_vs_tick_estimation"
_GIVE_WAY = GiveWay("ip_vs_tick_estimation", rcu=True)


def estimate_tick(machine: Machine, kd: KthreadContext, task: Task, row: int) -> Body:
    """Estimate every estimator of the row, chain by chain (`ip_vs_tick_estimation`)."""
    chains = machine.params.tick_chains
    split = machine.params.word_bits == 32
    interleaved = machine.interleaved
    yield RCU_READ_LOCK
    if interleaved:
        yield FieldAccess(kd, "ticks", write=False)
    td = kd.ticks[row]
    cid = 0
    while td is not None:
        if interleaved:
            yield FieldAccess(td, "present", write=False)
            touch(machine, td, "present", _TICK)
        cid = find_next_bit(td.present, chains, cid)
        if cid >= chains or task.should_stop:
            break
        if interleaved:
            # The request to stop is read in the same step: a kthread that is asked
            # to stop does not use the pointer, and the request is not taken back.
            yield FieldAccess(td, "chains", write=False)
            touch(machine, td, "chains", _TICK)
        est = first(td.chains[cid])
        while est is not None and not task.should_stop:
            if interleaved:
                yield FieldAccess(est.stats, "cpustats", write=False)
            if split or interleaved:
                yield from _estimate_split(machine, kd, est, row)
            else:
                _estimate_one(machine, kd, est, row)
            if interleaved:
                yield FieldAccess(est.stats, "list", write=False)
                touch(machine, est.stats, "list", _WHERE)
            est = est.next  # type: ignore[assignment]  # a chain's nodes are estimators
        yield _GIVE_WAY
        td = kd.ticks[row]
        cid += 1
    yield RCU_READ_UNLOCK


def _estimate_one(machine: Machine, kd: KthreadContext, est: Estimator, row: int) -> None:
    stats = est.stats
    machine.clock_ps += machine.est_cost_ps
    if stats.life is Life.FREED:
        touch(machine, stats, "cpustats", _WHERE)
    # Without any counter the sums, and so the rates, are and stay 0.
    if stats.cpustats:
        last, before = est.last, est.rates
        sums = sum_cpustats(stats.cpustats)
        estimate(stats, sums)
        if machine.events is not None:
            machine.events.append(Averaged(machine.now, stats.id, last, sums, before, est.rates))
    if machine.events is not None:
        machine.events.append(Estimated(machine.now, stats.id, kd.id, row))


def _look_for_endless_reading(machine: Machine, kd: KthreadContext, stats: StatsObject) -> None:
    """Where tasks run one after the other, nobody ends a write that the reader waits for."""
    for cpu, words in stats.cpustats.items():
        if words[SYNCP] & 1:
            spins = Deadlock((f"ipvs-e:{kd.id}: reads CPU {cpu} of {stats.describe()} for ever",))
            report(machine, spins)
            raise ViolationError(spins)


def _estimate_split(machine: Machine, kd: KthreadContext, est: Estimator, row: int) -> Body:
    """While others may count, read or zero: counter by counter, in the 32-bit build by words."""
    stats = est.stats
    machine.clock_ps += machine.est_cost_ps
    touch(machine, stats, "cpustats", _WHERE)
    if machine.events is not None:
        machine.events.append(ReadingBegun(machine.now, stats.id))
    if machine.params.word_bits == 32:
        if not machine.interleaved:
            _look_for_endless_reading(machine, kd, stats)
        sums = yield from sum_split(stats.cpustats)
    else:
        sums = yield from sum_whole(stats, stats.cpustats)
    if machine.interleaved:
        # The stats lock is taken: until it is released nobody else stores or reads.
        yield FieldAccess(stats, "kstats", write=True)
    touch(machine, stats, "kstats", _WHERE)
    last, before = est.last, est.rates
    estimate(stats, sums)
    if machine.events is not None:
        machine.events.append(Averaged(machine.now, stats.id, last, sums, before, est.rates))
        machine.events.append(Estimated(machine.now, stats.id, kd.id, row))
