"""Whether a value fits the JSON Schema of that name, and that every report that is written does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ipvs_est_checks.report import json_text as writer

# Any in this file: a schema, and a report, as parsed JSON.


@cache
def validator(name: str) -> Draft202012Validator:
    """For the schema of that name, which is a schema itself."""
    # Imported when it is needed: it loads all that has a report, z3 too.
    from ipvs_est_checks.schemas.document import schema_text

    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def misfits(name: str, value: object) -> list[str]:
    """Where and why the value does not fit, at most three lines."""
    errors = islice(validator(name).iter_errors(value), 3)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


@cache
def schema_of_report() -> dict[str, str]:
    """By what a report calls itself, such as `ipvs-est check`: the name of its schema."""
    from ipvs_est_checks.schemas.document import definitions

    found: dict[str, str] = {}
    for name, schema in definitions().items():
        members: Any = schema.get("properties", {})
        if "report" in members:
            found[members["report"]["const"]] = name
    return found


@contextmanager
def checking_reports() -> Iterator[None]:
    """Meanwhile the one writer of reports raises AssertionError for one that does not fit."""

    def dumps(
        value: dict[str, object],
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
    ) -> str:
        text = json.dumps(value, indent=indent, separators=separators)
        wrong = misfits(schema_of_report()[str(value["report"])], json.loads(text))
        assert not wrong, wrong
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "json", SimpleNamespace(dumps=dumps))
        yield
