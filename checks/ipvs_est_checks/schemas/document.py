"""The schemas of all that the project reads and writes, as one JSON document."""

import json
from collections.abc import Mapping

from ipvs_est import __version__
from ipvs_est_checks.explore.scenarios.scenario import MAX_JIFFIES, VERSION
from ipvs_est_checks.schemas.check_reports import definitions as of_check_reports
from ipvs_est_checks.schemas.language import definitions as of_language
from ipvs_est_checks.schemas.of_types import Schema, closed, integer, reference
from ipvs_est_checks.schemas.proof_reports import definitions as of_proof_reports
from ipvs_est_checks.schemas.reports import definitions as of_reports
from ipvs_est_checks.schemas.schedules import definitions as of_schedules
from ipvs_est_checks.schemas.search_reports import definitions as of_search_reports

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def definitions() -> dict[str, Schema]:
    """By name: everything that has a schema."""
    language = of_language()
    return {
        **language,
        **of_schedules(),
        "scenario": _scenario(),
        **of_reports(language),
        **of_check_reports(),
        **of_search_reports(),
        **of_proof_reports(),
    }


def schema_text(name: str | None = None) -> str:
    """The document; with `name` one whose root is that definition. KeyError for no name of ours."""
    found = definitions()
    root: Mapping[str, object] = {}
    if name is not None:
        if name not in found:
            raise KeyError(name)
        root = reference(name)
    document = {
        "$schema": DIALECT,
        "title": f"ipvs-est {__version__}" + (f": {name}" if name else ""),
        **root,
        "$defs": found,
    }
    return json.dumps(document, indent=1) + "\n"


def _scenario() -> Schema:
    params = {**of_language()["params"], "required": []}
    operations: Schema = {
        "type": "array",
        # Besides the operation's own members, `times` repeats it.
        "items": {"type": "object", "required": ["op"]},
    }
    tasks: Schema = {"type": "object", "minProperties": 1, "additionalProperties": operations}
    members: dict[str, Schema] = {
        "scenario": {"const": VERSION},
        "about": {"type": "string"},
        "params": params,
        "setup": operations,
        "tasks": tasks,
        "jiffies": integer(0, MAX_JIFFIES),
    }
    return closed(members, frozenset({"params", "setup", "jiffies"}))
