"""Starting and stopping one estimator (semantics sections 4 and 7)."""

from dataclasses import dataclass

from ipvs_est.estimator.contexts import (
    add_kthread_context,
    choose_add_ktid,
    destroy_context,
    trim_array,
)
from ipvs_est.estimator.kthread_tasks import request_restart
from ipvs_est.estimator.thread_limits import max_threads
from ipvs_est.language.events import Started, Stopped
from ipvs_est.language.violations import IndexOutOfRange, InvalidPointer
from ipvs_est.machine.hlist import add_head, linked, unhashed, unlink
from ipvs_est.machine.memory import Life
from ipvs_est.machine.points import WRITE_TEMP_LIST, Body, Call, FieldAccess
from ipvs_est.machine.rcu import call_rcu
from ipvs_est.state.kthread_context import KthreadContext, Tick
from ipvs_est.state.machine import Machine, free, report
from ipvs_est.state.netns import context_at, usable_context
from ipvs_est.state.shared_fields import read_enable, read_max_threads, write_max_threads
from ipvs_est.state.stats import TEMP_LIST_KTID, Estimator

_STOP = "ip_vs_stop_estimator"


def start_estimator(machine: Machine, est: Estimator) -> Call:
    """Put `est` on est_temp_list for kthread 0 (`ip_vs_start_estimator`).

    The caller holds the service mutex, but for the total. Answers 0 or the error of
    adding kd 0; then the node stays unlinked.
    """
    netns = machine.netns
    revision = machine.revision
    if (
        revision.computes_max_threads_at_start
        and not (yield from read_max_threads(machine))
        and (yield from read_enable(machine))
    ):
        threads = yield from max_threads(machine)
        yield from write_max_threads(machine, threads)
    est.ktid = TEMP_LIST_KTID
    est.ktrow = machine.params.nticks - 1
    kd0 = context_at(netns, 0)
    if kd0 is None:
        added = yield from add_kthread_context(machine)
        if isinstance(added, int):
            est.prev = None  # INIT_HLIST_NODE: it may have been stopped before
            return added
    elif revision.start_marks_kd0_needed and not kd0.needed:
        yield machine.lock_est
        kd0.needed = True
        yield from request_restart(machine)
        yield machine.unlock_est
    if machine.interleaved:
        yield WRITE_TEMP_LIST
    add_head(netns.est_temp_list, est)
    if machine.events is not None:
        machine.events.append(Started(machine.now, est.stats.id))
    return 0


def stop_estimator(
    machine: Machine, est: Estimator, *, relinking: bool = False, locked: bool = True
) -> Body:
    """Take `est` off its list and release what it alone kept (`ip_vs_stop_estimator`).

    `locked`: the caller holds the service mutex, as all do but netns exit in some revisions.
    Afterwards the stats object may be freed, from an RCU callback; with `relinking` the calc
    phase puts `est` on the temp list.
    """
    netns = machine.netns
    if machine.interleaved and not locked:
        yield FieldAccess(est.stats, "ktid", write=False)
    place = _Place(est.ktid, est.ktrow, est.ktcid)
    if machine.interleaved and not locked:
        yield FieldAccess(est.stats, "list", write=False)
    if unhashed(est):
        return
    if machine.interleaved:
        yield FieldAccess(est.stats, "list", write=True)
    if not linked(est):
        report(machine, InvalidPointer("pprev", _STOP))
    if machine.events is not None:
        machine.events.append(Stopped(machine.now, est.stats.id))
    if place.ktid == TEMP_LIST_KTID:
        unlink(est)
    else:
        kd = _context_at(machine, place.ktid)
        _unlink_from_chain(machine, kd, est, place)
        if kd.est_count:
            netns.est_add_ktid = min(netns.est_add_ktid, kd.id)
            if machine.revision.stop_prefers_room_to_holes and usable_context(netns) is None:
                netns.est_add_ktid = choose_add_ktid(machine)
            return
        if kd.id > 0:
            yield machine.lock_est
            yield from destroy_context(machine, kd, _STOP)
            netns.est_kt_arr[kd.id] = None
            trim_array(machine)
            yield machine.unlock_est
            if netns.est_add_ktid == kd.id:
                netns.est_add_ktid = choose_add_ktid(machine)
    yield from _release_kd0(machine, relinking=relinking)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an estimator was when its stop began: without the service mutex it may be elsewhere."""

    ktid: int
    row: int
    cid: int


def _context_at(machine: Machine, ktid: int) -> KthreadContext:
    array = machine.netns.est_kt_arr
    if ktid >= len(array):
        report(machine, IndexOutOfRange("est_kt_arr", ktid, len(array), _STOP))
    kd = array[ktid]
    if kd is None:
        report(machine, InvalidPointer(f"est_kt_arr[{ktid}]", _STOP))
    assert kd is not None  # report() has raised
    return kd


def _unlink_from_chain(machine: Machine, kd: KthreadContext, est: Estimator, place: _Place) -> None:
    """One step, with respect to the kthread that walks the chain: it does not meet `est` if it
    comes to the node before it after the first store, whatever it sees of the others."""
    row, cid = place.row, place.cid
    td = kd.ticks[row]
    if td is None:
        report(machine, InvalidPointer(f"tick {row} of {kd.describe()}", _STOP))
    assert td is not None  # report() has raised
    unlink(est)
    td.full &= ~(1 << cid)
    td.chain_len[cid] -= 1
    if not td.chain_len[cid]:
        td.present &= ~(1 << cid)
    kd.tick_len[row] -= 1
    kd.avail |= 1 << row
    if not kd.tick_len[row]:
        kd.ticks[row] = None
        free_tick_later(machine, td)
    kd.est_count -= 1


def free_tick_later(machine: Machine, td: Tick) -> None:
    """Free an unpublished tick after a grace period (kfree_rcu)."""
    td.life = Life.WAITING
    call_rcu(machine.rcu, lambda: free(machine, td, "kfree_rcu"))


def _release_kd0(machine: Machine, *, relinking: bool) -> Body:
    """With nothing left to estimate kthread 0 is not needed."""
    netns = machine.netns
    if netns.est_kt_count != 1 or netns.est_temp_list.next is not None:
        return
    kd0 = netns.est_kt_arr[0]
    if kd0 is not None and kd0.est_count:
        return
    if machine.revision.kd0_until_exit:
        if kd0 is None or (relinking and machine.revision.relinking_keeps_kd0_needed):
            return
        yield machine.lock_est
        kd0.needed = False
        yield from request_restart(machine)
        yield machine.unlock_est
    else:
        yield machine.lock_est
        if kd0 is not None:
            yield from destroy_context(machine, kd0, _STOP)
        netns.est_kt_arr.clear()
        yield machine.unlock_est
    netns.est_add_ktid = 0
