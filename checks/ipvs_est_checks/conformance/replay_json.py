"""The JSON report of `ipvs-est replay`; the same outcomes give the same bytes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import (
    NotAsked,
    Outcome,
    Unusable,
    totals_of,
    violations_by_kind,
)
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.workers import Lost

REPORT_VERSION = 1


def json_report(outcomes: Sequence[Outcome], stopped: str = "") -> str:
    """The report as text: ASCII, with a newline at its end.

    `stopped` says why not all files were replayed, if they were not.
    """
    body = {
        "complete": not stopped,
        "stopped": stopped or None,
        "traces": [_trace(outcome) for outcome in outcomes],
        "totals": asdict(totals_of(outcomes)),
    }
    return json_text("ipvs-est replay", REPORT_VERSION, body)


def _trace(outcome: Outcome) -> dict[str, object]:
    match outcome:
        case Passed():
            return {**_replayed(outcome, "pass"), "difference": None, "error": None}
        case Failed():
            return {
                **_replayed(outcome, "fail"),
                "difference": {
                    "line": outcome.line,
                    "operation": operation_to_json(outcome.operation),
                    "path": outcome.difference.path,
                    "recorded": outcome.difference.recorded,
                    "computed": outcome.difference.computed,
                },
                "error": None,
            }
        case Unusable(error):
            # No line: the file as a whole.
            return _not_replayed(
                error.file, "error", error.line or None, error.field, error.message
            )
        case Lost(file, why):
            return _not_replayed(file, "lost", None, "", why)
        case NotAsked(file, why):
            return _not_replayed(file, "not asked", None, "", why)
        case _:
            assert_never(outcome)


def _not_replayed(
    file: str, verdict: str, line: int | None, field: str, message: str
) -> dict[str, object]:
    return {
        "file": file,
        "trace": None,
        "kernel": None,
        "revision": None,
        "verdict": verdict,
        "operations": 0,
        "violations": {},
        "difference": None,
        "error": {"line": line, "field": field, "message": message},
    }


def _replayed(outcome: Passed | Failed, verdict: str) -> dict[str, object]:
    return {
        "file": outcome.file,
        "trace": outcome.header.trace,
        "kernel": outcome.header.kernel,
        "revision": outcome.header.revision.name,
        "verdict": verdict,
        "operations": outcome.operations,
        "violations": violations_by_kind(outcome.violations),
    }
