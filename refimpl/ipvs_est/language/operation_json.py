"""Operations as JSON objects and back (docs: SCHEMA.md)."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any

from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import integer, type_name
from ipvs_est.language.operations import BOUNDS, MAX_TEXT, OPERATIONS, Operation
from ipvs_est.language.params import MAX_POSSIBLE_CPUS


@dataclass(frozen=True, slots=True)
class _Form:
    """How one operation is written."""

    # Any: the constructors take different arguments, which are checked before.
    build: Callable[..., Any]
    integers: tuple[tuple[str, int, int], ...]
    names: frozenset[str]


def _form(operation: type[Operation]) -> _Form:
    members = fields(operation)
    return _Form(
        build=operation,
        integers=tuple(
            (member.name, *BOUNDS[member.name]) for member in members if member.name in BOUNDS
        ),
        names=frozenset({"op", *(member.name for member in members)}),
    )


_FORMS = {operation.op: _form(operation) for operation in OPERATIONS}


def operation_from_json(value: dict[str, Any], extra: int = 0) -> Operation:
    """The operation that a JSON object names; raises InputError naming the field.

    `extra` members of the object are the caller's business and already known to be there
    under names that no operation uses.
    """
    op = value.get("op")
    form = _FORMS.get(op) if type(op) is str else None
    if form is None:
        raise _bad_op(value)
    arguments: list[object] = []
    try:
        for name, low, high in form.integers:
            number = value[name]
            if type(number) is not int or not low <= number <= high:
                integer(number, name, low, high)
            arguments.append(number)
    except KeyError:
        return _with_defaults(value, form, extra)
    if len(value) != 1 + len(arguments) + extra or len(form.names) != 1 + len(arguments):
        return _with_defaults(value, form, extra)
    operation: Operation = form.build(*arguments)
    return operation


def operation_to_json(operation: Operation) -> dict[str, object]:
    """The operation as a JSON object; optional fields at their default are left out."""
    written: dict[str, object] = {"op": operation.op}
    for field in fields(operation):
        value = getattr(operation, field.name)
        if field.default is MISSING or value != field.default:
            written[field.name] = sorted(value) if isinstance(value, frozenset) else value
    return written


def _with_defaults(value: dict[str, Any], form: _Form, extra: int) -> Operation:
    """The slow way: optional and textual fields, and every error."""
    arguments: dict[str, object] = {}
    for name, low, high in form.integers:
        if name in value:
            arguments[name] = integer(value[name], name, low, high)
    if "text" in form.names and "text" in value:
        arguments["text"] = _text(value["text"])
    if "allowed" in form.names and "allowed" in value:
        arguments["allowed"] = cpu_set(value["allowed"], "allowed")
    for field in fields(form.build):  # type: ignore[arg-type]  # an operation's class, see _form
        if field.default is MISSING and field.name not in arguments:
            raise InputError(field.name, "missing")
    unknown = sorted(set(value) - form.names - TRACE_FIELDS)
    if unknown or len(value) > 1 + len(arguments) + extra:
        raise InputError(unknown[0] if unknown else "result", "unknown field")
    operation: Operation = form.build(**arguments)
    return operation


TRACE_FIELDS = frozenset({"result"})
"""Fields that a recording adds to an operation."""


def cpu_set(value: object, field: str) -> frozenset[int]:
    """A list of different CPUs; raises InputError."""
    if not isinstance(value, list):
        raise InputError(field, f"expected a list of CPUs, found {type_name(value)}")
    for index, entry in enumerate(value):
        integer(entry, f"{field}[{index}]", 0, MAX_POSSIBLE_CPUS - 1)
    if len(set(value)) != len(value):
        raise InputError(field, "a CPU is given twice")
    return frozenset(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InputError("text", f"expected a string, found {type_name(value)}")
    if len(value) > MAX_TEXT:
        raise InputError("text", f"longer than {MAX_TEXT} characters")
    return value


def _bad_op(value: dict[str, Any]) -> InputError:
    if "op" not in value:
        return InputError("op", "missing")
    op = value["op"]
    if not isinstance(op, str):
        return InputError("op", f"expected a string, found {type_name(op)}")
    return InputError("op", f"there is no operation {op[:40]!r}")
