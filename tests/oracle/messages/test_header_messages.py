"""What is wrong with a trace's first line or with parameters is told word for word."""

from typing import Any

import pytest

from ipvs_est import KERNELS, MAINLINE, REVISIONS, V7, V7_UNWIND, Params, ParamsError
from ipvs_est.language.header import (
    find_revision,
    header_from_json,
    params_from_json,
    params_to_json,
)
from ipvs_est.language.input_error import InputError, join

# Any in this file: parsed JSON, which the tests damage at will.

REQUIRED: dict[str, Any] = {
    "hz": 100,
    "nticks": 5,
    "chain_factor": 3,
    "preempt_rcu": False,
    "load_divisor": 8,
    "possible_cpus": 2,
    "est_cost_ns": 7916,
    "initial_jiffies": 0,
}
KNOWN = "6.12.94, 6.12.95, 6.12.117, 7.3.4, v7, v7-unwind, stable, mainline, repaired"


def header(**changes: Any) -> dict[str, Any]:
    plain = {"trace": "t", "format": 1, "kernel": "7.3.4", "seed": 1, "params": REQUIRED}
    return {**plain, **changes}


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {item: value[item] for item in value if item != name}


def said_of_header(value: dict[str, Any]) -> str:
    with pytest.raises(InputError) as found:
        header_from_json(value)
    return str(found.value)


def said_of_params(**changes: Any) -> str:
    with pytest.raises(InputError) as found:
        params_from_json({**REQUIRED, **changes})
    return str(found.value)


@pytest.mark.parametrize("name", ["trace", "format", "kernel", "seed", "params"])
def test_a_member_missing_from_a_header(name: str) -> None:
    message = f"{name}: missing: this is not a trace's first line"
    assert said_of_header(without(header(), name)) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"more": 1}, "more: unknown field"),
        ({"trace": 1}, "trace: expected a string, found an integer"),
        ({"format": 2}, "format: 2 is not 1, the one known here"),
        ({"format": "1"}, "format: expected an integer, found a string"),
        ({"format": -1}, "format: -1 is not in 0..2147483648"),
        ({"format": 2**31}, "format: 2147483648 is not 1, the one known here"),
        ({"format": 2**31 + 1}, "format: 2147483649 is not in 0..2147483648"),
        ({"format": 0}, "format: 0 is not 1, the one known here"),
        ({"kernel": 7}, "kernel: expected a string, found an integer"),
        ({"kernel": "7.3.5"}, f"kernel: unknown kernel '7.3.5', known are {KNOWN}"),
        ({"kernel": "x" * 41}, f"kernel: unknown kernel '{'x' * 40}', known are {KNOWN}"),
        ({"seed": None}, "seed: expected an integer, found null"),
        ({"seed": -(2**63) - 1}, f"seed: {-(2**63) - 1} is not in {-(2**63)}..{2**64 - 1}"),
        ({"seed": 2**64}, f"seed: {2**64} is not in {-(2**63)}..{2**64 - 1}"),
        ({"params": []}, "params: expected an object, found a list"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_value_in_a_header(changes: dict[str, Any], message: str) -> None:
    assert said_of_header(header(**changes)) == message


@pytest.mark.parametrize("seed", [-(2**63), 2**64 - 1])
def test_seeds_have_64_bits_with_or_without_a_sign(seed: int) -> None:
    assert header_from_json(header(seed=seed)).seed == seed


def test_a_header_keeps_what_it_says() -> None:
    found = header_from_json(header(kernel="6.12.94"))
    assert (found.trace, found.kernel, found.seed, found.revision) == ("t", "6.12.94", 1, V7_UNWIND)
    assert found.params == Params(
        hz=100,
        nticks=5,
        chain_factor=3,
        possible_cpus=2,
        est_cost_ns=7916,
        initial_jiffies=0,
    )
    other = header_from_json(header(kernel="no such"), V7)
    assert (other.kernel, other.revision) == ("no such", V7)


@pytest.mark.parametrize("name", [*KERNELS, *REVISIONS])
def test_revisions_are_found_by_their_name_and_by_their_kernel(name: str) -> None:
    found = find_revision(name, "kernel")
    assert name in (found.name, *found.kernels)
    assert find_revision("7.3.4", "kernel") is MAINLINE


def test_an_unknown_revision_is_told_with_the_field_that_names_it() -> None:
    with pytest.raises(InputError) as found:
        find_revision("v8", "revision")
    assert str(found.value) == f"revision: unknown kernel 'v8', known are {KNOWN}"


@pytest.mark.parametrize("name", list(REQUIRED))
def test_a_missing_parameter(name: str) -> None:
    with pytest.raises(InputError) as found:
        params_from_json(without(REQUIRED, name))
    assert str(found.value) == f"params.{name}: missing"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"HZ": 1}, "params.HZ: unknown field"),
        ({"hz": "100"}, "params.hz: expected an integer, found a string"),
        ({"hz": True}, "params.hz: expected an integer, found a boolean"),
        ({"preempt_rcu": 1}, "params.preempt_rcu: expected true or false, found an integer"),
        ({"sysctl": None}, "params.sysctl: expected true or false, found null"),
        ({"hz": 0}, "params.hz: 0 is not in 1..100000"),
        ({"hz": 100_001}, "params.hz: 100001 is not in 1..100000"),
        ({"hz": 2**31}, "params.hz: 2147483648 is not in 1..100000"),
        ({"hz": 2**31 + 1}, "params.hz: 2147483649 is not in 0..2147483648"),
        ({"nticks": 0}, "params.nticks: 0 is not in 1..64"),
        ({"nticks": 65}, "params.nticks: 65 is not in 1..64"),
        ({"nticks": 2**31}, "params.nticks: 2147483648 is not in 1..64"),
        ({"nticks": 2**31 + 1}, "params.nticks: 2147483649 is not in 0..2147483648"),
        ({"chain_factor": 0}, "params.chain_factor: 0 is not in 1..64"),
        ({"chain_factor": 65}, "params.chain_factor: 65 is not in 1..64"),
        ({"chain_factor": 2**31}, "params.chain_factor: 2147483648 is not in 1..64"),
        ({"chain_factor": 2**31 + 1}, "params.chain_factor: 2147483649 is not in 0..2147483648"),
        ({"load_divisor": 1}, "params.load_divisor: 1 is not in 2..64"),
        ({"load_divisor": 65}, "params.load_divisor: 65 is not in 2..64"),
        ({"load_divisor": 2**31}, "params.load_divisor: 2147483648 is not in 2..64"),
        ({"load_divisor": 2**31 + 1}, "params.load_divisor: 2147483649 is not in 0..2147483648"),
        ({"possible_cpus": 0}, "params.possible_cpus: 0 is not in 1..8192"),
        ({"possible_cpus": 8193}, "params.possible_cpus: 8193 is not in 0..8192"),
        ({"est_cost_ns": -1}, "params.est_cost_ns: -1 is not in 0..1000000000000000"),
        ({"est_cost_ns": 10**15 + 1}, f"params.est_cost_ns: {10**15 + 1} is not in 0..{10**15}"),
        ({"initial_jiffies": -1}, f"params.initial_jiffies: -1 is not in 0..{2**64 - 1}"),
        ({"initial_jiffies": 2**64}, f"params.initial_jiffies: {2**64} is not in 0..{2**64 - 1}"),
        ({"steps_per_break": -1}, "params.steps_per_break: -1 is not in 0..1000000"),
        ({"steps_per_break": 1000001}, "params.steps_per_break: 1000001 is not in 0..1000000"),
        ({"word_bits": 16}, "params.word_bits: 16 is neither 32 nor 64"),
        ({"word_bits": 65}, "params.word_bits: 65 is not in 0..64"),
        (
            {"word_bits": 32, "initial_jiffies": 2**32},
            "params.initial_jiffies: does not fit 32 bits",
        ),
        ({"hz": 2}, "params.hz: a tick of 2*2/5 jiffies would be 0"),
        (
            {"housekeeping_cpus": []},
            "params.housekeeping_cpus: at least one CPU must do housekeeping",
        ),
        ({"housekeeping_cpus": [2, 3]}, "params.housekeeping_cpus: CPU 2 is not possible"),
        ({"housekeeping_cpus": [0, 0]}, "params.housekeeping_cpus: a CPU is given twice"),
        ({"housekeeping_cpus": [-1]}, "params.housekeeping_cpus[0]: -1 is not in 0..8191"),
        (
            {"housekeeping_cpus": {}},
            "params.housekeeping_cpus: expected a list of CPUs, found an object",
        ),
        ({"tick_jiffies": 41}, "params.tick_jiffies: the other parameters make it 40"),
        ({"tick_jiffies": 2**31}, "params.tick_jiffies: the other parameters make it 40"),
        ({"tick_jiffies": 2**31 + 1}, "params.tick_jiffies: 2147483649 is not in 0..2147483648"),
        ({"tick_chains": 1}, "params.tick_chains: the other parameters make it 3"),
        (
            {"tick_chains": 3, "preempt_rcu": True},
            "params.tick_chains: the other parameters make it 1",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_parameter(changes: dict[str, Any], message: str) -> None:
    assert said_of_params(**changes) == message


@pytest.mark.parametrize(
    "changes",
    [
        {"hz": 3},
        {"hz": 100_000},
        {"nticks": 1},
        {"nticks": 64},
        {"chain_factor": 1},
        {"chain_factor": 64},
        {"load_divisor": 2},
        {"load_divisor": 64},
        {"possible_cpus": 1},
        {"possible_cpus": 8192},
        {"est_cost_ns": 0},
        {"est_cost_ns": 10**15},
        {"initial_jiffies": 2**64 - 1},
        {"word_bits": 32, "initial_jiffies": 2**32 - 1},
        {"steps_per_break": 1},
        {"steps_per_break": 10**6},
        {"housekeeping_cpus": [1, 0]},
        {"housekeeping_cpus": [1]},
        {"sysctl": False},
        {"preempt_rcu": True, "tick_chains": 1},
    ],
    ids=str,
)
def test_the_extreme_values_of_each_parameter_are_usable(changes: dict[str, Any]) -> None:
    params = params_from_json({**REQUIRED, **changes})
    for name, value in changes.items():
        wanted = frozenset(value) if isinstance(value, list) else value
        assert getattr(params, name) == wanted
    assert params_from_json(params_to_json(params)) == params


def test_parameters_left_out_have_their_defaults() -> None:
    params = params_from_json(REQUIRED)
    assert (params.word_bits, params.sysctl, params.steps_per_break) == (64, True, 0)
    assert params.housekeeping_cpus is None


def test_parameters_are_written_in_one_order_and_optional_ones_only_if_they_say_something() -> None:
    plain = {
        "hz": 100,
        "nticks": 5,
        "tick_jiffies": 40,
        "load_divisor": 8,
        "chain_factor": 3,
        "tick_chains": 3,
        "preempt_rcu": False,
        "possible_cpus": 2,
        "est_cost_ns": 7916,
        "initial_jiffies": 0,
    }
    assert list(params_to_json(params_from_json(REQUIRED)).items()) == list(plain.items())
    changes = {
        "word_bits": 32,
        "housekeeping_cpus": [0, 1],
        "sysctl": False,
        "steps_per_break": 2,
    }
    params = params_from_json({**REQUIRED, **changes, "housekeeping_cpus": [1, 0]})
    assert list(params_to_json(params).items()) == list({**plain, **changes}.items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hz": 250.0}, "hz: expected int, found float"),
        ({"sysctl": 1}, "sysctl: expected bool, found int"),
        ({"preempt_rcu": "no"}, "preempt_rcu: expected bool, found str"),
        (
            {"housekeeping_cpus": [0]},
            "housekeeping_cpus: expected a frozenset of CPUs or None",
        ),
        (
            {"housekeeping_cpus": frozenset({"0"})},
            "housekeeping_cpus: expected int, found str",
        ),
        ({"housekeeping_cpus": frozenset({-1})}, "housekeeping_cpus: CPU -1 is not possible"),
        ({"initial_jiffies": -1}, "initial_jiffies: does not fit 64 bits"),
        ({"initial_jiffies": 2**64}, "initial_jiffies: does not fit 64 bits"),
        ({"possible_cpus": 8193}, "possible_cpus: 8193 is not in 1..8192"),
        ({"est_cost_ns": -1}, "est_cost_ns: -1 is not in 0..1000000000000000"),
        ({"est_cost_ns": 10**15 + 1}, f"est_cost_ns: {10**15 + 1} is not in 0..{10**15}"),
        ({"steps_per_break": -1}, "steps_per_break: -1 is not in 0..1000000"),
        ({"steps_per_break": 10**6 + 1}, "steps_per_break: 1000001 is not in 0..1000000"),
    ],
    ids=str,
)
def test_parameters_given_in_python(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError) as found:
        Params(**changes)
    assert str(found.value) == message
    assert (found.value.field, found.value.message) == tuple(message.split(": ", 1))


def test_a_member_of_the_whole_has_no_path_before_it() -> None:
    assert (join("", "hz"), join("params", "hz")) == ("hz", "params.hz")
