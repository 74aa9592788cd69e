"""A reading under the state properties: each with its verdict, and why it has none."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ipvs_est import Snapshot
from ipvs_est_checks.broken_properties import (
    EST_FREE,
    QUIET,
    SERVICE_FREE,
    SETTLED,
    STEP,
    broken_states,
)
from ipvs_est_checks.known.registry import findings_of
from ipvs_est_checks.live.reading.netns import EST_MUTEX, SERVICE_MUTEX
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import STATE_PROPERTIES
from ipvs_est_spec.property import Scope, StateProperty
from ipvs_est_spec.witness import witness

_ESTIMATOR = re.compile(r"\bestimator (\d+)\b")
_MUTEX = {Scope.SERVICE_MUTEX_FREE: SERVICE_MUTEX, Scope.EST_MUTEX_FREE: EST_MUTEX}


class Quiet(Enum):
    """Whether nobody has configured anything for two revolutions."""

    YES = "yes"
    NO = "something was configured while it was looked at"
    UNKNOWN = "nothing says whether somebody configured it in the 4 seconds before"


@dataclass(frozen=True, slots=True)
class JudgedProperty:
    """What is known of one property."""

    property: StateProperty
    verdict: Verdict
    reason: str = ""
    """Why it is not judged."""
    where: str = ""
    """What breaks it, with the names of services and destinations."""
    findings: tuple[str, ...] = ()
    """Recorded ones that explain it."""


def judge(snapshot: Snapshot, quiet: Quiet, names: Mapping[int, str]) -> tuple[JudgedProperty, ...]:
    """All state properties, in the order of the catalogue.

    One that needs a quiet time and holds without one holds: it is what the quiet time is for that
    may not have happened yet.
    """
    everywhere = STEP | SERVICE_FREE | EST_FREE | SETTLED | QUIET
    broken = {
        state.id for state in broken_states(snapshot.params, snapshot, everywhere, None, Counter())
    }
    found: list[JudgedProperty] = []
    for prop in STATE_PROPERTIES:
        barred = _barred(prop, snapshot)
        if barred:
            found.append(JudgedProperty(prop, Verdict.NOT_JUDGED, barred))
        elif prop.id not in broken:
            found.append(JudgedProperty(prop, Verdict.PASS))
        else:
            found.append(_failed(prop, snapshot, quiet, names))
    return tuple(found)


def both(
    first: tuple[JudgedProperty, ...], second: tuple[JudgedProperty, ...]
) -> tuple[JudgedProperty, ...]:
    """Two looks, a revolution apart: what fails in one alone is not said to fail."""
    once = "it failed in one of two readings, a revolution apart"
    found = []
    for before, after in zip(first, second, strict=True):
        fails = Verdict.FAIL in (before.verdict, after.verdict)
        if fails and before.verdict is not after.verdict:
            found.append(JudgedProperty(after.property, Verdict.INCOMPLETE, once))
        else:
            found.append(after)
    return tuple(found)


def _barred(state_property: StateProperty, snapshot: Snapshot) -> str:
    """Why it says nothing about such a state; '' = it does."""
    mutex = _MUTEX.get(state_property.scope)
    for held in snapshot.mutexes:
        if held.name == mutex and held.owner is not None:
            return f"{held.name} is held by {held.owner}: something is being changed"
    if state_property.scope is Scope.QUIET:
        if not snapshot.state.enable:
            return "there was no service yet: nothing is estimated"
        if snapshot.state.stopped:
            return "estimation is stopped: run_estimation is 0, or est_cpulist is empty"
    return ""


def _failed(
    state_property: StateProperty, snapshot: Snapshot, quiet: Quiet, names: Mapping[int, str]
) -> JudgedProperty:
    where = _ESTIMATOR.sub(
        lambda match: names.get(int(match.group(1)), match.group(0)),
        witness(state_property, snapshot.params, snapshot),
    )
    if state_property.scope in (Scope.QUIET, Scope.SETTLED) and quiet is not Quiet.YES:
        return JudgedProperty(
            state_property, Verdict.INCOMPLETE, f"it does not hold now, and {quiet.value}", where
        )
    return JudgedProperty(
        state_property, Verdict.FAIL, "", where, findings_of(snapshot.revision, state_property.id)
    )
