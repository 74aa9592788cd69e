"""Work that is handed out comes back once, whoever dies meanwhile."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import pytest

from ipvs_est_checks.campaign.handout import DASK, Handout, handing_out
from ipvs_est_checks.workers import Lost

WORK = list(range(12))


def name(number: int) -> str:
    return f"case {number}"


def square(number: int) -> int:
    return number * number


def square_and_die_once(folder: str, number: int) -> int:
    """The process of case 5 is killed the first time that it is run."""
    flag = Path(folder, "died")
    if number == 5 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(number)


def square_or_die(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(number)


def fail(number: int) -> int:
    raise ValueError(number)


def two_processes() -> Executor:
    return ProcessPoolExecutor(2, get_context("spawn"))


def answers(function: Callable[[int], int]) -> tuple[list[int | Lost], Handout[int, int]]:
    with handing_out(function, name, two_processes) as handout:
        return handout.map(WORK), handout


def test_a_process_that_dies_loses_no_case_and_counts_none_twice(tmp_path: Path) -> None:
    found, handout = answers(partial(square_and_die_once, str(tmp_path)))
    assert found == [square(number) for number in WORK]
    assert (handout.answers, handout.renewed) == (len(WORK), 1)


def test_a_case_that_kills_its_process_each_time_is_lost_alone() -> None:
    found, handout = answers(square_or_die)
    assert found[5] == Lost("case 5", "its worker died, twice")
    assert [number for number in found if number != found[5]] == [square(n) for n in WORK if n != 5]
    assert handout.answers == len(WORK)


def test_an_exception_of_the_work_is_no_death() -> None:
    with pytest.raises(ValueError, match=r"^\d+$"):
        answers(fail)


# What Dask warns of, such as a port that is taken, is not ours.
@pytest.mark.filterwarnings("default")
def test_dask_loses_no_case_and_counts_none_twice_when_a_worker_is_killed(tmp_path: Path) -> None:
    pytest.importorskip(DASK, reason="the extra dask is not installed")
    # By name: it has no types.
    distributed = import_module(DASK)
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=str(tmp_path),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):

        def make() -> Executor:
            executor: Executor = client.get_executor(pure=False)
            return executor

        assert len(client.scheduler_info()["workers"]) == 2
        call = partial(square_and_die_once, str(tmp_path))
        with handing_out(call, name, make) as handout:
            assert handout.map(WORK) == [square(number) for number in WORK]
            assert handout.answers == len(WORK)
        assert (tmp_path / "died").exists()
