"""The abstract state that a `Snapshot` is, over any algebra with constants."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ipvs_est.answers.snapshot import Snapshot
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import ConcreteAlgebra
from ipvs_est_spec.state.snapshot_rows import Kinds, Row, RowKinds, all_rows, kinds_of_rows

B = TypeVar("B")
N = TypeVar("N")

_Chain = tuple[int, int, int]
"""Slot, row, chain id."""


class SnapshotState(Generic[B, N]):
    """Reads one snapshot; implements `AbstractState`.

    With `each_kind_once`, of rows, chains and counters that look the same one is asked for all.
    """

    def __init__(
        self,
        algebra: ConcreteAlgebra[B, N],
        params: Params,
        snapshot: Snapshot,
        *,
        each_kind_once: bool = True,
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
        self._objects = {each.id: each for each in snapshot.objects}
        self._kds = {slot: kd for slot, kd in enumerate(snapshot.state.kthreads) if kd is not None}
        self._contexts = {
            slot: each for slot, each in enumerate(snapshot.contexts) if each is not None
        }
        self._places: dict[int, list[_Chain | None]] = {}
        for est in snapshot.state.temp:
            self._places.setdefault(est, []).append(None)
        self._rows: dict[int, dict[int, Row]] = {}
        self._kinds: dict[int, RowKinds] = {}
        for slot, kd in self._kds.items():
            self._rows[slot] = rows = {}
            for tick in kd.ticks:
                row = rows[tick.row] = Row(tick=True, present=tick.present, full=tick.full)
                for cid, ids in tick.chains:
                    row.true_length[cid] = len(ids)
                    place = (slot, tick.row, cid)
                    for est in ids:
                        self._places.setdefault(est, []).append(place)
            context = self._contexts.get(slot)
            if context is not None:
                for index, lengths in context.chain_len:
                    if index not in rows:
                        rows[index] = Row()
                    rows[index].chain_len = lengths

    @property
    def algebra(self) -> ConcreteAlgebra[B, N]:
        """The operations on what the functions answer."""
        return self._algebra

    @property
    def params(self) -> Params:
        """Geometry and configuration."""
        return self._params

    def every_slot(self, body: Callable[[N], B]) -> B:
        """`body` holds for every slot below est_kt_count, holes included."""
        return self._every(range(len(self._state.kthreads)), body)

    def every_row(self, slot: N, body: Callable[[N], B]) -> B:
        """`body` holds for every row of the slot."""
        return self._every((row for row, _ in self._kinds_of(slot).rows), body)

    def every_chain(self, slot: N, row: N, body: Callable[[N], B]) -> B:
        """`body` holds for every chain id of the row."""
        return self._every((cid for cid, _ in self._chains_of(slot, row)), body)

    def every_estimator(self, body: Callable[[N], B]) -> B:
        """`body` holds for every estimator that is on a list or belongs to a live object."""
        return self._every(sorted(self._objects.keys() | self._places.keys()), body)

    def every_counter(self, body: Callable[[N, N], B]) -> B:
        """`body` holds for the last sum and the `kstats` of every counter of every live object."""
        number = self._number
        pairs: Iterable[tuple[int, int]] = [
            pair
            for each in self._objects.values()
            for pair in zip(each.last, each.kstats, strict=True)
        ]
        if self._each_kind_once:
            pairs = set(pairs)
        return self._algebra.every(body(number(last), number(kstats)) for last, kstats in pairs)

    def enable(self) -> B:
        """`enable`."""
        return self._truth(self._state.enable != 0)

    def est_stopped(self) -> B:
        """`est_stopped`."""
        return self._truth(self._state.stopped != 0)

    def est_kt_count(self) -> N:
        """`est_kt_count`."""
        return self._number(self._state.kt_count)

    def est_add_ktid(self) -> N:
        """`est_add_ktid`."""
        return self._number(self._state.add_ktid)

    def est_max_threads(self) -> N:
        """`est_max_threads`."""
        return self._number(self._state.max_threads)

    def est_chain_max(self) -> N:
        """`est_chain_max`."""
        return self._number(self._state.chain_max)

    def est_calc_phase(self) -> B:
        """`est_calc_phase`."""
        return self._truth(self._state.calc_phase != 0)

    def restart_pending(self) -> B:
        """est_genid and est_genid_done differ, or the reload work is pending or running."""
        work = self._snapshot.work
        behind = self._state.genid != self._state.genid_done
        return self._truth(behind or work.pending or work.running)

    def temp_length(self) -> N:
        """True length of est_temp_list."""
        return self._number(len(self._state.temp))

    def run_estimation(self) -> B:
        """The sysctl's value."""
        return self._truth(self._snapshot.sysctls.run_estimation != 0)

    def cpulist_valid(self) -> B:
        """est_cpulist was written."""
        return self._truth(self._snapshot.sysctls.cpulist is not None)

    def kthread_cpus(self) -> N:
        """How many CPUs kthreads may use: the cpulist's, or those for housekeeping."""
        cpulist = self._snapshot.sysctls.cpulist
        return self._number(len(self._params.kthread_cpus if cpulist is None else cpulist))

    def contexts(self) -> N:
        """How many slots below est_kt_count have a kd."""
        return self._number(len(self._kds))

    def exists(self, slot: N) -> B:
        """The slot has a kd."""
        return self._truth(self._value(slot) in self._kds)

    def running(self, slot: N) -> B:
        """kd's task is there and has not exited."""
        kd = self._kds.get(self._value(slot))
        return self._truth(kd is not None and kd.running)

    def task_freed(self, slot: N) -> B:
        """kd's `task` points to a task that is freed."""
        context = self._contexts.get(self._value(slot))
        task = None if context is None else context.task
        return self._truth(task is not None and task.life == "freed")

    def task_stopping(self, slot: N) -> B:
        """kd's task was asked to stop; whoever did so holds a reference."""
        context = self._contexts.get(self._value(slot))
        task = None if context is None else context.task
        return self._truth(task is not None and task.should_stop)

    def est_count(self, slot: N) -> N:
        """`est_count`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_count)

    def est_max_count(self, slot: N) -> N:
        """`est_max_count`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_max_count)

    def chain_max(self, slot: N) -> N:
        """`chain_max`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.chain_max)

    def tick_max(self, slot: N) -> N:
        """`tick_max`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.tick_max)

    def est_row(self, slot: N) -> N:
        """`est_row`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_row)

    def kd_length(self, slot: N) -> N:
        """True length of all its chains together."""
        rows = self._rows.get(self._value(slot), {})
        return self._number(sum(_length(each) for each in rows.values()))

    def avail(self, slot: N, row: N) -> B:
        """The row's bit in `avail`."""
        kd = self._kds.get(self._value(slot))
        return self._truth(kd is not None and kd.avail >> self._value(row) & 1 != 0)

    def tick_len(self, slot: N, row: N) -> N:
        """`tick_len`."""
        context = self._contexts.get(self._value(slot))
        index = self._value(row)
        known = context is not None and 0 <= index < len(context.tick_len)
        return self._number(context.tick_len[index] if context is not None and known else 0)

    def tick_exists(self, slot: N, row: N) -> B:
        """The row has a tick."""
        found = self._row(slot, row)
        return self._truth(found is not None and found.tick)

    def tick_length(self, slot: N, row: N) -> N:
        """True length of all the row's chains together."""
        return self._number(_length(self._row(slot, row)))

    def present(self, slot: N, row: N, cid: N) -> B:
        """The chain's bit in `present`."""
        found = self._row(slot, row)
        return self._truth(found is not None and found.present >> self._value(cid) & 1 != 0)

    def full(self, slot: N, row: N, cid: N) -> B:
        """The chain's bit in `full`."""
        found = self._row(slot, row)
        return self._truth(found is not None and found.full >> self._value(cid) & 1 != 0)

    def chain_len(self, slot: N, row: N, cid: N) -> N:
        """`chain_len`."""
        found = self._row(slot, row)
        index = self._value(cid)
        known = found is not None and 0 <= index < len(found.chain_len)
        return self._number(found.chain_len[index] if found is not None and known else 0)

    def true_length(self, slot: N, row: N, cid: N) -> N:
        """True length of the chain."""
        found = self._row(slot, row)
        return self._number(0 if found is None else found.true_length.get(self._value(cid), 0))

    def is_object(self, est: N) -> B:
        """It belongs to a stats object that its owner uses."""
        return self._truth(self._value(est) in self._objects)

    def is_total(self, est: N) -> B:
        """It is the netns total's."""
        found = self._objects.get(self._value(est))
        return self._truth(found is not None and found.owner == "total")

    def ktid(self, est: N) -> N:
        """`ktid`; -1 = on the temp list."""
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktid)

    def ktrow(self, est: N) -> N:
        """`ktrow`."""
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktrow)

    def ktcid(self, est: N) -> N:
        """`ktcid`."""
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktcid)

    def times_listed(self, est: N) -> N:
        """How often it is found on all lists together."""
        return self._number(len(self._places.get(self._value(est), ())))

    def on_temp_list(self, est: N) -> B:
        """It is on est_temp_list."""
        return self._truth(None in self._places.get(self._value(est), ()))

    def on_chain(self, est: N, slot: N, row: N, cid: N) -> B:
        """It is on that chain."""
        places = self._places.get(self._value(est), ())
        place = self._value(slot), self._value(row), self._value(cid)
        return self._truth(place in places)

    def _every(self, domain: Iterable[int], body: Callable[[N], B]) -> B:
        number = self._number
        return self._algebra.every(body(number(each)) for each in domain)

    def _row(self, slot: N, row: N) -> Row | None:
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
        kd = self._kds.get(slot)
        context = self._contexts.get(slot)
        return kinds_of_rows(
            self._rows.get(slot, {}),
            0 if kd is None else kd.avail,
            () if context is None else context.tick_len,
            nticks,
            chains,
        )


def _length(row: Row | None) -> int:
    """Of all its chains together."""
    return 0 if row is None else sum(row.true_length.values())
