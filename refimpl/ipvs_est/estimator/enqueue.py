"""Giving an estimator its row and chain (semantics section 5)."""

from ipvs_est.estimator.contexts import choose_add_ktid
from ipvs_est.language.errno import ENOMEM
from ipvs_est.language.events import Enqueued
from ipvs_est.language.violations import IndexOutOfRange
from ipvs_est.machine.bitmap import (
    find_first_zero_bit,
    find_last_bit,
    find_last_bit_upto,
    find_next_bit,
)
from ipvs_est.machine.hlist import add_head
from ipvs_est.state.kthread_context import KthreadContext, new_tick
from ipvs_est.state.machine import Machine, allocate, report
from ipvs_est.state.stats import Estimator

_WHERE = "ip_vs_enqueue_estimator"


def wanted_row(kd: KthreadContext, nticks: int, delay: int) -> int:
    """The row `delay` ticks after the base row.

    New estimators of a nearly empty kthread count from `add_row`, which stands still, so
    that they do not all pile up on the rows that happen to be next.
    """
    new = delay == nticks - 1
    base = kd.add_row if new and kd.est_count < 2 * kd.tick_max else kd.est_row
    return (base + delay) % nticks


def choose_row(avail: int, nticks: int, crow: int, delay: int) -> int:
    """The row for the wanted row `crow`; `nticks` if no row is available.

    A new estimator (delay nticks-1) gets the latest available row not after `crow`, so that
    it is estimated within 2 seconds; a relinked one the earliest not before, so that it
    is not estimated too soon.
    """
    if delay == nticks - 1:
        row = find_last_bit_upto(avail, nticks, crow)
        return row if row < nticks else find_last_bit(avail, nticks)
    row = find_next_bit(avail, nticks, crow)
    return row if row < nticks else find_next_bit(avail, nticks, 0)


def enqueue(machine: Machine, kd: KthreadContext, est: Estimator) -> int:
    """Link `est` into a chain of `kd`; 0 or -ENOMEM, then nothing has changed.

    One step, with respect to the kthread that walks the chain meanwhile: whatever it sees of
    the tick, its length and the bitmaps, it meets `est` exactly if it comes to the chain's head
    after the last store, that of the head.
    """
    netns = machine.netns
    params = machine.params
    nticks = params.nticks
    delay = est.ktrow
    avail = kd.avail
    crow = wanted_row(kd, nticks, delay)
    row = choose_row(avail, nticks, crow, delay)
    if row >= nticks:
        report(machine, IndexOutOfRange(f"ticks of {kd.describe()}", row, nticks, _WHERE))
    td = kd.ticks[row]
    if td is None:
        td = new_tick(params, row)
        if not allocate(machine, td):
            return -ENOMEM
        kd.ticks[row] = td
    chains = params.tick_chains
    cid = find_first_zero_bit(td.full, chains)
    if cid >= chains:
        report(machine, IndexOutOfRange(f"chains of {td.describe()}", cid, chains, _WHERE))

    kd.est_count += 1
    kd.tick_len[row] += 1
    td.present |= 1 << cid
    td.chain_len[cid] += 1
    est.ktid = kd.id
    est.ktrow = row
    est.ktcid = cid
    add_head(td.chains[cid], est)
    if machine.events is not None:
        machine.events.append(
            Enqueued(machine.now, est.stats.id, kd.id, row, kd.est_row, delay, crow, avail)
        )
    if td.chain_len[cid] >= kd.chain_max:
        td.full |= 1 << cid
        if kd.tick_len[row] >= kd.tick_max:
            kd.avail &= ~(1 << row)
    if kd.est_count == kd.est_max_count:
        netns.est_add_ktid = choose_add_ktid(machine)
    return 0
