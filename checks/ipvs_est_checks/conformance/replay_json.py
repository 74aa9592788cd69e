"""The JSON report of `ipvs-est replay`; the same outcomes give the same bytes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import assert_never

from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import Outcome, Unusable, totals_of, violations_by_kind
from ipvs_est_checks.report.json_text import json_text

REPORT_VERSION = 1


def json_report(outcomes: Sequence[Outcome], stopped: str = "") -> str:
    """The report as text: ASCII, with a newline at its end.

    `stopped` says why not all files were replayed, if they were not.
    """
    body = {
        "complete": not stopped,
        "stopped": stopped or None,
        "traces": [_trace(each) for each in outcomes],
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
            return {
                "file": error.file,
                "trace": None,
                "kernel": None,
                "revision": None,
                "verdict": "error",
                "operations": 0,
                "violations": {},
                "difference": None,
                "error": {
                    # No line: the file as a whole.
                    "line": error.line or None,
                    "field": error.field,
                    "message": error.message,
                },
            }
        case _:
            assert_never(outcome)


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
