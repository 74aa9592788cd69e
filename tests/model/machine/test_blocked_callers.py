"""An operation whose caller has to wait (recordings, rule 5)."""

import pytest

from by_hand import begin
from ipvs_est import MAINLINE, Params
from ipvs_est.language.violations import Deadlock
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.points import Body, Call, Join, Lock, Sleep, Unlock
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.sequential import (
    BLOCKED_SECONDS,
    ControlProcessBlockedError,
    Sequential,
    call,
    settle,
    wait_chain,
)
from ipvs_est.state.machine import boot

HZ = 100


def driver() -> Sequential:
    return Sequential(boot(Params(hz=HZ), MAINLINE))


def holds(mutex: Mutex, jiffies: int) -> Body:
    yield Lock(mutex)
    yield Sleep(jiffies, "test")
    yield Unlock(mutex)


def takes(mutex: Mutex, log: list[str], name: str) -> Call:
    yield Lock(mutex)
    log.append(name)
    yield Unlock(mutex)
    return 5


def taking(mutex: Mutex, log: list[str], name: str) -> Body:
    yield from takes(mutex, log, name)


@pytest.mark.parametrize("jiffies", [1, 7, BLOCKED_SECONDS * HZ - 1])
def test_a_caller_goes_on_as_soon_as_the_mutex_is_free_and_before_others(jiffies: int) -> None:
    sequential = driver()
    mutex = Mutex("m")
    begin(sequential, "holder", 1, holds(mutex, jiffies))
    settle(sequential)
    log: list[str] = []
    begin(sequential, "other", 0, taking(mutex, log, "other"))
    start = sequential.machine.now
    assert call(sequential, takes(mutex, log, "caller")) == 5
    assert sequential.machine.now == start + jiffies
    assert log == ["caller"]
    settle(sequential)
    assert log == ["caller", "other"]
    assert mutex.owner is None
    assert sequential.machine.violations == []


def test_a_caller_that_waits_for_ten_seconds_waits_for_ever() -> None:
    sequential = driver()
    mutex = Mutex("m")
    begin(sequential, "holder", 1, holds(mutex, BLOCKED_SECONDS * HZ + 1))
    settle(sequential)
    start = sequential.machine.now
    with pytest.raises(ControlProcessBlockedError):
        call(sequential, takes(mutex, [], "caller"))
    assert sequential.machine.now == start + BLOCKED_SECONDS * HZ
    assert sequential.machine.violations == [
        Deadlock(("control process: waits for m, held by holder", "holder: sleeping"))
    ]


def test_without_anything_to_happen_the_ten_seconds_pass_at_once() -> None:
    sequential = driver()
    mutex = Mutex("m", owner=Task(name="lost", state=TaskState.EXITED))
    start = sequential.machine.now
    with pytest.raises(ControlProcessBlockedError):
        call(sequential, takes(mutex, [], "caller"))
    assert sequential.machine.now == start + BLOCKED_SECONDS * HZ


def test_a_caller_waits_for_a_tasks_exit() -> None:
    sequential = driver()
    mutex = Mutex("m")
    holder = begin(sequential, "holder", 1, holds(mutex, 3))

    def joins() -> Call:
        yield Join(holder)
        return 6

    start = sequential.machine.now
    assert call(sequential, joins()) == 6
    assert holder.state is TaskState.EXITED
    assert sequential.machine.now == start + 3


def test_a_chain_of_waits_is_told_until_it_closes() -> None:
    first, second = Mutex("first"), Mutex("second")
    a = Task(name="a", state=TaskState.BLOCKED, waits_for=second)
    b = Task(name="b", state=TaskState.BLOCKED, waits_for=first)
    first.owner, second.owner = a, b
    c = Task(name="c", state=TaskState.JOINING, waits_for=a)
    assert wait_chain(c) == (
        "c: waits for the exit of a",
        "a: waits for second, held by b",
        "b: waits for first, held by a",
    )
    b.waits_for, b.state = None, TaskState.SLEEPING
    assert wait_chain(a) == ("a: waits for second, held by b", "b: sleeping")
    second.owner = None
    assert wait_chain(a) == ("a: waits for second, held by nobody",)
