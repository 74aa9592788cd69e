"""What a failure of real code is called on the model.

Where the model says that an index is outside its array, the code reads on, and dies of what it
finds there, or does not. Only a crash in the function that the model names is the same failure.
"""

from collections.abc import Callable, Mapping

_ON_CODE: Mapping[str, str] = {"memory.pointer": "bitmaps.in-range"}
_WHERE = "where="

Failures = Callable[[frozenset[str]], dict[str, str]]
"""What fails in the same history on the model, of these properties: details by id."""


def as_modelled(property_id: str, detail: str, failures: Failures) -> str:
    """The property that the model breaks by what broke this one on code; else the same."""
    other = _ON_CODE.get(property_id)
    if other is None:
        return property_id
    found = failures(frozenset({property_id, other}))
    if property_id in found or other not in found:
        return property_id
    return other if _function(found[other]) == _function(detail) != "" else property_id


def _function(detail: str) -> str:
    """Where the detail says that it happened; on code the file and line follow in brackets."""
    _, _, where = detail.rpartition(_WHERE)
    return where.partition(" ")[0].rstrip(".,)") if _WHERE in detail else ""
