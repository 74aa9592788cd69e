"""Reading JSON from outside, strictly: one value a line, no floats, no duplicate keys."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from ipvs_est.language.input_error import InputError, join

MAX_DIGITS = 40
"""More digits than any number of the language has."""
MAX_DEPTH = 100
"""How deep objects and lists may be nested; values of the language need less than a tenth of it.
The parser's own limit differs between versions of Python and with the depth of its caller."""

# A whole string, also one whose closing quote is missing, or a bracket outside of strings.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[][{}]', re.DOTALL)
# Parsers since Python 3.13 have messages of their own for a comma before a closing bracket; here
# they are given as Python 3.11 words them, so that all versions answer alike.
_AFTER_COMMA = {
    "Illegal trailing comma before end of object": "Expecting property name enclosed in"
    " double quotes",
    "Illegal trailing comma before end of array": "Expecting value",
}


class _FloatError(Exception):
    """The text has a number that is no integer."""


def _no_float(_: str) -> NoReturn:
    raise _FloatError


@dataclass(frozen=True, slots=True)
class _Float:
    """Stands for a number that is no integer, so that its place can be named."""

    text: str


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in pairs:
        if name in result:
            raise InputError(name, "given twice")
        result[name] = value
    return result


_DECODER = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)
_UNIQUE_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
# Refuses duplicate keys, because a second value would hide the number that is looked for.
_FLOAT_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_Float, parse_constant=_Float
)


def parse_object(text: str) -> dict[str, Any]:
    """One JSON object; raises InputError. Duplicate keys: see `check_unique_keys`."""
    # Any: parsed data from outside; whoever takes a value out checks its type.
    _check_depth(text)
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise InputError("", f"not JSON: {_place(text, _as_ever(error))}") from None
    except InputError:
        raise
    except ValueError:
        raise InputError("", "not usable: a number with too many digits") from None
    if not isinstance(value, dict):
        raise InputError("", "expected a JSON object")
    return value


def _check_depth(text: str) -> None:
    """Raise InputError if brackets are open within each other more than MAX_DEPTH deep."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        bracket = found[0]
        if bracket in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise InputError("", f"not usable: nested more than {MAX_DEPTH} deep")
        elif bracket in "]}":
            depth -= 1


def _as_ever(error: json.JSONDecodeError) -> json.JSONDecodeError:
    """The error in the words of Python 3.11's parser."""
    message = _AFTER_COMMA.get(error.msg)
    if message is None:
        return error
    text = error.doc
    rest = text[error.pos + 1 :]
    place = len(text) - len(rest.lstrip(" \t\n\r"))
    return json.JSONDecodeError(message, text, place)


def _decode(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except _FloatError:
        pass
    # Read a second time, slower, to name the field of the number.
    value = _FLOAT_DECODER.decode(text)
    _refuse_floats("", value)
    return value


def _refuse_floats(path: str, value: object) -> None:
    match value:
        case _Float(text):
            raise InputError(path, f"{text[:MAX_DIGITS]} is not an integer")
        case dict():
            for name, member in value.items():
                _refuse_floats(join(path, name), member)
        case list():
            for number, item in enumerate(value):
                _refuse_floats(f"{path}[{number}]", item)
        case _:
            pass


def _place(text: str, error: json.JSONDecodeError) -> str:
    if text.startswith("\ufeff"):
        return "a byte order mark at its beginning"
    # Text of one line comes from a reader that knows its number; only a text of several lines,
    # such as a scenario, needs the line named here.
    line = f"line {error.lineno}, " if "\n" in text.strip() else ""
    return f"{error.msg.removesuffix(' at')} at {line}column {error.colno}"


def check_unique_keys(text: str) -> None:
    """Raise InputError if an object of `text`, which `parse_object` accepts, has a key twice."""
    _UNIQUE_DECODER.decode(text)


def integer(value: object, field: str, low: int, high: int) -> int:
    """An integer from low to high; raises InputError naming `field`."""
    if type(value) is not int:
        raise InputError(field, f"expected an integer, found {type_name(value)}")
    if not low <= value <= high:
        raise InputError(field, f"{shorten(value)} is not in {low}..{high}")
    return value


def shorten(value: int) -> str:
    """The number, or its size when it has too many digits to print."""
    if value.bit_length() > 3 * MAX_DIGITS:
        return f"a number of {value.bit_length()} bits"
    return str(value)


def type_name(value: object) -> str:
    """The JSON name of a value's type."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    names[float] = "a fraction"
    if value is None:
        return "null"
    return names.get(type(value), "an integer")
