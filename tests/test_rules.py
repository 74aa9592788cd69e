"""Single rules of semantics sections 2 to 11, each with an answer worked out from the text.

They complete the recorded traces: what fails to be allocated, arithmetic at its bounds, what
several tasks do to each other between two scheduling points. `test_planted_faults.py` shows
that each rule is pinned by a trace or by a test here, and names the test.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import TypeVar, assert_never

import pytest

from ipvs_est import MAINLINE, STABLE, V7, Oracle, Params, Revision, ViolationError
from ipvs_est.bitmap import (
    bits,
    find_first_bit,
    find_first_zero_bit,
    find_last_bit,
    find_last_bit_upto,
    find_next_bit,
)
from ipvs_est.calc_phase import calc_phase
from ipvs_est.contexts import add_kthread_context, trim_array
from ipvs_est.counters import ZERO, Group
from ipvs_est.drain import drain_temp_list
from ipvs_est.enqueue import choose_row, enqueue, wanted_row
from ipvs_est.errno import EINVAL, ENOMEM
from ipvs_est.estimate_tick import estimate_tick
from ipvs_est.estimator_objects import enable_estimation, start_total
from ipvs_est.events import Estimated
from ipvs_est.hlist import add_head, nodes
from ipvs_est.kthread import estimation_kthread
from ipvs_est.kthread_context import KthreadContext, Tick, apply_limits, new_context, new_tick
from ipvs_est.kthread_tasks import exit_task, start_kthread, stop_kthread
from ipvs_est.limits_test import Measurement, limits_test, measured
from ipvs_est.machine import Machine, allocate, boot, jiffies
from ipvs_est.memory import HeapObject, Life, fail_allocations
from ipvs_est.netns_life import cleanup_estimators, exit_netns
from ipvs_est.operations import (
    AddDest,
    AddService,
    Delete,
    DeleteDest,
    Dump,
    FailAllocations,
    StartDest,
    StartService,
    TakeSnapshot,
)
from ipvs_est.points import (
    CancelWork,
    FieldAccess,
    GiveWay,
    Join,
    Lock,
    Point,
    QueueWork,
    RcuReadLock,
    RcuReadUnlock,
    Sleep,
    Start,
    Stop,
    Unlock,
    WordAccess,
)
from ipvs_est.rates import average, decode_rates, update_rates
from ipvs_est.rcu import end_grace_period
from ipvs_est.reload_work import reload_work
from ipvs_est.results import Returned
from ipvs_est.seqcount import SYNCP
from ipvs_est.start_stop import start_estimator, stop_estimator
from ipvs_est.stats import TEMP_LIST_KTID, Estimator, StatsObject, estimate
from ipvs_est.tasks import Task, TaskState
from ipvs_est.thread_limits import max_threads, stopped
from ipvs_est.violations import IndexOutOfRange, InvalidPointer, UseAfterFree

SMALL = Params(hz=100, nticks=5, chain_factor=3, est_cost_ns=23750)
"""A tick is 2*100/5 = 40 jiffies and has 3 chains; a pause of the limits test is 2 jiffies."""
NEW = 4
"""The delay that a new estimator wants in `SMALL`: its 5 ticks less 1."""
DEFAULT = Params(hz=100)
"""50 rows; a tick is 2*100/50 = 4 jiffies."""
ALL = (V7, STABLE, MAINLINE)
BEFORE_MAINLINE = (V7, STABLE)

# Running a function of the model by hand

LOCK_SERVICE, UNLOCK_SERVICE = "lock __ip_vs_mutex", "unlock __ip_vs_mutex"
LOCK_EST, UNLOCK_EST = "lock est_mutex", "unlock est_mutex"
RCU_LOCK, RCU_UNLOCK = "lock rcu", "unlock rcu"
GIVE_WAY = "give way"
MAX_POINTS = 5000
"""More than any body yields here."""

T = TypeVar("T")
Action = Callable[[], object]


@dataclass(slots=True)
class Others:
    """What other tasks do meanwhile: an action just before the nth point of that name."""

    point: str
    nth: int
    action: Action
    seen: int = 0

    def before(self, name: str) -> None:
        """The body is about to perform this point."""
        if name == self.point:
            self.seen += 1
            if self.seen == self.nth:
                self.action()


def run(
    machine: Machine,
    body: Generator[Point, None, T],
    *others: Others,
    task: Task | None = None,
) -> tuple[list[str], T]:
    """The names of the points that `body` yields until it returns, and what it returns.

    No mutex is contended, and none is held at the end. `task` is the one that runs: asked to
    stop, it does not sleep.
    """
    myself = task or Task(name="test")
    names: list[str] = []
    while len(names) < MAX_POINTS:
        try:
            point = next(body)
        except StopIteration as finished:
            result: T = finished.value
            assert myself not in (machine.service_mutex.owner, machine.netns.est_mutex.owner)
            return names, result
        names.append(name_of(point))
        for other in others:
            other.before(names[-1])
        perform(machine, myself, point)
    raise AssertionError("endless")


def points(
    machine: Machine,
    body: Generator[Point, None, object],
    *others: Others,
    task: Task | None = None,
) -> list[str]:
    """The names of the points that `body` yields until it returns."""
    return run(machine, body, *others, task=task)[0]


def name_of(point: Point) -> str:
    match point:
        case Lock(mutex):
            return f"lock {mutex.name}"
        case Unlock(mutex):
            return f"unlock {mutex.name}"
        case Sleep(jiffies):
            return f"sleep {jiffies}"
        case Stop(task):
            return f"stop {task.name}"
        case Join(task):
            return f"join {task.name}"
        case Start(task):
            return f"start {task.name}"
        case QueueWork(delay):
            return f"queue {delay}"
        case CancelWork():
            return "cancel"
        case GiveWay():
            return GIVE_WAY
        case RcuReadLock():
            return RCU_LOCK
        case RcuReadUnlock():
            return RCU_UNLOCK
        case WordAccess(_, word):
            return f"word {word}"
        case FieldAccess(_, field):
            return f"field {field}"
        case _:
            assert_never(point)


def perform(machine: Machine, myself: Task, point: Point) -> None:
    match point:
        case Lock(mutex):
            assert mutex.owner is None
            mutex.owner = myself
        case Unlock(mutex):
            assert mutex.owner is myself
            mutex.owner = None
        case Sleep(jiffies) if not myself.should_stop:
            machine.now += jiffies
        case Stop(task):
            task.should_stop = True
        case Join(task) if task.state is not TaskState.EXITED:
            assert task.should_stop
            exit_task(machine, task)
        case _:
            pass


# Machines made by hand


def small(revision: Revision = MAINLINE, params: Params = SMALL) -> Machine:
    """A machine on which a service has enabled estimation; no context yet."""
    machine = boot(params, revision)
    machine.netns.enable = True
    machine.netns.est_max_threads = 4
    return machine


def put_kd(machine: Machine, chain_max: int = 200) -> KthreadContext:
    """A new context in the next slot, without task and calc_stats."""
    netns = machine.netns
    kd = new_context(machine.params, netns.est_kt_count, jiffies(machine), chain_max)
    kd.needed = True
    assert allocate(machine, kd)
    netns.est_kt_arr.append(kd)
    return kd


def new_estimator(machine: Machine, object_id: int) -> Estimator:
    """The unlinked estimator of a new object."""
    stats = StatsObject(id=object_id)
    assert allocate(machine, stats)
    stats.est.ktid = TEMP_LIST_KTID
    stats.est.ktrow = machine.params.nticks - 1
    return stats.est


def place(machine: Machine, kd: KthreadContext, object_id: int, delay: int = NEW) -> Estimator:
    """A new object's estimator in that row of a context whose est_row and add_row are 0."""
    est = new_estimator(machine, object_id)
    est.ktrow = delay
    assert enqueue(machine, kd, est) == 0
    assert est.ktrow == delay
    return est


def wait(machine: Machine, object_id: int) -> Estimator:
    """A new object's estimator at the head of the temp list."""
    est = new_estimator(machine, object_id)
    add_head(machine.netns.est_temp_list, est)
    return est


def start_task(machine: Machine, kd: KthreadContext) -> Task:
    """kd's task, started."""
    assert run(machine, start_kthread(machine, kd))[1] == 0
    assert kd.task is not None
    return kd.task


def life(thing: HeapObject) -> Life:
    """Where it is in its life now."""
    return thing.life


def ids(estimators: Iterable[Estimator]) -> list[int]:
    return [est.stats.id for est in estimators]


def temp_list(machine: Machine) -> list[int]:
    """Ids on the temp list from head to tail."""
    return ids(nodes(machine.netns.est_temp_list))


def ask_to_stop(task: Task) -> Action:
    def action() -> None:
        task.should_stop = True

    return action


def disable(machine: Machine) -> Action:
    def action() -> None:
        machine.netns.enable = False

    return action


# Section 2: limits


@pytest.mark.parametrize(
    ("params", "est_chain_max", "limits"),
    [
        # 48 chains of 10, 50 ticks.
        (Params(), 10, (10, 480, 24000)),
        # One chain of 48*10, 50 ticks: as many.
        (Params(preempt_rcu=True), 10, (480, 480, 24000)),
        (Params(), 1, (1, 48, 2400)),
        (Params(), 0, (0, 0, 0)),
        (SMALL, 2, (2, 6, 30)),
        (replace(SMALL, preempt_rcu=True), 2, (6, 6, 30)),
    ],
)
def test_limits_of_a_context_follow_from_the_limit_of_a_chain(
    params: Params, est_chain_max: int, limits: tuple[int, int, int]
) -> None:
    kd = new_context(params, 3, 1000, 77)
    apply_limits(params, kd, est_chain_max)
    assert (kd.chain_max, kd.tick_max, kd.est_max_count) == limits


@pytest.mark.parametrize(
    ("params", "tick_jiffies", "tick_chains"),
    [
        (Params(hz=100), 4, 48),
        (Params(hz=250), 10, 48),
        (Params(hz=300), 12, 48),
        (Params(hz=1000), 40, 48),
        (Params(hz=1000, preempt_rcu=True), 40, 1),
        # 2*1024/50 = 40.96, rounded down.
        (Params(hz=1024), 40, 48),
        (SMALL, 40, 3),
    ],
)
def test_tick_is_a_fiftieth_of_two_seconds(
    params: Params, tick_jiffies: int, tick_chains: int
) -> None:
    assert (params.tick_jiffies, params.tick_chains) == (tick_jiffies, tick_chains)


@pytest.mark.parametrize(
    ("possible", "housekeeping", "cpulist", "threads"),
    [
        (1, None, None, 4),
        (64, None, None, 256),
        (8, frozenset({0, 7}), None, 8),
        (8, frozenset({0, 7}), frozenset({1, 2, 3}), 12),
        (8, None, frozenset({5}), 4),
        (8, None, frozenset(), 1),
    ],
)
def test_four_kthreads_are_allowed_per_cpu(
    possible: int,
    housekeeping: frozenset[int] | None,
    cpulist: frozenset[int] | None,
    threads: int,
) -> None:
    machine = boot(Params(possible_cpus=possible, housekeeping_cpus=housekeeping), MAINLINE)
    if cpulist is not None:
        machine.netns.est_cpulist = cpulist
        machine.netns.est_cpulist_valid = True
    assert run(machine, max_threads(machine)) == ([], threads)


@pytest.mark.parametrize(
    ("run_estimation", "valid", "cpulist", "answer"),
    [
        (True, False, frozenset(), False),
        (True, True, frozenset({0}), False),
        (True, True, frozenset(), True),
        (False, False, frozenset(), True),
        (False, True, frozenset({0}), True),
        (False, True, frozenset(), True),
    ],
)
def test_tasks_are_stopped_without_run_estimation_and_by_an_empty_cpulist(
    run_estimation: bool, valid: bool, cpulist: frozenset[int], answer: bool
) -> None:
    machine = small()
    machine.netns.run_estimation = run_estimation
    machine.netns.est_cpulist_valid = valid
    machine.netns.est_cpulist = cpulist
    assert run(machine, stopped(machine)) == ([], answer)


# Section 3: rates

EXTREMES = sorted(
    {
        (base + step) % 2**64
        for base in (0, 2**9, 2**10, 2**32, 2**54, 2**55, 2**62, 2**63, 3 * 2**62)
        for step in range(-5, 6)
    }
)


def as_signed(value: int) -> int:
    """The number in -2^63 .. 2^63 - 1 that is congruent to `value` modulo 2^64."""
    return (value + 2**63) % 2**64 - 2**63


def test_average_moves_a_quarter_of_the_signed_way_rounded_down() -> None:
    for avg, rate in product(EXTREMES, EXTREMES):
        quarter = floor(Fraction(as_signed(rate - avg), 4))
        assert average(avg, rate) == (avg + quarter) % 2**64


def test_average_is_three_quarters_old_and_one_quarter_new() -> None:
    checked = 0
    for avg, rate in product(EXTREMES, EXTREMES):
        if abs(rate - avg) < 2**63:
            exact = Fraction(3, 4) * avg + Fraction(1, 4) * rate
            assert exact - 1 < average(avg, rate) <= exact
            checked += 1
    assert checked > len(EXTREMES) ** 2 // 2


def test_rate_is_the_difference_of_the_sums_over_two_seconds() -> None:
    # From 0 the first average is a quarter: 2^10/2 = 512 a packet, 2^5/2 = 16 a byte.
    assert update_rates(ZERO, ZERO, (8, 4, 2, 12, 1)) == (1024, 512, 256, 48, 4)


def test_rate_wraps_at_64_bits() -> None:
    checked = 0
    for last, now in product(EXTREMES, EXTREMES):
        packets = as_signed((now - last) % 2**64 * 512) // 4 % 2**64
        numbers = as_signed((now - last) % 2**64 * 16) // 4 % 2**64
        sums: Group = (now, now, now, now, now)
        before: Group = (last, last, last, last, last)
        wanted = (packets, packets, packets, numbers, numbers)
        assert update_rates(ZERO, before, sums) == wanted
        checked += 1
    assert checked == len(EXTREMES) ** 2


def test_estimation_stores_sums_rates_and_last_sums() -> None:
    stats = StatsObject(id=1)
    estimate(stats, (8, 4, 2, 12, 1))
    assert stats.kstats == stats.est.last == (8, 4, 2, 12, 1)
    assert stats.est.rates == (1024, 512, 256, 48, 4)
    # Nothing more came: the averages fall by a quarter, rounded down.
    estimate(stats, (8, 4, 2, 12, 1))
    assert stats.est.rates == (768, 384, 192, 36, 3)
    # 3 -> 3 + floor(-3/4) = 2
    estimate(stats, (8, 4, 2, 12, 1))
    assert stats.est.rates == (576, 288, 144, 27, 2)


def test_reading_rounds_a_rate_to_the_nearest_number() -> None:
    for avg in EXTREMES:
        packets = ceil(Fraction(avg, 1024) - Fraction(1, 2)) if avg < 2**64 - 0x1FF else 0
        numbers = ceil(Fraction(avg, 32) - Fraction(1, 2)) if avg < 2**64 - 0xF else 0
        assert decode_rates((avg,) * 5) == (packets, packets, packets, numbers, numbers)


@pytest.mark.parametrize(
    ("avg", "packets", "numbers"),
    [
        (0, 0, 0),
        (16, 0, 0),
        (17, 0, 1),
        (48, 0, 1),
        (49, 0, 2),
        (512, 0, 16),
        (513, 1, 16),
        (1024, 1, 32),
        (1536, 1, 48),
        (1537, 2, 48),
        (2**64 - 512, 2**54 - 1, 2**59 - 16),
        # The sum wraps to 0 or a little more.
        (2**64 - 511, 0, 2**59 - 16),
        (2**64 - 16, 0, 2**59 - 1),
        (2**64 - 15, 0, 0),
        (2**64 - 1, 0, 0),
    ],
)
def test_decoded_rate(avg: int, packets: int, numbers: int) -> None:
    assert decode_rates((avg,) * 5) == (packets, packets, packets, numbers, numbers)


# Section 4: starting an estimator


def test_starting_an_estimator_computes_the_thread_limit_before_mainline_only() -> None:
    for revision, threads in ((V7, 4), (STABLE, 4), (MAINLINE, 0)):
        machine = small(revision)
        put_kd(machine)
        machine.netns.est_max_threads = 0
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == ([], 0)
        assert machine.netns.est_max_threads == threads


def test_starting_an_estimator_computes_no_thread_limit_while_disabled() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        machine.netns.est_max_threads = 0
        machine.netns.enable = False
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == ([], 0)
        assert machine.netns.est_max_threads == 0


def test_starting_an_estimator_keeps_a_computed_thread_limit() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        machine.netns.est_max_threads = 7
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == ([], 0)
        assert machine.netns.est_max_threads == 7


def test_mainline_marks_an_idle_kd_0_as_needed() -> None:
    for revision, expected in (
        (V7, []),
        (STABLE, []),
        (MAINLINE, [LOCK_EST, "queue 0", UNLOCK_EST]),
    ):
        machine = small(revision)
        kd = put_kd(machine)
        kd.needed = False
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == (expected, 0)
        assert kd.needed is (revision is MAINLINE)
        assert machine.netns.est_genid == (revision is MAINLINE)
        assert temp_list(machine) == [1]


# Section 5: enqueueing


def test_bit_searches_agree_with_a_look_at_each_bit() -> None:
    for size in range(1, 7):
        # The bits above the bitmap's size may hold anything.
        for bitmap in range(4 << size):
            ones = [bit for bit in range(size) if bitmap >> bit & 1]
            zeros = [bit for bit in range(size) if not bitmap >> bit & 1]
            assert find_last_bit(bitmap, size) == (ones[-1] if ones else size)
            assert find_first_bit(bitmap, size) == (ones[0] if ones else size)
            assert find_first_zero_bit(bitmap, size) == (zeros[0] if zeros else size)
            assert list(bits(bitmap)) == [bit for bit in range(size + 2) if bitmap >> bit & 1]
            for offset in range(size):
                below = [bit for bit in ones if bit <= offset]
                above = [bit for bit in ones if bit >= offset]
                assert find_last_bit_upto(bitmap, size, offset) == (below[-1] if below else size)
                assert find_next_bit(bitmap, size, offset) == (above[0] if above else size)
            assert find_next_bit(bitmap, size, size) == size


def test_row_of_a_new_estimator_is_the_highest_available_up_to_the_wanted_one() -> None:
    for avail, crow in product(range(32), range(5)):
        rows = [row for row in range(5) if avail >> row & 1]
        up_to = [row for row in rows if row <= crow]
        assert choose_row(avail, 5, crow, NEW) == max(up_to or rows, default=5)


def test_row_of_a_relinked_estimator_is_the_lowest_available_from_the_wanted_one() -> None:
    for avail, crow, delay in product(range(32), range(5), range(NEW)):
        rows = [row for row in range(5) if avail >> row & 1]
        from_there = [row for row in rows if row >= crow]
        assert choose_row(avail, 5, crow, delay) == min(from_there or rows, default=5)


@pytest.mark.parametrize(
    ("avail", "crow", "delay", "row"),
    [
        (2**50 - 1, 17, 49, 17),
        (2**50 - 1, 17, 48, 17),
        (2**50 - 1, 0, 49, 0),
        (2**50 - 1, 0, 0, 0),
        (2**50 - 1 - 2**17, 17, 49, 16),
        (2**50 - 1 - 2**17, 17, 48, 18),
        # Nothing on the wanted side.
        (2**50 - 2**18, 17, 49, 49),
        (2**17 - 1, 17, 48, 0),
        (2**49, 48, 49, 49),
        (2**49, 49, 0, 49),
        (2**0, 1, 0, 0),
        (2**0, 0, 49, 0),
        # Nothing at all.
        (0, 17, 49, 50),
        (0, 17, 0, 50),
    ],
)
def test_row_of_the_default_geometry(avail: int, crow: int, delay: int, row: int) -> None:
    assert choose_row(avail, 50, crow, delay) == row


@pytest.mark.parametrize(
    ("est_count", "add_row", "est_row", "delay", "crow"),
    [
        # tick_max is 48*10 = 480: below 960 estimators a new one counts from add_row.
        (0, 10, 20, 49, 9),
        (959, 10, 20, 49, 9),
        (960, 10, 20, 49, 19),
        (961, 10, 20, 49, 19),
        # A relinked one always counts from est_row.
        (0, 10, 20, 48, 18),
        (0, 10, 20, 47, 17),
        (0, 10, 20, 29, 49),
        (0, 10, 20, 30, 0),
        (0, 10, 20, 0, 20),
        (959, 10, 20, 48, 18),
        (0, 0, 20, 49, 49),
        (0, 1, 20, 49, 0),
    ],
)
def test_wanted_row(est_count: int, add_row: int, est_row: int, delay: int, crow: int) -> None:
    kd = new_context(Params(), 0, 1000, 10)
    kd.est_count, kd.add_row, kd.est_row = est_count, add_row, est_row
    assert wanted_row(kd, 50, delay) == crow


def test_only_a_new_estimator_counts_from_add_row() -> None:
    kd = new_context(SMALL, 0, 1000, 2)
    kd.add_row, kd.est_row = 1, 3
    assert [wanted_row(kd, 5, delay) for delay in range(5)] == [3, 4, 0, 1, 0]


def test_without_an_available_row_the_number_of_rows_is_used_as_one() -> None:
    for delay in range(5):
        machine = small()
        kd = put_kd(machine)
        kd.avail = 0
        est = new_estimator(machine, 1)
        est.ktrow = delay
        with pytest.raises(ViolationError) as caught:
            enqueue(machine, kd, est)
        violation = caught.value.violation
        assert isinstance(violation, IndexOutOfRange)
        assert (violation.index, violation.size) == (5, 5)


def test_without_a_chain_that_has_space_the_number_of_chains_is_used_as_one() -> None:
    machine = small()
    kd = put_kd(machine)
    td = new_tick(machine.params, NEW)
    td.full = 0b111
    kd.ticks[NEW] = td
    with pytest.raises(ViolationError) as caught:
        enqueue(machine, kd, new_estimator(machine, 1))
    violation = caught.value.violation
    assert isinstance(violation, IndexOutOfRange)
    assert (violation.index, violation.size) == (3, 3)


def test_estimator_is_not_enqueued_when_no_tick_can_be_allocated() -> None:
    machine = small()
    kd = put_kd(machine)
    est = new_estimator(machine, 1)
    fail_allocations(machine.memory, 1, 1)
    assert enqueue(machine, kd, est) == -ENOMEM
    assert kd.ticks == [None] * 5
    assert (kd.est_count, kd.tick_len, kd.avail) == (0, [0] * 5, 0b11111)
    assert (est.prev, est.ktid, est.ktrow) == (None, TEMP_LIST_KTID, NEW)
    # Its tick allocated, the next one needs none.
    assert enqueue(machine, kd, est) == 0
    est = new_estimator(machine, 2)
    fail_allocations(machine.memory, 1, 1)
    assert enqueue(machine, kd, est) == 0


def test_with_limits_of_0_each_estimator_uses_up_a_row() -> None:
    machine = small(V7)
    kd = put_kd(machine, chain_max=0)
    rows = []
    for object_id in range(1, 6):
        est = new_estimator(machine, object_id)
        assert enqueue(machine, kd, est) == 0
        rows.append(est.ktrow)
        td = kd.ticks[est.ktrow]
        assert td is not None
        assert td.full == 1
        assert kd.avail == (1 << 5 - object_id) - 1
        # est_count is not est_max_count: no new slot is chosen.
        assert machine.netns.est_add_ktid == 0
    assert rows == [4, 3, 2, 1, 0]
    with pytest.raises(ViolationError):
        enqueue(machine, kd, new_estimator(machine, 6))


def test_row_stays_available_while_the_chain_of_the_newest_has_space() -> None:
    machine = small()
    kd = put_kd(machine, chain_max=2)
    for object_id in (1, 2):
        place(machine, kd, object_id)
    td = kd.ticks[NEW]
    assert td is not None
    assert td.full == 0b001
    # As if lower limits had been applied to longer chains: tick_max is 6.
    td.chain_len[0] = kd.tick_len[NEW] = 5
    place(machine, kd, 3)
    assert (td.chain_len, kd.tick_len[NEW]) == ([5, 1, 0], 6)
    assert kd.avail == 0b11111


# Section 6: adding a context


def test_adding_a_context_takes_est_mutex_and_has_its_task_started() -> None:
    for revision, does in (
        (V7, "start ipvs-e:0"),
        (STABLE, "start ipvs-e:0"),
        (MAINLINE, "queue 0"),
    ):
        machine = small(revision)
        names, kd = run(machine, add_kthread_context(machine))
        assert names == [LOCK_EST, does, UNLOCK_EST]
        assert machine.netns.est_kt_arr == [kd]
        assert machine.netns.est_genid == 0


def test_adding_a_context_starts_nothing_while_disabled_or_stopped() -> None:
    for revision in BEFORE_MAINLINE:
        machine = small(revision)
        machine.netns.enable = False
        assert points(machine, add_kthread_context(machine)) == [LOCK_EST, UNLOCK_EST]
        machine = small(revision)
        machine.netns.est_stopped = True
        assert points(machine, add_kthread_context(machine)) == [LOCK_EST, UNLOCK_EST]
        (kd,) = machine.netns.est_kt_arr
        assert kd is not None
        assert kd.task is None


def test_thread_limit_refuses_a_context() -> None:
    # enable, est_max_threads, slots -> refused
    table = [
        (True, 2, 1, False),
        (True, 2, 2, True),
        (True, 2, 3, True),
        (True, 0, 3, False),
        (False, 2, 3, False),
    ]
    for revision, (enable, threads, slots, refused) in product(ALL, table):
        machine = small(revision)
        for _ in range(slots):
            put_kd(machine)
        machine.netns.enable = enable
        machine.netns.est_max_threads = threads
        names, added = run(machine, add_kthread_context(machine))
        assert (added == -EINVAL) is refused
        assert machine.netns.est_kt_count == slots + (not refused)
        if refused:
            assert names == ([LOCK_EST, UNLOCK_EST] if revision is MAINLINE else [])


def test_thread_limit_counts_empty_slots() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_max_threads = 3
        for _ in range(3):
            put_kd(machine)
        machine.netns.est_kt_arr[1] = None
        assert run(machine, add_kthread_context(machine))[1] == -EINVAL


def test_thread_limit_is_tested_under_est_mutex_in_mainline_only() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)

        def shrink(machine: Machine = machine) -> None:
            machine.netns.est_max_threads = 1

        _, added = run(machine, add_kthread_context(machine), Others(LOCK_EST, 1, shrink))
        assert (added == -EINVAL) is (revision is MAINLINE)


def test_context_takes_the_lowest_empty_slot() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_max_threads = 9
        for _ in range(5):
            put_kd(machine)
        machine.netns.est_kt_arr[1] = machine.netns.est_kt_arr[3] = None
        for slot in (1, 3, 5):
            machine.netns.est_add_ktid = 9
            _, kd = run(machine, add_kthread_context(machine))
            assert isinstance(kd, KthreadContext)
            assert kd.id == slot
            assert machine.netns.est_kt_arr[slot] is kd
            assert machine.netns.est_add_ktid == slot
        assert machine.netns.est_kt_count == 6


def test_failed_allocation_adds_no_context_and_leaks_nothing() -> None:
    # Slot 0 allocates the array, the kd and calc_stats; before mainline also the task.
    for revision, needed in ((V7, 4), (STABLE, 4), (MAINLINE, 3)):
        for nth in range(1, needed + 1):
            machine = small(revision)
            machine.netns.est_add_ktid = 7
            fail_allocations(machine.memory, nth, 1)
            _, added = run(machine, add_kthread_context(machine))
            assert added == -ENOMEM
            assert machine.netns.est_kt_arr == []
            assert machine.netns.est_add_ktid == 7
            assert machine.memory.live == {}
        machine = small(revision)
        fail_allocations(machine.memory, needed + 1, 1)
        _, added = run(machine, add_kthread_context(machine))
        assert isinstance(added, KthreadContext)


def test_context_in_an_empty_slot_allocates_itself_only() -> None:
    for revision, needed in ((V7, 2), (STABLE, 2), (MAINLINE, 1)):
        for nth in range(1, needed + 2):
            machine = small(revision)
            for _ in range(3):
                put_kd(machine)
            machine.netns.est_kt_arr[1] = None
            fail_allocations(machine.memory, nth, 1)
            _, added = run(machine, add_kthread_context(machine))
            assert isinstance(added, KthreadContext) is (nth > needed)
            assert machine.netns.est_kt_count == 3


def test_context_above_0_allocates_no_calc_stats() -> None:
    for revision, needed in ((V7, 3), (STABLE, 3), (MAINLINE, 2)):
        machine = small(revision)
        put_kd(machine)
        fail_allocations(machine.memory, needed + 1, 1)
        _, kd = run(machine, add_kthread_context(machine))
        assert isinstance(kd, KthreadContext)
        assert (kd.id, kd.calc_stats) == (1, None)


# Section 7: stopping an estimator


def test_stopping_an_unlinked_estimator_does_nothing() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        machine.netns.est_add_ktid = 3
        assert points(machine, stop_estimator(machine, StatsObject(id=1).est)) == []
        assert machine.netns.est_kt_arr == [kd]
        assert kd.needed
        assert machine.netns.est_add_ktid == 3


def test_emptied_tick_is_freed_after_a_grace_period() -> None:
    machine = small()
    kd = put_kd(machine)
    place(machine, kd, 1)
    est = place(machine, kd, 2, delay=1)
    td = kd.ticks[1]
    assert td is not None
    assert points(machine, stop_estimator(machine, est)) == []
    assert kd.ticks[1] is None
    assert life(td) is Life.WAITING
    end_grace_period(machine.rcu)
    assert life(td) is Life.FREED


def test_emptied_context_is_freed_under_est_mutex() -> None:
    for revision in ALL:
        machine = small(revision)
        place(machine, put_kd(machine), 1)
        kd = put_kd(machine)
        est = place(machine, kd, 2)
        task = start_task(machine, kd)
        names = points(machine, stop_estimator(machine, est))
        assert names == [LOCK_EST, "stop ipvs-e:1", "join ipvs-e:1", UNLOCK_EST]
        assert kd.life is Life.FREED
        assert task.life is Life.FREED
        assert machine.netns.est_kt_count == 1


def test_freed_context_leaves_est_add_ktid_of_another_slot() -> None:
    for revision, add_ktid in product(ALL, (0, 2)):
        machine = small(revision)
        kds = [put_kd(machine) for _ in range(3)]
        places = [place(machine, kd, kd.id + 1) for kd in kds]
        # A new choice would give the other one: the lowest slot with space.
        kds[0].est_max_count = 1 if add_ktid == 0 else 2
        machine.netns.est_add_ktid = add_ktid
        points(machine, stop_estimator(machine, places[1]))
        assert machine.netns.est_kt_arr == [kds[0], None, kds[2]]
        assert machine.netns.est_add_ktid == add_ktid


def test_est_add_ktid_stays_on_a_hole_below_the_context_that_got_room() -> None:
    for revision in ALL:
        machine = small(revision)
        kds = [put_kd(machine) for _ in range(3)]
        places = [place(machine, kd, kd.id + 1) for kd in (kds[0], kds[2], kds[2])]
        machine.netns.est_kt_arr[1] = None
        machine.netns.est_add_ktid = 1
        assert points(machine, stop_estimator(machine, places[1])) == []
        assert machine.netns.est_add_ktid == 1


def test_est_add_ktid_of_a_freed_context_is_chosen_anew() -> None:
    # Is there space in kd 0, in kd 2 -> the new est_add_ktid
    for revision, (first, last, chosen) in product(
        ALL, [(1, 1, 0), (0, 1, 2), (0, 0, 1), (1, 0, 0)]
    ):
        machine = small(revision)
        kds = [put_kd(machine) for _ in range(3)]
        places = [place(machine, kd, kd.id + 1) for kd in kds]
        kds[0].est_max_count = 1 + first
        kds[2].est_max_count = 1 + last
        machine.netns.est_add_ktid = 1
        points(machine, stop_estimator(machine, places[1]))
        assert machine.netns.est_add_ktid == chosen


def test_trailing_empty_slots_go_but_slot_0_stays() -> None:
    machine = small()
    kd = put_kd(machine)
    for before, after in (
        ([kd], [kd]),
        ([kd, None], [kd]),
        ([kd, None, None, None], [kd]),
        ([kd, None, kd], [kd, None, kd]),
        ([None, None, kd, None], [None, None, kd]),
        ([None, None], [None]),
        ([None], [None]),
    ):
        machine.netns.est_kt_arr[:] = before
        trim_array(machine)
        assert machine.netns.est_kt_arr == after


def test_kd_0_without_estimators_goes_with_the_last_other_context() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, put_kd(machine), 1)
        machine.netns.est_add_ktid = 1
        names = points(machine, stop_estimator(machine, est))
        freeing = [LOCK_EST, UNLOCK_EST]
        if revision is MAINLINE:
            assert names == [*freeing, LOCK_EST, "queue 0", UNLOCK_EST]
            assert machine.netns.est_kt_arr == [kd]
            assert not kd.needed
            assert machine.netns.est_genid == 1
        else:
            assert names == [*freeing, LOCK_EST, UNLOCK_EST]
            assert machine.netns.est_kt_arr == []
            assert kd.life is Life.FREED
        assert machine.netns.est_add_ktid == 0


def test_kd_0_without_estimators_stays_beside_other_contexts() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, kd, 1)
        place(machine, put_kd(machine), 2)
        assert points(machine, stop_estimator(machine, est)) == []
        assert machine.netns.est_kt_count == 2
        assert kd.needed
        assert kd.life is Life.LIVE


def test_kd_0_stays_while_an_estimator_waits() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, kd, 1)
        wait(machine, 2)
        assert points(machine, stop_estimator(machine, est)) == []
        assert machine.netns.est_kt_arr == [kd]
        assert kd.needed


def test_without_any_slot_a_stopped_estimator_only_leaves_the_temp_list() -> None:
    for revision in ALL:
        machine = small(revision)
        est = wait(machine, 1)
        assert points(machine, stop_estimator(machine, est)) == []
        assert temp_list(machine) == []


def test_last_estimator_resets_est_add_ktid() -> None:
    for revision in ALL:
        machine = small(revision)
        est = place(machine, put_kd(machine), 1)
        # kd 0 was full with this one.
        machine.netns.est_add_ktid = 1
        points(machine, stop_estimator(machine, est))
        assert machine.netns.est_add_ktid == 0


def test_last_estimator_releases_kd_0_under_est_mutex() -> None:
    stopping = ["stop ipvs-e:0", "join ipvs-e:0"]
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, kd, 1)
        start_task(machine, kd)
        does = ["queue 0"] if revision is MAINLINE else stopping
        assert points(machine, stop_estimator(machine, est)) == [LOCK_EST, *does, UNLOCK_EST]


# Section 8: the kthread's function


def function(machine: Machine, kd: KthreadContext, *others: Others) -> list[str]:
    """The points of the function of kd's task, which is started first."""
    task = kd.task or start_task(machine, kd)
    return points(machine, estimation_kthread(machine, kd, task), *others, task=task)


def test_kthread_above_0_returns_at_once_without_limits() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        kd = put_kd(machine)
        assert function(machine, kd) == []
        assert kd.est_row == 0
        assert not machine.netns.est_calc_phase


def test_kthread_above_0_runs_no_calc_phase() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_chain_max = 2
        machine.netns.est_calc_phase = True
        put_kd(machine)
        kd = put_kd(machine)
        start_task(machine, kd).should_stop = True
        assert function(machine, kd) == []
        assert machine.netns.est_calc_phase


def test_kthread_0_returns_when_stopped_in_the_calc_phase_unless_it_is_v7() -> None:
    for revision in ALL:
        machine = small(revision)
        _, kd = run(machine, add_kthread_context(machine))
        assert isinstance(kd, KthreadContext)
        task = kd.task or start_task(machine, kd)
        wait(machine, 1)
        names = function(machine, kd, Others("sleep 2", 1, ask_to_stop(task)))
        after = names[names.index("sleep 2") + 1 :]
        # v7 goes on to the drain, which sees the request to stop.
        assert after == ([LOCK_SERVICE, UNLOCK_SERVICE] if revision is V7 else [])
        assert temp_list(machine) == [1]
        assert machine.netns.est_calc_phase


def test_kthread_0_returns_when_disabled_in_the_calc_phase_unless_it_is_v7() -> None:
    for revision in ALL:
        machine = small(revision)
        _, kd = run(machine, add_kthread_context(machine))
        assert isinstance(kd, KthreadContext)
        task = kd.task or start_task(machine, kd)
        wait(machine, 1)
        names = function(
            machine,
            kd,
            Others("sleep 2", 1, disable(machine)),
            Others("sleep 40", 1, ask_to_stop(task)),
        )
        # v7 enqueues the estimator, under limits of 0, and waits for the second row.
        assert ("sleep 40" in names) is (revision is V7)
        assert temp_list(machine) == ([] if revision is V7 else [1])


def test_kthread_0_leaves_without_a_step_when_stopped_during_the_drain() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_chain_max = 2
        kd = put_kd(machine)
        wait(machine, 1)
        task = start_task(machine, kd)
        names = function(machine, kd, Others(LOCK_SERVICE, 1, ask_to_stop(task)))
        assert names == [LOCK_SERVICE, UNLOCK_SERVICE]
        assert (kd.est_row, kd.est_timer) == (0, 1000)
        assert temp_list(machine) == [1]


def test_sleep_is_counted_from_after_the_drain() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_chain_max = 2
        kd = put_kd(machine)
        wait(machine, 1)
        task = start_task(machine, kd)
        kd.est_timer = 1030

        def take_time(machine: Machine = machine) -> None:
            machine.now += 12

        # The drain waits for the service mutex until 1012.
        names = function(
            machine,
            kd,
            Others(LOCK_SERVICE, 1, take_time),
            Others("sleep 18", 1, ask_to_stop(task)),
        )
        assert names == [LOCK_SERVICE, UNLOCK_SERVICE, "sleep 18"]


def steps_until_sleep(lateness: int) -> tuple[int, str]:
    """A kthread that is late by that many jiffies: rows until it first sleeps, and the sleep.

    It is asked to stop in this sleep, and still goes on a row.
    """
    machine = small(MAINLINE, DEFAULT)
    machine.netns.est_chain_max = 2
    put_kd(machine)
    kd = put_kd(machine)
    task = start_task(machine, kd)
    kd.est_timer = jiffies(machine) - lateness
    body = estimation_kthread(machine, kd, task)
    sleep = next(body)
    rows = kd.est_row
    task.should_stop = True
    assert list(body) == []
    assert kd.est_row == rows + 1
    return rows, name_of(sleep)


def test_kthread_catches_up_at_most_8_ticks() -> None:
    # A tick is 4 jiffies. On time: one row now, the next in a tick.
    assert steps_until_sleep(0) == (1, "sleep 4")
    assert steps_until_sleep(1) == (1, "sleep 3")
    assert steps_until_sleep(4) == (2, "sleep 4")
    # Gaps -28, -24, ... 0: 8 rows; -29, -25, ... -1: 8 rows, then 3 jiffies are left.
    assert steps_until_sleep(28) == (8, "sleep 4")
    assert steps_until_sleep(29) == (8, "sleep 3")
    assert steps_until_sleep(31) == (8, "sleep 1")
    assert steps_until_sleep(32) == (9, "sleep 4")
    # Later than 8 ticks: the past is forgotten.
    assert steps_until_sleep(33) == (1, "sleep 4")
    assert steps_until_sleep(36) == (1, "sleep 4")
    assert steps_until_sleep(10**6) == (1, "sleep 4")


def test_kthread_sleeps_until_its_timer_but_at_most_a_tick() -> None:
    assert steps_until_sleep(-1) == (0, "sleep 1")
    assert steps_until_sleep(-4) == (0, "sleep 4")
    assert steps_until_sleep(-5) == (0, "sleep 4")
    assert steps_until_sleep(-1000) == (0, "sleep 4")


def test_timer_of_a_kthread_wraps_with_jiffies() -> None:
    for bits_of_word in (32, 64):
        span = 2**bits_of_word
        # now, est_timer -> the sleep, est_timer during it, est_timer after it
        for now, timer, sleep, during, after in (
            # Ahead, beyond the wrap.
            (span - 2, 1, "sleep 3", 1, 5),
            (span - 2, span - 1, "sleep 1", span - 1, 3),
            # More than a tick ahead: a tick before now is before the wrap.
            (2, 12, "sleep 4", span - 2, 2),
            (0, 5, "sleep 4", span - 4, 0),
        ):
            params = replace(DEFAULT, word_bits=bits_of_word, initial_jiffies=now)
            machine = small(MAINLINE, params)
            machine.netns.est_chain_max = 2
            put_kd(machine)
            kd = put_kd(machine)
            task = start_task(machine, kd)
            kd.est_timer = timer
            body = estimation_kthread(machine, kd, task)
            assert name_of(next(body)) == sleep
            assert kd.est_timer == during
            task.should_stop = True
            assert list(body) == []
            assert (kd.est_timer, kd.est_row) == (after, 1)


def test_late_timer_before_the_wrap_catches_up() -> None:
    machine = small(MAINLINE, replace(DEFAULT, initial_jiffies=3))
    machine.netns.est_chain_max = 2
    put_kd(machine)
    kd = put_kd(machine)
    task = start_task(machine, kd)
    # 8 jiffies late: rows at gaps -8, -4 and 0.
    kd.est_timer = 2**64 - 5
    body = estimation_kthread(machine, kd, task)
    assert name_of(next(body)) == "sleep 4"
    assert (kd.est_row, kd.est_timer) == (3, 7)


def test_row_without_estimators_is_not_looked_at() -> None:
    machine = small()
    machine.netns.est_chain_max = 2
    put_kd(machine)
    kd = put_kd(machine)
    place(machine, kd, 1, delay=1)
    task = start_task(machine, kd)
    names = function(machine, kd, Others("sleep 40", 3, ask_to_stop(task)))
    estimating = [RCU_LOCK, GIVE_WAY, RCU_UNLOCK]
    assert names == ["sleep 40", *estimating, "sleep 40", "sleep 40"]
    assert kd.est_row == 4


def estimated(machine: Machine) -> list[int]:
    """Ids of the estimators that were estimated, in order."""
    return [each.id for each in machine.events or () if isinstance(each, Estimated)]


@dataclass(slots=True)
class Row:
    """A row with estimators 1, 2 in chain 0 and 4, 5 in chain 2; chain 1 is empty."""

    machine: Machine
    kd: KthreadContext
    td: Tick
    task: Task


def row_of_two_chains(params: Params = SMALL) -> Row:
    machine = small(MAINLINE, params)
    machine.events = []
    kd = put_kd(machine, chain_max=2)
    places = [place(machine, kd, object_id) for object_id in range(1, 7)]
    for each in (places[2], places[3]):
        points(machine, stop_estimator(machine, each))
    td = kd.ticks[NEW]
    assert td is not None
    assert td.present == 0b101
    return Row(machine, kd, td, start_task(machine, kd))


def test_row_is_estimated_chain_by_chain_giving_way_after_each() -> None:
    row = row_of_two_chains()
    names = points(row.machine, estimate_tick(row.machine, row.kd, row.task, NEW))
    assert names == [RCU_LOCK, GIVE_WAY, GIVE_WAY, RCU_UNLOCK]
    # A chain grows at its head.
    assert estimated(row.machine) == [2, 1, 6, 5]


def test_kthread_asked_to_stop_estimates_no_further_chain() -> None:
    row = row_of_two_chains()
    names = points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        Others(GIVE_WAY, 1, ask_to_stop(row.task)),
    )
    assert names == [RCU_LOCK, GIVE_WAY, RCU_UNLOCK]
    assert estimated(row.machine) == [2, 1]


def test_kthread_asked_to_stop_estimates_no_further_estimator_of_the_chain() -> None:
    row = row_of_two_chains(replace(SMALL, word_bits=32))
    for chain in row.td.chains:
        for est in nodes(chain):
            est.stats.cpustats = {0: [0] * (SYNCP + 1)}
    names = points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        # While the first word of the first estimator's counters is read.
        Others("word 0", 1, ask_to_stop(row.task)),
    )
    assert names.count("word 0") == 1
    assert names[-2:] == [GIVE_WAY, RCU_UNLOCK]
    assert names.count(GIVE_WAY) == 1
    assert estimated(row.machine) == [2]


def test_kthread_goes_on_from_an_estimator_that_is_stopped_under_it() -> None:
    row = row_of_two_chains(replace(SMALL, word_bits=32))
    newest, *_ = nodes(row.td.chains[0])
    newest.stats.cpustats = {0: [0] * (SYNCP + 1)}

    def stop_it() -> None:
        for _ in stop_estimator(row.machine, newest):
            pass

    points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        # While the first word of its counters is read.
        Others("word 0", 1, stop_it),
    )
    assert estimated(row.machine) == [2, 1, 6, 5]


def test_row_whose_tick_goes_while_giving_way_is_left() -> None:
    row = row_of_two_chains()

    def remove_tick() -> None:
        row.kd.ticks[NEW] = None

    names = points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        Others(GIVE_WAY, 1, remove_tick),
    )
    assert names == [RCU_LOCK, GIVE_WAY, RCU_UNLOCK]
    assert estimated(row.machine) == [2, 1]


def test_estimating_goes_on_in_a_tick_that_replaced_the_first() -> None:
    row = row_of_two_chains()
    other = put_kd(row.machine, chain_max=1)
    for object_id in (11, 12, 13):
        place(row.machine, other, object_id)

    def replace_tick() -> None:
        row.kd.ticks[NEW] = other.ticks[NEW]

    points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        Others(GIVE_WAY, 1, replace_tick),
    )
    # Chain 0 of the first tick, then chains 1 and 2 of the second.
    assert estimated(row.machine) == [2, 1, 12, 13]


# Section 9: tasks


def test_start_of_a_running_task_does_nothing() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        kd.est_timer = 5
        assert run(machine, start_kthread(machine, kd)) == ([], 0)
        assert kd.task is task
        assert kd.est_timer == 5


def test_start_keeps_a_timer_up_to_4_ticks_away() -> None:
    # A tick is 40 jiffies; now is 1000.
    for timer, after in (
        (1000, 1000),
        (1160, 1160),
        (1161, 1000),
        (1200, 1000),
        (840, 840),
        (839, 1000),
        (800, 1000),
        (0, 1000),
        (10**6, 1000),
    ):
        machine = small()
        kd = put_kd(machine)
        kd.est_timer = timer
        start_task(machine, kd)
        assert kd.est_timer == after


def test_start_keeps_a_near_timer_beyond_the_wrap() -> None:
    for word in (32, 64):
        span = 2**word
        for now, timer, after in (
            (span - 2, 5, 5),
            (span - 2, 158, 158),
            (span - 2, 159, span - 2),
            (3, span - 157, span - 157),
            (3, span - 158, 3),
        ):
            machine = small(MAINLINE, replace(SMALL, word_bits=word, initial_jiffies=now))
            kd = put_kd(machine)
            kd.est_timer = timer
            start_task(machine, kd)
            assert kd.est_timer == after


def test_failed_start_leaves_no_task() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        fail_allocations(machine.memory, 1, 1)
        assert run(machine, start_kthread(machine, kd)) == ([], -ENOMEM)
        assert kd.task is None


def test_task_gets_nice_and_the_cpus_for_kthreads() -> None:
    machine = small(MAINLINE, replace(SMALL, possible_cpus=4))
    machine.netns.est_nice = -7
    task = start_task(machine, put_kd(machine))
    assert (task.nice, task.cpus) == (-7, frozenset({0, 1, 2, 3}))
    machine.netns.est_cpulist = frozenset({2})
    machine.netns.est_cpulist_valid = True
    assert start_task(machine, put_kd(machine)).cpus == {2}


def test_stop_asks_and_waits() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        start_task(machine, kd)
        names = points(machine, stop_kthread(machine, kd))
        assert names == ["stop ipvs-e:0", "join ipvs-e:0"]
        assert kd.task is None


def test_task_that_exits_by_itself_stays_valid_except_in_v7() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        assert task.references == (0 if revision is V7 else 1)
        exit_task(machine, task)
        assert task.life is (Life.FREED if revision is V7 else Life.LIVE)
        points(machine, stop_kthread(machine, kd))
        assert task.life is Life.FREED
        assert task.references == 0
        found = [type(each) for each in machine.violations]
        assert found == ([UseAfterFree] if revision is V7 else [])


def test_stopped_task_is_freed_once() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        points(machine, stop_kthread(machine, kd))
        assert task.life is Life.FREED
        assert machine.violations == []


def test_task_stopped_before_its_first_slice_does_not_run() -> None:
    for revision in BEFORE_MAINLINE:
        oracle = Oracle(replace(SMALL, sysctl=False), revision)
        # The first service enables estimation; its kd 0 has had no task when it goes.
        for operation in (StartService(1), Delete(1), StartDest(2)):
            assert oracle.apply(operation) == Returned(0)
        (kd,) = oracle.apply(Dump()).state.kthreads
        assert kd is not None
        assert kd.running
        # The new kd 0 has a task that has not run yet and is stopped with the last estimator.
        assert oracle.apply(Delete(2)) == Returned(0)
        state = oracle.apply(Dump()).state
        assert (state.kt_count, state.calc_phase) == (0, 0)


def test_request_does_nothing_while_disabled() -> None:
    machine = boot(SMALL, MAINLINE)
    kd = put_kd(machine)
    kd.needed = False
    machine.netns.run_estimation = False
    est = StatsObject(id=1).est
    assert run(machine, start_estimator(machine, est)) == ([LOCK_EST, UNLOCK_EST], 0)
    assert (machine.netns.est_genid, machine.netns.est_stopped) == (0, False)


def two_tasks(revision: Revision, params: Params = SMALL) -> Machine:
    """kds 0 and 1 with tasks, limits, and a restart that was requested."""
    machine = small(revision, params)
    machine.netns.est_chain_max = 2
    for _ in range(2):
        start_task(machine, put_kd(machine))
    machine.netns.est_genid = 1
    return machine


RESTART_0 = ["stop ipvs-e:0", "join ipvs-e:0", "start ipvs-e:0"]
RESTART_1 = ["stop ipvs-e:1", "join ipvs-e:1", "start ipvs-e:1"]


def test_work_restarts_all_tasks_in_order() -> None:
    for revision in ALL:
        machine = two_tasks(revision)
        names = points(machine, reload_work(machine))
        if revision is MAINLINE:
            # est_mutex is dropped around the stop of task 0.
            stopping = [UNLOCK_EST, "stop ipvs-e:0", "join ipvs-e:0", LOCK_EST]
            assert names == [LOCK_EST, *stopping, "start ipvs-e:0", *RESTART_1, UNLOCK_EST]
        else:
            assert names == [LOCK_EST, *RESTART_0, *RESTART_1, UNLOCK_EST]
        assert machine.netns.est_genid_done == 1
        assert points(machine, reload_work(machine)) == [LOCK_EST, UNLOCK_EST]


def test_work_reads_genid_done_before_and_genid_after_taking_est_mutex() -> None:
    for revision in ALL:
        machine = two_tasks(revision)

        def request_and_work(machine: Machine = machine) -> None:
            machine.netns.est_genid = machine.netns.est_genid_done = 5

        names = points(machine, reload_work(machine), Others(LOCK_EST, 1, request_and_work))
        # It saw 0 and 5: it restarts the tasks once more.
        assert "stop ipvs-e:0" in names
        machine.netns.est_genid = 6

        def request(machine: Machine = machine) -> None:
            machine.netns.est_genid = 7

        points(machine, reload_work(machine), Others(LOCK_EST, 1, request))
        assert machine.netns.est_genid_done == 7


def test_work_records_the_genid_that_it_read_at_its_start() -> None:
    for revision in ALL:
        machine = two_tasks(revision)

        def request(machine: Machine = machine) -> None:
            machine.netns.est_genid = 9

        points(machine, reload_work(machine), Others("join ipvs-e:0", 1, request))
        assert machine.netns.est_genid_done == 1


def test_disabled_while_task_0_is_stopped_only_mainline_does_not_start_it_again() -> None:
    for revision in ALL:
        machine = two_tasks(revision)
        names = points(machine, reload_work(machine), Others("join ipvs-e:0", 1, disable(machine)))
        assert ("start ipvs-e:0" in names) is (revision is not MAINLINE)
        assert "stop ipvs-e:1" not in names
        assert machine.netns.est_genid_done == 0


def test_work_that_cannot_start_a_task_is_queued_again_in_a_tenth_of_a_second() -> None:
    for revision in ALL:
        # 110/10 = 11 jiffies.
        machine = two_tasks(revision, replace(SMALL, hz=110))
        fail_allocations(machine.memory, 1, 1)
        names = points(machine, reload_work(machine))
        assert names[-5:] == [*RESTART_1, "queue 11", UNLOCK_EST]
        assert "start ipvs-e:0" not in names
        assert machine.netns.est_genid_done == 1


def test_work_starts_kthread_0_only_if_needed_in_mainline_only() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine).needed = False
        started = [] if revision is MAINLINE else ["start ipvs-e:0"]
        assert points(machine, reload_work(machine)) == [LOCK_EST, *started, UNLOCK_EST]


def test_work_starts_kthreads_above_0_only_outside_the_calc_phase() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        put_kd(machine)
        machine.netns.est_calc_phase = True
        started = ["start ipvs-e:0"]
        assert points(machine, reload_work(machine)) == [LOCK_EST, *started, UNLOCK_EST]
        machine.netns.est_calc_phase = False
        started = ["start ipvs-e:1"]
        assert points(machine, reload_work(machine)) == [LOCK_EST, *started, UNLOCK_EST]


# Section 10: the drain


def test_drain_enqueues_16_in_one_hold_of_the_service_mutex() -> None:
    for revision, (count, batches) in product(ALL, [(15, 0), (16, 1), (17, 1), (33, 2), (48, 3)]):
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        for object_id in range(1, count + 1):
            wait(machine, object_id)
        full = [LOCK_SERVICE, UNLOCK_SERVICE, GIVE_WAY]
        names = points(machine, drain_temp_list(machine, task))
        assert names == [*(full * batches), LOCK_SERVICE, UNLOCK_SERVICE]
        assert kd.est_count == count


def test_drain_asked_to_stop_between_two_batches_leaves_the_rest() -> None:
    machine = small()
    kd = put_kd(machine)
    task = start_task(machine, kd)
    for object_id in range(1, 41):
        wait(machine, object_id)
    names = points(machine, drain_temp_list(machine, task), Others(GIVE_WAY, 2, ask_to_stop(task)))
    assert names == [LOCK_SERVICE, UNLOCK_SERVICE, GIVE_WAY] * 2 + [LOCK_SERVICE, UNLOCK_SERVICE]
    # The newest waits at the head and goes first.
    assert temp_list(machine) == [8, 7, 6, 5, 4, 3, 2, 1]


def test_drain_without_memory_for_a_tick_puts_the_estimator_back() -> None:
    machine = small()
    kd = put_kd(machine)
    task = start_task(machine, kd)
    for object_id in (1, 2, 3):
        wait(machine, object_id)
    fail_allocations(machine.memory, 1, 1)
    names = points(machine, drain_temp_list(machine, task))
    assert names == [LOCK_SERVICE, UNLOCK_SERVICE]
    assert temp_list(machine) == [3, 2, 1]
    assert [est.ktid for est in nodes(machine.netns.est_temp_list)] == [TEMP_LIST_KTID] * 3
    assert kd.est_count == 0


# Section 11: the limits test


@pytest.mark.parametrize(
    ("before", "diff", "after"),
    [
        # Too short: twice as many loops.
        ((1, 0, 8), 0, (2, 0, 8)),
        ((1, 0, 8), 999, (2, 0, 8)),
        ((1, 0, 8), 1000, (2, 0, 8)),
        ((2, 0, 8), 1000, (4, 0, 8)),
        ((4, 600, 158), 10, (8, 600, 158)),
        # 95000/1001 = 94.9
        ((1, 0, 8), 1001, (1, 1001, 94)),
        # 2001/2 = 1000.5, 95000/1000 = 95
        ((2, 0, 8), 2001, (2, 1000, 95)),
        ((4, 0, 8), 5003, (4, 1250, 76)),
        # 95000/31666 = 3.0000x, 95000/31667 = 2.99997
        ((1, 0, 8), 31666, (1, 31666, 3)),
        ((1, 0, 8), 31667, (1, 31667, 2)),
        ((1, 0, 8), 94999, (1, 94999, 1)),
        ((1, 0, 8), 95000, (1, 95000, 1)),
        ((1, 0, 8), 95001, (1, 95001, 1)),
        ((1, 0, 8), 10**9 - 1, (1, 10**9 - 1, 1)),
        # Too long: nothing was measured.
        ((1, 0, 8), 10**9, (1, 0, 8)),
        ((1, 0, 8), 10**9 + 1, (1, 0, 8)),
        ((1, 0, 8), 10**12, (1, 0, 8)),
        # Only a smaller value counts.
        ((1, 1500, 63), 1200, (1, 1200, 79)),
        ((1, 1500, 63), 1499, (1, 1499, 63)),
        ((1, 1500, 63), 1500, (1, 1500, 63)),
        ((1, 1500, 63), 1501, (1, 1500, 63)),
        ((1, 1500, 63), 10**9, (1, 1500, 63)),
        ((8, 1500, 63), 11000, (8, 1375, 69)),
    ],
)
def test_measurement(before: tuple[int, int, int], diff: int, after: tuple[int, int, int]) -> None:
    assert measured(Measurement(*before), diff) == Measurement(*after)


def test_measurement_starts_with_one_loop_nothing_measured_and_8() -> None:
    assert Measurement() == Measurement(loops=1, min_est=0, chain_max=8)


def test_diff_up_to_1000_doubles_the_loops() -> None:
    assert measured(Measurement(), 1000) == Measurement(2, 0, 8)
    assert measured(Measurement(4, 600, 158), 10) == Measurement(8, 600, 158)
    assert measured(Measurement(), 1001) == Measurement(1, 1001, 94)


def test_diff_from_10e9_on_is_no_measurement() -> None:
    assert measured(Measurement(), 10**9) == Measurement()
    assert measured(Measurement(), 10**9 - 1) == Measurement(1, 10**9 - 1, 1)


def test_smaller_value_replaces_a_larger_one() -> None:
    assert measured(Measurement(1, 1500, 63), 1200) == Measurement(1, 1200, 79)
    assert measured(Measurement(1, 1500, 63), 1501) == Measurement(1, 1500, 63)


def test_measured_value_and_limit_are_rounded_down() -> None:
    assert measured(Measurement(2), 2001) == Measurement(2, 1000, 95)
    assert measured(Measurement(), 31667) == Measurement(1, 31667, 2)


def test_diff_shorter_than_the_loops_would_be_divided_by() -> None:
    # 1500/2048 = 0, and 95000/0 is next.
    assert measured(Measurement(2048), 1500) is None
    assert measured(Measurement(1024), 1024) == Measurement(1024, 1, 95000)


def kthread_0(machine: Machine) -> tuple[KthreadContext, Task]:
    """kd 0 with calc_stats, and its task."""
    _, kd = run(machine, add_kthread_context(machine))
    assert isinstance(kd, KthreadContext)
    return kd, kd.task or start_task(machine, kd)


FOUR_TESTS = [RCU_LOCK, RCU_UNLOCK] * 4


def test_limits_test_pauses_before_tests_0_4_and_8() -> None:
    for revision in ALL:
        # hz -> a pause of hz/50, rounded down
        for hz, pause in ((100, 2), (98, 1), (250, 5), (1024, 20)):
            machine = small(revision, replace(SMALL, hz=hz))
            _, task = kthread_0(machine)
            names, chain_max = run(machine, limits_test(machine, task))
            reading = [LOCK_SERVICE, UNLOCK_SERVICE]
            if revision is MAINLINE:
                reading = [LOCK_EST, UNLOCK_EST]
            assert names == [*reading, *[f"sleep {pause}", *FOUR_TESTS] * 3]
            # 4*23750 ns are 95000.
            assert chain_max == 1


def test_each_test_times_4_estimations_a_loop_after_one_that_warms_the_cache() -> None:
    # A chain's estimations cost 300 ns, 4 of them 1200: no doubling. 12*(1 + 4) of them.
    machine = small(MAINLINE, replace(SMALL, est_cost_ns=300))
    _, task = kthread_0(machine)
    assert run(machine, limits_test(machine, task))[1] == 95000 // 1200
    assert machine.clock_ns == 12 * 5 * 300
    # 4 of 250 ns are 1000: the first test doubles, 11 tests time 8.
    machine = small(MAINLINE, replace(SMALL, est_cost_ns=250))
    _, task = kthread_0(machine)
    assert run(machine, limits_test(machine, task))[1] == 95000 // 1000
    assert machine.clock_ns == (1 + 4 + 11 * (1 + 8)) * 250


def test_only_twelve_tests_count_and_the_last_one_does() -> None:
    for nth, chain_max in ((1, 47), (11, 47), (12, 47), (13, 23)):
        machine = small(MAINLINE, replace(SMALL, est_cost_ns=1000))
        _, task = kthread_0(machine)

        def speed_up(machine: Machine = machine) -> None:
            machine.est_cost_ns = 500

        names, answer = run(machine, limits_test(machine, task), Others(RCU_LOCK, nth, speed_up))
        # 95000/4000 = 23, 95000/2000 = 47
        assert answer == chain_max
        assert names.count(RCU_LOCK) == 12


def test_cost_that_changes_in_a_pause_counts_from_tests_0_4_or_8_on() -> None:
    # An estimation costs nothing at first: each test doubles the loops. From the pause on it
    # costs 300 ns, so that no test doubles them any more.
    for pause, tests in ((1, 0), (2, 4), (3, 8)):
        machine = small(MAINLINE, replace(SMALL, est_cost_ns=0))
        _, task = kthread_0(machine)

        def slow_down(machine: Machine = machine) -> None:
            machine.est_cost_ns = 300

        run(machine, limits_test(machine, task), Others("sleep 2", pause, slow_down))
        loops = 2**tests
        assert machine.clock_ns == (12 - tests) * (1 + 4 * loops) * 300


def test_limits_test_without_calc_stats_answers_8() -> None:
    for revision, (lock, unlock) in (
        (V7, (LOCK_SERVICE, UNLOCK_SERVICE)),
        (STABLE, (LOCK_SERVICE, UNLOCK_SERVICE)),
        (MAINLINE, (LOCK_EST, UNLOCK_EST)),
    ):
        machine = small(revision)
        assert run(machine, limits_test(machine, Task())) == ([lock, unlock], 8)
        put_kd(machine)
        assert run(machine, limits_test(machine, Task())) == ([lock, unlock], 8)


def test_limits_test_is_aborted_after_a_pause() -> None:
    for revision, pause, stop in product(ALL, (1, 2, 3), (False, True)):
        machine = small(revision)
        _, task = kthread_0(machine)
        action = ask_to_stop(task) if stop else disable(machine)
        names, answer = run(
            machine, limits_test(machine, task), Others("sleep 2", pause, action), task=task
        )
        assert answer is None
        assert names[2:] == ["sleep 2", *FOUR_TESTS] * (pause - 1) + ["sleep 2"]


def test_limits_test_is_aborted_after_a_test() -> None:
    for revision, tests, stop in product(ALL, (1, 2, 4, 8, 12), (False, True)):
        machine = small(revision)
        _, task = kthread_0(machine)
        action = ask_to_stop(task) if stop else disable(machine)
        names, answer = run(
            machine, limits_test(machine, task), Others(RCU_UNLOCK, tests, action), task=task
        )
        assert answer is None
        assert names[-1] == RCU_UNLOCK
        assert names.count(RCU_UNLOCK) == tests


# Section 11: the phase


@dataclass(slots=True)
class Phase:
    """kd 0 with a task but no calc_stats, so that the limits test answers 8 at once."""

    machine: Machine
    task: Task

    def run(self, *others: Others) -> list[str]:
        """The points of the calc phase, those of the limits test left out."""
        body = calc_phase(self.machine, self.task)
        names = points(self.machine, body, *others, task=self.task)
        lock = LOCK_EST if self.machine.revision is MAINLINE else LOCK_SERVICE
        assert names[0] == lock
        return names[2:]

    def put(self, kd: KthreadContext, delay: int, objects: Iterable[int]) -> list[Estimator]:
        """Estimators in the row that is `delay` ticks ahead."""
        return [place(self.machine, kd, each, delay) for each in objects]

    def kds(self, count: int) -> list[KthreadContext]:
        """So many more contexts, with tasks."""
        kds = [put_kd(self.machine) for _ in range(count)]
        for kd in kds:
            start_task(self.machine, kd)
        return kds

    @property
    def kd0(self) -> KthreadContext:
        kd = self.machine.netns.est_kt_arr[0]
        assert kd is not None
        return kd


def phase_of(revision: Revision, chain_max: int = 200) -> Phase:
    """One estimator, 1, in kd 0."""
    machine = small(revision)
    machine.netns.est_calc_phase = True
    kd = put_kd(machine, chain_max)
    task = start_task(machine, kd)
    place(machine, kd, 1)
    return Phase(machine, task)


def stops(*slots: int) -> list[str]:
    return [f"{does} ipvs-e:{slot}" for slot in slots for does in ("stop", "join")]


FREEING = [LOCK_EST, UNLOCK_EST]
FINISHING = [LOCK_EST, UNLOCK_EST]


def test_phase_stops_all_other_tasks_and_relinks_under_the_service_mutex() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        kds = phase.kds(3)
        phase.put(kds[0], 2, [2])
        phase.put(kds[2], 1, [3])
        # Slot 2 is a hole.
        phase.machine.netns.est_kt_arr[2] = None
        names = phase.run()
        stopping = [LOCK_EST, *stops(1, 3), UNLOCK_EST]
        if revision is MAINLINE:
            before = [*stopping, LOCK_SERVICE]
        else:
            before = [LOCK_SERVICE, *stopping]
        assert names == [*before, *FREEING, *FREEING, *FINISHING, UNLOCK_SERVICE]
        # The largest delay goes first, so that the smallest ends at the head.
        assert temp_list(phase.machine) == [3, 2]
        assert [est.ktrow for est in nodes(phase.machine.netns.est_temp_list)] == [1, 2]
        assert phase.machine.netns.est_kt_arr == [phase.kd0]


def test_phase_gives_up_stopping_tasks_when_disabled() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        for kd, object_id in zip(phase.kds(2), (2, 3), strict=True):
            phase.put(kd, 2, [object_id])
        names = phase.run(Others("join ipvs-e:1", 1, disable(phase.machine)))
        stopping = [LOCK_EST, *stops(1), UNLOCK_EST]
        if revision is MAINLINE:
            assert names == stopping
        else:
            assert names == [LOCK_SERVICE, *stopping, UNLOCK_SERVICE]
        assert temp_list(phase.machine) == []
        assert phase.machine.netns.est_chain_max == 0
        assert phase.machine.netns.est_calc_phase


def test_phase_disabled_before_the_last_task_was_stopped_relinks_nothing() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kds(1)[0], 2, [2])
        # The limits test locks first in every revision; in v7 it is over by then.
        where = LOCK_SERVICE if revision is not MAINLINE else LOCK_EST
        names = phase.run(Others(where, 2, disable(phase.machine)))
        if revision is MAINLINE:
            assert names == [LOCK_EST, UNLOCK_EST]
        else:
            assert names == [LOCK_SERVICE, LOCK_EST, UNLOCK_EST, UNLOCK_SERVICE]
        assert temp_list(phase.machine) == []


def test_phase_asked_to_stop_goes_on_stopping_tasks_before_mainline() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        for kd, object_id in zip(phase.kds(2), (2, 3), strict=True):
            phase.put(kd, 2, [object_id])
        names = phase.run(Others("join ipvs-e:1", 1, ask_to_stop(phase.task)))
        if revision is MAINLINE:
            assert names == [LOCK_EST, *stops(1), UNLOCK_EST]
        else:
            # The relinking then gives up at once.
            assert names == [LOCK_SERVICE, LOCK_EST, *stops(1, 2), UNLOCK_EST, UNLOCK_SERVICE]
        assert temp_list(phase.machine) == []
        assert phase.machine.netns.est_chain_max == 0


def test_phase_that_gives_up_relinking_changes_no_limit() -> None:
    for revision, stop in product(ALL, (False, True)):
        phase = phase_of(revision)
        machine = phase.machine
        # The only estimator of kd 1 is the last one to be relinked at all.
        phase.put(phase.kds(1)[0], 2, [2])
        # Lock est_mutex: (limits test,) stop tasks, free kd 1.
        nth = 3 if revision is MAINLINE else 2
        action = ask_to_stop(phase.task) if stop else disable(machine)
        names = phase.run(Others(LOCK_EST, nth, action))
        assert names[-3:] == [*FREEING, UNLOCK_SERVICE]
        assert temp_list(machine) == [2]
        assert (machine.netns.est_chain_max, phase.kd0.chain_max) == (0, 200)
        assert machine.netns.est_calc_phase


def test_phase_that_gives_up_relinking_leaves_the_other_contexts() -> None:
    for revision, stop in product(ALL, (False, True)):
        phase = phase_of(revision)
        kds = phase.kds(2)
        phase.put(kds[0], 2, [2])
        phase.put(kds[1], 2, [3])
        nth = 3 if revision is MAINLINE else 2
        action = ask_to_stop(phase.task) if stop else disable(phase.machine)
        phase.run(Others(LOCK_EST, nth, action))
        # kd 2 goes before kd 1.
        assert temp_list(phase.machine) == [3]
        assert kds[0].est_count == 1


def test_configuration_that_changes_after_genid_was_read_keeps_the_calc_phase() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        netns = phase.machine.netns

        def request(phase: Phase = phase) -> None:
            phase.machine.netns.est_genid += 1

        first = LOCK_EST if revision is MAINLINE else LOCK_SERVICE
        # At the start of the limits test: genid has been remembered.
        phase.run(Others(first, 1, request))
        assert netns.est_chain_max == 8
        assert netns.est_calc_phase
        phase.run()
        assert not netns.est_calc_phase


def test_kd_0_keeps_the_estimator_of_the_smallest_delay() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kd0, 2, [2, 3])
        phase.put(phase.kd0, 0, [4, 5])
        phase.run()
        # Heads first: 1, then 3, 2, then 5; 4 is kd 0's last one.
        assert temp_list(phase.machine) == [5, 2, 3, 1]
        assert phase.kd0.est_count == 1
        assert phase.kd0.tick_len == [1, 0, 0, 0, 0]


def test_phase_sets_the_limits_of_kd_0_only() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        # A context without estimators: no tick could be allocated after it was added.
        (empty,) = phase.kds(1)
        phase.put(phase.kd0, 2, [2])
        phase.kd0.est_row = 2
        phase.run()
        assert phase.machine.netns.est_chain_max == 8
        assert (phase.kd0.chain_max, phase.kd0.tick_max, phase.kd0.est_max_count) == (8, 24, 120)
        assert phase.kd0.add_row == 2
        assert (empty.chain_max, empty.tick_max, empty.est_max_count) == (200, 600, 3000)


def test_new_limits_leave_the_flags_of_the_estimator_that_kd_0_keeps() -> None:
    for revision in ALL:
        phase = phase_of(revision, chain_max=1)
        (full,) = (td for td in phase.kd0.ticks if td is not None)
        assert (full.full, phase.kd0.avail) == (0b001, 0b11111)
        phase.run()
        # The limits are 8 and 24 now, the chain holds 1.
        assert phase.kd0.chain_max == 8
        assert (full.full, phase.kd0.avail) == (0b001, 0b11111)


def test_phase_without_kd_0_sets_no_limit() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        netns = phase.machine.netns
        netns.est_kt_arr.clear()
        phase.run()
        assert netns.est_chain_max == 0
        assert not netns.est_calc_phase


def test_total_goes_to_the_head_of_the_temp_list_only_from_the_temp_list() -> None:
    for revision, where in product(ALL, ("relinked", "kept", "unlinked")):
        phase = phase_of(revision)
        machine = phase.machine
        if where == "unlinked":
            machine.netns.total = new_estimator(machine, 0).stats
        else:
            total = phase.put(phase.kd0, 3 if where == "relinked" else 0, [0])
            machine.netns.total = total[0].stats
        phase.put(phase.kd0, 2, [2])
        if where != "kept":
            phase.put(phase.kd0, 1, [3, 4])
        phase.run()
        expected = {
            # By delay: 2, 0, 1; kd 0 keeps 3.
            "relinked": [0, 4, 2, 1],
            # kd 0 keeps the total.
            "kept": [2, 1],
            "unlinked": [4, 2, 1],
        }
        assert temp_list(machine) == expected[where]


def test_only_a_context_that_is_freed_early_is_read_after_it_was_freed() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kds(1)[0], 2, [2])
        phase.run()
        violations = phase.machine.violations
        if revision is MAINLINE:
            assert violations == []
        else:
            assert [
                (each.thing, each.field) for each in violations if isinstance(each, UseAfterFree)
            ] == [("kd 1", "est_row")]


def relinked_at_breaks(phase: Phase) -> list[int]:
    """Lengths of the temp list whenever the phase gives way, which it does without the mutex."""
    found: list[int] = []
    mutex = phase.machine.service_mutex

    def look() -> None:
        assert mutex.owner is None
        found.append(len(temp_list(phase.machine)))

    names = phase.run(*(Others(GIVE_WAY, nth, look) for nth in range(1, 9)))
    assert [
        names[index - 1 : index + 2] for index, name in enumerate(names) if name == GIVE_WAY
    ] == [[UNLOCK_SERVICE, GIVE_WAY, LOCK_SERVICE]] * len(found)
    return found


# The 64th visit to a chain's head gives way before it takes the estimator.


def test_phase_gives_way_at_every_64th_visit() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kd0, 3, range(2, 200))
        # The first visit takes estimator 1 from the row before; with it that row is empty.
        assert relinked_at_breaks(phase) == [63, 127, 191]


def test_visits_count_over_rows_and_contexts() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        (kd,) = phase.kds(1)
        phase.put(phase.kd0, 3, range(2, 22))
        phase.put(kd, 3, range(22, 42))
        phase.put(phase.kd0, 1, range(42, 62))
        phase.put(kd, 1, range(62, 82))
        assert relinked_at_breaks(phase) == [63]


def test_visit_to_an_empty_chain_counts() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        kd = phase.kd0
        kd.chain_max = 2
        places = phase.put(kd, 3, range(2, 6))
        kd.chain_max = 200
        phase.put(kd, 3, range(6, 106))
        # Chains 0 and 1 of the row become empty, 100 stay in chain 2.
        for est in places:
            points(phase.machine, stop_estimator(phase.machine, est))
        td = kd.ticks[3]
        assert td is not None
        assert td.chain_len == [0, 0, 100]
        # One visit in the row before, two to empty chains, 60 more: 61 relinked.
        assert relinked_at_breaks(phase) == [61]


def test_kd_0_with_one_estimator_is_not_visited() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        (kd,) = phase.kds(1)
        phase.put(kd, 2, range(2, 102))
        # Delay 4 comes first; the row of kd 0's only estimator is that one.
        assert relinked_at_breaks(phase) == [63]


def in_a_break(revision: Revision) -> tuple[Phase, KthreadContext]:
    """Contexts 0 to 3; the first break is within the 70 estimators, 101 and up, of kd 3.

    Estimators 1 and 2, of kd 0, are the first and the last to be relinked.
    """
    phase = phase_of(revision)
    kds = phase.kds(3)
    phase.put(phase.kd0, 3, [2, 3])
    phase.put(kds[0], 3, [4])
    phase.put(kds[1], 3, [5])
    phase.put(kds[2], 3, range(101, 171))
    return phase, kds[2]


def test_undisturbed_break_changes_nothing() -> None:
    for revision in ALL:
        phase, _ = in_a_break(revision)
        phase.run()
        assert temp_list(phase.machine) == [3, 4, 5, *range(101, 171), 1]


def test_slot_that_went_in_a_break_restarts_the_delay() -> None:
    for revision in ALL:
        phase, kd = in_a_break(revision)
        netns = phase.machine.netns

        def drop(kd: KthreadContext = kd, phase: Phase = phase) -> None:
            # A control process deletes all that is left in kd 3 and with it the slot.
            for each in kd.ticks:
                if each is not None:
                    for est in list(nodes(each.chains[0])):
                        for _ in stop_estimator(phase.machine, est):
                            pass

        phase.run(Others(GIVE_WAY, 1, drop))
        assert netns.est_kt_count == 1
        # 62 of kd 3 were relinked; the same delay of the other contexts follows.
        assert temp_list(phase.machine) == [3, 4, 5, *range(109, 171), 1]


def test_other_context_in_the_slot_after_a_break_is_left() -> None:
    for revision in ALL:
        phase, kd = in_a_break(revision)
        machine = phase.machine

        def exchange(machine: Machine = machine) -> None:
            machine.netns.est_kt_arr[3] = None
            other = new_context(machine.params, 3, 1000, 200)
            machine.netns.est_kt_arr[3] = other

        phase.run(Others(GIVE_WAY, 1, exchange))
        assert temp_list(machine) == [3, 4, 5, *range(109, 171), 1]
        assert kd.est_count == 8


def test_other_tick_in_the_row_after_a_break_is_left() -> None:
    for revision in ALL:
        phase, kd = in_a_break(revision)
        machine = phase.machine

        def exchange(machine: Machine = machine, kd: KthreadContext = kd) -> None:
            kd.ticks[3] = new_tick(machine.params, 3)

        phase.run(Others(GIVE_WAY, 1, exchange))
        assert temp_list(machine) == [3, 4, 5, *range(109, 171), 1]
        assert kd.est_count == 8


def test_phase_asked_to_stop_in_a_break_relinks_at_most_one_more() -> None:
    for revision in ALL:
        phase, _ = in_a_break(revision)
        phase.run(Others(GIVE_WAY, 1, ask_to_stop(phase.task)))
        assert len(temp_list(phase.machine)) in (63, 64)
        assert phase.machine.netns.est_chain_max == 0


# The revisions


def test_first_service_computes_the_thread_limit_under_est_mutex_in_mainline_only() -> None:
    for revision in ALL:
        machine = boot(replace(SMALL, possible_cpus=3), revision)
        machine.netns.est_max_threads = 5
        names = points(machine, enable_estimation(machine))
        if revision is MAINLINE:
            assert names == [LOCK_EST, "queue 0", UNLOCK_EST]
        else:
            assert names == ["queue 0"]
        assert machine.netns.est_max_threads == (12 if revision is MAINLINE else 5)


def test_total_is_stopped_under_the_service_mutex_in_mainline_only() -> None:
    for revision in ALL:
        machine = boot(SMALL, revision)
        assert run(machine, start_total(machine))[1] == 0
        names = points(machine, cleanup_estimators(machine))
        releasing = [LOCK_EST, UNLOCK_EST]
        if revision is MAINLINE:
            releasing = [LOCK_SERVICE, *releasing, UNLOCK_SERVICE]
        assert names == [*releasing, "cancel"]


def test_netns_exit_with_nothing_to_stop_takes_the_service_mutex_only() -> None:
    for revision in ALL:
        machine = small(revision)
        assert points(machine, exit_netns(machine)) == [LOCK_SERVICE, UNLOCK_SERVICE, "cancel"]


def test_service_whose_estimator_does_not_start_calls_a_cleared_scheduler_in_v7() -> None:
    for revision in ALL:
        oracle = Oracle(replace(SMALL, sysctl=False), revision)
        # The service and its stats are allocated, the array for kd 0 is not.
        oracle.apply(FailAllocations(3))
        if revision is V7:
            with pytest.raises(ViolationError) as caught:
                oracle.apply(AddService(1))
            assert isinstance(caught.value.violation, InvalidPointer)
        else:
            assert oracle.apply(AddService(1)) == Returned(-ENOMEM)
            assert oracle.apply(TakeSnapshot()).snapshot.memory.live == 0


def test_dest_from_the_trash_whose_estimator_does_not_start_goes_back_in_mainline_only() -> None:
    for revision in ALL:
        oracle = Oracle(replace(SMALL, sysctl=False), revision)
        for operation in (AddService(1), AddDest(2, 1), DeleteDest(2)):
            assert oracle.apply(operation) == Returned(0)
        # Without kd 0 the start has to allocate.
        oracle.machine.netns.est_kt_arr.clear()
        oracle.apply(FailAllocations(1))
        assert oracle.apply(AddDest(2, 1)) == Returned(-ENOMEM)
        dests = oracle.apply(TakeSnapshot()).snapshot.dests
        assert [each.in_trash for each in dests] == ([True] if revision is MAINLINE else [])


# The runner by hand


def test_body_that_keeps_a_mutex_is_noticed() -> None:
    machine = small()

    def forgetful() -> Generator[Point, None, None]:
        yield machine.lock_est

    with pytest.raises(AssertionError):
        points(machine, forgetful())


def test_body_that_locks_twice_is_noticed() -> None:
    machine = small()

    def hasty() -> Generator[Point, None, None]:
        yield machine.lock_est
        yield machine.lock_est

    with pytest.raises(AssertionError):
        points(machine, hasty())


def test_body_without_end_is_noticed() -> None:
    def endless() -> Generator[Point, None, None]:
        while True:
            yield Sleep(1, "nowhere")

    with pytest.raises(AssertionError, match="endless"):
        points(small(), endless())
