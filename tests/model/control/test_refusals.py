"""Why the oracle does not apply an operation, word for word."""

from typing import Any, NoReturn

import pytest

from ipvs_est import V7, OperationError, Oracle, Params, ViolationError
from ipvs_est.answers.results import DEADLOCK_TEXT, OK, Deadlocked, Returned, result_to_json
from ipvs_est.language.operations import (
    MAX_TEXT,
    AddDest,
    AddService,
    Advance,
    Cleanup,
    Delete,
    DeleteDest,
    DeleteService,
    ExitNetns,
    Export,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    PutDest,
    Read,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    StartTotal,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est.sequential import ControlProcessBlockedError
from model import booted, dest, returned, run

# Any in this file: values that a type checker would refuse.

NOTHING = (0, 0, 0, 0, 0)
WORLD: list[Operation] = [AddService(1), AddDest(2, 1), StartDest(3), AddDest(4, 1), DeleteDest(4)]


def said(oracle: Oracle, operation: Operation) -> str:
    with pytest.raises(OperationError) as found:
        oracle.apply(operation)
    assert found.value.reason == "bad-input"
    return str(found.value)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (StartService(0), "id: 0 cannot be an object's id, they start at 1"),
        (StartDest(3), "id: object 3 exists already"),
        (StartDest(4), "id: destination 4 still waits in the trash"),
        (AddService(4), "id: destination 4 still waits in the trash"),
        (Read(9), "id: there is no object 9"),
        (Zero(9), "id: there is no object 9"),
        (Export(9), "id: there is no object 9"),
        (Traffic(9, 0, *NOTHING), "id: there is no object 9"),
        (Traffic(3, 4, *NOTHING), "cpu: CPU 4 is not possible, there are 4"),
        (Delete(0), "id: the total ends with its netns only"),
        (Delete(1), "id: object 1 is a service or destination, not a bare object"),
        (Delete(2), "id: object 2 is a service or destination, not a bare object"),
        (DeleteService(3), "id: there is no service 3"),
        (AddDest(5, 2), "service: there is no service 2"),
        (DeleteDest(4), "id: there is no destination 4"),
        (GetDest(3), "id: there is no destination 3"),
        (PutDest(9), "id: there is no destination 9"),
        (PutDest(2), "id: no connection holds a reference to destination 2"),
        (StartTotal(), "op: the total's estimator exists already"),
        (InitNetns(), "op: the total's estimator exists already"),
        (Cleanup(), "op: object 1 exists: netns exit ends it before"),
        (Advance(-1), "n: -1 is not in 0..10000000"),
        (Advance(10**300), "n: a number of 997 bits is not in 0..10000000"),
        (WriteCpulist("0" * (MAX_TEXT + 1)), "text: longer than 1048576 characters"),
        (WriteCpulist("0", frozenset({4})), "allowed: CPU 4 is not possible, there are 4"),
    ],
)
def test_an_operation_that_makes_no_sense_here(operation: Operation, message: str) -> None:
    oracle = booted()
    run(oracle, WORLD)
    assert said(oracle, operation) == message


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("settle", "op: str is no operation"),
        (StartDest, "op: type is no operation"),
        (StartDest("1"), "id: expected an integer, found str"),  # type: ignore[arg-type]  # on purpose
        (Advance(True), "n: expected an integer, found bool"),
        (WriteCpulist(b"0"), "text: expected a string, found bytes"),  # type: ignore[arg-type]  # on purpose
        (WriteCpulist("0", {0}), "allowed: expected a frozenset, found set"),  # type: ignore[arg-type]  # on purpose
        (
            WriteCpulist("0", frozenset({0, "x" * 50})),  # type: ignore[arg-type]  # on purpose
            f"allowed: CPU '{'x' * 39} is not possible, there are 4",
        ),
    ],
)
def test_a_value_of_another_type(operation: Any, message: str) -> None:
    assert said(booted(), operation) == message


def test_the_longest_text_is_read() -> None:
    assert returned(booted(), WriteCpulist(" " * (MAX_TEXT - 1) + "0")) == 0


@pytest.mark.parametrize(
    "operation",
    [SetCpulist(1), WriteCpulist("0"), SetNice(1), SetRunEstimation(0), StartTotal()],
    ids=lambda operation: operation.op,
)
def test_a_kernel_without_sysctl_support(operation: Operation) -> None:
    oracle = booted(params=Params(sysctl=False))
    assert said(oracle, operation) == "op: this kernel has no sysctl support"


def test_each_connection_holds_a_reference_of_its_own() -> None:
    oracle = booted()
    run(oracle, [AddService(1), AddDest(2, 1), GetDest(2), GetDest(2), GetDest(2)])
    assert dest(oracle.snapshot(), 2).references == 3
    run(oracle, [PutDest(2)])
    assert dest(oracle.snapshot(), 2).references == 2
    run(oracle, [PutDest(2), PutDest(2)])
    assert said(oracle, PutDest(2)) == "id: no connection holds a reference to destination 2"


def cannot_answer(oracle: Oracle) -> str:
    with pytest.raises(OperationError) as found:
        oracle.apply(Read(0))
    assert (found.value.reason, found.value.field) == ("cannot-answer", "")
    return str(found.value)


def test_a_history_that_a_violation_ended() -> None:
    oracle = booted(V7, Params(sysctl=False))
    run(oracle, [FailAllocations(3)])
    with pytest.raises(ViolationError):
        oracle.apply(AddService(1))
    assert cannot_answer(oracle) == (
        "the history has ended: invalid-pointer: thing=scheduler, where=ip_vs_add_service"
    )
    assert oracle.ended == "invalid-pointer: thing=scheduler, where=ip_vs_add_service"


def test_a_history_that_a_deadlock_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def blocked(*_: object) -> NoReturn:
        raise ControlProcessBlockedError

    oracle = booted()
    monkeypatch.setattr("ipvs_est.oracle.settle", blocked)
    result = oracle.apply(Settle())
    assert isinstance(result, Deadlocked)
    assert result_to_json(result) == {"deadlock": DEADLOCK_TEXT}
    assert cannot_answer(oracle) == "the history has ended: deadlock"


def test_a_history_that_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    oracle = booted()
    monkeypatch.setattr("ipvs_est.oracle.advance", interrupt)
    with pytest.raises(KeyboardInterrupt):
        oracle.apply(Advance(1))
    assert cannot_answer(oracle) == "the history has ended: interrupted by KeyboardInterrupt"


def test_an_operation_answers_what_the_kernel_returns() -> None:
    oracle = booted()
    assert oracle.apply(Settle()) == OK == Returned(0)
    assert oracle.apply(SetNice(20)) == Returned(-22)
    assert oracle.apply(ExitNetns()) == OK
