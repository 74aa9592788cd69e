"""The schemas of what is told of files and of running kernels, and of `bench`'s report."""

from collections.abc import Mapping
from typing import Any

from ipvs_est import REVISIONS
from ipvs_est_checks.bench.explorer import ExploreBench
from ipvs_est_checks.bench.model import BENCH_VERSION, RecordedBench, SyntheticBench
from ipvs_est_checks.bench.schedulers import SchedulerBench
from ipvs_est_checks.bench.spin import SpinBench
from ipvs_est_checks.bench.subject import SubjectBench
from ipvs_est_checks.explore.engine.outcome import Figures
from ipvs_est_checks.explore.large.checkpoint import VERSION as CHECKPOINT_VERSION
from ipvs_est_checks.judging.evidence import EVERY_KIND, TELLS
from ipvs_est_checks.judging.verdicts import REPORT_VERSION as JUDGE_VERSION
from ipvs_est_checks.live.inspect_files import REPORT_VERSION as INSPECT_VERSION
from ipvs_est_checks.live.judge import Quiet
from ipvs_est_checks.live.memory.protocol import Source
from ipvs_est_checks.live.recording.live_log import SYSCTLS
from ipvs_est_checks.live.recording.live_log import VERSION as LIVE_LOG_VERSION
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
_NUMBER: Schema = {"type": "number"}
_COUNT = integer(0, 2**64 - 1)
_VERDICT: Schema = {"enum": [verdict.value for verdict in Verdict]}

# Any in this file: a schema of the language as data, of which members are taken away.


def definitions(language: Mapping[str, Schema]) -> dict[str, Schema]:
    """By name; `language` are those of the oracle's language."""
    return {
        "partial-snapshot": _partial(language["snapshot"], language),
        "events-header": _events_header(),
        "live-log-line": _live_log(),
        "judge-report": _judge(),
        "inspect-report": _inspect(),
        "bench-report": _bench(),
        "checkpoint-header": _checkpoint(),
    }


def _checkpoint() -> Schema:
    """The first line of a checkpoint."""
    digest: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
    return closed(
        {
            "search": {"const": CHECKPOINT_VERSION},
            "scenario": {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2},
            "revision": {"enum": list(REVISIONS)},
            "model": digest,
            # As many as `explore` has.
            "options": {"type": "object"},
            "figures": members_of(Figures, {}),
        }
    )


def _partial(schema: Any, language: Mapping[str, Schema]) -> Any:
    """The same with no member of any object required, but for those of params."""
    if isinstance(schema, list):
        return [_partial(entry, language) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if schema == reference("state"):
        return _partial(language["state"], language)
    return {name: _partial(entry, language) for name, entry in schema.items() if name != "required"}


def _events_header() -> Schema:
    tells = list_of({"enum": sorted(EVERY_KIND)})
    members: dict[str, Schema] = {"params": reference("params"), TELLS: tells}
    # Other members are for whoever wrote the file.
    return {**closed(members, frozenset({TELLS})), "additionalProperties": True}


def _live_log() -> Schema:
    header = closed(
        {
            "live_log": {"const": LIVE_LOG_VERSION},
            "kernel": _TEXT,
            "revision": _TEXT,
            "netns": _COUNT,
            "params": reference("params"),
            "ms": _COUNT,
            "lost": _COUNT,
            "limits_test": nullable(_COUNT),
        }
    )
    snapshot = closed(
        {
            "snapshot": {"enum": ["before", "after"]},
            "names": by_name(_TEXT),
            "members": reference("partial-snapshot"),
        }
    )
    written = closed(
        {
            "written": {"enum": list(SYSCTLS)},
            "jiffies": _COUNT,
            "run_estimation": {"type": "integer"},
            "est_nice": {"type": "integer", "minimum": -20, "maximum": 19},
            "cpulist": nullable(list_of(_COUNT)),
        }
    )
    return {"oneOf": [header, snapshot, written, reference("event")]}


def _judge() -> Schema:
    judged = closed(
        {"id": _TEXT, "sentence": _TEXT, "verdict": _VERDICT, "checks": _COUNT, "detail": _TEXT}
    )
    counts = dict.fromkeys(("states", "events", "violations"), _COUNT)
    return report(
        "ipvs-est judge", JUDGE_VERSION, {"file": _TEXT, **counts, "properties": list_of(judged)}
    )


def _inspect() -> Schema:
    kernel = closed(
        {
            "release": _TEXT,
            "source": {"enum": [source.value for source in Source]},
            "revision": _TEXT,
            "hz": _COUNT,
        }
    )
    kthread = closed(
        {
            "ktid": _COUNT,
            "running": {"type": "boolean"},
            "cpu": nullable(_COUNT),
            "load": nullable(_NUMBER),
            "estimators": _COUNT,
            "most": _COUNT,
        }
    )
    finding = closed({"id": _TEXT, "title": _TEXT, "rates": nullable(_TEXT), "do": nullable(_TEXT)})
    judged = closed(
        {
            "id": _TEXT,
            "verdict": _VERDICT,
            "sentence": _TEXT,
            "reason": nullable(_TEXT),
            "where": nullable(_TEXT),
            "findings": list_of(finding),
        }
    )
    always: dict[str, Schema] = {
        "inode": _COUNT,
        "verdict": _VERDICT,
        "quiet": {"enum": [quiet.name.lower() for quiet in Quiet]},
        "readings": _COUNT,
        "seconds": _NUMBER,
    }
    read: dict[str, Schema] = {
        **dict.fromkeys(("services", "dests", "trash", "estimators", "waiting"), _COUNT),
        "kthreads": list_of(nullable(kthread)),
        "properties": list_of(judged),
        "names": by_name(_TEXT),
        "snapshot": reference("partial-snapshot"),
    }
    # Where no reading was one state, nothing of a state is told.
    netns: Schema = {"oneOf": [closed(always), closed({**always, **read})]}
    return report(
        "ipvs-est inspect",
        INSPECT_VERSION,
        {"kernel": nullable(kernel), "verdict": _VERDICT, "netns": list_of(netns)},
    )


def _bench() -> Schema:
    return report(
        "ipvs-est bench",
        BENCH_VERSION,
        {
            "complete": {"type": "boolean"},
            "python": _TEXT,
            "machine": _TEXT,
            "repeat": _COUNT,
            "recorded": nullable(members_of(RecordedBench, {})),
            "subject": nullable(members_of(SubjectBench, {})),
            "explore": list_of(members_of(ExploreBench, {})),
            "synthetic": list_of(members_of(SyntheticBench, {})),
            "schedulers": list_of(members_of(SchedulerBench, {})),
            "spin": list_of(members_of(SpinBench, {})),
            "lost": list_of(_TEXT),
        },
    )
