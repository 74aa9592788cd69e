"""The reports of `ipvs-est inspect` for machines: JSON and JUnit XML."""

from collections.abc import Sequence
from typing import Any

from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est_checks.known.registry import BY_ID
from ipvs_est_checks.live.advice import ADVICE, what_to_do
from ipvs_est_checks.live.consistent import Target
from ipvs_est_checks.live.inspection import Inspected, verdict_of
from ipvs_est_checks.live.judge import JudgedProperty
from ipvs_est_checks.live.reading.netns import ABSENT, NetnsReading
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.report.junit import Case, Suite, junit_text

REPORT_VERSION = 1
_NAME = "ipvs-est inspect"

# Any in this file: a snapshot as JSON, of which members are taken away.


def json_report(target: Target | None, found: Sequence[Inspected]) -> str:
    """Versioned; described in docs/reference/inspect.md."""
    kernel: dict[str, object] | None = None
    if target is not None:
        kernel = {
            "release": target.reader.kernel.release,
            "source": target.reader.kernel.source.value,
            "revision": target.reader.revision,
            "hz": target.reader.machine.params.hz,
        }
    body = {
        "kernel": kernel,
        "verdict": verdict_of(found).value,
        "netns": [_netns(inspected) for inspected in found],
    }
    return json_text(_NAME, REPORT_VERSION, body, one_line=True)


def _netns(found: Inspected) -> dict[str, object]:
    written: dict[str, object] = {
        "inode": found.namespace.inode,
        "verdict": found.verdict.value,
        "quiet": found.quiet.name.lower(),
        "readings": found.tries,
        "seconds": round(found.seconds, 6),
    }
    reading = found.reading
    if reading is None:
        return written
    snapshot = reading.snapshot
    trash = sum(dest.in_trash for dest in snapshot.dests)
    written.update(
        services=len(snapshot.services),
        dests=len(snapshot.dests) - trash,
        trash=trash,
        estimators=len(snapshot.objects),
        waiting=len(snapshot.state.temp),
        kthreads=[_kthread(found, reading, slot) for slot in range(len(reading.times))],
        properties=[_property(judged_property) for judged_property in found.judged],
        names={
            str(object_state.id): reading.names[object_state.id]
            for object_state in snapshot.objects
        },
        snapshot=partial_snapshot(reading),
    )
    return written


def _kthread(found: Inspected, reading: NetnsReading, slot: int) -> dict[str, object] | None:
    kd, times = reading.snapshot.state.kthreads[slot], reading.times[slot]
    if kd is None:
        return None
    load = found.load[slot] if slot < len(found.load) else None
    return {
        "ktid": slot,
        "running": kd.running,
        "cpu": None if times is None else times.cpu,
        "load": None if load is None else round(load, 6),
        "estimators": kd.est_count,
        "most": kd.est_max_count,
    }


def _property(judged: JudgedProperty) -> dict[str, object]:
    return {
        "id": judged.property.id,
        "verdict": judged.verdict.value,
        "sentence": judged.property.sentence,
        "reason": judged.reason or None,
        "where": judged.where or None,
        "findings": [
            {
                "id": finding,
                "title": BY_ID[finding].title,
                "rates": ADVICE[finding].consequence if finding in ADVICE else None,
                "do": what_to_do(finding),
            }
            for finding in judged.findings
        ],
    }


def partial_snapshot(reading: NetnsReading) -> dict[str, Any]:
    """The snapshot without the members that are not known."""
    written = snapshot_to_json(reading.snapshot)
    for name in ABSENT:
        _drop(written, name.split("."))
    return written


def _drop(value: Any, path: Sequence[str]) -> None:
    """Take a member away, from each object of a list."""
    if isinstance(value, list):
        for entry in value:
            _drop(entry, path)
    elif isinstance(value, dict):
        if len(path) == 1:
            value.pop(path[0], None)
        else:
            _drop(value.get(path[0]), path[1:])


def junit_report(found: Sequence[Inspected]) -> str:
    """A suite for each netns, a case for each property."""
    return junit_text([_suite(inspected) for inspected in found])


def _suite(found: Inspected) -> Suite:
    stopped = "" if found.reading is not None else "no reading was one state"
    name = f"ipvs_est.inspect.{found.namespace.inode}"
    return Suite(
        name,
        tuple(
            Case(
                name,
                judged_property.property.id,
                judged_property.verdict,
                message=judged_property.reason or judged_property.property.sentence,
                text=judged_property.where,
                findings=judged_property.findings,
            )
            for judged_property in found.judged
        ),
        stopped,
    )
