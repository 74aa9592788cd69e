"""The abstract state that a `Snapshot` is, over any algebra with constants."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ipvs_est.answers.snapshot import Snapshot
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import ConcreteAlgebra
from ipvs_est_spec.state.abstract_state import AbstractState
from ipvs_est_spec.state.snapshot_rows import Kinds, RowKinds, TickRow, all_rows, kinds_of_rows

B = TypeVar("B")
N = TypeVar("N")

_Chain = tuple[int, int, int]
"""Slot, row, chain id."""


def snapshot_state(
    algebra: ConcreteAlgebra[B, N],
    params: Params,
    snapshot: Snapshot,
    *,
    each_kind_once: bool = True,
) -> AbstractState[B, N]:
    """The state that a snapshot shows.

    With `each_kind_once`, of rows, chains and counters that look the same one is asked for all.
    """
    reader = _SnapshotReader(algebra, params, snapshot, each_kind_once=each_kind_once)
    number, truth = algebra.number, algebra.truth
    state, sysctls = snapshot.state, snapshot.sysctls
    cpulist = sysctls.cpulist
    return AbstractState(
        algebra=algebra,
        params=params,
        domains=reader,
        enable=truth(state.enable != 0),
        est_stopped=truth(state.stopped != 0),
        est_kt_count=number(state.kt_count),
        est_add_ktid=number(state.add_ktid),
        est_max_threads=number(state.max_threads),
        est_chain_max=number(state.chain_max),
        est_calc_phase=truth(state.calc_phase != 0),
        restart_pending=reader.restart_pending,
        temp_length=number(len(state.temp)),
        run_estimation=truth(sysctls.run_estimation != 0),
        cpulist_valid=truth(cpulist is not None),
        kthread_cpus=number(len(params.kthread_cpus if cpulist is None else cpulist)),
        contexts=number(len(reader.kds)),
        exists=reader.exists,
        running=reader.running,
        task_freed=reader.task_freed,
        task_stopping=reader.task_stopping,
        est_count=reader.est_count,
        est_max_count=reader.est_max_count,
        chain_max=reader.chain_max,
        tick_max=reader.tick_max,
        est_row=reader.est_row,
        kd_length=reader.kd_length,
        avail=reader.avail,
        tick_len=reader.tick_len,
        tick_exists=reader.tick_exists,
        tick_length=reader.tick_length,
        present=reader.present,
        full=reader.full,
        chain_len=reader.chain_len,
        true_length=reader.true_length,
        is_object=reader.is_object,
        is_total=reader.is_total,
        ktid=reader.ktid,
        ktrow=reader.ktrow,
        ktcid=reader.ktcid,
        times_listed=reader.times_listed,
        on_temp_list=reader.on_temp_list,
        on_chain=reader.on_chain,
    )


class _SnapshotReader(Generic[B, N]):
    """Answers of one snapshot, and its domains; see `AbstractState` for what each answers."""

    def __init__(
        self,
        algebra: ConcreteAlgebra[B, N],
        params: Params,
        snapshot: Snapshot,
        *,
        each_kind_once: bool,
    ) -> None:
        self._algebra = algebra
        # Every answer passes through one of these.
        self._number = algebra.number
        self._truth = algebra.truth
        self._value = algebra.value
        self._params = params
        self._snapshot = snapshot
        self._each_kind_once = each_kind_once
        self._state = snapshot.state
        self._objects = {object_state.id: object_state for object_state in snapshot.objects}
        self.kds = {slot: kd for slot, kd in enumerate(snapshot.state.kthreads) if kd is not None}
        self._contexts = {
            slot: context for slot, context in enumerate(snapshot.contexts) if context is not None
        }
        self._places: dict[int, list[_Chain | None]] = {}
        for est in snapshot.state.temp:
            self._places.setdefault(est, []).append(None)
        self._rows: dict[int, dict[int, TickRow]] = {}
        self._kinds: dict[int, RowKinds] = {}
        for slot, kd in self.kds.items():
            self._rows[slot] = rows = {}
            for tick in kd.ticks:
                row = rows[tick.row] = TickRow(tick=True, present=tick.present, full=tick.full)
                for cid, ids in tick.chains:
                    row.true_length[cid] = len(ids)
                    place = (slot, tick.row, cid)
                    for est in ids:
                        self._places.setdefault(est, []).append(place)
            context = self._contexts.get(slot)
            if context is not None:
                for index, lengths in context.chain_len:
                    if index not in rows:
                        rows[index] = TickRow()
                    rows[index].chain_len = lengths

    def slots(self, _: AbstractState[B, N], body: Callable[[N], B], /) -> B:
        return self._every(range(len(self._state.kthreads)), body)

    def rows(self, _: AbstractState[B, N], slot: N, body: Callable[[N], B], /) -> B:
        return self._every((row for row, _ in self._kinds_of(slot).rows), body)

    def chains(self, _: AbstractState[B, N], slot: N, row: N, body: Callable[[N], B], /) -> B:
        return self._every((cid for cid, _ in self._chains_of(slot, row)), body)

    def estimators(self, _: AbstractState[B, N], body: Callable[[N], B], /) -> B:
        return self._every(sorted(self._objects.keys() | self._places.keys()), body)

    def counters(self, _: AbstractState[B, N], body: Callable[[N, N], B], /) -> B:
        number = self._number
        pairs: Iterable[tuple[int, int]] = [
            pair
            for object_state in self._objects.values()
            for pair in zip(object_state.last, object_state.kstats, strict=True)
        ]
        if self._each_kind_once:
            pairs = set(pairs)
        return self._algebra.every(body(number(last), number(kstats)) for last, kstats in pairs)

    def restart_pending(self) -> B:
        work = self._snapshot.work
        behind = self._state.genid != self._state.genid_done
        return self._truth(behind or work.pending or work.running)

    def exists(self, slot: N) -> B:
        return self._truth(self._value(slot) in self.kds)

    def running(self, slot: N) -> B:
        kd = self.kds.get(self._value(slot))
        return self._truth(kd is not None and kd.running)

    def task_freed(self, slot: N) -> B:
        context = self._contexts.get(self._value(slot))
        task = None if context is None else context.task
        return self._truth(task is not None and task.life == "freed")

    def task_stopping(self, slot: N) -> B:
        context = self._contexts.get(self._value(slot))
        task = None if context is None else context.task
        return self._truth(task is not None and task.should_stop)

    def est_count(self, slot: N) -> N:
        kd = self.kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_count)

    def est_max_count(self, slot: N) -> N:
        kd = self.kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_max_count)

    def chain_max(self, slot: N) -> N:
        kd = self.kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.chain_max)

    def tick_max(self, slot: N) -> N:
        kd = self.kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.tick_max)

    def est_row(self, slot: N) -> N:
        kd = self.kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_row)

    def kd_length(self, slot: N) -> N:
        rows = self._rows.get(self._value(slot), {})
        return self._number(sum(_length(row) for row in rows.values()))

    def avail(self, slot: N, row: N) -> B:
        kd = self.kds.get(self._value(slot))
        return self._truth(kd is not None and kd.avail >> self._value(row) & 1 != 0)

    def tick_len(self, slot: N, row: N) -> N:
        context = self._contexts.get(self._value(slot))
        index = self._value(row)
        known = context is not None and 0 <= index < len(context.tick_len)
        return self._number(context.tick_len[index] if context is not None and known else 0)

    def tick_exists(self, slot: N, row: N) -> B:
        found = self._row(slot, row)
        return self._truth(found is not None and found.tick)

    def tick_length(self, slot: N, row: N) -> N:
        return self._number(_length(self._row(slot, row)))

    def present(self, slot: N, row: N, cid: N) -> B:
        found = self._row(slot, row)
        return self._truth(found is not None and found.present >> self._value(cid) & 1 != 0)

    def full(self, slot: N, row: N, cid: N) -> B:
        found = self._row(slot, row)
        return self._truth(found is not None and found.full >> self._value(cid) & 1 != 0)

    def chain_len(self, slot: N, row: N, cid: N) -> N:
        found = self._row(slot, row)
        index = self._value(cid)
        known = found is not None and 0 <= index < len(found.chain_len)
        return self._number(found.chain_len[index] if found is not None and known else 0)

    def true_length(self, slot: N, row: N, cid: N) -> N:
        found = self._row(slot, row)
        return self._number(0 if found is None else found.true_length.get(self._value(cid), 0))

    def is_object(self, est: N) -> B:
        return self._truth(self._value(est) in self._objects)

    def is_total(self, est: N) -> B:
        found = self._objects.get(self._value(est))
        return self._truth(found is not None and found.owner == "total")

    def ktid(self, est: N) -> N:
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktid)

    def ktrow(self, est: N) -> N:
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktrow)

    def ktcid(self, est: N) -> N:
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktcid)

    def times_listed(self, est: N) -> N:
        return self._number(len(self._places.get(self._value(est), ())))

    def on_temp_list(self, est: N) -> B:
        return self._truth(None in self._places.get(self._value(est), ()))

    def on_chain(self, est: N, slot: N, row: N, cid: N) -> B:
        places = self._places.get(self._value(est), ())
        place = self._value(slot), self._value(row), self._value(cid)
        return self._truth(place in places)

    def _every(self, domain: Iterable[int], body: Callable[[N], B]) -> B:
        number = self._number
        return self._algebra.every(body(number(one_number)) for one_number in domain)

    def _row(self, slot: N, row: N) -> TickRow | None:
        rows = self._rows.get(self._value(slot))
        return None if rows is None else rows.get(self._value(row))

    def _kinds_of(self, slot: N) -> RowKinds:
        index = self._value(slot)
        found = self._kinds.get(index)
        if found is None:
            found = self._kinds[index] = self._make_kinds(index)
        return found

    def _chains_of(self, slot: N, row: N) -> Kinds:
        return self._kinds_of(slot).chains[self._value(row)]

    def _make_kinds(self, slot: int) -> RowKinds:
        nticks, chains = self._params.nticks, self._params.tick_chains
        if not self._each_kind_once:
            return all_rows(nticks, chains)
        kd = self.kds.get(slot)
        context = self._contexts.get(slot)
        return kinds_of_rows(
            self._rows.get(slot, {}),
            0 if kd is None else kd.avail,
            () if context is None else context.tick_len,
            nticks,
            chains,
        )


def _length(row: TickRow | None) -> int:
    """Of all its chains together."""
    return 0 if row is None else sum(row.true_length.values())
