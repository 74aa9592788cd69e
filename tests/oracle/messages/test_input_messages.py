"""The one line that tells what is wrong with an input, word for word."""

import json
import pickle
from typing import Any

import pytest

from ipvs_est import MAINLINE, Oracle, Params, ParamsError
from ipvs_est.answers.trace import TraceError
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import (
    check_unique_keys,
    integer,
    parse_object,
    shorten,
    type_name,
)
from ipvs_est.language.operation_json import cpu_set, operation_from_json, operation_to_json
from ipvs_est.language.operations import Dump, Operation, ReadCpulist, Settle, TakeSnapshot
from ipvs_est.replay import _check_form


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({}, "an object"),
        ([], "a list"),
        ("", "a string"),
        (False, "a boolean"),
        (1.5, "a fraction"),
        (None, "null"),
        (7, "an integer"),
    ],
)
def test_types_have_the_names_of_json(value: object, name: str) -> None:
    assert type_name(value) == name
    if name != "an integer":
        assert said(integer, value, "n", 0, 9) == f"n: expected an integer, found {name}"


TOO_DEEP = "not usable: nested more than 100 deep"


def said(function: Any, *arguments: object) -> str:
    # Any: functions of any signature.
    with pytest.raises(InputError) as found:
        function(*arguments)
    return str(found.value)


def test_what_is_wrong_with_an_input_passes_between_processes() -> None:
    for error in (InputError("n", "wrong"), InputError("", "wrong")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is InputError
        assert (again.field, again.message, str(again)) == (error.field, "wrong", str(error))


def test_integers_have_both_their_bounds() -> None:
    assert (integer(3, "n", 3, 5), integer(5, "n", 3, 5)) == (3, 5)
    assert said(integer, 2, "n", 3, 5) == "n: 2 is not in 3..5"
    assert said(integer, 6, "n", 3, 5) == "n: 6 is not in 3..5"
    assert said(integer, 1 << 400, "n", 3, 5) == "n: a number of 401 bits is not in 3..5"


def test_a_number_is_shortened_only_if_it_is_long() -> None:
    assert shorten(2**120 - 1) == str(2**120 - 1)
    assert shorten(-(2**120)) == "a number of 121 bits"
    assert (shorten(0), shorten(-7)) == ("0", "-7")


def test_a_fraction_is_no_integer() -> None:
    assert said(parse_object, '{"n": 1.25}') == "n: 1.25 is not an integer"
    assert said(parse_object, '{"n": NaN}') == "n: NaN is not an integer"
    assert said(parse_object, "-1e5") == "-1e5 is not an integer"


def test_of_several_fractions_the_first_is_named_by_its_path() -> None:
    text = '{"a": [1, {"b": 2}, {"c": {"d": "1.5", "e": [null, -Infinity]}}], "f": 2.5}'
    assert said(parse_object, text) == "a[2].c.e[1]: -Infinity is not an integer"
    # A fraction does not get lost behind a second value of its key.
    assert said(parse_object, '{"n": 1.5, "n": 2}') == "n: given twice"
    # What is no JSON at all is not looked into.
    assert said(parse_object, '{"n": 1.25') == "not JSON: Expecting ',' delimiter at column 11"
    deep = '{"a":' * 5000 + "1.5" + "}" * 5000
    assert said(parse_object, deep) == TOO_DEEP


@pytest.mark.parametrize(
    ("opens", "closes"), [('{"a":', "}"), ("[", "]"), ('[{"[{":', "}]"), ('{"\\"":[', "]}")]
)
def test_the_depth_of_nesting_has_one_limit(opens: str, closes: str) -> None:
    times = 98 // len(closes)

    def nested(more: str, less: str) -> str:
        return f'{{"a":{more}{opens * times}1{closes * times}{less}}}'

    parse_object(nested("[", "]"))
    check_unique_keys(nested("[", "]"))
    assert said(parse_object, nested("[[", "]]")) == TOO_DEEP
    # Also where what follows is no JSON, or never comes.
    assert said(parse_object, nested("[[", "}")) == TOO_DEEP
    assert said(parse_object, opens * 5000) == TOO_DEEP


def test_brackets_beside_each_other_or_in_strings_nest_nothing() -> None:
    parse_object(f'{{"a": [{"[], " * 5000}[]], "b": "{"[{" * 5000}", "c": "\\"{"[" * 200}"}}')
    # A string without an end: the time to find out grows with its length alone.
    text = '{"a": "' + '\\"[' * 100_000
    assert said(parse_object, text).startswith("not JSON: Unterminated string")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":1,}', "Expecting property name enclosed in double quotes at column 8"),
        ('{"a":1, }', "Expecting property name enclosed in double quotes at column 9"),
        ("[1,  ]", "Expecting value at column 6"),
        ('{"a":[1 ,],}', "Expecting value at column 10"),
        ('{"a":1,\n }', "Expecting property name enclosed in double quotes at line 2, column 2"),
    ],
)
def test_a_last_comma_is_refused_in_the_same_words_by_every_python(text: str, message: str) -> None:
    assert said(parse_object, text) == f"not JSON: {message}"


def test_text_that_is_no_object() -> None:
    assert said(parse_object, "[]") == "expected a JSON object"
    assert said(parse_object, "{}}") == "not JSON: Extra data at column 3"
    assert said(parse_object, "9" * 4301) == "not usable: a number with too many digits"
    assert said(parse_object, f"[0.{'5' * 50}]") == f"[0]: 0.{'5' * 38} is not an integer"


def test_a_key_given_twice_at_any_depth() -> None:
    assert said(check_unique_keys, '{"a":1,"b":2,"a":3}') == "a: given twice"
    assert said(check_unique_keys, '{"a":[{"b":1,"b":1}]}') == "b: given twice"
    check_unique_keys('{"a":{"a":1},"b":[{"a":1},{"a":1}]}')


def test_cpu_sets() -> None:
    assert cpu_set([8191, 0], "allowed") == {0, 8191}
    assert said(cpu_set, {}, "allowed") == "allowed: expected a list of CPUs, found an object"
    assert said(cpu_set, [0, 8192], "allowed") == "allowed[1]: 8192 is not in 0..8191"
    assert said(cpu_set, [1, 0, 1], "allowed") == "allowed: a CPU is given twice"


def test_operations_that_are_none() -> None:
    assert said(operation_from_json, {"id": 1}) == "op: missing"
    assert said(operation_from_json, {"op": 5}) == "op: expected a string, found an integer"
    long = "x" * 50
    assert said(operation_from_json, {"op": long}) == f"op: there is no operation {'x' * 40!r}"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"op": "write_cpulist"}, "text: missing"),
        ({"op": "traffic", "id": 1, "cpu": 0}, "conns: missing"),
        ({"op": "settle", "result": {}}, "result: unknown field"),
        ({"op": "advance", "n": 1, "result": {}}, "result: unknown field"),
        ({"op": "advance", "n": 1, "m": 1}, "m: unknown field"),
        ({"op": "advance", "n": "1"}, "n: expected an integer, found a string"),
        ({"op": "advance", "n": -1}, "n: -1 is not in 0..10000000"),
        ({"op": "write_cpulist", "text": 1}, "text: expected a string, found an integer"),
        (
            {"op": "write_cpulist", "text": "0" * (2**20 + 1)},
            "text: longer than 1048576 characters",
        ),
        ({"op": "write_cpulist", "text": "0", "allowed": 3}, "allowed: expected a list of CPUs,"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_members_that_an_operation_cannot_have(value: dict[str, Any], message: str) -> None:
    assert said(operation_from_json, value).startswith(message)


def test_the_longest_text_is_an_operation() -> None:
    value = {"op": "write_cpulist", "text": "0" * 2**20}
    assert operation_to_json(operation_from_json(value)) == value


def test_a_configuration_that_the_model_does_not_have() -> None:
    with pytest.raises(ParamsError) as found:
        Params(hz=0)
    assert str(found.value) == f"hz: {found.value.message}"


def test_a_place_in_a_trace_names_what_is_known_of_it() -> None:
    error = InputError("n", "wrong")
    assert str(TraceError("a.jsonl", 3, error)) == "a.jsonl:3: n: wrong"
    assert str(TraceError("a.jsonl", 0, error)) == "a.jsonl: n: wrong"
    assert str(TraceError("a.jsonl", 3, InputError("", "wrong"))) == "a.jsonl:3: wrong"


@pytest.mark.parametrize(
    ("operation", "recorded", "message"),
    [
        (Settle(), {"deadlock": 1}, "result.deadlock: expected a string"),
        (Settle(), {"violation": "x"}, "result.violation: expected an object"),
        (Settle(), {}, "result.ret: missing"),
        (Settle(), {"ret": "0"}, "result.ret: expected an integer, found a string"),
        (Settle(), {"ret": -(2**31) - 1}, f"result.ret: {-(2**31) - 1} is not in"),
        (Settle(), {"ret": 2**64}, f"result.ret: {2**64} is not in"),
        (Settle(), {"ret": 0, "more": 1}, "result.more: unknown field"),
        (ReadCpulist(), {"text": 5}, "result.text: expected a string"),
        (ReadCpulist(), {}, "result.text: expected a string"),
        (Dump(), {}, "result.add_ktid: missing"),
        (TakeSnapshot(), {}, "missing"),
    ],
)
def test_a_recorded_result_that_no_kernel_can_have_given(
    operation: Operation, recorded: dict[str, object], message: str
) -> None:
    result = Oracle(Params(), MAINLINE).apply(operation)
    assert message in said(_check_form, recorded, result)


@pytest.mark.parametrize(
    "recorded",
    [{"deadlock": "x"}, {"violation": {}}, {"ret": -(2**31)}, {"ret": 2**64 - 1}],
    ids=json.dumps,
)
def test_a_recorded_result_that_differs_is_no_bad_input(recorded: dict[str, object]) -> None:
    _check_form(recorded, Oracle(Params(), MAINLINE).apply(Settle()))
