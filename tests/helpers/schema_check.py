"""Whether a value fits the JSON Schema of that name."""

import json
from functools import cache
from itertools import islice

from jsonschema import Draft202012Validator

from ipvs_est_checks.schemas.document import schema_text


@cache
def validator(name: str) -> Draft202012Validator:
    """For the schema of that name, which is a schema itself."""
    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def misfits(name: str, value: object) -> list[str]:
    """Where and why the value does not fit, at most three lines."""
    errors = islice(validator(name).iter_errors(value), 3)
    return [f"{each.json_path}: {each.message[:200]}" for each in errors]
