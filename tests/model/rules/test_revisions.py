"""The revisions: rules, each with an answer worked out from the text."""

from dataclasses import replace

import pytest

from by_hand import (
    ALL,
    GIVE_WAY,
    LOCK_EST,
    LOCK_SERVICE,
    SMALL,
    UNLOCK_EST,
    UNLOCK_SERVICE,
    points,
    run,
    small,
)
from ipvs_est import MAINLINE, V7, OperationError, Oracle, ViolationError
from ipvs_est.answers.results import Returned
from ipvs_est.control.estimator_objects import enable_estimation, start_total
from ipvs_est.control.netns_life import cleanup_estimators, exit_netns
from ipvs_est.language.errno import ENOMEM
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    DeleteDest,
    FailAllocations,
    ReadStatus,
    TakeSnapshot,
)
from ipvs_est.language.violations import InvalidPointer
from ipvs_est.state.machine import boot


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
        assert points(machine, exit_netns(machine)) == [
            LOCK_SERVICE,
            UNLOCK_SERVICE,
            GIVE_WAY,
            "cancel",
        ]


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
        assert [dest.in_trash for dest in dests] == ([True] if revision is MAINLINE else [])


def test_status_file_is_there_in_mainline_only() -> None:
    for revision in ALL:
        oracle = Oracle(SMALL, revision)
        if revision is MAINLINE:
            assert oracle.apply(ReadStatus()).chain_max == 0
        else:
            with pytest.raises(OperationError):
                oracle.apply(ReadStatus())
