"""The pool of processes: what is asked comes back in order, and what dies is named."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Timer

import pytest

from command_line import python
from ipvs_est_checks.workers import Lost, Pool, WorkerError, usable_cpus

PROCESSES = pytest.mark.parametrize("processes", [1, 2, 5])


def square(number: int) -> int:
    return number * number


def slow_if_small(number: int) -> int:
    time.sleep(0.05 if number < 2 else 0)
    return square(number)


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def process_id(_: int) -> int:
    return os.getpid()


def no_memory() -> None:
    raise MemoryError


def refuse(reason: str) -> None:
    raise ValueError(reason)


class UnpicklableError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


def refuse_oddly() -> None:
    raise UnpicklableError(1, 2)


def not_fit_for_pickling() -> object:
    return lambda: None


def count(to: int, note: Callable[[int], None]) -> int:
    for number in range(to):
        note(number)
    return to


def count_and_die(to: int, note: Callable[[int], None]) -> int:
    count(to, note)
    os.kill(os.getpid(), signal.SIGKILL)
    return to


@PROCESSES
def test_answers_come_in_the_order_of_the_work(processes: int) -> None:
    with Pool(processes) as pool:
        found = list(pool.map(slow_if_small, range(8), str))
    assert found == [(number, number * number) for number in range(8)]


@PROCESSES
def test_no_more_work_is_taken_than_is_wanted_ahead(processes: int) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            taken.append(number)
            yield number
            number += 1

    with Pool(processes) as pool:
        answers = pool.map(square, endless(), str, ahead=2)
        assert [next(answers)[1] for _ in range(3)] == [0, 1, 4]
    assert len(taken) == (3 if processes == 1 else 2 * processes + 2)


def test_a_process_that_dies_takes_only_its_own_work_with_it() -> None:
    with Pool(2) as pool:
        found = [answer for _, answer in pool.map(die_at_three, range(8), "number {}".format)]
    lost = found.pop(3)
    assert isinstance(lost, Lost)
    assert str(lost) == "number 3: its process was killed by SIGKILL"
    assert found == [0, 1, 2, 4, 5, 6, 7]


def test_a_process_that_dies_idle_loses_nothing() -> None:
    with Pool(2) as pool:
        first = pool.outcome(pool.submit("first", process_id, 0))
        assert isinstance(first, int)
        os.kill(first, signal.SIGKILL)
        again = pool.outcome(pool.submit("again", process_id, 0))
        assert isinstance(again, int)
        assert again not in (first, os.getpid())


def test_what_a_dying_process_was_given_and_has_not_begun_is_done_by_another() -> None:
    with Pool(2) as pool:
        first = pool.outcome(pool.submit("first", process_id, 0))
        assert isinstance(first, int)
        os.kill(first, signal.SIGSTOP)
        # After the pool has given it the next work.
        kill = Timer(0.2, os.kill, (first, signal.SIGKILL))
        kill.start()
        again = pool.outcome(pool.submit("again", process_id, 0))
        kill.join()
    assert isinstance(again, int)
    assert again not in (first, os.getpid())


def test_an_exit_in_the_middle_is_a_death() -> None:
    with Pool(2) as pool:
        lost = pool.outcome(pool.submit("leaves", os._exit, 7))
    assert isinstance(lost, Lost)
    assert (lost.name, lost.why) == ("leaves", "its process ended with exit code 7")


@PROCESSES
def test_lack_of_memory_is_told_as_a_death_is(processes: int) -> None:
    with Pool(processes) as pool:
        task = pool.submit("big", no_memory)
        assert pool.outcome(task) == Lost("big", "out of memory")


@PROCESSES
def test_an_exception_of_the_work_is_raised_where_it_was_asked_for(processes: int) -> None:
    with Pool(processes) as pool:
        task = pool.submit("refuses", refuse, "too big")
        with pytest.raises(ValueError, match="too big") as caught:
            pool.outcome(task)
        cause = caught.value.__cause__
        assert ("in refuse" in str(cause)) == (processes > 1)
        assert pool.outcome(pool.submit("goes on", square, 3)) == 9


def test_what_cannot_be_pickled_is_an_error_that_says_so() -> None:
    with Pool(2) as pool:
        odd, unfit = pool.submit("odd", refuse_oddly), pool.submit("unfit", not_fit_for_pickling)
        with pytest.raises(WorkerError, match="UnpicklableError: 1 2"):
            pool.outcome(odd)
        with pytest.raises(Exception, match=r"pickle|local object"):
            pool.outcome(unfit)


@PROCESSES
def test_work_tells_what_it_has_before_its_end(processes: int) -> None:
    noted: list[int] = []
    with Pool(processes) as pool:
        task = pool.submit_noting("counts", partial(count, 4), noted.append)
        answer = pool.outcome(task)
    assert answer == 4
    assert noted == [0, 1, 2, 3]


def test_what_was_told_before_a_death_is_there() -> None:
    noted: list[int] = []
    with Pool(2) as pool:
        task = pool.submit_noting("counts", partial(count_and_die, 3), noted.append)
        lost = pool.outcome(task)
    assert isinstance(lost, Lost)
    assert noted == [0, 1, 2]


def test_work_over_its_time_limit_is_lost_and_the_rest_goes_on() -> None:
    with Pool(1, fresh=(), limit=0.5) as pool:
        long = pool.submit("long", time.sleep, 60)
        short = pool.submit("short", time.sleep, 0)
        assert [work_item.name for work_item in pool.as_completed([long, short])] == [
            "long",
            "short",
        ]
    lost = long.outcome()
    assert isinstance(lost, Lost)
    assert lost.why == "time limit of 0.5 s"
    assert 0.5 <= lost.seconds < 10
    assert short.outcome() is None


def test_fresh_work_has_a_process_of_its_own() -> None:
    with Pool(1, fresh=()) as pool:
        found = [answer for _, answer in pool.map(process_id, range(3), str)]
    assert len({*found, os.getpid()}) == 4


def test_other_processes_serve_more_than_one_work() -> None:
    with Pool(2) as pool:
        found = {answer for _, answer in pool.map(process_id, range(20), str)}
    assert 1 <= len(found) <= 2
    assert os.getpid() not in found


def test_the_work_that_takes_longest_is_named_while_one_waits() -> None:
    named: list[str] = []
    with Pool(2, waiting=named.append) as pool:
        slow = pool.submit("slow", time.sleep, 1.2)
        quick = pool.submit("quick", square, 2)
        assert pool.outcome(quick) == 4
        named.clear()
        assert pool.outcome(slow) is None
    assert set(named) == {"slow"}
    assert len(named) >= 2


def test_leaving_the_pool_ends_what_is_under_way() -> None:
    began = time.monotonic()
    with Pool(2) as pool:
        pool.submit("sleeps", time.sleep, 60)
        pool.outcome(pool.submit("is quick", square, 2))
    assert time.monotonic() - began < 10


def test_one_process_needs_no_multiprocessing() -> None:
    script = """\
import sys
from ipvs_est_checks.workers import Pool
with Pool(1) as pool:
    print([answer for _, answer in pool.map(abs, [-1, 2], str)])
print({"multiprocessing", "concurrent", "threading"} & {*sys.modules} - before)
""".replace("import sys\n", "import sys\nbefore = {*sys.modules}\n")
    assert python("-c", script).out.splitlines() == ["[1, 2]", "set()"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_all_of_them_is_the_business_of_the_first(name: str, tmp_path: Path) -> None:
    script = f"""\
import os, signal, time
from ipvs_est_checks.workers import Pool
def ended(number, frame):
    raise KeyboardInterrupt
signal.signal(signal.{name}, ended)
os.setpgid(0, 0)
def hit():
    os.killpg(0, signal.{name})
    time.sleep(60)
try:
    with Pool(2) as pool:
        pool.outcome(pool.submit("hits", hit))
except KeyboardInterrupt:
    print("ended")
"""
    run = python("-W", "error", "-c", script)
    assert (run.code, run.out, run.err) == (0, "ended\n", "")


def test_workers_end_with_a_parent_that_was_killed() -> None:
    script = """\
import os, signal, time
from ipvs_est_checks.workers import Pool
def kill_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
with Pool(3) as pool:
    for number in range(2):
        pool.submit("sleeps", time.sleep, 60)
    pool.outcome(pool.submit("kills", kill_parent))
"""
    began = time.monotonic()
    # Returns when nobody holds the other ends any more.
    assert python("-c", script).code == -signal.SIGKILL
    assert time.monotonic() - began < 20


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no affinities")
def test_cpus_are_those_that_may_be_used() -> None:
    script = """\
import os
from ipvs_est_checks.workers import usable_cpus
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(usable_cpus())
"""
    assert python("-c", script).out == "1\n"
    assert usable_cpus() == len(os.sched_getaffinity(0))
