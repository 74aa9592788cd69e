"""The first line of a trace and of an oracle session: format, kernel and parameters
(docs: SCHEMA.md)."""

from dataclasses import dataclass
from typing import Any

from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import integer, type_name
from ipvs_est.language.operation_json import cpu_set
from ipvs_est.language.params import (
    MAX_COST_NS,
    MAX_POSSIBLE_CPUS,
    MAX_STEPS_PER_BREAK,
    Params,
    ParamsError,
)
from ipvs_est.language.revision import KERNELS, REVISIONS, Revision

FORMAT = 1
"""Version of the operation and state language."""

_HEADER_FIELDS = frozenset({"trace", "format", "kernel", "seed", "params"})
_REQUIRED_PARAMS = (
    "hz",
    "nticks",
    "chain_factor",
    "preempt_rcu",
    "load_divisor",
    "possible_cpus",
    "est_cost_ns",
    "initial_jiffies",
)
_DERIVED_PARAMS = ("tick_jiffies", "tick_chains")
_OPTIONAL_PARAMS = ("word_bits", "housekeeping_cpus", "sysctl", "steps_per_break")
_PARAM_FIELDS = frozenset((*_REQUIRED_PARAMS, *_DERIVED_PARAMS, *_OPTIONAL_PARAMS))
_MAX_JIFFIES = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Header:
    """What a trace says about itself."""

    trace: str
    kernel: str
    seed: int
    params: Params
    revision: Revision


def header_from_json(value: dict[str, Any], override: Revision | None = None) -> Header:
    """The header that a JSON object holds; raises InputError naming the field.

    `override` is used instead of the revision that `kernel` names, which may then be
    unknown.
    """
    for name in sorted(_HEADER_FIELDS - value.keys()):
        raise InputError(name, "missing: this is not a trace's first line")
    for name in sorted(value.keys() - _HEADER_FIELDS):
        raise InputError(name, "unknown field")
    if not isinstance(value["trace"], str):
        raise InputError("trace", f"expected a string, found {type_name(value['trace'])}")
    if integer(value["format"], "format", 0, 2**31) != FORMAT:
        raise InputError("format", f"{value['format']} is not {FORMAT}, the one known here")
    kernel = value["kernel"]
    if not isinstance(kernel, str):
        raise InputError("kernel", f"expected a string, found {type_name(kernel)}")
    seed = integer(value["seed"], "seed", -(2**63), 2**64 - 1)
    revision = override or find_revision(kernel, "kernel")
    return Header(value["trace"], kernel, seed, params_from_json(value["params"]), revision)


def find_revision(name: str, field: str) -> Revision:
    """The revision with that name, or that a kernel of that version has; raises InputError."""
    revision = KERNELS.get(name) or REVISIONS.get(name)
    if revision is None:
        known = ", ".join((*KERNELS, *REVISIONS))
        raise InputError(field, f"unknown kernel {name[:40]!r}, known are {known}")
    return revision


def params_from_json(value: object) -> Params:
    """The `params` of a header; raises InputError."""
    if not isinstance(value, dict):
        raise InputError("params", f"expected an object, found {type_name(value)}")
    for name in _REQUIRED_PARAMS:
        if name not in value:
            raise InputError(f"params.{name}", "missing")
    for name in sorted(value.keys() - _PARAM_FIELDS):
        raise InputError(f"params.{name}", "unknown field")
    housekeeping = value.get("housekeeping_cpus")
    if housekeeping is not None:
        housekeeping = cpu_set(housekeeping, "params.housekeeping_cpus")
    try:
        params = Params(
            hz=_integer(value, "hz", 2**31),
            nticks=_integer(value, "nticks", 2**31),
            chain_factor=_integer(value, "chain_factor", 2**31),
            preempt_rcu=_boolean(value, "preempt_rcu"),
            load_divisor=_integer(value, "load_divisor", 2**31),
            word_bits=_integer(value, "word_bits", 64) if "word_bits" in value else 64,
            possible_cpus=_integer(value, "possible_cpus", MAX_POSSIBLE_CPUS),
            housekeeping_cpus=housekeeping,
            sysctl=_boolean(value, "sysctl") if "sysctl" in value else True,
            est_cost_ns=_integer(value, "est_cost_ns", MAX_COST_NS),
            initial_jiffies=_integer(value, "initial_jiffies", _MAX_JIFFIES),
            steps_per_break=_integer(value, "steps_per_break", MAX_STEPS_PER_BREAK)
            if "steps_per_break" in value
            else 0,
        )
    except ParamsError as error:
        raise InputError(f"params.{error.field}", error.message) from None
    for name in _DERIVED_PARAMS:
        if name in value:
            derived = getattr(params, name)
            if _integer(value, name, 2**31) != derived:
                raise InputError(f"params.{name}", f"the other parameters make it {derived}")
    return params


def params_to_json(params: Params) -> dict[str, object]:
    """The inverse of `params_from_json`; optional fields at their default are left out."""
    written: dict[str, object] = {
        "hz": params.hz,
        "nticks": params.nticks,
        "tick_jiffies": params.tick_jiffies,
        "load_divisor": params.load_divisor,
        "chain_factor": params.chain_factor,
        "tick_chains": params.tick_chains,
        "preempt_rcu": params.preempt_rcu,
        "possible_cpus": params.possible_cpus,
        "est_cost_ns": params.est_cost_ns,
        "initial_jiffies": params.initial_jiffies,
    }
    if params.word_bits != 64:
        written["word_bits"] = params.word_bits
    if params.housekeeping_cpus is not None:
        written["housekeeping_cpus"] = sorted(params.housekeeping_cpus)
    if not params.sysctl:
        written["sysctl"] = False
    if params.steps_per_break:
        written["steps_per_break"] = params.steps_per_break
    return written


def _integer(value: dict[str, Any], name: str, high: int) -> int:
    return integer(value[name], f"params.{name}", 0, high)


def _boolean(value: dict[str, Any], name: str) -> bool:
    flag = value[name]
    if not isinstance(flag, bool):
        raise InputError(f"params.{name}", f"expected true or false, found {type_name(flag)}")
    return flag
