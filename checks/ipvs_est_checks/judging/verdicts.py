"""Every property of the catalogue on what a file tells: holds, does not, or cannot be judged."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ipvs_est_checks.broken_properties import broken_cases
from ipvs_est_checks.judging.evidence import Evidence, SeenState
from ipvs_est_checks.judging.kinds_read import KINDS_READ
from ipvs_est_checks.partly_known.partial import is_absent
from ipvs_est_checks.partly_known.reads import AbsentError, judged_by
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import PROPERTIES, STATE_PROPERTIES
from ipvs_est_spec.property import (
    Property,
    RecordProperty,
    Scope,
    StateProperty,
    ViolationProperty,
)
from ipvs_est_spec.witness import witness

REPORT_VERSION = 1
"""Of `judge --json`."""
_MUTEX = {
    Scope.SERVICE_MUTEX_FREE: ("service_mutex", "__ip_vs_mutex"),
    Scope.EST_MUTEX_FREE: ("est_mutex",),
}


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What is known of one property."""

    property: Property
    verdict: Verdict
    checks: int
    """States or cases in which it was judged."""
    detail: str = ""
    """Where it does not hold, or why it was not judged."""


def verdicts(evidence: Evidence, *, unlocked: bool = False) -> tuple[FileVerdict, ...]:
    """All properties, in the order of the catalogue.

    `unlocked`: where nothing tells who holds a mutex, nobody does.
    """
    states = _states(evidence, unlocked=unlocked)
    found: list[FileVerdict] = []
    for prop in PROPERTIES:
        match prop:
            case StateProperty():
                found.append(states[prop.id])
            case RecordProperty():
                found.append(_record(evidence, prop))
            case ViolationProperty():
                found.append(_violation(evidence, prop))
    return tuple(found)


def _states(evidence: Evidence, *, unlocked: bool) -> dict[str, FileVerdict]:
    checks: Counter[str] = Counter()
    failed: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for seen in evidence.states:
        holds = judged_by(seen.state)
        for prop in STATE_PROPERTIES:
            barred = _barred(prop, seen, unlocked=unlocked)
            if barred:
                reasons.setdefault(prop.id, barred)
                continue
            try:
                good = holds(prop)
            except AbsentError as error:
                reasons[prop.id] = f"nothing is told of {error}"
                continue
            if not good and (open_ := _open(prop, seen)):
                reasons[prop.id] = f"it does not hold, but {open_}"
                continue
            checks[prop.id] += 1
            if not good and prop.id not in failed:
                where = witness(prop, seen.state.snapshot.params, seen.state.snapshot)
                failed[prop.id] = f"line {seen.line}: {where}"
    return {
        prop.id: _verdict(prop, failed.get(prop.id, ""), checks[prop.id], reasons.get(prop.id, ""))
        for prop in STATE_PROPERTIES
    }


def _verdict(judged: Property, failed: str, checks: int, reason: str) -> FileVerdict:
    if failed:
        return FileVerdict(judged, Verdict.FAIL, checks, failed)
    if checks:
        return FileVerdict(judged, Verdict.PASS, checks)
    return FileVerdict(judged, Verdict.NOT_JUDGED, 0, reason or "no state is told")


def _barred(judged: StateProperty, seen: SeenState, *, unlocked: bool) -> str:
    """Why it says nothing about such a state; '' = it does."""
    names = _MUTEX.get(judged.scope, ())
    if names:
        if is_absent(seen.state, "mutexes"):
            return "" if unlocked else f"nothing tells who holds {names[0]}"
        for mutex in seen.state.snapshot.mutexes:
            if mutex.name in names and mutex.owner is not None:
                return f"{mutex.name} is held by {mutex.owner}"
    return ""


def _open(judged: StateProperty, seen: SeenState) -> str:
    """Why a state in which it does not hold may be none of its scope; '' = it is."""
    if judged.scope is Scope.QUIET:
        return "nothing tells that nobody had configured anything for two revolutions"
    if judged.scope is Scope.SETTLED and not seen.settled:
        return "nothing tells that the tasks had come to rest"
    return ""


def _record(evidence: Evidence, judged: RecordProperty) -> FileVerdict:
    if not evidence.tells_events:
        return FileVerdict(judged, Verdict.NOT_JUDGED, 0, "no events are told")
    missing = [kind for kind in KINDS_READ[judged.id] if kind not in evidence.kinds]
    if missing:
        return FileVerdict(judged, Verdict.NOT_JUDGED, 0, f"nothing tells of {', '.join(missing)}")
    checks: Counter[str] = Counter()
    broken = next(_broken(evidence, judged, checks), "")
    reason = "none of the events is about it"
    return _verdict(judged, broken, checks[judged.id], reason)


def _broken(evidence: Evidence, judged: RecordProperty, checks: Counter[str]) -> Iterator[str]:
    for case in list(broken_cases(judged, evidence.params, evidence.events, checks)):
        yield f"with the numbers {case}"


def _violation(evidence: Evidence, judged: ViolationProperty) -> FileVerdict:
    for line, violation in evidence.violations:
        if isinstance(violation, judged.kinds):
            return FileVerdict(judged, Verdict.FAIL, 1, f"line {line}: {violation.kind}")
    if evidence.tells_violations:
        return FileVerdict(judged, Verdict.PASS, 1)
    return FileVerdict(
        judged, Verdict.NOT_JUDGED, 0, "no violations are told, nor that there are none"
    )
