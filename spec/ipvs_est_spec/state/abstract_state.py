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
N = TypeVar("N")


class AbstractState(Protocol[B, N]):
    """One state of a netns' estimators."""

    @property
    def algebra(self) -> Algebra[B, N]:
        """The operations on what the functions answer."""
        ...

    @property
    def params(self) -> Params:
        """Geometry and configuration."""
        ...

    # What there is.
    def every_slot(self, body: Callable[[N], B]) -> B:
        """`body` holds for every slot below est_kt_count, holes included."""
        ...

    def every_row(self, slot: N, body: Callable[[N], B]) -> B:
        """`body` holds for every row of the slot."""
        ...

    def every_chain(self, slot: N, row: N, body: Callable[[N], B]) -> B:
        """`body` holds for every chain id of the row."""
        ...

    def every_estimator(self, body: Callable[[N], B]) -> B:
        """`body` holds for every estimator that is on a list or belongs to a live object."""
        ...

    def every_counter(self, body: Callable[[N, N], B]) -> B:
        """`body` holds for the last sum and the `kstats` of every counter of every live object."""
        ...

    # The netns.
    def enable(self) -> B:
        """`enable`."""
        ...

    def est_stopped(self) -> B:
        """`est_stopped`."""
        ...

    def est_kt_count(self) -> N:
        """`est_kt_count`."""
        ...

    def est_add_ktid(self) -> N:
        """`est_add_ktid`."""
        ...

    def est_max_threads(self) -> N:
        """`est_max_threads`."""
        ...

    def est_chain_max(self) -> N:
        """`est_chain_max`."""
        ...

    def est_calc_phase(self) -> B:
        """`est_calc_phase`."""
        ...

    def restart_pending(self) -> B:
        """est_genid and est_genid_done differ, or the reload work is pending or running."""
        ...

    def temp_length(self) -> N:
        """True length of est_temp_list."""
        ...

    def run_estimation(self) -> B:
        """The sysctl's value."""
        ...

    def cpulist_valid(self) -> B:
        """est_cpulist was written."""
        ...

    def kthread_cpus(self) -> N:
        """How many CPUs kthreads may use: the cpulist's, or those for housekeeping."""
        ...

    def contexts(self) -> N:
        """How many slots below est_kt_count have a kd."""
        ...

    # Contexts, by slot.
    def exists(self, slot: N) -> B:
        """The slot has a kd."""
        ...

    def running(self, slot: N) -> B:
        """kd's task is there and has not exited."""
        ...

    def task_freed(self, slot: N) -> B:
        """kd's `task` points to a task that is freed."""
        ...

    def task_stopping(self, slot: N) -> B:
        """kd's task was asked to stop; whoever did so holds a reference."""
        ...

    def est_count(self, slot: N) -> N:
        """`est_count`."""
        ...

    def est_max_count(self, slot: N) -> N:
        """`est_max_count`."""
        ...

    def chain_max(self, slot: N) -> N:
        """`chain_max`."""
        ...

    def tick_max(self, slot: N) -> N:
        """`tick_max`."""
        ...

    def est_row(self, slot: N) -> N:
        """`est_row`."""
        ...

    def kd_length(self, slot: N) -> N:
        """True length of all its chains together."""
        ...

    # Ticks and chains.
    def avail(self, slot: N, row: N) -> B:
        """The row's bit in `avail`."""
        ...

    def tick_len(self, slot: N, row: N) -> N:
        """`tick_len`."""
        ...

    def tick_exists(self, slot: N, row: N) -> B:
        """The row has a tick."""
        ...

    def tick_length(self, slot: N, row: N) -> N:
        """True length of all the row's chains together."""
        ...

    def present(self, slot: N, row: N, cid: N) -> B:
        """The chain's bit in `present`."""
        ...

    def full(self, slot: N, row: N, cid: N) -> B:
        """The chain's bit in `full`."""
        ...

    def chain_len(self, slot: N, row: N, cid: N) -> N:
        """`chain_len`."""
        ...

    def true_length(self, slot: N, row: N, cid: N) -> N:
        """True length of the chain."""
        ...

    # Estimators.
    def is_object(self, est: N) -> B:
        """It belongs to a stats object that its owner uses."""
        ...

    def is_total(self, est: N) -> B:
        """It is the netns total's."""
        ...

    def ktid(self, est: N) -> N:
        """`ktid`; -1 = on the temp list."""
        ...

    def ktrow(self, est: N) -> N:
        """`ktrow`."""
        ...

    def ktcid(self, est: N) -> N:
        """`ktcid`."""
        ...

    def times_listed(self, est: N) -> N:
        """How often it is found on all lists together."""
        ...

    def on_temp_list(self, est: N) -> B:
        """It is on est_temp_list."""
        ...

    def on_chain(self, est: N, slot: N, row: N, cid: N) -> B:
        """It is on that chain."""
        ...
