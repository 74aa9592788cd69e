"""A single kthread context without tasks or time, driven below the operations."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ipvs_est import Params, Revision
from ipvs_est.estimator.enqueue import enqueue
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.machine.hlist import linked, nodes
from ipvs_est.machine.memory import fail_allocations
from ipvs_est.machine.points import Body
from ipvs_est.state.kthread_context import KthreadContext, apply_limits, new_context, renew_flags
from ipvs_est.state.machine import Machine, allocate, boot
from ipvs_est.state.stats import StatsObject
from ipvs_est_checks.machines.naive import context as naive_context
from ipvs_est_checks.machines.naive.context import NaiveContext

SENTENCES = {
    "context.row": "The row is the one that a search through all rows finds.",
    "context.chain": "The chain is the first that has space.",
    "context.lists": "Each chain holds what was put there, newest first.",
    "context.counts": "est_count, tick_len and chain_len are the lengths of the lists.",
    "context.ticks": "A row has a tick while it has estimators.",
    "context.no-memory": "Without memory for a tick nothing changes.",
    "context.add-ktid": "est_add_ktid names the kthread exactly while it has space.",
    "bitmaps.present": "A chain's present bit is set exactly if the chain is not empty.",
    "bitmaps.full": "A chain's full bit is set exactly if the chain has chain_max or more.",
    "bitmaps.avail": "A row's avail bit is set exactly if it has no tick or a chain with space.",
}
"""By id: what is stated of a context. Those of the catalogue stand here once more."""

Difference = tuple[str, str]


@dataclass(slots=True)
class Context:
    """The system's kd and the naive one."""

    machine: Machine
    kd: KthreadContext
    naive: NaiveContext
    objects: dict[int, StatsObject] = field(default_factory=dict)


def fresh(params: Params, revision: Revision, chain_max: int) -> Context:
    """An empty kd 0 with those limits."""
    machine = boot(params, revision)
    kd = new_context(params, 0, 0, chain_max)
    allocate(machine, kd)
    machine.netns.est_chain_max = chain_max
    machine.netns.est_kt_arr.append(kd)
    naive = naive_context.empty(params.nticks, params.tick_chains, kd.chain_max)
    return Context(machine, kd, naive)


def add(context: Context, est: int, delay: int, *, no_memory: bool) -> Iterator[Difference]:
    """Enqueue one that wants that delay; with `no_memory` a tick that it needs cannot be had."""
    machine, kd = context.machine, context.kd
    stats = StatsObject(id=est)
    stats.est.ktrow = delay
    fail_allocations(machine.memory, 1, int(no_memory))
    lacking = set(range(len(kd.ticks))) - _used_rows(kd)
    error = enqueue(machine, kd, stats.est)
    fail_allocations(machine.memory, 1, 0)
    if error:
        naive = NaiveContext(
            [[list(chain) for chain in row] for row in context.naive.chains],
            context.naive.chain_max,
            context.naive.est_row,
            context.naive.add_row,
        )
        row, _ = naive_context.enqueue(naive, est, delay)
        if not no_memory or row not in lacking:
            yield "context.no-memory", f"enqueueing answered {error}"
        if linked(stats.est):
            yield "context.no-memory", "the estimator is on a list"
        return
    context.objects[est] = stats
    row, cid = naive_context.enqueue(context.naive, est, delay)
    if no_memory and row in lacking:
        yield "context.no-memory", f"row {row} got a tick"
    if stats.est.ktrow != row:
        yield "context.row", f"row {stats.est.ktrow} was chosen, not {row}"
    elif stats.est.ktcid != cid:
        yield "context.chain", f"chain {stats.est.ktcid} of row {row} was chosen, not {cid}"


def stop(context: Context, est: int) -> None:
    """Stop one."""
    stats = context.objects.pop(est)
    naive_context.remove(context.naive, est)
    _drive(stop_estimator(context.machine, stats.est))


def next_row(context: Context, rows: int) -> None:
    """The kthread has gone on."""
    context.naive.est_row = (context.naive.est_row + rows) % len(context.naive.chains)
    context.kd.est_row = context.naive.est_row


def recalculate(context: Context, chain_max: int) -> list[tuple[int, int]]:
    """All but the last go, new limits are applied; answers who has to come back with what delay.

    As in the calc phase: from the largest delay to the smallest, so that in the end the one
    that is due last comes back last.
    """
    naive, kd = context.naive, context.kd
    waiting: list[tuple[int, int]] = []
    rows = len(naive.chains)
    for delay in range(rows - 1, -1, -1):
        row = (naive.est_row + delay) % rows
        for number in [est for chain in naive.chains[row] for est in chain]:
            if len(context.objects) > 1:
                stop(context, number)
                waiting.insert(0, (number, delay))
    kd.add_row = naive.add_row = naive.est_row
    context.machine.netns.est_chain_max = chain_max
    apply_limits(context.machine.params, kd, chain_max)
    if context.machine.revision.renews_flags_with_limits:
        renew_flags(kd)
    naive.chain_max = kd.chain_max
    return waiting


def differences(context: Context) -> Iterator[Difference]:
    """Where the system's context is not as the lists say."""
    kd, naive = context.kd, context.naive
    total = 0
    for row, chains in enumerate(naive.chains):
        length = sum(map(len, chains))
        total += length
        td = kd.ticks[row]
        if kd.tick_len[row] != length:
            yield "context.counts", f"tick_len of row {row} is {kd.tick_len[row]}, not {length}"
        if (td is not None) != (length > 0):
            yield "context.ticks", f"row {row} has {length} estimators"
        available = bool(kd.avail >> row & 1)
        if available != (td is None or naive_context.has_space(naive, row)):
            text = f"avail of row {row} is {available:d}, and the row has"
            yield "bitmaps.avail", f"{text} {'no chain' if available else 'a chain'} with space"
        for cid, chain in enumerate(chains if td is not None else ()):
            assert td is not None
            found = [est.stats.id for est in nodes(td.chains[cid])]
            if found != chain:
                yield "context.lists", f"chain {cid} of row {row} is {found}, not {chain}"
            if td.chain_len[cid] != len(chain):
                yield "context.counts", f"chain_len {cid} of row {row} is {td.chain_len[cid]}"
            if bool(td.present >> cid & 1) != (len(chain) > 0):
                text = f"present of chain {cid} of row {row} is {td.present >> cid & 1}"
                yield "bitmaps.present", f"{text}, and the chain has {len(chain)}"
            if bool(td.full >> cid & 1) != (len(chain) >= naive.chain_max):
                text = f"full of chain {cid} of row {row} is {td.full >> cid & 1}"
                yield "bitmaps.full", f"{text}, and the chain has {len(chain)}"
    if kd.est_count != total:
        yield "context.counts", f"est_count is {kd.est_count}, not {total}"
    usable = context.machine.netns.est_add_ktid == 0
    if usable != (total < len(naive.chains) * naive_context.tick_max(naive)):
        yield "context.add-ktid", f"est_add_ktid is {context.machine.netns.est_add_ktid}"


def _used_rows(kd: KthreadContext) -> set[int]:
    return {row for row, td in enumerate(kd.ticks) if td is not None}


def _drive(body: Body) -> None:
    """Nobody else is there, so nothing has to wait."""
    for _ in body:
        pass
