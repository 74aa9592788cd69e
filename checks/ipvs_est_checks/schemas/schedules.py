"""The schemas of the contract's chapter on schedules: tasks, schedules, outcomes."""

from ipvs_est_checks.explore.schedule_lines import MAX_BUDGET, MAX_JIFFIES, MAX_NAME
from ipvs_est_checks.schemas.of_types import Schema, closed, integer, reference
from ipvs_est_checks.subjects.schedules import ENDS, MAX_CHOICE, MAX_STEPS

_PART = "(0|[1-9][0-9]{0,8})(x[1-9][0-9]{0,3})?"
_WORD: Schema = {"type": "string", "pattern": rf"^({_PART}(\.{_PART})*)?$"}
_CHOICE = integer(0, MAX_CHOICE - 1)


def definitions() -> dict[str, Schema]:
    """By name: each line of the chapter."""
    return {"task": _task(), "schedule": _schedule(), "schedule-answer": _answer()}


def _task() -> Schema:
    operations: Schema = {"type": "array", "items": reference("operation")}
    name: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
    return closed({"task": name, "operations": operations})


def _schedule() -> Schema:
    members: dict[str, Schema] = {
        "schedule": _WORD,
        "jiffies": integer(0, MAX_JIFFIES),
        "fields": {"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]},
        "from": integer(0, MAX_STEPS),
        "budget": integer(0, MAX_BUDGET),
        "states": {"type": "boolean"},
        "events": {"type": "boolean"},
    }
    return closed(members, frozenset(members) - {"schedule"})


def _answer() -> Schema:
    common: dict[str, Schema] = {
        "end": {"enum": list(ENDS)},
        "word": _WORD,
        "cycle": {"type": "array", "items": {"type": "string"}},
        # A tree's program has kinds of its own.
        "violations": {"type": "array", "items": {"type": "object", "required": ["kind"]}},
    }
    optional = frozenset({"cycle", "violations", "state"})
    step: Schema = {
        "type": "array",
        "prefixItems": [
            _CHOICE,
            {"type": "array", "items": _CHOICE, "minItems": 1, "uniqueItems": True},
            {"type": "boolean"},
            {"type": "string"},
            {"type": "string"},
        ],
        "minItems": 5,
        "maxItems": 5,
    }
    whole: dict[str, Schema] = {
        **common,
        "steps": {"type": "array", "items": step},
        "state": reference("state"),
    }
    brief: dict[str, Schema] = {
        **common,
        "count": integer(0, MAX_STEPS),
        "turns": {"type": "array", "items": _CHOICE},
    }
    outcome: Schema = {"oneOf": [closed(whole, optional), closed(brief, optional)]}
    answer: Schema = {
        "type": "array",
        "prefixItems": [integer(0, MAX_STEPS), {"type": "boolean"}, reference("snapshot")],
        "minItems": 3,
        "maxItems": 3,
    }
    members: dict[str, Schema] = {
        "schedule": outcome,
        "states": {"type": "array", "items": answer},
        "events": {"type": "array", "items": reference("event")},
    }
    return closed(members, frozenset({"states", "events"}))
