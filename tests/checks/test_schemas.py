"""The JSON Schema takes what the project reads and writes, and nothing that it refuses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import here
from ipvs_est import Params
from ipvs_est.answers.trace import lines_of
from ipvs_est.language.header import params_to_json
from ipvs_est.oracle_process import Session, answer
from ipvs_est_checks.conformance.recordings import recordings
from ipvs_est_checks.explore.scenarios import scenario as scenario_module
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.schemas.document import definitions
from schema_check import misfits, schema_of_report, validator

NAMES = (
    "params",
    "operation",
    "result",
    "state",
    "snapshot",
    "event",
    "violation",
    "trace-header",
    "trace-line",
    "configuration",
    "answer",
    "task",
    "schedule",
    "schedule-answer",
    "scenario",
    "partial-snapshot",
    "events-header",
    "live-log-line",
    "judge-report",
    "inspect-report",
    "bench-report",
    "checkpoint-header",
    "check-report",
    "check-repeated-report",
    "replay-report",
    "property-list",
    "timeline",
    "explore-report",
    "defects-report",
    "mutants-report",
    "campaign-report",
    "prove-report",
    "simulate-report",
    "theorem-list",
)
RECORDED = ("early-3003.jsonl", "small-1007.jsonl", "exit-1003.jsonl")


def recorded_lines() -> Iterator[list[str]]:
    by_name = {recording.name: recording for recording in recordings()}
    for name in RECORDED:
        yield lines_of(name, by_name[name].data)


def test_everything_has_a_schema() -> None:
    assert tuple(definitions()) == NAMES


def test_recorded_traces_fit() -> None:
    header, line = validator("trace-header"), validator("trace-line")
    result = validator("result")
    seen = 0
    for first, *rest in recorded_lines():
        assert header.is_valid(json.loads(first))
        for text in rest:
            value = json.loads(text)
            assert line.is_valid(value), text[:200]
            assert result.is_valid(value["result"]), text[:200]
            seen += 1
    assert seen > 300


def test_answers_fit_with_all_that_can_be_watched() -> None:
    checked = validator("answer")
    session = Session()
    lines = [
        {"configure": {"revision": "v7", "watch": ["snapshot", "events"]}, "seq": 1},
        {"op": "init", "seq": "a"},
        {"op": "add_service", "id": 1},
        {"op": "add_dest", "id": 2, "service": 1},
        {"op": "advance", "n": 600},
        {"op": "write_cpulist", "text": "0"},
        {"op": "advance", "n": 600, "result": {"ret": 1}},
        {"op": "read", "id": 2},
        {"op": "export", "id": 2},
        {"op": "read_cpulist"},
        {"op": "dump"},
        {"op": "snapshot"},
        {"op": "exit"},
        {"op": "del", "id": 99},
        {"nothing": 1},
    ]
    texts: set[str] = set()
    for line in lines:
        answered = json.loads(json.dumps(answer(session, json.dumps(line).encode(), 3)))
        assert checked.is_valid(answered), line
        texts |= answered.keys()
    assert texts >= {"configured", "result", "error", "events", "snapshot", "equal", "differs_at"}


def test_every_scenario_of_the_library_fits() -> None:
    checked = validator("scenario")
    files = sorted((Path(scenario_module.__file__).parent / "library").glob("*.json"))
    assert len(files) >= 38
    for file in files:
        assert checked.is_valid(json.loads(file.read_text(encoding="utf-8"))), file.name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operation", {"op": "svc"}),
        ("operation", {"op": "svc", "id": -1}),
        ("operation", {"op": "svc", "id": 1, "more": 1}),
        ("operation", {"op": "svc", "id": True}),
        ("operation", {"op": "born"}),
        ("trace-line", {"op": "settle"}),
        ("params", {**params_to_json(Params()), "hz": 0}),
        ("params", {**params_to_json(Params()), "word_bits": 16}),
        ("event", {"event": "started", "jiffies": 1}),
        ("violation", {"kind": "leak-at-exit"}),
        ("result", {"ret": 2**31}),
        ("configuration", {"configure": {"watch": ["all"]}}),
        ("answer", {}),
        ("answer", {"result": {"ret": 0}, "error": {}}),
        ("scenario", {"scenario": 1, "about": "", "tasks": {}}),
        ("partial-snapshot", {"state": {"enable": "yes"}}),
        ("partial-snapshot", {"objects": [{"ktid": -3}]}),
        ("partial-snapshot", {"more": 1}),
        ("events-header", {"tells": ["started"]}),
        ("events-header", {"params": params_to_json(Params()), "tells": ["born"]}),
        ("live-log-line", {"live_log": 1}),
        ("live-log-line", {"snapshot": "now", "names": {}, "members": {}}),
        ("judge-report", {"report": "ipvs-est judge", "version": 1}),
        ("inspect-report", {"report": "ipvs-est inspect", "version": 1, "netns": []}),
        ("bench-report", {"report": "ipvs-est bench", "version": 0}),
        ("check-report", {"report": "ipvs-est check", "version": 1, "rows": []}),
        ("replay-report", {"report": "ipvs-est replay", "version": 1, "traces": [{}]}),
        ("prove-report", {"report": "ipvs-est explore", "version": 1}),
        ("simulate-report", {"report": "ipvs-est simulate", "version": 1}),
        ("theorem-list", [{"id": "timer.hz"}]),
    ],
)
def test_what_is_refused_does_not_fit(name: str, value: object) -> None:
    assert not validator(name).is_valid(value)


def test_every_report_that_a_test_writes_is_held_to_its_schema() -> None:
    assert set(schema_of_report()) == {
        *("ipvs-est bench", "ipvs-est campaign", "ipvs-est check", "ipvs-est check, repeated"),
        *("ipvs-est defects", "ipvs-est explore", "ipvs-est inspect", "ipvs-est judge"),
        *("ipvs-est mutants", "ipvs-est prove", "ipvs-est replay", "ipvs-est simulate"),
    }
    assert json_text("ipvs-est explore", 1, {"complete": True, "verdict": "PASS", "rows": []})
    with pytest.raises(AssertionError, match="complete"):
        json_text("ipvs-est explore", 1, {"complete": 1, "verdict": "PASS", "rows": []})


@pytest.mark.parametrize(
    ("option", "name"), [("", "property-list"), ("--theorems", "theorem-list")]
)
def test_the_lists_fit(option: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    done = here(capsys, "list", "--json", *filter(None, [option]))
    assert misfits(name, json.loads(done.out)) == []


def test_numbers_that_floating_point_does_not_hold_are_marked() -> None:
    found = definitions()
    operation = next(
        number for number in numbers_of(found["operation"]) if number["maximum"] == 2**64 - 1
    )
    assert "2^53" in operation["$comment"]
    for name, schema in found.items():
        for number in numbers_of(schema):
            assert ("$comment" in number) == (number["maximum"] > 2**53), (name, number)


def numbers_of(schema: Any) -> Iterator[dict[str, Any]]:
    """All integers with a bound from above, at any depth."""
    if isinstance(schema, list):
        for entry in schema:
            yield from numbers_of(entry)
    elif isinstance(schema, dict):
        if schema.get("type") == "integer" and "maximum" in schema:
            yield schema
        for entry in schema.values():
            yield from numbers_of(entry)


def test_the_command_prints_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    done = here(capsys, "schema")
    assert (done.code, json.loads(done.out)["$defs"].keys()) == (0, definitions().keys())
    assert json.loads(here(capsys, "schema", "event").out)["$ref"] == "#/$defs/event"
    assert here(capsys, "schema", "tree").code == 2
