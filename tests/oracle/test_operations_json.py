"""Operations as JSON and back: nothing is lost, and nothing else is let in."""

import json
from dataclasses import MISSING, fields
from typing import get_args

import pytest
from hypothesis import given

from ipvs_est.language.input_error import InputError
from ipvs_est.language.operation_json import operation_from_json, operation_to_json
from ipvs_est.language.operations import (
    BOUNDS,
    OPERATIONS,
    FailAllocations,
    Operation,
    SetNice,
    StartDest,
    Traffic,
    WriteCpulist,
)
from ipvs_est_checks.testing import operations
from strategies import repeatable

RECORDED = {
    *("tot", "svc", "dest", "del", "cpulist", "cost", "nice", "run_estimation", "traffic"),
    *("zero", "read", "disable", "cleanup", "settle", "advance", "dump"),
}
"""The operations that the recordings are made of."""


def example(kind: type[Operation]) -> dict[str, object]:
    """A well-formed object of that operation, optional fields included."""
    written: dict[str, object] = {"op": kind.op}
    for field in fields(kind):
        match field.name:
            case "text":
                written["text"] = "0-1"
            case "allowed":
                written["allowed"] = [0, 3]
            case _:
                written[field.name] = BOUNDS[field.name][1]
    return written


def required(kind: type[Operation]) -> set[str]:
    """Names of the fields that have no default."""
    return {field.name for field in fields(kind) if field.default is MISSING}


def through_text(value: object) -> dict[str, object]:
    """The object as whoever parses its text gets it."""
    parsed = json.loads(json.dumps(value))
    assert isinstance(parsed, dict)
    return parsed


def field_of_error(value: dict[str, object]) -> str:
    """The field that `operation_from_json` blames."""
    with pytest.raises(InputError) as caught:
        operation_from_json(value)
    return caught.value.field


kinds = pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.op)


def test_every_operation_has_a_form_and_a_name_of_its_own() -> None:
    assert set(OPERATIONS) == set(get_args(Operation))
    assert len({operation.op for operation in OPERATIONS}) == len(OPERATIONS) == 32
    assert {operation.op for operation in OPERATIONS} > RECORDED


@kinds
def test_each_operation_survives_json(kind: type[Operation]) -> None:
    @repeatable
    @given(operation=operations([kind]))
    def survives(operation: Operation) -> None:
        assert operation_from_json(through_text(operation_to_json(operation))) == operation

    survives()


@repeatable
@given(operation=operations())
def test_a_result_beside_an_operation_changes_nothing(operation: Operation) -> None:
    recorded = {**operation_to_json(operation), "result": {"ret": 0}}
    assert operation_from_json(through_text(recorded), extra=1) == operation


@kinds
def test_the_order_of_the_fields_does_not_matter(kind: type[Operation]) -> None:
    value = example(kind)
    backwards = dict(reversed(value.items()))
    assert operation_from_json(backwards) == operation_from_json(value)


@kinds
def test_both_bounds_of_each_integer_are_accepted_and_what_is_beyond_is_not(
    kind: type[Operation],
) -> None:
    value = example(kind)
    for name in [field.name for field in fields(kind) if field.name in BOUNDS]:
        low, high = BOUNDS[name]
        for inside in (low, high):
            assert getattr(operation_from_json({**value, name: inside}), name) == inside
        for outside in (low - 1, high + 1, -(10**5000), 10**5000):
            assert field_of_error({**value, name: outside}) == name


@kinds
def test_missing_field_is_named(kind: type[Operation]) -> None:
    for name in required(kind):
        value = example(kind)
        del value[name]
        assert field_of_error(value) == name


@kinds
def test_optional_field_may_be_left_out(kind: type[Operation]) -> None:
    value = {
        name: value for name, value in example(kind).items() if name in {"op", *required(kind)}
    }
    operation = operation_from_json(value)
    assert operation_to_json(operation) == value


@kinds
def test_unknown_field_is_named(kind: type[Operation]) -> None:
    assert field_of_error({**example(kind), "extra": 1}) == "extra"


@kinds
@pytest.mark.parametrize("wrong", [None, True, "1", [True], {"1": 1}, 1.0], ids=repr)
def test_wrong_type_is_named(kind: type[Operation], wrong: object) -> None:
    for field in fields(kind):
        if not (field.name == "text" and isinstance(wrong, str)):
            value = {**example(kind), field.name: wrong}
            assert field_of_error(value).partition("[")[0] == field.name


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({}, "op"),
        ({"op": None}, "op"),
        ({"op": 1}, "op"),
        ({"op": ["svc"]}, "op"),
        ({"op": "Svc", "id": 1}, "op"),
        ({"op": "x" * 10**6}, "op"),
        ({"op": "\ud800"}, "op"),
        ({"op": "write_cpulist", "text": "x" * (2**20 + 1)}, "text"),
        ({"op": "write_cpulist", "text": "0", "allowed": [0, 0]}, "allowed"),
        ({"op": "write_cpulist", "text": "0", "allowed": [0, -1]}, "allowed[1]"),
        ({"op": "write_cpulist", "text": "0", "allowed": [0, 8192]}, "allowed[1]"),
        ({"op": "write_cpulist", "text": "0", "allowed": [False]}, "allowed[0]"),
        ({"op": "write_cpulist", "text": "0", "allowed": [0, [0]]}, "allowed[1]"),
    ],
)
def test_malformed_operation_is_refused(value: dict[str, object], field: str) -> None:
    assert field_of_error(value) == field


def test_written_forms_are_those_of_the_recordings() -> None:
    traffic = Traffic(id=3, cpu=1, conns=1, inpkts=2, outpkts=3, inbytes=4, outbytes=5)
    assert json.dumps(operation_to_json(traffic), separators=(",", ":")) == (
        '{"op":"traffic","id":3,"cpu":1,"conns":1,"inpkts":2,"outpkts":3,"inbytes":4,"outbytes":5}'
    )
    assert operation_to_json(StartDest(7)) == {"op": "dest", "id": 7}
    assert operation_to_json(SetNice(-20)) == {"op": "nice", "value": -20}


def test_sets_are_written_ascending_and_defaults_not_at_all() -> None:
    written = operation_to_json(WriteCpulist("0", frozenset({5, 3, 4})))
    assert written == {"op": "write_cpulist", "text": "0", "allowed": [3, 4, 5]}
    assert operation_to_json(WriteCpulist("0")) == {"op": "write_cpulist", "text": "0"}
    assert operation_to_json(FailAllocations(2, 1)) == {"op": "fail_allocations", "nth": 2}
    assert operation_to_json(FailAllocations(2, 0))["count"] == 0


def test_empty_set_is_not_the_absent_one() -> None:
    nobody = WriteCpulist("0", frozenset())
    assert operation_to_json(nobody)["allowed"] == []
    assert operation_from_json(through_text(operation_to_json(nobody))) == nobody


def test_lone_surrogate_in_a_text_survives() -> None:
    operation = WriteCpulist("0\ud800")
    assert operation_from_json(through_text(operation_to_json(operation))) == operation
