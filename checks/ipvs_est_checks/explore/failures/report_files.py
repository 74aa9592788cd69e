"""The report of `ipvs-est explore` as JSON and JUnit XML; equal searches give equal bytes."""

from collections.abc import Sequence
from dataclasses import asdict

from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est.language.violations import to_json
from ipvs_est_checks.explore.engine.job import Settings
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.failures.report import (
    FailureStory,
    SearchRow,
    figures_text,
    known_text,
    length_text,
    reach_text,
    tell,
)
from ipvs_est_checks.explore.timeline.steps import Timeline
from ipvs_est_checks.explore.timeline.text import timeline_lines
from ipvs_est_checks.report import verdict as whole
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.report.junit import INTERRUPTED, Case, Suite, junit_text
from ipvs_est_checks.report.verdict import Verdict

REPORT_VERSION = 1
_NAME = "ipvs-est explore"


def json_report(rows: Sequence[SearchRow], *, complete: bool) -> str:
    """The whole report. No times: they differ from run to run."""
    body = {
        "complete": complete,
        "verdict": worst(rows, complete=complete).value,
        "rows": [_row(row) for row in rows],
    }
    return json_text(_NAME, REPORT_VERSION, body)


def worst(rows: Sequence[SearchRow], *, complete: bool) -> Verdict:
    """Of all searches; no search at all is no pass."""
    verdicts = [row.verdict for row in rows]
    return whole.worst(verdicts if complete else [*verdicts, Verdict.INCOMPLETE])


def _row(row: SearchRow) -> dict[str, object]:
    job, settings = row.job, row.job.settings
    guarantee = row.result.guarantee
    order = settings.order
    return {
        "scenario": job.scenario.name,
        "source": job.source,
        "about": job.scenario.about,
        "revision": job.revision.name,
        **({} if order is MemoryOrder.SC else {"memory": order.value}),
        "verdict": row.verdict.value,
        "scheduler": settings.kind.value,
        "bounds": _bounds(settings),
        "reduction": None if settings.reduction is None else settings.reduction.value,
        "depth": settings.depth,
        "seed": settings.seed,
        "figures": asdict(row.result.outcome.figures),
        "reach": reach_text(row),
        "lost": row.result.lost or None,
        "watched": sorted(job.watched),
        "guarantee": None if guarantee is None else asdict(guarantee),
        "passed_over": [asdict(passed_over) for passed_over in row.result.passed_over],
        "failures": [_failure(failure_story) for failure_story in tell(row)],
    }


def _bounds(settings: Settings) -> dict[str, object]:
    bounds = asdict(settings.bounds)
    return bounds if settings.reduction is None else {**bounds, "preemptions": None}


def _failure(story: FailureStory) -> dict[str, object]:
    found = story.failure.found
    return {
        "violation": to_json(found.violation),
        "context_switches": found.switches,
        "fewest": story.failure.fewest,
        "known": None if story.known is None else asdict(story.known),
        "preemptions": found.preemptions,
        "token": story.token,
        "command": story.command,
        "timeline": _timeline(story.timeline),
    }


def _timeline(timeline: Timeline) -> dict[str, object]:
    return {
        "columns": list(timeline.columns),
        "steps": [
            {
                "column": timeline.columns[step.column],
                "function": step.function or None,
                "action": step.action,
                "preempts": step.preempts,
                "unlocks": list(step.releases),
                "held": {mutex: timeline.columns[owner] for mutex, owner in step.holds},
                "jiffy": step.jiffy,
                "changes": list(step.changes),
            }
            for step in timeline.steps
        ],
        "standings": [
            {
                "column": timeline.columns[standing.column],
                "function": standing.function,
                "does": standing.does,
                "waits_on": None
                if standing.waits_on is None
                else timeline.columns[standing.waits_on],
                "holds": list(standing.holds),
            }
            for standing in timeline.standings
        ],
        "before": snapshot_to_json(timeline.before),
        "after": snapshot_to_json(timeline.after),
    }


def junit_report(rows: Sequence[SearchRow], *, complete: bool) -> str:
    """A test case for each search; what is incomplete is skipped, never passed. No times: they
    differ from run to run."""
    return junit_text([Suite(_NAME, tuple(map(_case, rows)), "" if complete else INTERRUPTED)])


def _case(row: SearchRow) -> Case:
    reach = f"{figures_text(row.result.outcome.figures)}; {reach_text(row)}"
    stories = list(tell(row)) if row.verdict is Verdict.FAIL else []
    lines = [line for story in stories for line in _told_lines(row, story)]
    message = "; ".join(
        f"{story.failure.found.violation.kind}: {length_text(story.failure)}" for story in stories
    )
    known = [id_ for story in stories if story.known is not None for id_ in story.known.ids]
    return Case(
        "ipvs_est.explore",
        f"{row.job.source} {row.job.revision.name}",
        row.verdict,
        message=message or reach,
        text="\n".join([*lines, reach]),
        findings=tuple(dict.fromkeys(known)),
    )


def _told_lines(row: SearchRow, story: FailureStory) -> list[str]:
    return [
        *timeline_lines(story.timeline),
        known_text(story.known, row.job.revision),
        f"again: {story.command}",
    ]
