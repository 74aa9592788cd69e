"""The schemas of the reports of searches: `explore`, `defects`, `mutants`, `campaign`."""

from dataclasses import fields

from ipvs_est_checks.campaign.report import REPORT_NAME as CAMPAIGN_NAME
from ipvs_est_checks.campaign.report import REPORT_VERSION as CAMPAIGN_VERSION
from ipvs_est_checks.campaign.session import Mode
from ipvs_est_checks.defects.report import REPORT_VERSION as DEFECTS_VERSION
from ipvs_est_checks.defects.table import DefectKind
from ipvs_est_checks.explore.engine.job import Guarantee, JobKind, PassedOver
from ipvs_est_checks.explore.engine.outcome import Bounds, Figures
from ipvs_est_checks.explore.failures.already_known import Known
from ipvs_est_checks.explore.failures.report_files import REPORT_VERSION as EXPLORE_VERSION
from ipvs_est_checks.explore.schedulers.exhaustive import Reduction
from ipvs_est_checks.mutants.kill_matrix import MutantVerdict
from ipvs_est_checks.mutants.mutant import Engine
from ipvs_est_checks.mutants.report import REPORT_VERSION as MUTANTS_VERSION
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
_FLAG: Schema = {"type": "boolean"}
_SECONDS: Schema = {"type": "number", "minimum": 0}
_COUNT = integer(0, 2**53)
_VERDICT: Schema = {"enum": [verdict.value for verdict in Verdict]}


def definitions() -> dict[str, Schema]:
    """By name."""
    defects: dict[str, Schema] = {"complete": _FLAG, "rows": list_of(_defect())}
    return {
        "timeline": _timeline(),
        "explore-report": report("ipvs-est explore", EXPLORE_VERSION, _explore()),
        "defects-report": report("ipvs-est defects", DEFECTS_VERSION, defects),
        "mutants-report": report("ipvs-est mutants", MUTANTS_VERSION, _mutants()),
        "campaign-report": report(CAMPAIGN_NAME, CAMPAIGN_VERSION, _campaign()),
    }


def _campaign() -> dict[str, Schema]:
    canary = closed({"mutant": _TEXT, "breaks": _MAYBE_TEXT, "histories": _COUNT})
    counts = ("run", "new", "unfit", "operations_and_schedules")
    corpus = closed({"failing": _COUNT, "others": _COUNT, "added": _TEXTS, "removed": _TEXTS})
    failure = closed({"case": _TEXT, "property": _TEXT, "text": _TEXT, "token": _MAYBE_TEXT})
    return {
        "complete": _FLAG,
        "verdict": _VERDICT,
        "mode": {"enum": [mode.value for mode in Mode]},
        "revision": _TEXT,
        "seed": _COUNT,
        "canary": nullable(canary),
        "cases": closed(dict.fromkeys(counts, _COUNT)),
        "corpus": corpus,
        "features": _TEXTS,
        "situations_missing": _TEXTS,
        "known": _TEXTS,
        "failures": list_of(failure),
        "lost": _TEXTS,
    }


def _explore() -> dict[str, Schema]:
    failure = closed(
        {
            "violation": reference("violation"),
            "context_switches": _COUNT,
            "fewest": _FLAG,
            "known": nullable(members_of(Known, {})),
            "preemptions": _COUNT,
            "token": _TEXT,
            "command": _TEXT,
            "timeline": reference("timeline"),
        }
    )
    row = closed(
        {
            "scenario": _TEXT,
            "source": _TEXT,
            "about": _TEXT,
            "revision": _TEXT,
            "verdict": _VERDICT,
            "scheduler": {"enum": [job_kind.value for job_kind in JobKind]},
            # Without a bound of preemptions if schedules are reduced.
            "bounds": {"oneOf": [members_of(Bounds, {}), _unbounded()]},
            "reduction": nullable({"enum": [reduction.value for reduction in Reduction]}),
            "depth": _COUNT,
            "seed": _COUNT,
            "figures": members_of(Figures, {}),
            "reach": _TEXT,
            "lost": _MAYBE_TEXT,
            "watched": _TEXTS,
            "guarantee": nullable(members_of(Guarantee, {})),
            "passed_over": list_of(members_of(PassedOver, {})),
            "failures": list_of(failure),
        }
    )
    return {"complete": _FLAG, "verdict": _VERDICT, "rows": list_of(row)}


def _unbounded() -> Schema:
    others = {field.name: _COUNT for field in fields(Bounds) if field.name != "preemptions"}
    return closed({"preemptions": {"type": "null"}, **others})


def _timeline() -> Schema:
    step = closed(
        {
            "column": _TEXT,
            "function": _MAYBE_TEXT,
            "action": _TEXT,
            "preempts": _FLAG,
            "unlocks": _TEXTS,
            # Each mutex with the column that holds it.
            "held": by_name(_TEXT),
            "jiffy": _COUNT,
            "changes": _TEXTS,
        }
    )
    standing = closed(
        {
            "column": _TEXT,
            "function": _TEXT,
            "does": _TEXT,
            "waits_on": _MAYBE_TEXT,
            "holds": _TEXTS,
        }
    )
    return closed(
        {
            "columns": _TEXTS,
            "steps": list_of(step),
            "standings": list_of(standing),
            "before": reference("snapshot"),
            "after": reference("snapshot"),
        }
    )


def _defect() -> Schema:
    shown = closed(
        {
            "scenario": _TEXT,
            "property": _MAYBE_TEXT,
            "text": _TEXT,
            "schedules": _COUNT,
            "seconds": _SECONDS,
            **dict.fromkeys(("preemptions", "switches", "context_switches"), _COUNT),
            # Null where the schedule was not reduced.
            "fewest": nullable(_FLAG),
            "steps": _COUNT,
            "token": _MAYBE_TEXT,
        }
    )
    cell = closed(
        {
            "revision": _TEXT,
            "wanted": _FLAG,
            "result": {"enum": ["bound", "found", "FOUND", "STRAY", "MISSED", "silent", "open"]},
            "verdict": _VERDICT,
            "exhausted": _FLAG,
            "schedules": _COUNT,
            "seconds": _SECONDS,
            "stray": _TEXTS,
            "shown": nullable(shown),
        }
    )
    return closed(
        {
            "id": _TEXT,
            "kind": {"enum": [defect_kind.value for defect_kind in DefectKind]},
            "title": _TEXT,
            "verdict": _VERDICT,
            "preemptions": _COUNT,
            "note": _MAYBE_TEXT,
            "lost": _MAYBE_TEXT,
            "told_switches": nullable(_COUNT),
            "cells": list_of(cell),
        }
    )


def _mutants() -> dict[str, Schema]:
    history = closed({"params": reference("params"), "operations": list_of(reference("operation"))})
    schedule = closed({"scenario": _TEXT, "choices": list_of(_COUNT), "preemptions": _COUNT})
    kill: dict[str, Schema] = {
        "property": _TEXT,
        "engine": {"enum": [engine.value for engine in Engine]},
        "tried": _COUNT,
        "operations": _COUNT,
        "detail": _TEXT,
    }
    # Killed by a history or by a schedule.
    by_either: Schema = {
        "oneOf": [closed({**kill, "history": history}), closed({**kill, "schedule": schedule})]
    }
    mutant = closed(
        {
            "id": _TEXT,
            "sentence": _TEXT,
            "base": _TEXT,
            "properties": _TEXTS,
            # Lines of a patch of the model.
            "patch": _TEXTS,
            "verdict": {"enum": [mutant_verdict.value for mutant_verdict in MutantVerdict]},
            "reason": _TEXT,
            "untried": _TEXT,
            "broken": _TEXTS,
            "kill": nullable(by_either),
            "seconds": _SECONDS,
        }
    )
    unexplained = closed({"revision": _TEXT, "property": _TEXT, "history": history})
    control = closed(
        {
            "histories": _COUNT,
            "operations": _COUNT,
            "broken": _TEXTS,
            "unexplained": list_of(unexplained),
            "seconds": _SECONDS,
        }
    )
    return {
        "complete": _FLAG,
        "seed": _COUNT,
        "mutants": list_of(mutant),
        "properties": by_name(_TEXTS),
        "unbroken": nullable(_TEXTS),
        "control": control,
        "exit_code": integer(0, 255),
    }
