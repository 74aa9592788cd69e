"""The abstract state that a `Snapshot` is, over any algebra with constants."""

from collections.abc import Callable
from typing import Generic, TypeVar

from ipvs_est.params import Params
from ipvs_est.snapshot import Snapshot
from ipvs_est_spec.algebra import ConcreteAlgebra

B = TypeVar("B")
I = TypeVar("I")  # noqa: E741 - see algebra

_Chain = tuple[int, int, int]
"""Slot, row, chain id."""


class SnapshotState(Generic[B, I]):
    """Reads one snapshot; implements `AbstractState`."""

    def __init__(self, algebra: ConcreteAlgebra[B, I], params: Params, snapshot: Snapshot) -> None:
        self._algebra = algebra
        self._params = params
        self._snapshot = snapshot
        self._state = snapshot.state
        self._objects = {each.id: each for each in snapshot.objects}
        self._kds = {slot: kd for slot, kd in enumerate(snapshot.state.kthreads) if kd is not None}
        self._contexts = {
            slot: each for slot, each in enumerate(snapshot.contexts) if each is not None
        }
        self._ticks = {
            (slot, tick.row): tick for slot, kd in self._kds.items() for tick in kd.ticks
        }
        self._chain_len: dict[_Chain, int] = {}
        for slot, context in self._contexts.items():
            for row, lengths in context.chain_len:
                for cid, length in enumerate(lengths):
                    self._chain_len[slot, row, cid] = length
        self._true_length: dict[_Chain, int] = {}
        self._places: dict[int, list[_Chain | None]] = {}
        for est in snapshot.state.temp:
            self._places.setdefault(est, []).append(None)
        for (slot, row), tick in self._ticks.items():
            for cid, ids in tick.chains:
                self._true_length[slot, row, cid] = len(ids)
                for est in ids:
                    self._places.setdefault(est, []).append((slot, row, cid))

    @property
    def algebra(self) -> ConcreteAlgebra[B, I]:
        """The operations on what the functions answer."""
        return self._algebra

    @property
    def params(self) -> Params:
        """Geometry and configuration."""
        return self._params

    def every_slot(self, body: Callable[[I], B]) -> B:
        """`body` holds for every slot below est_kt_count, holes included."""
        return self._every(range(len(self._state.kthreads)), body)

    def every_row(self, body: Callable[[I], B]) -> B:
        """`body` holds for every row."""
        return self._every(range(self._params.nticks), body)

    def every_chain(self, body: Callable[[I], B]) -> B:
        """`body` holds for every chain id."""
        return self._every(range(self._params.tick_chains), body)

    def every_estimator(self, body: Callable[[I], B]) -> B:
        """`body` holds for every estimator that is on a list or belongs to a live object."""
        return self._every(sorted(self._objects.keys() | self._places.keys()), body)

    def sum_chains(self, body: Callable[[I], I]) -> I:
        """The sum over all chain ids."""
        return self._sum(range(self._params.tick_chains), body)

    def sum_rows(self, body: Callable[[I], I]) -> I:
        """The sum over all rows."""
        return self._sum(range(self._params.nticks), body)

    def enable(self) -> B:
        """`enable`."""
        return self._truth(self._state.enable != 0)

    def est_stopped(self) -> B:
        """`est_stopped`."""
        return self._truth(self._state.stopped != 0)

    def est_kt_count(self) -> I:
        """`est_kt_count`."""
        return self._number(self._state.kt_count)

    def est_add_ktid(self) -> I:
        """`est_add_ktid`."""
        return self._number(self._state.add_ktid)

    def est_max_threads(self) -> I:
        """`est_max_threads`."""
        return self._number(self._state.max_threads)

    def est_chain_max(self) -> I:
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

    def temp_length(self) -> I:
        """True length of est_temp_list."""
        return self._number(len(self._state.temp))

    def run_estimation(self) -> B:
        """The sysctl's value."""
        return self._truth(self._snapshot.sysctls.run_estimation)

    def cpulist_valid(self) -> B:
        """est_cpulist was written."""
        return self._truth(self._snapshot.sysctls.cpulist is not None)

    def kthread_cpus(self) -> I:
        """How many CPUs kthreads may use: the cpulist's, or those for housekeeping."""
        cpulist = self._snapshot.sysctls.cpulist
        return self._number(len(self._params.kthread_cpus if cpulist is None else cpulist))

    def exists(self, slot: I) -> B:
        """The slot has a kd."""
        return self._truth(self._value(slot) in self._kds)

    def running(self, slot: I) -> B:
        """kd's task is there and has not exited."""
        kd = self._kds.get(self._value(slot))
        return self._truth(kd is not None and kd.running)

    def est_count(self, slot: I) -> I:
        """`est_count`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_count)

    def est_max_count(self, slot: I) -> I:
        """`est_max_count`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_max_count)

    def chain_max(self, slot: I) -> I:
        """`chain_max`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.chain_max)

    def tick_max(self, slot: I) -> I:
        """`tick_max`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.tick_max)

    def est_row(self, slot: I) -> I:
        """`est_row`."""
        kd = self._kds.get(self._value(slot))
        return self._number(0 if kd is None else kd.est_row)

    def avail(self, slot: I, row: I) -> B:
        """The row's bit in `avail`."""
        kd = self._kds.get(self._value(slot))
        return self._truth(kd is not None and kd.avail >> self._value(row) & 1 != 0)

    def tick_len(self, slot: I, row: I) -> I:
        """`tick_len`."""
        context = self._contexts.get(self._value(slot))
        index = self._value(row)
        known = context is not None and 0 <= index < len(context.tick_len)
        return self._number(context.tick_len[index] if context is not None and known else 0)

    def tick_exists(self, slot: I, row: I) -> B:
        """The row has a tick."""
        return self._truth((self._value(slot), self._value(row)) in self._ticks)

    def present(self, slot: I, row: I, cid: I) -> B:
        """The chain's bit in `present`."""
        tick = self._ticks.get((self._value(slot), self._value(row)))
        return self._truth(tick is not None and tick.present >> self._value(cid) & 1 != 0)

    def full(self, slot: I, row: I, cid: I) -> B:
        """The chain's bit in `full`."""
        tick = self._ticks.get((self._value(slot), self._value(row)))
        return self._truth(tick is not None and tick.full >> self._value(cid) & 1 != 0)

    def chain_len(self, slot: I, row: I, cid: I) -> I:
        """`chain_len`."""
        return self._number(self._chain_len.get(self._chain(slot, row, cid), 0))

    def true_length(self, slot: I, row: I, cid: I) -> I:
        """True length of the chain."""
        return self._number(self._true_length.get(self._chain(slot, row, cid), 0))

    def is_object(self, est: I) -> B:
        """It belongs to a stats object that its owner uses."""
        return self._truth(self._value(est) in self._objects)

    def is_total(self, est: I) -> B:
        """It is the netns total's."""
        found = self._objects.get(self._value(est))
        return self._truth(found is not None and found.owner == "total")

    def ktid(self, est: I) -> I:
        """`ktid`; -1 = on the temp list."""
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktid)

    def ktrow(self, est: I) -> I:
        """`ktrow`."""
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktrow)

    def ktcid(self, est: I) -> I:
        """`ktcid`."""
        found = self._objects.get(self._value(est))
        return self._number(0 if found is None else found.ktcid)

    def times_listed(self, est: I) -> I:
        """How often it is found on all lists together."""
        return self._number(len(self._places.get(self._value(est), ())))

    def on_temp_list(self, est: I) -> B:
        """It is on est_temp_list."""
        return self._truth(None in self._places.get(self._value(est), ()))

    def on_chain(self, est: I, slot: I, row: I, cid: I) -> B:
        """It is on that chain."""
        places = self._places.get(self._value(est), ())
        return self._truth(self._chain(slot, row, cid) in places)

    def _every(self, domain: "range | list[int]", body: Callable[[I], B]) -> B:
        return self._algebra.both(*[body(self._number(each)) for each in domain])

    def _sum(self, domain: range, body: Callable[[I], I]) -> I:
        return self._algebra.plus(*[body(self._number(each)) for each in domain])

    def _number(self, value: int) -> I:
        return self._algebra.number(value)

    def _truth(self, value: bool) -> B:
        return self._algebra.truth(value)

    def _value(self, term: I) -> int:
        return self._algebra.value(term)

    def _chain(self, slot: I, row: I, cid: I) -> _Chain:
        return self._value(slot), self._value(row), self._value(cid)
