"""The calc phase: new limits, and all estimators back to the temp list (semantics section 11)."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum

from ipvs_est.estimator.calc_limits import calc_limits
from ipvs_est.estimator.kthread_tasks import request_start, stop_kthread
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.language.events import (
    CalcPhaseBegun,
    LimitsComputed,
    Relinked,
    RelinkingBegun,
    RelinkingEnded,
)
from ipvs_est.machine.hlist import add_head, first
from ipvs_est.machine.points import READ_ENABLE, Body, GiveWay, Point
from ipvs_est.machine.tasks import Task, reads_stop_request
from ipvs_est.state.kthread_context import KthreadContext, apply_limits, renew_flags
from ipvs_est.state.machine import Machine, touch
from ipvs_est.state.netns import context_at, move_total_to_head
from ipvs_est.state.shared_fields import read_genid, write_calc_phase
from ipvs_est.state.stats import TEMP_LIST_KTID, Estimator

# Visits to a chain's head between two breaks of the service mutex.
STEPS_PER_BREAK = 64

_WHERE = "ip_vs_est_calc_phase"
_GIVE_WAY = GiveWay(_WHERE, rcu=False)


class _Next(Enum):
    """Where relinking goes on after one row of one kd."""

    KD = "the next lower kd"
    DELAY = "the next lower delay"
    LAST_KD = "the last slot, same delay"
    GIVE_UP = "nowhere"


@dataclass(slots=True)
class _Walk:
    """The walk over all rows of all kds."""

    delay: int
    id: int
    steps: int = 0


def calc_phase(machine: Machine, task: Task) -> Body:
    """Compute the limits, then relink every estimator under them (`ip_vs_est_calc_phase`)."""
    genid = yield from read_genid(machine)
    if machine.events is not None:
        machine.events.append(CalcPhaseBegun(machine.now))
    chain_max = yield from calc_limits(machine, task)
    if chain_max is None:
        return
    if machine.revision.calc_stops_tasks_before_service_mutex:
        yield machine.lock_est
        done = yield from _stop_other_tasks(machine, task)
        yield machine.unlock_est
        if not done:
            return
        yield machine.lock_service
    else:
        yield machine.lock_service
        yield machine.lock_est
        done = yield from _stop_other_tasks(machine)
        yield machine.unlock_est
        if not done:
            yield machine.unlock_service
            return
    if machine.events is not None:
        machine.events.append(RelinkingBegun(machine.now))
    relinked = yield from _relink_all(machine, task)
    if machine.events is not None:
        machine.events.append(RelinkingEnded(machine.now))
    if relinked:
        yield from _finish(machine, chain_max, genid)
    yield machine.unlock_service


def _stop_other_tasks(machine: Machine, own: Task | None = None) -> Generator[Point, None, bool]:
    """Stop the tasks of all ids above 0, so that nobody walks a chain.

    False: given up, because estimation was disabled or `own` was asked to stop.
    """
    netns = machine.netns
    slot = 1
    while slot < netns.est_kt_count:
        if machine.interleaved:
            # should_stop is read in the same step. A request to stop is never taken back, so
            # reading the two apart would give no other answers.
            yield READ_ENABLE
        if not netns.enable or (own is not None and own.should_stop):
            return False
        kd = netns.est_kt_arr[slot]
        if kd is not None:
            yield from stop_kthread(machine, kd)
        slot += 1
    return True


def _relink_all(machine: Machine, task: Task) -> Generator[Point, None, bool]:
    """Move all estimators but kd 0's last one to the temp list; False: given up.

    From the largest delay to the smallest, each to the list's head, so that the list
    ends up in the order in which the estimators are due.
    """
    netns = machine.netns
    walk = _Walk(delay=machine.params.nticks - 1, id=netns.est_kt_count)
    while True:
        if machine.interleaved:
            yield READ_ENABLE
        if not netns.enable or task.should_stop:
            return False
        walk.id -= 1
        if walk.id < 0:
            then = _Next.DELAY
        else:
            kd = context_at(netns, walk.id)
            if kd is None:
                continue
            if walk.id == 0 and kd.est_count <= 1:
                then = _Next.DELAY
            else:
                then = yield from _relink_row(machine, task, walk, kd)
        if then is _Next.GIVE_UP:
            return False
        if then is _Next.DELAY:
            walk.delay -= 1
            if walk.delay < 0:
                return True
            walk.id = netns.est_kt_count
        elif then is _Next.LAST_KD:
            walk.id = netns.est_kt_count


def _relink_row(
    machine: Machine, task: Task, walk: _Walk, kd: KthreadContext
) -> Generator[Point, None, _Next]:
    """Move the estimators of the row that is `delay` ticks ahead in `kd`."""
    netns = machine.netns
    row = (kd.est_row + walk.delay) % machine.params.nticks
    td = kd.ticks[row]
    if td is None:
        return _Next.KD
    cid = 0
    while True:
        if machine.interleaved:
            yield reads_stop_request(task)
        if task.should_stop:
            return _Next.GIVE_UP
        walk.steps += 1
        if walk.steps % (machine.params.steps_per_break or STEPS_PER_BREAK) == 0:
            yield machine.unlock_service
            yield _GIVE_WAY
            yield machine.lock_service
            # Estimators, and with them kds and ticks, may have gone meanwhile.
            if walk.id >= netns.est_kt_count:
                return _Next.LAST_KD
            if netns.est_kt_arr[walk.id] is not kd:
                return _Next.KD
            touch(machine, kd, "ticks", _WHERE)
            if kd.ticks[row] is not td:
                return _Next.KD
            touch(machine, td, "chains", _WHERE)
        est = first(td.chains[cid])
        if est is None:
            cid += 1
            if cid >= machine.params.tick_chains:
                return _Next.KD
            continue
        last = kd.est_count <= 1
        if walk.id == 0 and last:
            return _Next.DELAY
        last_in_tick = kd.tick_len[row] <= 1
        yield from _relink(machine, kd, est, walk.delay)
        if last or last_in_tick:
            return _Next.KD


def _relink(machine: Machine, kd: KthreadContext, est: Estimator, delay: int) -> Body:
    row = est.ktrow
    est_row = kd.est_row
    yield from stop_estimator(machine, est, relinking=True)
    if not machine.revision.relinked_delay_from_loop:
        touch(machine, kd, "est_row", _WHERE)
        delay = (row - kd.est_row) % machine.params.nticks
    est.ktid = TEMP_LIST_KTID
    est.ktrow = delay
    add_head(machine.netns.est_temp_list, est)
    if machine.events is not None:
        machine.events.append(Relinked(machine.now, est.stats.id, kd.id, row, est_row, delay))


def _finish(machine: Machine, chain_max: int, genid: int) -> Body:
    netns = machine.netns
    kd0 = context_at(netns, 0)
    if kd0 is not None:
        kd0.add_row = kd0.est_row
        netns.est_chain_max = chain_max
        apply_limits(machine.params, kd0, chain_max)
        if machine.revision.limits_for_every_context:
            for kd in filter(None, netns.est_kt_arr):
                apply_limits(machine.params, kd, chain_max)
        if machine.revision.renews_flags_with_limits:
            renew_flags(kd0)
    move_total_to_head(netns)
    if machine.events is not None:
        machine.events.append(LimitsComputed(machine.now, chain_max))
    yield machine.lock_est
    if netns.est_genid == genid:
        yield from write_calc_phase(machine, False)
        if machine.revision.starts_contexts_left and netns.est_kt_count > 1:
            # The reload work has started none of them while est_calc_phase was set.
            yield from request_start(machine)
    yield machine.unlock_est
