"""`ipvs-est judge`: properties on states, traces and events from whatever source."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import here
from ipvs_est import MAINLINE, STABLE, Oracle, Params
from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est.language.header import params_to_json
from ipvs_est.language.operations import (
    Advance,
    ExitNetns,
    InitNetns,
    Operation,
    SetNice,
    StartDest,
    StartService,
    Traffic,
    WriteCpulist,
)
from ipvs_est.oracle_process import Session, answer
from ipvs_est_checks.broken_properties import record_properties
from ipvs_est_checks.judging.evidence import EVERY_KIND, EvidenceError, evidence_of
from ipvs_est_checks.judging.kinds_read import KINDS_READ
from ipvs_est_checks.judging.verdicts import verdicts
from ipvs_est_checks.partly_known.partial import partial_from_json
from ipvs_est_checks.partly_known.reads import NEEDED, AbsentError, judged_by
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import STATE_PROPERTIES
from ipvs_est_spec.state.abstract_state import AbstractState
from schema_check import misfits

# Any in this file: JSON that is taken to pieces.

SMALL = Params(hz=100, nticks=4, chain_factor=2, possible_cpus=2, est_cost_ns=23750)
HISTORY: tuple[Operation, ...] = (
    InitNetns(),
    StartService(1),
    *map(StartDest, range(2, 20)),
    Advance(200),
    StartDest(30),
)


def healthy_state() -> dict[str, Any]:
    oracle = Oracle(SMALL, MAINLINE)
    for operation in HISTORY:
        oracle.apply(operation)
    return json.loads(json.dumps(snapshot_to_json(oracle.snapshot())))  # type: ignore[no-any-return]  # it is an object


def without(value: Any, path: tuple[str, ...]) -> Any:
    """The same without a member, in every object of a list."""
    if isinstance(value, list):
        return [without(entry, path) for entry in value]
    if not isinstance(value, dict):
        return value
    name, *below = path
    if name == "*":
        return {key: without(entry, tuple(below)) for key, entry in value.items()}
    if not below:
        return {key: entry for key, entry in value.items() if key != name}
    return {
        key: without(entry, tuple(below)) if key == name else entry for key, entry in value.items()
    }


def paths() -> Iterator[tuple[str, ...]]:
    """Of all members that a property may read, and some more."""
    for needed in {name for some in NEEDED.values() for name in some}:
        parts = needed.split(".")
        for end in range(1, len(parts) + 1):
            some = [(*([part, "*"] if part == "ticks" else [part]),) for part in parts[:end]]
            flat = [name for part in some for name in part]
            yield tuple(flat[:-1] if flat[-1] == "*" else flat)


def broken(snapshot: dict[str, Any]) -> dict[str, Any]:
    """States in which much does not hold."""
    state = snapshot["state"]
    state.update(kt_count=7, add_ktid=5, chain_max=1, max_threads=0, temp=[1, 1])
    for kd in state["kthreads"]:
        kd.update(est_count=99, avail="0")
    return snapshot


@pytest.mark.parametrize("make", [healthy_state, lambda: broken(healthy_state())])
def test_what_is_absent_changes_no_verdict(make: Any) -> None:
    whole = make()
    holds = judged_by(partial_from_json(whole, None))
    known = {prop.id: holds(prop) for prop in STATE_PROPERTIES}
    left: dict[tuple[str, ...], int] = {}
    for path in sorted(set(paths())):
        partial = partial_from_json(without(whole, path), None)
        judged = judged_by(partial)
        for prop in STATE_PROPERTIES:
            try:
                assert judged(prop) == known[prop.id], (path, prop.id)
            except AbsentError:
                left[path] = left.get(path, 0) + 1
    # Some are read only where something else does not hold.
    assert len(left) >= len(set(paths())) - 8
    assert left["state", "kthreads"] > 15


def test_what_is_broken_is_seen_in_what_is_left() -> None:
    snapshot = broken(healthy_state())
    few = {"params": snapshot["params"], "state": {"kthreads": [], "kt_count": 7, "add_ktid": 9}}
    found = {
        verdict.property.id: verdict
        for verdict in verdicts(evidence_of(json.dumps(few)), unlocked=True)
    }
    assert found["array.add-ktid"].verdict is Verdict.FAIL
    assert found["counts.est-count"].verdict is Verdict.PASS
    assert found["limits.max-threads"].detail == "nothing is told of sysctls.cpulist"


def test_every_question_has_its_members() -> None:
    questions = {
        *AbstractState.__dataclass_fields__,
        *(name for name in vars(AbstractState) if name.startswith("every_")),
    } - {"algebra", "params", "domains"}
    assert questions == NEEDED.keys()


def watched(history: tuple[Operation, ...], revision: str) -> str:
    """The answers of an oracle that tells states and events."""
    from ipvs_est.language.operation_json import operation_to_json

    session = Session()
    configure = {
        "revision": revision,
        "params": params_to_json(SMALL),
        "watch": ["snapshot", "events"],
    }
    lines = [{"configure": configure}, *map(operation_to_json, history)]
    answers = [answer(session, json.dumps(line).encode(), at) for at, line in enumerate(lines, 1)]
    return "".join(json.dumps(answer) + "\n" for answer in answers)


def test_states_and_events_of_answers_are_judged() -> None:
    history = (*HISTORY, Traffic(1, 0, 1, 2, 3, 4, 5), Advance(800))
    text = watched(history, MAINLINE.name)
    found = {verdict.property.id: verdict for verdict in verdicts(evidence_of(text))}
    assert Verdict.FAIL not in {file_verdict.verdict for file_verdict in found.values()}
    for name in ("limits.chain", "rates.average", "delay.first", "counts.est-count"):
        assert found[name].verdict is Verdict.PASS
        assert found[name].checks > 0
    assert found["memory.leak"].verdict is Verdict.NOT_JUDGED


def test_events_alone_are_judged() -> None:
    answers = [json.loads(line) for line in watched(HISTORY, STABLE.name).splitlines()]
    events = [letter for some in answers for letter in some.get("events", [])]
    lines = [{"params": params_to_json(SMALL)}, *events]
    found = evidence_of("".join(json.dumps(line) + "\n" for line in lines))
    assert (len(found.events), found.states) == (len(events), [])
    names = {verdict.property.id: verdict.verdict for verdict in verdicts(found)}
    assert names["delay.first"] is Verdict.PASS
    assert names["limits.chain"] is Verdict.NOT_JUDGED


def events_of(history: tuple[Operation, ...]) -> list[dict[str, Any]]:
    answers = [json.loads(line) for line in watched(history, MAINLINE.name).splitlines()]
    return [letter for some in answers for letter in some.get("events", [])]


def file_of(events: list[dict[str, Any]], **more: object) -> str:
    lines = [{"params": params_to_json(SMALL), **more}, *events]
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_kinds_that_a_file_does_not_tell_leave_open_what_reads_them() -> None:
    kinds = ("started", "stopped", "enqueued", "relinked", "task-started")
    events = [event for event in events_of(HISTORY) if event["event"] in kinds]
    found = {
        verdict.property.id: verdict
        for verdict in verdicts(evidence_of(file_of(events, tells=kinds)))
    }
    assert found["delay.new-row"].verdict is Verdict.PASS
    for name, detail in (
        ("delay.closest", "nothing tells of estimated"),
        ("tasks.enabled", "nothing tells of exit-begun, exit-ended"),
    ):
        assert (found[name].verdict, found[name].detail) == (Verdict.NOT_JUDGED, detail)
    # Without the declaration they would count as what did not happen.
    alone = {verdict.property.id: verdict for verdict in verdicts(evidence_of(file_of(events)))}
    assert alone["tasks.enabled"].verdict is Verdict.PASS
    assert misfits("events-header", {"params": params_to_json(SMALL), "tells": list(kinds)}) == []


@pytest.mark.parametrize(
    ("tells", "message"),
    [
        (["born"], r"line 1: tells\[0\]: is no kind of events"),
        ("started", "line 1: tells: expected a list, found a string"),
        (["stopped"], "line 2: event: started is none of those in `tells`"),
    ],
)
def test_a_declaration_that_is_wrong_is_refused(tells: object, message: str) -> None:
    started = {"event": "started", "jiffies": 1000, "id": 1}
    with pytest.raises(EvidenceError, match=message):
        evidence_of(file_of([started], tells=tells))


def test_each_property_reads_the_kinds_that_are_listed_for_it() -> None:
    exit_ = (ExitNetns(), InitNetns(), StartService(1), WriteCpulist("0"), SetNice(3), Advance(900))
    record = evidence_of(file_of(events_of((*HISTORY, Advance(300), *exit_)))).events
    properties = record_properties(None)
    assert [prop.id for prop in properties] == list(KINDS_READ)
    seen = set()
    for kind in sorted(EVERY_KIND):
        rest = [event for event in record if event.kind != kind]
        for prop in properties:
            # Two properties share their cases, of which each looks at a part.
            shared = prop.id.startswith("tasks.")
            if kind in KINDS_READ[prop.id] or shared:
                continue
            assert list(prop.cases(SMALL, rest)) == list(prop.cases(SMALL, record)), (prop.id, kind)
            seen.add(prop.id)
    assert len(seen) > 25


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, report = tmp_path / "s.json", tmp_path / "r.json"
    file.write_text(json.dumps(broken(healthy_state()), indent=1), encoding="utf-8")
    done = here(capsys, "judge", str(file), "--json", str(report))
    assert done.code == 1
    assert done.out.splitlines()[0] == "1 states, 0 events, 0 violations"
    assert "FAIL counts.est-count: " in done.out
    assert "no events are told" in done.out
    answer = json.loads(report.read_text(encoding="utf-8"))
    assert {entry["verdict"] for entry in answer["properties"]} == {"PASS", "FAIL", "NOT JUDGED"}
    assert misfits("judge-report", answer) == []


def test_nothing_that_can_be_judged_is_no_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "e.jsonl"
    file.write_text(json.dumps({"params": params_to_json(SMALL)}) + "\n", encoding="utf-8")
    done = here(capsys, "judge", str(file))
    assert done.code == 3
    assert "PASS" not in done.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the file is empty"),
        ("{}", "line 1: params: missing: nothing tells the parameters of the machine"),
        ('{"params":3}', "line 1: params: expected an object, found an integer"),
        ("no JSON", "line 1: not JSON: Expecting value at column 1"),
        ('{"state":{},"params":{}}', "line 1: params.hz: missing"),
    ],
)
def test_bad_input_is_one_line(text: str, message: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        evidence_of(text)
    assert str(caught.value) == message


def test_a_wrong_member_is_named() -> None:
    value = {"params": params_to_json(SMALL), "state": {"kt_count": "x"}}
    with pytest.raises(EvidenceError, match=r"line 1: state\.kt_count: expected an integer"):
        evidence_of(json.dumps(value))
