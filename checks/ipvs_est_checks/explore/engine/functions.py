"""Where a thread is, in the kernel's names: its innermost suspended function."""

import json
import re
from types import CodeType, GeneratorType
from typing import cast

from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est_checks.explore.engine.bodies import actor_body
from ipvs_est_checks.explore.engine.world import Thread

# A function of the model names the kernel's in its docstring.
_NAMED = re.compile(r"\(`(\w+)`")
_NAMES: dict[CodeType, str | None] = {}


def place_of(thread: Thread) -> str:
    """The innermost function that has a name of the kernel's, or else the operation it is for."""
    place = thread.task.name
    body: object = thread.body
    while isinstance(body, GeneratorType) and body.gi_frame is not None:
        if body.gi_code is actor_body.__code__:
            place = _operation(body.gi_frame.f_locals)
        else:
            place = _kernel_name(body.gi_code) or place
        body = body.gi_yieldfrom
    return place


def operation_text(operation: Operation) -> str:
    """An operation as `write_cpulist text="0"`."""
    value = operation_to_json(operation)
    fields = [f"{name}={json.dumps(each)}" for name, each in value.items() if name != "op"]
    return " ".join([str(value["op"]), *fields])


def _operation(locals_: dict[str, object]) -> str:
    """What the control process with these local variables does now, or first."""
    operation = locals_.get("operation")
    if operation is None:
        operations = locals_["operations"]
        assert isinstance(operations, tuple)
        operation = operations[0] if operations else None
    # cast: a frame's local variables have no types; the caller named this one.
    return "" if operation is None else operation_text(cast("Operation", operation))


def _kernel_name(code: CodeType) -> str | None:
    if code not in _NAMES:
        # The docstring is the first constant.
        doc = code.co_consts[0] if code.co_consts else None
        found = _NAMED.search(doc) if isinstance(doc, str) else None
        _NAMES[code] = None if found is None else found[1]
    return _NAMES[code]
