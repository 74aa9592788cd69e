"""What is said of a session, as text and as JSON."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from ipvs_est_checks.campaign.case import CampaignCase, Kind
from ipvs_est_checks.campaign.corpus import FAILING
from ipvs_est_checks.campaign.run_case import BrokenCase
from ipvs_est_checks.campaign.session import (
    GENERATING,
    CampaignSession,
    Mode,
    kinds,
    situations_missing,
)
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.terminal.printable import printable, shorten

REPORT_NAME = "ipvs-est campaign"
REPORT_VERSION = 1


def lines(session: CampaignSession) -> Iterator[str]:
    """The end of a session."""
    wanted = session.wanted
    yield f"{wanted.mode.value} on {wanted.revision.name}: {session.verdict.value}"
    if wanted.mode in GENERATING:
        yield _canary(session)
    before = len(session.corpus.failing | session.corpus.others)
    unfit = f", {session.unfit} of them unfit for the revision" if session.unfit else ""
    yield (
        f"  {session.run} cases run{unfit}, {session.made} of them new;"
        f" the corpus had {before}, {len(session.added)} added, {len(session.removed)} removed"
    )
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds(session).items())
    yield f"  {len(session.features)} features: {counts or 'none'}"
    missing = situations_missing(session)
    if wanted.mode is Mode.COVERAGE:
        yield f"  situations that no history comes to: {', '.join(missing) or 'none'}"
    if session.known:
        yield f"  known failures met: {' '.join(sorted(session.known))}"
    for case, broken in session.broken.values():
        yield f"  NEW {broken.property}: {printable(shorten(broken.text))}"
        yield f"    again: {_again(session, case, broken)}"
    for lost in session.lost:
        yield f"  lost: {lost}"
    if not session.complete:
        yield "  interrupted, or the time was over before the corpus was"


def _canary(session: CampaignSession) -> str:
    canary = session.canary
    if canary is None:
        return "  canary: not looked for"
    if not canary.found:
        return f"  canary {canary.mutant}: NOT FOUND in {canary.histories} histories"
    return f"  canary {canary.mutant}: breaks {canary.found} in history {canary.histories}"


def _again(session: CampaignSession, case: CampaignCase, broken: BrokenCase) -> str:
    directory = session.wanted.directory
    kept = case in session.added or case in session.corpus.failing
    path = shlex.quote(str((directory / FAILING if kept else directory) / case.name))
    revision = session.wanted.revision.name
    if case.kind is Kind.SCENARIO:
        return f"ipvs-est explore --revision {revision} {path}"
    return f"ipvs-est campaign --mode coverage --revision {revision} --corpus {_folder(directory)}"


def _folder(directory: Path) -> str:
    return shlex.quote(str(directory))


def json_report(session: CampaignSession) -> str:
    """The session; no times, so equal sessions give equal bytes."""
    wanted, canary = session.wanted, session.canary
    body = {
        "complete": session.complete,
        "verdict": session.verdict.value,
        "mode": wanted.mode.value,
        "revision": wanted.revision.name,
        "seed": wanted.seed,
        "canary": None
        if canary is None
        else {
            "mutant": canary.mutant,
            "breaks": canary.found or None,
            "histories": canary.histories,
        },
        "cases": {
            "run": session.run,
            "new": session.made,
            "unfit": session.unfit,
            "operations_and_schedules": session.amount,
        },
        "corpus": {
            "failing": len(session.corpus.failing),
            "others": len(session.corpus.others),
            "added": sorted(campaign_case.name for campaign_case in session.added),
            "removed": sorted(campaign_case.name for campaign_case in session.removed),
        },
        "features": sorted(session.features),
        "situations_missing": list(situations_missing(session)),
        "known": sorted(session.known),
        "failures": [
            {
                "case": case.name,
                "property": broken.property,
                "text": broken.text,
                "token": broken.token or None,
            }
            for case, broken in session.broken.values()
        ],
        "lost": [str(lost) for lost in session.lost],
    }
    return json_text(REPORT_NAME, REPORT_VERSION, body)
