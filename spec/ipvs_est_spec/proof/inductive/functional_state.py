"""A state as functions, so that a step can say what changes and what does not.

Written over any algebra: over Python's numbers it is a snapshot or what a step makes of one, over
formulas it is any state at all. The catalogue's predicates read both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, Protocol, TypeVar

from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra

B = TypeVar("B")
N = TypeVar("N")


class Quantifiers(Protocol[B, N]):
    """How an algebra says that something holds for all; the bodies say for which."""

    def slots(self, body: Callable[[N], B]) -> B:
        """For every slot number."""
        ...

    def rows(self, slot: N, body: Callable[[N], B]) -> B:
        """For every row number."""
        ...

    def chains(self, slot: N, row: N, body: Callable[[N], B]) -> B:
        """For every chain id."""
        ...

    def estimators(self, body: Callable[[N], B]) -> B:
        """For every estimator there is."""
        ...


@dataclass(frozen=True, slots=True)
class Fields(Generic[B, N]):
    """All that the predicates of place, counts, bitmaps, limits and array ask; see
    `AbstractState` for what each answers. Total: 0 or false for what does not exist."""

    enable: B
    est_stopped: B
    est_calc_phase: B
    run_estimation: B
    cpulist_valid: B
    est_kt_count: N
    est_add_ktid: N
    est_max_threads: N
    est_chain_max: N
    temp_length: N
    kthread_cpus: N
    contexts: N
    """How many slots have a kd."""
    exists: Callable[[N], B]
    est_count: Callable[[N], N]
    est_max_count: Callable[[N], N]
    chain_max: Callable[[N], N]
    tick_max: Callable[[N], N]
    est_row: Callable[[N], N]
    kd_length: Callable[[N], N]
    """The sum of `tick_length` over the slot's rows."""
    avail: Callable[[N, N], B]
    tick_exists: Callable[[N, N], B]
    tick_len: Callable[[N, N], N]
    tick_length: Callable[[N, N], N]
    """The sum of `true_length` over the row's chains."""
    present: Callable[[N, N, N], B]
    full: Callable[[N, N, N], B]
    chain_len: Callable[[N, N, N], N]
    true_length: Callable[[N, N, N], N]
    is_object: Callable[[N], B]
    is_total: Callable[[N], B]
    ktid: Callable[[N], N]
    ktrow: Callable[[N], N]
    ktcid: Callable[[N], N]
    times_listed: Callable[[N], N]
    on_temp_list: Callable[[N], B]
    on_chain: Callable[[N, N, N, N], B]


class FunctionalState(Generic[B, N]):
    """One state; implements `AbstractState`, but for what its fields leave out."""

    def __init__(
        self,
        algebra: Algebra[B, N],
        quantifiers: Quantifiers[B, N],
        params: Params,
        fields: Fields[B, N],
    ) -> None:
        self._algebra = algebra
        self._quantifiers = quantifiers
        self._params = params
        self.fields = fields

    @property
    def algebra(self) -> Algebra[B, N]:
        """The operations on what the functions answer."""
        return self._algebra

    @property
    def params(self) -> Params:
        """Geometry and configuration."""
        return self._params

    def with_fields(self, fields: Fields[B, N]) -> "FunctionalState[B, N]":
        """Another state of the same netns."""
        return FunctionalState(self._algebra, self._quantifiers, self._params, fields)

    # What there is.
    def every_slot(self, body: Callable[[N], B]) -> B:
        """`body` holds for every slot below est_kt_count, holes included."""
        count = self.fields.est_kt_count
        return self._quantifiers.slots(
            lambda slot: self._algebra.implies(self._below(slot, count), body(slot))
        )

    def every_row(self, slot: N, body: Callable[[N], B]) -> B:
        """`body` holds for every row of the slot."""
        count = self._algebra.number(self._params.nticks)
        return self._quantifiers.rows(
            slot, lambda row: self._algebra.implies(self._below(row, count), body(row))
        )

    def every_chain(self, slot: N, row: N, body: Callable[[N], B]) -> B:
        """`body` holds for every chain id of the row."""
        count = self._algebra.number(self._params.tick_chains)
        return self._quantifiers.chains(
            slot, row, lambda cid: self._algebra.implies(self._below(cid, count), body(cid))
        )

    def every_estimator(self, body: Callable[[N], B]) -> B:
        """`body` holds for every estimator that is on a list or belongs to a live object."""
        a = self._algebra
        return self._quantifiers.estimators(
            lambda est: a.implies(
                a.either(self.is_object(est), a.less(a.number(0), self.times_listed(est))),
                body(est),
            )
        )

    def every_counter(self, body: Callable[[N, N], B]) -> B:
        """Not among the fields."""
        _left_out("counters")

    def _below(self, number: N, count: N) -> B:
        a = self._algebra
        return a.both(a.at_most(a.number(0), number), a.less(number, count))

    # The netns.
    def enable(self) -> B:
        """`enable`."""
        return self.fields.enable

    def est_stopped(self) -> B:
        """`est_stopped`."""
        return self.fields.est_stopped

    def est_kt_count(self) -> N:
        """`est_kt_count`."""
        return self.fields.est_kt_count

    def est_add_ktid(self) -> N:
        """`est_add_ktid`."""
        return self.fields.est_add_ktid

    def est_max_threads(self) -> N:
        """`est_max_threads`."""
        return self.fields.est_max_threads

    def est_chain_max(self) -> N:
        """`est_chain_max`."""
        return self.fields.est_chain_max

    def est_calc_phase(self) -> B:
        """`est_calc_phase`."""
        return self.fields.est_calc_phase

    def restart_pending(self) -> B:
        """Not among the fields."""
        _left_out("genids")

    def temp_length(self) -> N:
        """True length of est_temp_list."""
        return self.fields.temp_length

    def run_estimation(self) -> B:
        """The sysctl's value."""
        return self.fields.run_estimation

    def cpulist_valid(self) -> B:
        """est_cpulist was written."""
        return self.fields.cpulist_valid

    def kthread_cpus(self) -> N:
        """How many CPUs kthreads may use."""
        return self.fields.kthread_cpus

    def contexts(self) -> N:
        """How many slots have a kd."""
        return self.fields.contexts

    # Contexts, by slot.
    def exists(self, slot: N) -> B:
        """The slot has a kd."""
        return self.fields.exists(slot)

    def running(self, slot: N) -> B:
        """Not among the fields."""
        _left_out("tasks")

    def task_freed(self, slot: N) -> B:
        """Not among the fields."""
        _left_out("tasks")

    def task_stopping(self, slot: N) -> B:
        """Not among the fields."""
        _left_out("tasks")

    def est_count(self, slot: N) -> N:
        """`est_count`."""
        return self.fields.est_count(slot)

    def est_max_count(self, slot: N) -> N:
        """`est_max_count`."""
        return self.fields.est_max_count(slot)

    def chain_max(self, slot: N) -> N:
        """`chain_max`."""
        return self.fields.chain_max(slot)

    def tick_max(self, slot: N) -> N:
        """`tick_max`."""
        return self.fields.tick_max(slot)

    def est_row(self, slot: N) -> N:
        """`est_row`."""
        return self.fields.est_row(slot)

    def kd_length(self, slot: N) -> N:
        """True length of all its chains together."""
        return self.fields.kd_length(slot)

    # Ticks and chains.
    def avail(self, slot: N, row: N) -> B:
        """The row's bit in `avail`."""
        return self.fields.avail(slot, row)

    def tick_len(self, slot: N, row: N) -> N:
        """`tick_len`."""
        return self.fields.tick_len(slot, row)

    def tick_exists(self, slot: N, row: N) -> B:
        """The row has a tick."""
        return self.fields.tick_exists(slot, row)

    def tick_length(self, slot: N, row: N) -> N:
        """True length of all the row's chains together."""
        return self.fields.tick_length(slot, row)

    def present(self, slot: N, row: N, cid: N) -> B:
        """The chain's bit in `present`."""
        return self.fields.present(slot, row, cid)

    def full(self, slot: N, row: N, cid: N) -> B:
        """The chain's bit in `full`."""
        return self.fields.full(slot, row, cid)

    def chain_len(self, slot: N, row: N, cid: N) -> N:
        """`chain_len`."""
        return self.fields.chain_len(slot, row, cid)

    def true_length(self, slot: N, row: N, cid: N) -> N:
        """True length of the chain."""
        return self.fields.true_length(slot, row, cid)

    # Estimators.
    def is_object(self, est: N) -> B:
        """It belongs to a stats object that its owner uses."""
        return self.fields.is_object(est)

    def is_total(self, est: N) -> B:
        """It is the netns total's."""
        return self.fields.is_total(est)

    def ktid(self, est: N) -> N:
        """`ktid`; -1 = on the temp list."""
        return self.fields.ktid(est)

    def ktrow(self, est: N) -> N:
        """`ktrow`."""
        return self.fields.ktrow(est)

    def ktcid(self, est: N) -> N:
        """`ktcid`."""
        return self.fields.ktcid(est)

    def times_listed(self, est: N) -> N:
        """How often it is found on all lists together."""
        return self.fields.times_listed(est)

    def on_temp_list(self, est: N) -> B:
        """It is on est_temp_list."""
        return self.fields.on_temp_list(est)

    def on_chain(self, est: N, slot: N, row: N, cid: N) -> B:
        """It is on that chain."""
        return self.fields.on_chain(est, slot, row, cid)


def _left_out(what: str) -> NoReturn:
    raise ValueError(f"a state of these proofs has no {what}")
