"""A state, as predicates ask of it and as steps change it: the one declaration of its fields.

A snapshot is made one by `snapshot_state`; the proofs make one of symbols, of which nothing is
known, and say with `dataclasses.replace` what a step changes.

Every function is total: for a slot, row, chain or estimator that does not exist it answers
0 or false, so that predicates guard with `exists` and its like. Lengths called true are
those of the lists themselves, counted by walking; the others are the kernel's own fields.

What a quantifier hands to a body is a name: a row only to ask the functions of ticks and
chains about, in its own slot, a chain id likewise, an estimator only to ask the functions of
estimators about. Its number means nothing else, so that rows, chains and estimators of which
all answers are the same need be asked but once. Slots are numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra

B = TypeVar("B")
N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class AbstractState(Generic[B, N]):
    """One state of a netns' estimators."""

    algebra: Algebra[B, N]
    """The operations on what the functions answer."""
    params: Params
    """Geometry and configuration."""
    domains: "Domains[B, N]"
    """What the quantifiers range over."""

    # The netns.
    enable: B
    """`enable`."""
    est_stopped: B
    """`est_stopped`."""
    est_kt_count: N
    """`est_kt_count`."""
    est_add_ktid: N
    """`est_add_ktid`."""
    est_max_threads: N
    """`est_max_threads`."""
    est_chain_max: N
    """`est_chain_max`."""
    est_calc_phase: B
    """`est_calc_phase`."""
    restart_pending: Callable[[], B]
    """est_genid and est_genid_done differ, or the reload work is pending or running.
    Asked, not kept: the proofs' states have none."""
    temp_length: N
    """True length of est_temp_list."""
    run_estimation: B
    """The sysctl's value."""
    cpulist_valid: B
    """est_cpulist was written."""
    kthread_cpus: N
    """How many CPUs kthreads may use: the cpulist's, or those for housekeeping."""
    contexts: N
    """How many slots below est_kt_count have a kd."""

    # Contexts, by slot.
    exists: Callable[[N], B]
    """The slot has a kd."""
    running: Callable[[N], B]
    """kd's task is there and has not exited."""
    task_freed: Callable[[N], B]
    """kd's `task` points to a task that is freed."""
    task_stopping: Callable[[N], B]
    """kd's task was asked to stop; whoever did so holds a reference."""
    est_count: Callable[[N], N]
    """`est_count`."""
    est_max_count: Callable[[N], N]
    """`est_max_count`."""
    chain_max: Callable[[N], N]
    """`chain_max`."""
    tick_max: Callable[[N], N]
    """`tick_max`."""
    est_row: Callable[[N], N]
    """`est_row`."""
    kd_length: Callable[[N], N]
    """True length of all its chains together."""

    # Ticks and chains.
    avail: Callable[[N, N], B]
    """The row's bit in `avail`."""
    tick_len: Callable[[N, N], N]
    """`tick_len`."""
    tick_exists: Callable[[N, N], B]
    """The row has a tick."""
    tick_length: Callable[[N, N], N]
    """True length of all the row's chains together."""
    present: Callable[[N, N, N], B]
    """The chain's bit in `present`."""
    full: Callable[[N, N, N], B]
    """The chain's bit in `full`."""
    chain_len: Callable[[N, N, N], N]
    """`chain_len`."""
    true_length: Callable[[N, N, N], N]
    """True length of the chain."""

    # Estimators.
    is_object: Callable[[N], B]
    """It belongs to a stats object that its owner uses."""
    is_total: Callable[[N], B]
    """It is the netns total's."""
    ktid: Callable[[N], N]
    """`ktid`; -1 = on the temp list."""
    ktrow: Callable[[N], N]
    """`ktrow`."""
    ktcid: Callable[[N], N]
    """`ktcid`."""
    times_listed: Callable[[N], N]
    """How often it is found on all lists together."""
    on_temp_list: Callable[[N], B]
    """It is on est_temp_list."""
    on_chain: Callable[[N, N, N, N], B]
    """It is on that chain."""

    def every_slot(self, body: Callable[[N], B]) -> B:
        """`body` holds for every slot below est_kt_count, holes included."""
        return self.domains.slots(self, body)

    def every_row(self, slot: N, body: Callable[[N], B]) -> B:
        """`body` holds for every row of the slot."""
        return self.domains.rows(self, slot, body)

    def every_chain(self, slot: N, row: N, body: Callable[[N], B]) -> B:
        """`body` holds for every chain id of the row."""
        return self.domains.chains(self, slot, row, body)

    def every_estimator(self, body: Callable[[N], B]) -> B:
        """`body` holds for every estimator that is on a list or belongs to a live object."""
        return self.domains.estimators(self, body)

    def every_counter(self, body: Callable[[N, N], B]) -> B:
        """`body` holds for the last sum and the `kstats` of every counter of every live object."""
        return self.domains.counters(self, body)


class Domains(Protocol[B, N]):
    """What there is in an interpretation; `every_slot` and its like say what each has to cover."""

    def slots(self, state: AbstractState[B, N], body: Callable[[N], B], /) -> B:
        """`every_slot`."""
        ...

    def rows(self, state: AbstractState[B, N], slot: N, body: Callable[[N], B], /) -> B:
        """`every_row`."""
        ...

    def chains(self, state: AbstractState[B, N], slot: N, row: N, body: Callable[[N], B], /) -> B:
        """`every_chain`."""
        ...

    def estimators(self, state: AbstractState[B, N], body: Callable[[N], B], /) -> B:
        """`every_estimator`."""
        ...

    def counters(self, state: AbstractState[B, N], body: Callable[[N, N], B], /) -> B:
        """`every_counter`."""
        ...
