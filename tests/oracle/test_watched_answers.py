"""What the process tells besides results when it is asked to, and the way back from its JSON."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvs_est import MAINLINE, V7, Oracle, Params, Revision, ViolationError
from ipvs_est.answers.results import Result, result_from_json, result_to_json
from ipvs_est.answers.snapshot import snapshot_from_json
from ipvs_est.language import violations
from ipvs_est.language.event_json import KINDS, event_from_json, event_to_json
from ipvs_est.language.events import Event
from ipvs_est.language.header import params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    DeleteService,
    Dump,
    ExitNetns,
    Export,
    FailAllocations,
    InitNetns,
    Operation,
    Read,
    ReadCpulist,
    TakeSnapshot,
    Traffic,
    WriteCpulist,
)
from ipvs_est.language.violations import Violation
from ipvs_est.oracle_process import Session, answer

SMALL = Params(hz=100, nticks=5, chain_factor=3, est_cost_ns=23750, possible_cpus=2)
HISTORY: tuple[Operation, ...] = (
    InitNetns(),
    AddService(1),
    *(AddDest(number, 1) for number in range(2, 40)),
    Advance(60),
    Traffic(2, 1, 3, 5, 7, 11, 13),
    Advance(500),
    WriteCpulist("1"),
    Advance(500),
    FailAllocations(1),
    AddDest(50, 1),
    Read(2),
    Export(0),
    ReadCpulist(),
    Dump(),
    TakeSnapshot(),
    DeleteService(1),
    Advance(20000),
    ExitNetns(),
)


def ask(session: Session, line: dict[str, object]) -> dict[str, object]:
    return answer(session, json.dumps(line).encode(), 1)


@pytest.mark.parametrize("revision", [MAINLINE, V7], ids=lambda revision: revision.name)
def test_watched_answers_tell_every_event_and_the_state_after_each_operation(
    revision: Revision,
) -> None:
    session = Session()
    params = params_to_json(SMALL)
    watch = ["snapshot", "events"]
    configure = {"revision": revision.name, "params": params, "watch": watch}
    assert "configured" in ask(session, {"configure": configure})
    oracle = Oracle(SMALL, revision)
    oracle.machine.events = []
    seen: list[Event] = []
    for operation in HISTORY:
        result: Result | None
        try:
            result = oracle.apply(operation)
        except ViolationError:
            result = None
        answered = json.loads(json.dumps(ask(session, operation_to_json(operation))))
        if result is not None:
            assert result_from_json(operation, answered["result"]) == result
        seen += [event_from_json(entry) for entry in answered["events"]]
        assert snapshot_from_json(answered["snapshot"]) == oracle.snapshot()
    assert seen == oracle.machine.events
    assert {type(event) for event in seen} >= {
        KINDS[name] for name in ("enqueued", "estimated", "relinked", "limits-computed", "paused")
    }


def test_without_watch_answers_are_as_before() -> None:
    session = Session()
    ask(session, {"configure": {}})
    assert ask(session, {"op": "init"}) == {"result": {"ret": 0}}


@pytest.mark.parametrize(
    ("watch", "field"),
    [("events", "configure.watch"), (["events", "bits"], "configure.watch[1]")],
)
def test_what_cannot_be_watched_is_refused(watch: object, field: str) -> None:
    answered = ask(Session(), {"configure": {"watch": watch}})
    assert isinstance(answered["error"], dict)
    assert answered["error"]["field"] == field


@given(st.sampled_from(list(KINDS.values())).flatmap(st.from_type))
def test_events_survive_json(event: Event) -> None:
    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


@given(st.sampled_from(list(violations.KINDS.values())).flatmap(st.from_type))
def test_violations_survive_json(violation: Violation) -> None:
    assert violations.from_json(json.loads(json.dumps(violations.to_json(violation)))) == violation


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "x"),
        ({"event": "born"}, "x.event"),
        ({"event": "started", "jiffies": 1}, "x.id"),
        ({"event": "started", "jiffies": 1, "id": "1"}, "x.id"),
        ({"event": "started", "jiffies": 1, "id": 1, "more": 1}, "x.more"),
        ({"event": "counted", "jiffies": 1, "id": 1, "cpu": 0, "steps": [1, 2]}, "x.steps"),
        (
            {"event": "counted", "jiffies": 1, "id": 1, "cpu": 0, "steps": [1, 2, 3, 4, True]},
            "x.steps[4]",
        ),
    ],
)
def test_an_event_that_is_none_is_refused_by_field(value: object, field: str) -> None:
    with pytest.raises(InputError) as caught:
        event_from_json(value, "x")
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("operation", "value", "field"),
    [
        (InitNetns(), 3, "result"),
        (InitNetns(), {}, "result.ret"),
        (InitNetns(), {"ret": 0, "more": 1}, "result.more"),
        (InitNetns(), {"ret": 0.0}, "result.ret"),
        (InitNetns(), {"deadlock": "perhaps"}, "result.deadlock"),
        (ReadCpulist(), {"text": 1}, "result.text"),
        (Export(0), {"conns": 0}, "result.inpkts"),
        (Dump(), {"jiffies": 0}, "result.add_ktid"),
        (TakeSnapshot(), {"version": 1}, "result.revision"),
    ],
)
def test_a_result_that_is_none_is_refused_by_field(
    operation: Operation, value: object, field: str
) -> None:
    with pytest.raises(InputError) as caught:
        result_from_json(operation, value)
    assert caught.value.field == field


def test_results_survive_json_with_their_extremes() -> None:
    oracle = Oracle(replace(SMALL, word_bits=32), MAINLINE)
    oracle.apply(InitNetns())
    oracle.apply(Traffic(0, 0, *[2**64 - 1] * 5))
    for operation in (Read(0), Export(0), Dump(), TakeSnapshot()):
        result = oracle.apply(operation)
        assert result_from_json(operation, result_to_json(result)) == result
