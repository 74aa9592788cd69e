"""The third reading of the properties: on a state of which not all is known.

Where a formula asks for what is absent there is no answer, and so no verdict. What it does not
ask for does not matter to it.
"""

from collections.abc import Callable, Mapping
from functools import partial as bound
from typing import cast

from ipvs_est_checks.partly_known.partial import Partial, is_absent
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.property import StateProperty
from ipvs_est_spec.state.abstract_state import AbstractState
from ipvs_est_spec.state.snapshot_state import snapshot_state

_LISTS = ("state.kthreads.ticks.chains", "state.temp")

NEEDED: Mapping[str, tuple[str, ...]] = {
    "enable": ("state.enable",),
    "est_stopped": ("state.stopped",),
    "est_kt_count": ("state.kt_count",),
    "est_add_ktid": ("state.add_ktid",),
    "est_max_threads": ("state.max_threads",),
    "est_chain_max": ("state.chain_max",),
    "est_calc_phase": ("state.calc_phase",),
    "restart_pending": ("state.genid", "state.genid_done", "work.pending", "work.running"),
    "temp_length": ("state.temp",),
    "run_estimation": ("sysctls.run_estimation",),
    "cpulist_valid": ("sysctls.cpulist",),
    "kthread_cpus": ("sysctls.cpulist",),
    "contexts": ("state.kthreads",),
    "exists": ("state.kthreads",),
    "running": ("state.kthreads.running",),
    "task_freed": ("contexts.task.life",),
    "task_stopping": ("contexts.task.should_stop",),
    "est_count": ("state.kthreads.est_count",),
    "est_max_count": ("state.kthreads.est_max_count",),
    "chain_max": ("state.kthreads.chain_max",),
    "tick_max": ("state.kthreads.tick_max",),
    "est_row": ("state.kthreads.est_row",),
    "kd_length": ("state.kthreads.ticks.chains",),
    "avail": ("state.kthreads.avail",),
    "tick_len": ("contexts.tick_len",),
    "tick_exists": ("state.kthreads.ticks",),
    "tick_length": ("state.kthreads.ticks.chains",),
    "present": ("state.kthreads.ticks.present",),
    "full": ("state.kthreads.ticks.full",),
    "chain_len": ("contexts.chain_len",),
    "true_length": ("state.kthreads.ticks.chains",),
    "is_object": ("objects.id",),
    "is_total": ("objects.owner",),
    "ktid": ("objects.ktid",),
    "ktrow": ("objects.ktrow",),
    "ktcid": ("objects.ktcid",),
    "times_listed": _LISTS,
    "on_temp_list": ("state.temp",),
    "on_chain": ("state.kthreads.ticks.chains",),
    "every_slot": ("state.kthreads",),
    "every_row": ("state.kthreads",),
    "every_chain": ("state.kthreads",),
    "every_estimator": ("objects.id", *_LISTS),
    "every_counter": ("objects.last", "objects.kstats"),
}
"""By what an abstract state is asked: members of the snapshot that the answer depends on."""


class AbsentError(Exception):
    """A formula asks for what is not known; the text is its path."""


class _Known:
    """A state that answers only what is known."""

    def __init__(self, state: AbstractState[bool, int], partial: Partial) -> None:
        self._state = state
        self._partial = partial

    def __getattr__(self, name: str) -> object:
        for path in NEEDED.get(name, ()):
            if is_absent(self._partial, path):
                raise AbsentError(path)
        asked: object = getattr(self._state, name)
        return asked


def judged_by(partial: Partial) -> Callable[[StateProperty], bool]:
    """Tells whether a property holds in the state; raises AbsentError where that is not known."""
    state = snapshot_state(PythonAlgebra(), partial.snapshot.params, partial.snapshot)
    # It answers all that an abstract state is asked: `__getattr__` hands it on.
    return bound(_holds, cast("AbstractState[bool, int]", _Known(state, partial)))


def _holds(state: AbstractState[bool, int], judged: StateProperty) -> bool:
    return judged.predicate(state)
