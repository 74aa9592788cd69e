"""The oracle: a machine under the sequential schedule, driven by operations.

Usable with no third-party package installed.
"""

from dataclasses import fields
from typing import NoReturn, assert_never, overload

from ipvs_est.answers.results import (
    OK,
    Deadlocked,
    Dumped,
    ExportedObject,
    Percpu,
    ReadObject,
    Result,
    Returned,
    Snapshotted,
    Status,
    Text,
)
from ipvs_est.answers.snapshot import Snapshot, take_snapshot
from ipvs_est.answers.state import State, take_state
from ipvs_est.control import estimator_objects, netns_life, sysctl
from ipvs_est.control import services as control
from ipvs_est.control.packets import count_on, count_packets
from ipvs_est.language.counters import ZERO
from ipvs_est.language.json_input import shorten
from ipvs_est.language.operations import (
    BOUNDS,
    MAX_TEXT,
    OPERATIONS,
    AddDest,
    AddService,
    Advance,
    Cleanup,
    Delete,
    DeleteDest,
    DeleteService,
    Disable,
    Dump,
    ExitNetns,
    Export,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    OperationError,
    Packet,
    PutDest,
    Read,
    ReadCpulist,
    ReadPercpu,
    ReadStatus,
    SetCost,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    StartTotal,
    TakeSnapshot,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est.language.params import Params
from ipvs_est.language.revision import MAINLINE, Revision
from ipvs_est.language.violations import LeakAtExit, Violation, ViolationError
from ipvs_est.machine.memory import fail_allocations, forget
from ipvs_est.machine.points import Call
from ipvs_est.sequential import (
    ControlProcessBlockedError,
    Sequential,
    advance,
    call,
    finish_grace_periods,
    settle,
)
from ipvs_est.state.control_objects import Dest, Service
from ipvs_est.state.machine import PS_PER_NS, Machine, boot, report
from ipvs_est.state.netns import Netns, dest_of
from ipvs_est.state.seqcount import group_of
from ipvs_est.state.stats import StatsObject, export, read, zero

DEFAULT_SCHEDULER = "wlc"

_INTEGERS = {
    operation: tuple(
        (field.name, *BOUNDS[field.name]) for field in fields(operation) if field.name in BOUNDS
    )
    for operation in OPERATIONS
}
"""Name, smallest and largest value of each operation's integers."""


class Oracle:
    """Applies operations to one machine and answers what the kernel would.

    Violations that leave a defined continuation are recorded in `violations` and the
    history goes on as a kernel's would; with `raise_violations` each is raised instead.
    """

    def __init__(
        self,
        params: Params,
        revision: Revision = MAINLINE,
        *,
        raise_violations: bool = False,
    ) -> None:
        self._machine = boot(params, revision)
        self._machine.raise_violations = raise_violations
        self._driver = Sequential(self._machine)
        self._ended = ""

    @property
    def machine(self) -> Machine:
        """The modelled machine, for those who watch it; change it by operations only."""
        return self._machine

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations so far, in order."""
        return tuple(self._machine.violations)

    @property
    def ended(self) -> str:
        """Why the history has no continuation; '' while it has one."""
        return self._ended

    def hand_over(self) -> Sequential:
        """The driver with its tasks, for one who goes on under another schedule.

        The oracle itself answers nothing more.
        """
        self._ended = "handed over"
        return self._driver

    def snapshot(self) -> Snapshot:
        """The complete state of now."""
        return take_snapshot(self._machine)

    def state(self) -> State:
        """The estimator state of now, as the recordings show it."""
        return take_state(self._machine)

    @overload
    def apply(self, operation: Read) -> ReadObject: ...
    @overload
    def apply(self, operation: Export) -> ExportedObject: ...
    @overload
    def apply(self, operation: ReadCpulist) -> Text: ...
    @overload
    def apply(self, operation: ReadStatus) -> Status: ...
    @overload
    def apply(self, operation: ReadPercpu) -> Percpu: ...
    @overload
    def apply(self, operation: Dump) -> Dumped: ...
    @overload
    def apply(self, operation: TakeSnapshot) -> Snapshotted: ...
    @overload
    def apply(self, operation: Operation) -> Result: ...

    def apply(self, operation: Operation) -> Result:
        """Apply one operation.

        Raises OperationError, and then nothing has changed, if a field is out of range or
        the operation makes no sense here (`bad-input`), or if the history has ended
        (`cannot-answer`). Raises ViolationError for a violation that nothing defined
        follows, and for any with `raise_violations`; the history has then ended.
        """
        if self._ended:
            raise OperationError("cannot-answer", "", f"the history has ended: {self._ended}")
        _check_integers(operation)
        try:
            return self._apply(operation)
        except OperationError:
            raise
        except ViolationError as error:
            self._ended = str(error)
            raise
        except ControlProcessBlockedError:
            self._ended = "deadlock"
            return Deadlocked()
        except BaseException as error:
            # Such as ctrl-C: the operation was left half done.
            self._ended = f"interrupted by {type(error).__name__}"
            raise

    def _apply(self, operation: Operation) -> Result:
        machine = self._machine
        # The most frequent operations stand first.
        match operation:
            case StartDest(object_id):
                self._check_new(object_id)
                return self._call(estimator_objects.start_object(machine, object_id, "dest"))
            case Delete(object_id):
                stats = self._bare_object(object_id)
                return self._call(estimator_objects.stop_object(machine, stats))
            case StartService(object_id):
                self._check_new(object_id)
                return self._call(estimator_objects.start_object(machine, object_id, "service"))
            case Advance(jiffies):
                advance(self._driver, jiffies)
                return OK
            case Read(object_id):
                stats = self._object(object_id)
                est = stats.est
                return ReadObject(read(stats), est.ktid, est.ktrow, est.ktcid)
            case Dump():
                return Dumped(take_state(machine))
            case Traffic():
                return self._traffic(operation)
            case Settle():
                settle(self._driver)
                return OK
            case SetCpulist(weight):
                self._check_sysctl()
                return self._call(sysctl.set_cpulist(machine, frozenset(range(weight))))
            case WriteCpulist(text, allowed, offset):
                self._check_sysctl()
                _check_text(text)
                allowed = self._allowed_cpus(allowed)
                return self._call(sysctl.write_cpulist(machine, text, allowed, offset))
            case ReadCpulist():
                self._check_sysctl()
                return Text(sysctl.read_cpulist(machine))
            case SetNice(value, offset):
                self._check_sysctl()
                return self._call(sysctl.set_nice(machine, value, offset))
            case SetRunEstimation(value, offset):
                self._check_sysctl()
                return self._call(sysctl.set_run_estimation(machine, value, offset))
            case SetCost(ns):
                machine.est_cost_ps = ns * PS_PER_NS
                return OK
            case Zero(object_id):
                zero(self._object(object_id))
                return OK
            case Export(object_id):
                return ExportedObject(export(self._object(object_id)))
            case StartTotal():
                self._check_no_total()
                return self._call(estimator_objects.start_total(machine))
            case InitNetns():
                if machine.params.sysctl:
                    self._check_no_total()
                return self._call(netns_life.init_netns(machine))
            case Disable():
                netns_life.disable(machine)
                return OK
            case Cleanup():
                self._check_only_total()
                return self._call(netns_life.cleanup_estimators(machine))
            case ExitNetns():
                return self._exit()
            case AddService(object_id):
                self._check_new(object_id)
                return self._call(control.add_service(machine, object_id, DEFAULT_SCHEDULER))
            case DeleteService(object_id):
                return self._call(control.delete_service(machine, self._service(object_id, "id")))
            case AddDest(object_id, service_id):
                service = self._service(service_id, "service")
                self._check_unused(object_id)
                return self._call(control.add_dest(machine, object_id, service))
            case DeleteDest(object_id):
                return self._call(control.delete_dest(machine, self._dest(object_id)))
            case GetDest(object_id):
                self._dest(object_id).references += 1
                return OK
            case PutDest(object_id):
                return self._put_dest(object_id)
            case FailAllocations(nth, times):
                fail_allocations(machine.memory, nth, times)
                return OK
            case Packet():
                return self._packet(operation)
            case ReadStatus():
                if not machine.revision.has_status_file:
                    _bad_input("op", "this kernel has no /proc/net/ip_vs_status")
                return _status(machine)
            case ReadPercpu():
                return self._percpu()
            case TakeSnapshot():
                return Snapshotted(take_snapshot(machine))
            case _:
                assert_never(operation)

    def _call(self, body: Call) -> Returned:
        ret = call(self._driver, body)
        return Returned(ret) if ret else OK

    def _exit(self) -> Returned:
        machine = self._machine
        result = self._call(netns_life.exit_netns(machine))
        finish_grace_periods(self._driver)
        for serial in sorted(machine.memory.live):
            thing = machine.memory.live[serial]
            forget(machine.memory, thing)
            report(machine, LeakAtExit(thing.describe()))
        # A namespace that is set up next starts from scratch.
        machine.netns = Netns(est_mutex=machine.netns.est_mutex)
        return result

    def _traffic(self, traffic: Traffic) -> Returned:
        stats = self._machine.objects.get(traffic.id)
        if stats is None:
            # Connections go on counting on a destination in the trash.
            trashed = dest_of(self._machine.netns, traffic.id)
            stats = trashed.stats if trashed is not None else None
        if stats is None:
            _bad_input("id", f"there is no object {traffic.id}")
        self._check_cpu(traffic.cpu, "cpu")
        steps = (
            traffic.conns,
            traffic.inpkts,
            traffic.outpkts,
            traffic.inbytes,
            traffic.outbytes,
        )
        return self._call(count_on(self._machine, stats, traffic.cpu, steps))

    def _packet(self, packet: Packet) -> Returned:
        dest = dest_of(self._machine.netns, packet.id)
        if dest is None:
            _bad_input("id", f"there is no destination {packet.id}")
        self._check_cpu(packet.cpu, "cpu")
        packets = (packet.inpkts, packet.outpkts, packet.inbytes, packet.outbytes)
        return self._call(count_packets(self._machine, dest, packet.cpu, packet.conns, packets))

    def _percpu(self) -> Percpu:
        total = self._machine.netns.total
        if total is None:
            _bad_input("op", "there is no total")
        possible_cpus = self._machine.params.possible_cpus
        cpustats = total.cpustats
        cpus = [
            group_of(cpustats[cpu]) if cpu in cpustats else ZERO for cpu in range(possible_cpus)
        ]
        return Percpu(tuple(cpus), read(total))

    def _put_dest(self, dest_id: int) -> Returned:
        dest = dest_of(self._machine.netns, dest_id)
        if dest is None:
            _bad_input("id", f"there is no destination {dest_id}")
        if not dest.references:
            _bad_input("id", f"no connection holds a reference to destination {dest_id}")
        dest.references -= 1
        return OK

    def _allowed_cpus(self, allowed: frozenset[int] | None) -> frozenset[int]:
        if allowed is None:
            return frozenset(range(self._machine.params.possible_cpus))
        if not isinstance(allowed, frozenset):
            _bad_input("allowed", f"expected a frozenset, found {type(allowed).__name__}")
        for cpu in sorted(allowed, key=repr):
            self._check_cpu(cpu, "allowed")
        return allowed

    def _check_cpu(self, cpu: int, field: str) -> None:
        possible_cpus = self._machine.params.possible_cpus
        if type(cpu) is not int or not 0 <= cpu < possible_cpus:
            _bad_input(field, f"CPU {cpu!r:.40} is not possible, there are {possible_cpus}")

    def _check_unused(self, object_id: int) -> None:
        if object_id == 0:
            _bad_input("id", f"{object_id} cannot be an object's id, they start at 1")
        if object_id in self._machine.objects:
            _bad_input("id", f"object {object_id} exists already")

    def _check_new(self, object_id: int) -> None:
        self._check_unused(object_id)
        if self._machine.netns.trash and dest_of(self._machine.netns, object_id) is not None:
            _bad_input("id", f"destination {object_id} still waits in the trash")

    def _check_no_total(self) -> None:
        self._check_sysctl()
        if self._machine.netns.total is not None:
            _bad_input("op", "the total's estimator exists already")

    def _check_only_total(self) -> None:
        for object_id in self._machine.objects:
            if object_id != estimator_objects.TOTAL_ID:
                _bad_input("op", f"object {object_id} exists: netns exit ends it before")

    def _check_sysctl(self) -> None:
        if not self._machine.params.sysctl:
            _bad_input("op", "this kernel has no sysctl support")

    def _object(self, object_id: int) -> StatsObject:
        stats = self._machine.objects.get(object_id)
        if stats is None:
            _bad_input("id", f"there is no object {object_id}")
        return stats

    def _bare_object(self, object_id: int) -> StatsObject:
        stats = self._object(object_id)
        netns = self._machine.netns
        if stats is netns.total:
            _bad_input("id", "the total ends with its netns only")
        if object_id in netns.services or object_id in netns.dests:
            _bad_input("id", f"object {object_id} is a service or destination, not a bare object")
        return stats

    def _service(self, service_id: int, field: str) -> Service:
        service = self._machine.netns.services.get(service_id)
        if service is None:
            _bad_input(field, f"there is no service {service_id}")
        return service

    def _dest(self, dest_id: int) -> Dest:
        dest = self._machine.netns.dests.get(dest_id)
        if dest is None:
            _bad_input("id", f"there is no destination {dest_id}")
        return dest


def _status(machine: Machine) -> Status:
    netns, params = machine.netns, machine.params
    chain_max = netns.est_chain_max
    kt_max = chain_max * params.chain_factor * params.nticks
    return Status(netns.est_kt_count, netns.est_max_threads, chain_max, kt_max)


def _check_integers(operation: Operation) -> None:
    """What JSON has passed already, but a caller of the Python API may have got wrong."""
    integers = _INTEGERS.get(type(operation))
    if integers is None:
        _bad_input("op", f"{type(operation).__name__} is no operation")
    for name, low, high in integers:
        value = getattr(operation, name)
        if type(value) is not int:
            _bad_input(name, f"expected an integer, found {type(value).__name__}")
        if not low <= value <= high:
            _bad_input(name, f"{shorten(value)} is not in {low}..{high}")


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        _bad_input("text", f"expected a string, found {type(text).__name__}")
    if len(text) > MAX_TEXT:
        _bad_input("text", f"longer than {MAX_TEXT} characters")


def _bad_input(field: str, message: str) -> NoReturn:
    raise OperationError("bad-input", field, message)
