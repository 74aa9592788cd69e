"""What a control process does for each operation, as a generator of scheduling points."""

from collections.abc import Generator, Sequence

from ipvs_est import control, estimator_objects, netns_life, sysctl
from ipvs_est.machine import Machine
from ipvs_est.memory import HeapObject
from ipvs_est.operations import (
    AddDest,
    AddService,
    Delete,
    DeleteDest,
    DeleteService,
    ExitNetns,
    Operation,
    SetNice,
    SetRunEstimation,
    StartDest,
    StartService,
    WriteCpulist,
)
from ipvs_est.oracle import DEFAULT_SCHEDULER
from ipvs_est.points import Body, Call, Point

CONCURRENT = (
    AddDest,
    AddService,
    Delete,
    DeleteDest,
    DeleteService,
    ExitNetns,
    SetNice,
    SetRunEstimation,
    StartDest,
    StartService,
    WriteCpulist,
)
"""Operations that tasks of a scenario may do."""


def actor_body(machine: Machine, operations: Sequence[Operation]) -> Body:
    """One operation after the other; what no longer exists when its turn comes is passed over."""
    index = 0
    while index < len(operations):
        operation = operations[index]
        target = _target(machine, operation)
        call = _call(machine, operation)
        if call is not None:
            if target is not None:
                # It is looked up under the service mutex.
                yield next(call)
                if _target(machine, operation) is not target:
                    call.close()
                    yield machine.unlock_service
                    index += 1
                    continue
            yield from _ignoring_answer(call)
        index += 1


def _ignoring_answer(call: Call) -> Generator[Point, None, None]:
    yield from call


def _target(machine: Machine, operation: Operation) -> HeapObject | None:
    """What the operation needs to be there already."""
    netns = machine.netns
    match operation:
        case AddDest(_, service_id) | DeleteService(service_id):
            return netns.services.get(service_id)
        case DeleteDest(object_id):
            return netns.dests.get(object_id)
        case Delete(object_id):
            return machine.objects.get(object_id)
        case _:
            return None


def _call(machine: Machine, operation: Operation) -> Call | None:
    netns = machine.netns
    match operation:
        case AddService(object_id):
            return control.add_service(machine, object_id, DEFAULT_SCHEDULER)
        case AddDest(object_id, service_id):
            service = netns.services.get(service_id)
            return None if service is None else control.add_dest(machine, object_id, service)
        case DeleteService(object_id):
            service = netns.services.get(object_id)
            return None if service is None else control.delete_service(machine, service)
        case DeleteDest(object_id):
            dest = netns.dests.get(object_id)
            return None if dest is None else control.delete_dest(machine, dest)
        case StartService(object_id):
            return estimator_objects.start_object(machine, object_id, "service")
        case StartDest(object_id):
            return estimator_objects.start_object(machine, object_id, "dest")
        case Delete(object_id):
            stats = machine.objects.get(object_id)
            return None if stats is None else estimator_objects.stop_object(machine, stats)
        case WriteCpulist(text, allowed):
            if allowed is None:
                allowed = frozenset(range(machine.params.possible_cpus))
            return sysctl.write_cpulist(machine, text, allowed)
        case SetNice(value):
            return sysctl.set_nice(machine, value)
        case SetRunEstimation(value):
            return sysctl.set_run_estimation(machine, value)
        case ExitNetns():
            return netns_life.exit_netns(machine)
        case _:
            raise TypeError(f"no task of a scenario can do {operation.op}")
