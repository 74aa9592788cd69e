"""What predicates may ask of a state.

Every function is total: for a slot, row, chain or estimator that does not exist it answers
0 or false, so that predicates guard with `exists` and its like. Lengths called true are
those of the lists themselves, counted by walking; the others are the kernel's own fields.

What a quantifier hands to a body is a name: a row only to ask the functions of ticks and
chains about, in its own slot, a chain id likewise, an estimator only to ask the functions of
estimators about. Its number means nothing else, so that rows, chains and estimators of which
all answers are the same need be asked but once. Slots are numbers.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra

B = TypeVar("B")
I = TypeVar("I")  # noqa: E741 - see algebra


class AbstractState(Protocol[B, I]):
    """One state of a netns' estimators."""

    @property
    def algebra(self) -> Algebra[B, I]:
        """The operations on what the functions answer."""
        ...

    @property
    def params(self) -> Params:
        """Geometry and configuration."""
        ...

    # What there is.
    def every_slot(self, body: Callable[[I], B]) -> B:
        """`body` holds for every slot below est_kt_count, holes included."""
        ...

    def every_row(self, slot: I, body: Callable[[I], B]) -> B:
        """`body` holds for every row of the slot."""
        ...

    def every_chain(self, slot: I, row: I, body: Callable[[I], B]) -> B:
        """`body` holds for every chain id of the row."""
        ...

    def every_estimator(self, body: Callable[[I], B]) -> B:
        """`body` holds for every estimator that is on a list or belongs to a live object."""
        ...

    def every_counter(self, body: Callable[[I, I], B]) -> B:
        """`body` holds for the last sum and the `kstats` of every counter of every live object."""
        ...

    def sum_slots(self, body: Callable[[I], I]) -> I:
        """The sum over all slots below est_kt_count, holes included."""
        ...

    def sum_rows(self, slot: I, body: Callable[[I], I]) -> I:
        """The sum over all rows of the slot."""
        ...

    def sum_chains(self, slot: I, row: I, body: Callable[[I], I]) -> I:
        """The sum over all chain ids of the row."""
        ...

    # The netns.
    def enable(self) -> B:
        """`enable`."""
        ...

    def est_stopped(self) -> B:
        """`est_stopped`."""
        ...

    def est_kt_count(self) -> I:
        """`est_kt_count`."""
        ...

    def est_add_ktid(self) -> I:
        """`est_add_ktid`."""
        ...

    def est_max_threads(self) -> I:
        """`est_max_threads`."""
        ...

    def est_chain_max(self) -> I:
        """`est_chain_max`."""
        ...

    def est_calc_phase(self) -> B:
        """`est_calc_phase`."""
        ...

    def restart_pending(self) -> B:
        """est_genid and est_genid_done differ, or the reload work is pending or running."""
        ...

    def temp_length(self) -> I:
        """True length of est_temp_list."""
        ...

    def run_estimation(self) -> B:
        """The sysctl's value."""
        ...

    def cpulist_valid(self) -> B:
        """est_cpulist was written."""
        ...

    def kthread_cpus(self) -> I:
        """How many CPUs kthreads may use: the cpulist's, or those for housekeeping."""
        ...

    # Contexts, by slot.
    def exists(self, slot: I) -> B:
        """The slot has a kd."""
        ...

    def running(self, slot: I) -> B:
        """kd's task is there and has not exited."""
        ...

    def task_freed(self, slot: I) -> B:
        """kd's `task` points to a task that is freed."""
        ...

    def task_stopping(self, slot: I) -> B:
        """kd's task was asked to stop; whoever did so holds a reference."""
        ...

    def est_count(self, slot: I) -> I:
        """`est_count`."""
        ...

    def est_max_count(self, slot: I) -> I:
        """`est_max_count`."""
        ...

    def chain_max(self, slot: I) -> I:
        """`chain_max`."""
        ...

    def tick_max(self, slot: I) -> I:
        """`tick_max`."""
        ...

    def est_row(self, slot: I) -> I:
        """`est_row`."""
        ...

    # Ticks and chains.
    def avail(self, slot: I, row: I) -> B:
        """The row's bit in `avail`."""
        ...

    def tick_len(self, slot: I, row: I) -> I:
        """`tick_len`."""
        ...

    def tick_exists(self, slot: I, row: I) -> B:
        """The row has a tick."""
        ...

    def present(self, slot: I, row: I, cid: I) -> B:
        """The chain's bit in `present`."""
        ...

    def full(self, slot: I, row: I, cid: I) -> B:
        """The chain's bit in `full`."""
        ...

    def chain_len(self, slot: I, row: I, cid: I) -> I:
        """`chain_len`."""
        ...

    def true_length(self, slot: I, row: I, cid: I) -> I:
        """True length of the chain."""
        ...

    # Estimators.
    def is_object(self, est: I) -> B:
        """It belongs to a stats object that its owner uses."""
        ...

    def is_total(self, est: I) -> B:
        """It is the netns total's."""
        ...

    def ktid(self, est: I) -> I:
        """`ktid`; -1 = on the temp list."""
        ...

    def ktrow(self, est: I) -> I:
        """`ktrow`."""
        ...

    def ktcid(self, est: I) -> I:
        """`ktcid`."""
        ...

    def times_listed(self, est: I) -> I:
        """How often it is found on all lists together."""
        ...

    def on_temp_list(self, est: I) -> B:
        """It is on est_temp_list."""
        ...

    def on_chain(self, est: I, slot: I, row: I, cid: I) -> B:
        """It is on that chain."""
        ...
