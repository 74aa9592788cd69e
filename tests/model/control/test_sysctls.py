"""est_cpulist, est_nice, run_estimation (semantics section 12)."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from ipvs_est import MAINLINE, REVISIONS, OperationError, Oracle, Params, Revision
from ipvs_est.answers.results import Text
from ipvs_est.control.sysctl import set_cpulist, set_nice, set_run_estimation, write_cpulist
from ipvs_est.estimator.kthread_tasks import request_restart, request_start
from ipvs_est.language.events import CalcPhaseRequested, CpulistWritten, SysctlWritten
from ipvs_est.language.operations import (
    AddService,
    Advance,
    FailAllocations,
    ReadCpulist,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    WriteCpulist,
)
from ipvs_est.machine.points import Call
from ipvs_est.state.machine import Machine, boot
from model import TINY, booted, returned, run

every_revision = pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda r: r.name)


def cpulist(oracle: Oracle) -> str:
    result = oracle.apply(ReadCpulist())
    assert isinstance(result, Text)
    return result.text


@every_revision
def test_the_housekeeping_cpus_are_used_until_a_cpulist_is_written(revision: Revision) -> None:
    oracle = booted(revision, replace(TINY, housekeeping_cpus=frozenset({1, 2})))
    run(oracle, [AddService(1), AddService(2), Advance(0)])
    assert cpulist(oracle) == "1-2"
    # Four kthreads for each of the two CPUs.
    assert oracle.state().max_threads == 8
    run(oracle, [WriteCpulist("3")])
    assert cpulist(oracle) == "3"
    assert oracle.state().max_threads == 4


def test_a_writers_own_cpus_restrict_the_cpulist() -> None:
    oracle = booted()
    run(oracle, [WriteCpulist("0-3", frozenset({1, 3}))])
    assert cpulist(oracle) == "1,3"
    assert oracle.state().max_threads == 8
    run(oracle, [WriteCpulist("0", frozenset({1}))])
    assert cpulist(oracle) == ""
    # An empty list allows one kthread but stops the tasks.
    assert oracle.state().max_threads == 1


# errno values: EINVAL 22, ERANGE 34, EOVERFLOW 75.
@pytest.mark.parametrize(
    ("text", "error"), [("3-1", -22), ("0-", -22), ("4", -34), ("4294967296", -75)]
)
def test_a_malformed_cpulist_changes_nothing(text: str, error: int) -> None:
    oracle = booted()
    run(oracle, [AddService(1), WriteCpulist("1"), Advance(0)])
    before = oracle.snapshot()
    assert returned(oracle, WriteCpulist(text)) == error
    assert oracle.snapshot() == before


def test_the_first_cpulist_write_needs_memory() -> None:
    oracle = booted()
    before = oracle.snapshot()
    run(oracle, [FailAllocations(1)])
    assert returned(oracle, WriteCpulist("1")) == -12
    assert oracle.snapshot().sysctls == before.sysctls
    assert oracle.snapshot().state == before.state
    run(oracle, [WriteCpulist("1"), FailAllocations(1), WriteCpulist("2")])


@every_revision
def test_an_empty_cpulist_stops_the_tasks_until_it_is_filled(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(50)])
    assert _running(oracle) == [True]
    run(oracle, [WriteCpulist("\n"), Advance(0)])
    assert oracle.state().stopped == 1
    assert _running(oracle) == [False]
    run(oracle, [WriteCpulist("2"), Advance(0)])
    assert oracle.state().stopped == 0
    assert _running(oracle) == [True]


@every_revision
@pytest.mark.parametrize("ignored", [WriteCpulist(""), WriteCpulist("1", offset=1)])
def test_a_write_of_no_bytes_or_at_an_offset_changes_nothing(
    revision: Revision, ignored: WriteCpulist
) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(50), WriteCpulist("2"), Advance(50)])
    before = oracle.snapshot()
    assert returned(oracle, ignored) == 0
    assert oracle.snapshot() == before


@every_revision
def test_another_value_that_also_lets_tasks_run_restarts_them(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(50)])
    for value, restarts in ((1, 0), (2, 1), (2, 0), (-(2**31), 1), (0, 1), (1, 1)):
        genid = oracle.state().genid
        run(oracle, [SetRunEstimation(value), Advance(0)])
        assert oracle.state().genid == genid + restarts
        assert _running(oracle) == [value != 0]
        assert oracle.snapshot().sysctls.run_estimation == value


def test_only_possible_cpus_are_read_of_a_cpulist() -> None:
    oracle = booted()
    run(oracle, [SetCpulist(9)])
    assert oracle.apply(ReadCpulist()).text == "0-3"


@every_revision
def test_tasks_get_the_nice_and_the_cpus_of_their_start(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), SetNice(-7), WriteCpulist("1,3"), Advance(0)])
    (context,) = oracle.snapshot().contexts
    assert context is not None
    assert context.task is not None
    assert (context.task.nice, context.task.cpus) == (-7, (1, 3))


@pytest.mark.parametrize("value", [-21, 20, 1000])
def test_nice_outside_its_range_is_refused(value: int) -> None:
    oracle = booted()
    before = oracle.snapshot()
    assert returned(oracle, SetNice(value)) == -22
    assert oracle.snapshot() == before


@pytest.mark.parametrize("value", [-20, 19])
def test_nice_at_the_ends_of_its_range_is_taken(value: int) -> None:
    oracle = booted()
    run(oracle, [AddService(1), Advance(0), SetNice(value)])
    assert oracle.snapshot().sysctls.nice == value
    assert oracle.state().genid == 2


@every_revision
def test_writing_the_present_value_requests_nothing(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(0), SetNice(0), SetRunEstimation(1)])
    assert oracle.state().genid == 1


@every_revision
@pytest.mark.parametrize(
    "without_number",
    [SetNice(5, 1), SetNice(20, 1), SetRunEstimation(0, 7), SetRunEstimation(1, 1)],
)
def test_a_write_without_a_number_leaves_what_was_there(
    revision: Revision, without_number: SetNice | SetRunEstimation
) -> None:
    """Its number is not even looked at."""
    oracle = booted(revision)
    run(oracle, [AddService(1), SetNice(-7), SetRunEstimation(2), Advance(50)])
    before = oracle.snapshot()
    assert returned(oracle, without_number) == 0
    assert oracle.snapshot() == before


@every_revision
@pytest.mark.parametrize("write", [set_nice, set_run_estimation], ids=lambda write: write.__name__)
def test_a_write_without_a_number_meets_another_write(
    revision: Revision, write: Callable[[Machine, int, int], Call]
) -> None:
    """It waits for est_mutex while the other stores 3: undone, with a restart, unless the old
    value is read under est_mutex."""
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(50)])
    machine = oracle.machine
    machine.events = []
    waiting = write(machine, 0, 1)
    assert next(waiting) is machine.lock_est
    old = machine.netns.est_nice, machine.netns.run_estimation
    list(write(machine, 3, 0))
    stored, genid = (machine.netns.est_nice, machine.netns.run_estimation), machine.netns.est_genid
    list(waiting)
    kept = revision.reads_sysctls_under_est_mutex
    assert stored != old
    assert (machine.netns.est_nice, machine.netns.run_estimation) == (stored if kept else old)
    assert machine.netns.est_genid == genid + (not kept)
    first, second = (event for event in machine.events if isinstance(event, SysctlWritten))
    assert (first.written, first.value) == (3, 3)
    assert (second.written, second.value == 3) == (3, kept)


@every_revision
def test_run_estimation_stops_and_starts_the_tasks(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(50), SetRunEstimation(0), Advance(0)])
    assert _running(oracle) == [False]
    run(oracle, [SetRunEstimation(1), Advance(0)])
    assert _running(oracle) == [True]


def test_without_sysctl_support_there_are_no_sysctls() -> None:
    oracle = booted(params=replace(TINY, sysctl=False))
    for operation in (SetNice(1), SetRunEstimation(0), WriteCpulist("0"), ReadCpulist()):
        with pytest.raises(OperationError, match="no sysctl support"):
            oracle.apply(operation)


def _running(oracle: Oracle) -> list[bool]:
    return [kd.running for kd in oracle.state().kthreads if kd is not None]


def test_the_record_tells_what_was_written_and_what_of_it_the_writer_may_use() -> None:
    machine = boot(Params(hz=100, possible_cpus=8), MAINLINE)
    machine.events = []
    for _ in write_cpulist(machine, "0-3", frozenset({1, 2, 5})):
        pass
    # CPUs 0 to 3, of which 1, 2 and 5 are allowed: as bitmaps.
    assert machine.events[0] == CpulistWritten(machine.now, 0b1111, 0b100110, 0b110)


@pytest.mark.parametrize(
    ("write", "requests"),
    [
        (lambda machine: set_cpulist(machine, frozenset({0})), 1),
        # These restart the tasks; the limits stay.
        (lambda machine: set_nice(machine, 5), 0),
        (lambda machine: set_run_estimation(machine, 0), 0),
        (request_start, 0),
        (request_restart, 0),
    ],
    ids=["cpulist", "nice", "run_estimation", "start", "restart"],
)
def test_only_a_new_cpulist_requests_a_recalculation(
    write: Callable[[Machine], Iterable[object]], requests: int
) -> None:
    machine = boot(Params(hz=100), MAINLINE)
    machine.netns.enable = True
    machine.events = []
    for _ in write(machine):
        pass
    found = [event for event in machine.events if isinstance(event, CalcPhaseRequested)]
    assert found == [CalcPhaseRequested(machine.now)] * requests
