"""The steps of the induction, taken by the model's own functions."""

from collections.abc import Callable, Generator
from typing import TypeVar

from ipvs_est.control.estimator_objects import enable_estimation, stop_object
from ipvs_est.control.netns_life import cleanup_estimators, disable
from ipvs_est.control.sysctl import set_cpulist, set_run_estimation
from ipvs_est.estimator import calc_phase
from ipvs_est.estimator.contexts import add_kthread_context
from ipvs_est.estimator.drain import drain_temp_list
from ipvs_est.estimator.kthread import estimation_kthread
from ipvs_est.estimator.start_stop import start_estimator
from ipvs_est.machine.memory import fail_allocations
from ipvs_est.machine.points import READ_CALC_PHASE, FieldAccess, Lock, Point, Unlock
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine
from ipvs_est.state.netns import context_at, usable_context
from ipvs_est.state.stats import StatsObject
from ipvs_est_spec.proof.inductive.concrete import Concrete

T = TypeVar("T")

NO_MEMORY = "no memory for a tick of the new kd"
"""A case of the step `drain`."""


def take(machine: Machine, step: str, case: str, state: Concrete) -> None:
    """Take the step in a machine that was loaded with the state. Nobody else runs."""
    machine.interleaved = True
    _STEPS[step](machine, case, state)


def _done(machine: Machine, body: Generator[Point, None, T]) -> T:
    """Run to the end what never has to wait."""
    task = Task(name="replay")
    while True:
        try:
            point = next(body)
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(point, Lock):
            assert point.mutex.owner is None
            point.mutex.owner = task
        elif isinstance(point, Unlock):
            point.mutex.owner = None


def _stats(machine: Machine, state: Concrete) -> StatsObject:
    return machine.objects[state.inputs.est]


def _start(machine: Machine, case: str, state: Concrete) -> None:
    inputs = state.inputs
    kd0 = context_at(machine.netns, 0)
    if kd0 is not None:
        kd0.needed = not inputs.flag
    stats = StatsObject(id=inputs.est, owner="total" if inputs.total else "dest")
    if not _done(machine, start_estimator(machine, stats.est)):
        machine.objects[stats.id] = stats


def _add_context(machine: Machine, case: str, state: Concrete) -> None:
    _done(machine, add_kthread_context(machine))


def _drain(machine: Machine, case: str, state: Concrete) -> None:
    """The drain is asked to stop after the first estimator."""
    netns, params = machine.netns, machine.params
    kd = usable_context(netns)
    if kd is not None:
        # The row that is wanted is the row that was found.
        delay = _stats(machine, state).est.ktrow
        kd.est_row = kd.add_row = (state.inputs.row - delay) % params.nticks
    if case == NO_MEMORY:
        fail_allocations(machine.memory, _allocations_of_a_context(machine) + 1, 1)
    task = Task(name="ipvs-e:0", kd=context_at(netns, 0))
    looks = 0
    for point in drain_temp_list(machine, task):
        if isinstance(point, FieldAccess) and (point.thing, point.field) == (task, "should_stop"):
            looks += 1
            task.should_stop = looks > 1


def _allocations_of_a_context(machine: Machine) -> int:
    """The array's, if it grows, the kd's, and that of a task which is started at once."""
    netns = machine.netns
    grows = None not in netns.est_kt_arr
    starts = netns.enable and not netns.est_stopped and not machine.revision.work_starts_tasks
    return 1 + grows + starts


def _stop(machine: Machine, case: str, state: Concrete) -> None:
    _done(machine, stop_object(machine, _stats(machine, state)))


def _relink(machine: Machine, case: str, state: Concrete) -> None:
    stats, delay = _stats(machine, state), state.inputs.delay
    kd = machine.netns.est_kt_arr[stats.est.ktid]
    assert kd is not None
    # In whichever way the revision computes the delay.
    kd.est_row = (stats.est.ktrow - delay) % machine.params.nticks
    _done(machine, calc_phase._relink(machine, kd, stats.est, delay))


def _finish(machine: Machine, case: str, state: Concrete) -> None:
    remembered = machine.netns.est_genid
    machine.netns.est_genid += state.inputs.flag
    _done(machine, calc_phase._finish(machine, state.inputs.chain_max, remembered))


def _run(machine: Machine, case: str, state: Concrete) -> None:
    """To where kthread 0 looks whether there is a calc phase."""
    kd0 = _kd0(machine)
    for point in estimation_kthread(machine, kd0, Task(name="ipvs-e:0", kd=kd0)):
        if point is READ_CALC_PHASE:
            return


def _kd0(machine: Machine) -> KthreadContext:
    kd0 = context_at(machine.netns, 0)
    assert kd0 is not None
    return kd0


def _enable(machine: Machine, case: str, state: Concrete) -> None:
    _done(machine, enable_estimation(machine))


def _cpulist(machine: Machine, case: str, state: Concrete) -> None:
    _done(machine, set_cpulist(machine, frozenset(range(state.inputs.cpus))))


def _run_estimation(machine: Machine, case: str, state: Concrete) -> None:
    _done(machine, set_run_estimation(machine, int(state.inputs.flag)))


def _disable(machine: Machine, case: str, state: Concrete) -> None:
    disable(machine)


def _release(machine: Machine, case: str, state: Concrete) -> None:
    _done(machine, cleanup_estimators(machine))


_STEPS: dict[str, Callable[[Machine, str, Concrete], None]] = {
    "start": _start,
    "add-context": _add_context,
    "drain": _drain,
    "stop": _stop,
    "relink": _relink,
    "finish": _finish,
    "run": _run,
    "enable": _enable,
    "cpulist": _cpulist,
    "run-estimation": _run_estimation,
    "disable": _disable,
    "release": _release,
}
