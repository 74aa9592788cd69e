"""Shorter histories with the same failure: what is tried, and that it is tried often enough."""

from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    InitNetns,
    Operation,
    Read,
    SetNice,
    StartDest,
    StartService,
    Traffic,
)
from ipvs_est_checks.machines.shorten import History, shortest

MANY = 1000


def counted(id_: int, conns: int) -> Traffic:
    return Traffic(id_, 0, conns, 0, 0, 0, 0)


def passed(operations: History) -> int:
    return sum(operation.n for operation in operations if isinstance(operation, Advance))


def test_waits_are_joined() -> None:
    history = (Advance(20), StartService(1), Advance(30), Advance(50), Advance(1))

    def failure(candidate: History) -> str:
        return "late" if passed(candidate) >= 90 else ""

    assert shortest(history, failure, MANY).operations == (Advance(90),)


def test_one_object_does_what_two_did() -> None:
    history = (InitNetns(), StartService(5), counted(0, 1), Advance(3))

    def failure(candidate: History) -> str:
        started = {operation.id for operation in candidate if isinstance(operation, StartService)}
        if any(isinstance(operation, InitNetns) for operation in candidate):
            started.add(0)
        counts = any(
            isinstance(operation, Traffic) and operation.id in started for operation in candidate
        )
        services = any(isinstance(operation, StartService) for operation in candidate)
        return "wrong" if counts and services else ""

    assert shortest(history, failure, MANY).operations == (StartService(1), counted(1, 0))


def test_an_operation_is_replaced_by_one_that_does_less() -> None:
    history = (AddService(7), AddDest(9, 7), Advance(4))

    def failure(candidate: History) -> str:
        return (
            "wrong"
            if any(isinstance(operation, AddDest | StartDest) for operation in candidate)
            else ""
        )

    assert shortest(history, failure, MANY).operations == (StartDest(1),)


def test_what_takes_one_operation_is_not_replaced_by_what_does_not_fail() -> None:
    history: tuple[Operation, ...] = (StartService(3), Delete(3), Read(3))
    found = shortest(history, lambda group: "wrong" if group == history else "", MANY)
    assert found.operations == history


def test_numbers_are_lowered_and_keep_their_sign() -> None:
    def failure(candidate: History) -> str:
        match candidate:
            case (Traffic(conns=conns), SetNice(value)) if conns >= 65_536 and value < -20:
                return "wrong"
        return ""

    found = shortest((counted(4, 2**63), SetNice(-2000)), failure, MANY)
    assert found.operations == (counted(4, 65_536), SetNice(-21))


def test_tries_are_limited() -> None:
    tried: list[History] = []

    def failure(candidate: History) -> str:
        tried.append(candidate)
        return "always" if len(candidate) > 30 else ""

    found = shortest(tuple(StartService(number) for number in range(1, 40)), failure, 5)
    assert (found.attempts, len(tried)) == (5, 5)


def test_what_does_not_fail_is_left_as_it_is() -> None:
    history = (StartService(1), Advance(2))
    found = shortest(history, lambda _: "", MANY)
    assert (found.operations, found.sentence, found.attempts) == (history, "", 1)
