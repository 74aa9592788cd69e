"""A finding that has a history, told step by step on one revision."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from ipvs_est import Revision, Snapshot
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est_checks.history.explain import explain
from ipvs_est_checks.history.geometry_text import geometry_text
from ipvs_est_checks.history.monitor import WatchedHistory, finish, step, watch
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.known import registry
from ipvs_est_checks.known.by_history import history_of, history_path
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.report.changes import changes
from ipvs_est_spec.catalogue import RECORD_PROPERTIES

_ALL = registry.ALL
_OF_THE_RECORD = frozenset(prop.id for prop in RECORD_PROPERTIES)
_SINCE = {
    "v7": "since 6.2",
    "v7-unwind": "6.12.95",
    "stable": "6.12.117",
    "mainline": "7.3.4",
}
"""By revision: a kernel that it is."""


def headline(finding: Finding, revision: str) -> Iterator[str]:
    """What a finding is, where it is, and where it is explained."""
    where = ", ".join(f"{revision} ({_SINCE[revision]})" for revision in finding.revisions)
    yield f"{finding.id} on {revision}: {finding.title}"
    explained = f"`ipvs-est show {finding.id}` explains it"
    yield f"breaks {', '.join(finding.properties)}, on {where}; {explained}"


def replay_command(finding: Finding, revision: str) -> str:
    """Replays the history against what was recorded of it on a revision that has the finding."""
    path = history_path(finding, revision)
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return shlex.join(["ipvs-est", "replay", "-v", "--revision", revision, str(path)])


def story(finding: Finding, revision: Revision, broken: set[str]) -> Iterator[str]:
    """The history, each operation with what it changes; `broken` gets the properties broken."""
    history = history_of(finding, revision.name)
    params = history.header.params
    yield from headline(finding, revision.name)
    yield geometry_text(params)
    seen = watch(params, revision)
    for number, operation in enumerate(history.operations, 1):
        before = seen.before
        known = set(seen.failures)
        yield f"{number:>3}  {json.dumps(operation_to_json(operation))}  # {in_words(operation)}"
        step(seen, operation)
        yield from _changed(seen, before)
        yield from _broken(finding, seen, seen.failures.keys() - known)
        if seen.oracle.ended:
            break
    yield from _end(finding, seen)
    if not seen.failures:
        yield "     every property holds"
    elif revision.name in finding.revisions:
        yield f"replayed as a trace: {replay_command(finding, revision.name)}"
    broken.update(seen.failures)


def _end(finding: Finding, seen: WatchedHistory) -> Iterator[str]:
    """The quiet time after the history, then the record as a whole."""
    before, known = seen.before, set(seen.failures)
    finish(seen)
    new = seen.failures.keys() - known
    at_rest = new - _OF_THE_RECORD
    if seen.before is not before and at_rest:
        passed = seen.before.now - before.now
        yield f"     then {passed} jiffies pass, in which all that was requested can be done"
        yield from _changed(seen, before)
        yield from _broken(finding, seen, at_rest)
    looked_back = new & _OF_THE_RECORD
    if looked_back:
        yield "     looking back at all that has happened:"
        yield from _broken(finding, seen, looked_back)


def _changed(seen: WatchedHistory, before: Snapshot) -> Iterator[str]:
    for line in changes(before, seen.before):
        yield f"       {line}"


def _broken(finding: Finding, seen: WatchedHistory, new: set[str]) -> Iterator[str]:
    """What fails that did not before, with the numbers; first what the finding is about."""
    for id_ in sorted(new & set(finding.properties)):
        yield f"     ! {id_}: {seen.failures[id_].detail}"
        found = explain(seen, id_)
        if found:
            yield f"       found: {found}"
    revision = seen.revision.name
    for id_ in sorted(new - set(finding.properties)):
        others = [
            one_finding.id
            for one_finding in _ALL
            if one_finding.id != finding.id
            and revision in one_finding.revisions
            and id_ in one_finding.properties
        ]
        of = f" (recorded: {', '.join(others)})" if others else ""
        yield f"     also {id_}{of}: {seen.failures[id_].detail}"
