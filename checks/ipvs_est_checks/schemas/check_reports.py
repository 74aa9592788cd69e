"""The schemas of the reports of `check`, `replay` and `findings`, and of the list of properties."""

from ipvs_est_checks.conformance.outcome import Totals
from ipvs_est_checks.conformance.replay_json import REPORT_VERSION as REPLAY_VERSION
from ipvs_est_checks.report.check_files import REPORT_VERSION as CHECK_VERSION
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.schemas.of_types import (
    Schema,
    by_name,
    closed,
    integer,
    list_of,
    members_of,
    nullable,
    reference,
    report,
)

_TEXT: Schema = {"type": "string"}
_TEXTS = list_of(_TEXT)
_MAYBE_TEXT = nullable(_TEXT)
_SECONDS: Schema = {"type": "number", "minimum": 0}
_COUNT = integer(0, 2**53)
_VERDICT: Schema = {"enum": [verdict.value for verdict in Verdict]}
_ANYTHING: Schema = {}


def definitions() -> dict[str, Schema]:
    """By name."""
    check = report("ipvs-est check", CHECK_VERSION, _check())
    difference = closed(
        {
            "id": _TEXT,
            "how": _TEXT,
            "revision": _MAYBE_TEXT,
            "verdicts": list_of(nullable(_VERDICT)),
        }
    )
    repeated: dict[str, Schema] = {
        "runs": list_of(reference("check-report")),
        "differences": list_of(difference),
    }
    return {
        "check-report": check,
        "check-repeated-report": report("ipvs-est check, repeated", CHECK_VERSION, repeated),
        "replay-report": report("ipvs-est replay", REPLAY_VERSION, _replay()),
        "property-list": list_of(_property()),
    }


def _check() -> dict[str, Schema]:
    problem = _problem()
    cause = closed(
        {
            "title": _TEXT,
            "properties": _TEXTS,
            "revisions": _TEXTS,
            "problems": _COUNT,
            "shortest": problem,
        }
    )
    row = closed(
        {
            "id": _TEXT,
            "sentence": _TEXT,
            "revision": _MAYBE_TEXT,
            "verdict": _VERDICT,
            "findings": _TEXTS,
            "remark": _MAYBE_TEXT,
            "how": _TEXT,
            "cases": _COUNT,
            "seconds": _SECONDS,
            "command": _MAYBE_TEXT,
            "problems": list_of(problem),
            "notes": _TEXTS,
        }
    )
    cell = closed({"verdict": nullable(_VERDICT), "findings": _TEXTS})
    return {
        "complete": {"type": "boolean"},
        "profile": _TEXT,
        "seed": integer(0, 2**64 - 1),
        "revisions": _TEXTS,
        "verdict": _VERDICT,
        "seconds": _SECONDS,
        "causes": list_of(cause),
        # By the property, then by the revision or the subject.
        "matrix": by_name(by_name(cell)),
        "rows": list_of(row),
    }


def _problem() -> Schema:
    snapshot = nullable(reference("snapshot"))
    return closed(
        {
            "property": _TEXT,
            "revision": _MAYBE_TEXT,
            "detail": _TEXT,
            "found": _MAYBE_TEXT,
            "header": _MAYBE_TEXT,
            "history": _TEXTS,
            "step": nullable(_COUNT),
            "before": snapshot,
            "after": snapshot,
            "command": _MAYBE_TEXT,
        }
    )


def _replay() -> dict[str, Schema]:
    difference = closed(
        {
            "line": _COUNT,
            "operation": reference("operation"),
            "path": _TEXT,
            # Whatever stands there, on either side.
            "recorded": _ANYTHING,
            "computed": _ANYTHING,
        }
    )
    error = closed({"line": nullable(_COUNT), "field": _TEXT, "message": _TEXT})
    trace = closed(
        {
            "file": _TEXT,
            "trace": _MAYBE_TEXT,
            "kernel": _MAYBE_TEXT,
            "revision": _MAYBE_TEXT,
            "verdict": {"enum": ["pass", "fail", "error", "lost", "not asked"]},
            "operations": _COUNT,
            "violations": by_name(_COUNT),
            "difference": nullable(difference),
            "error": nullable(error),
        }
    )
    return {
        "complete": {"type": "boolean"},
        "stopped": _MAYBE_TEXT,
        "traces": list_of(trace),
        "totals": members_of(Totals, {}),
    }


def _property() -> Schema:
    return closed(
        {
            "id": _TEXT,
            "group": _TEXT,
            "sentence": _TEXT,
            "scope": _TEXT,
            "source": _TEXT,
            "findings": _TEXTS,
            "established": _TEXTS,
            "violations": _TEXTS,
        }
    )
