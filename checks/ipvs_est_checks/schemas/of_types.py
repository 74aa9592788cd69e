"""A JSON Schema for a dataclass, from its annotations: what `ipvs_est.language.codec` accepts."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from ipvs_est.language.codec import OneOf, Range

Schema = dict[str, object]

EXACT_IN_FLOAT = 2**53
"""Up to it every integer is a floating-point number of 64 bits."""
BEYOND_FLOAT = "may exceed 2^53: to be read and written without floating point"

_PLAIN = {int: "integer", float: "number", bool: "boolean", str: "string"}

# Any in this file: annotations, as typing has them.


def schema_of(wanted: Any, special: Mapping[type, Schema]) -> Schema:
    """The schema of what an annotation allows; types with a form of their own are given."""
    if get_origin(wanted) in (UnionType, Union):
        (inner,) = [argument for argument in get_args(wanted) if argument is not NoneType]
        return {"anyOf": [schema_of(inner, special), {"type": "null"}]}
    if get_origin(wanted) is tuple:
        arguments = get_args(wanted)
        if len(arguments) == 2 and arguments[1] is ...:
            return {"type": "array", "items": schema_of(arguments[0], special)}
        items = [schema_of(argument, special) for argument in arguments]
        return {
            "type": "array",
            "prefixItems": items,
            "minItems": len(items),
            "maxItems": len(items),
        }
    if wanted in special:
        return special[wanted]
    if is_dataclass(wanted):
        assert isinstance(wanted, type)
        return members_of(wanted, special)
    if get_origin(wanted) is Annotated:
        plain, restriction = get_args(wanted)
        return {**schema_of(plain, special), **_restricted(restriction)}
    return {"type": _PLAIN[wanted]}


def members_of(wanted: type, special: Mapping[type, Schema], **constants: str) -> Schema:
    """The schema of a dataclass as an object, with members of constant value before its own."""
    hints = get_type_hints(wanted, include_extras=True)
    own = {field.name: schema_of(hints[field.name], special) for field in fields(wanted)}
    return closed({**{name: {"const": text} for name, text in constants.items()}, **own})


def closed(properties: Mapping[str, Schema], optional: frozenset[str] = frozenset()) -> Schema:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def integer(low: int, high: int) -> Schema:
    """An integer from low to high, with a warning where floating point does not hold it."""
    schema: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return {**schema, "$comment": BEYOND_FLOAT} if high > EXACT_IN_FLOAT else schema


def nullable(schema: Schema) -> Schema:
    """What fits the schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    """A list of any number of them."""
    return {"type": "array", "items": schema}


def by_name(schema: Schema) -> Schema:
    """An object of them with any names."""
    return {"type": "object", "additionalProperties": schema}


def report(name: str, version: int, members: Mapping[str, Schema]) -> Schema:
    """What `json_text` writes: the report's name and version, then these members."""
    return closed({"report": {"const": name}, "version": {"const": version}, **members})


def reference(name: str) -> Schema:
    """A definition of the same document."""
    return {"$ref": f"#/$defs/{name}"}


def _restricted(restriction: Range | OneOf) -> Schema:
    if isinstance(restriction, OneOf):
        return {"enum": list(restriction.values)}
    schema: Schema = {"minimum": restriction.low}
    if restriction.high is not None:
        schema["maximum"] = restriction.high
    if restriction.high is None or restriction.high > EXACT_IN_FLOAT:
        schema["$comment"] = BEYOND_FLOAT
    return schema
