"""Live logs: the text of probes as events, the file, verdicts with a tolerance."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from command_line import here
from ipvs_est import MAINLINE, Oracle, Params
from ipvs_est.answers.state import KthreadState, State, TickState
from ipvs_est.language.events import Estimated, Event, Started, Stopped, TaskExited, TaskStarted
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import AddDest, AddService, Advance, InitNetns
from ipvs_est_checks.known.by_history import history_of
from ipvs_est_checks.known.registry import BY_ID
from ipvs_est_checks.live.reading.objects import Ids
from ipvs_est_checks.live.recording.events import RecordedEvents, tell
from ipvs_est_checks.live.recording.judged import judge_live_log
from ipvs_est_checks.live.recording.live_log import LiveLog, live_log_text, parse_live_log
from ipvs_est_checks.live.recording.probes import Place
from ipvs_est_checks.live.recording.trace_text import parse_trace
from ipvs_est_checks.report.verdict import Verdict
from schema_check import misfits

_NETNS = 0xFFFF_8880_0700_0000
_NODE = 0x50
_STATS = {1: 0xFFFF_8880_0100_0000, 2: 0xFFFF_8880_0100_1000, 3: 0xFFFF_8880_0100_2000}
_TICK = 0xFFFF_8880_0200_0010
_STACK = 0xFFFF_C900_0030_7E00
_PLACE = Place(0, 16, 24)
_KD = f"ipvs={_NETNS:#x} enable=1 task=0x0 ktid=0"


def _line(task: str, name: str, jiffies: int, rest: str) -> str:
    """As tracefs writes one."""
    return f"{task:>24}     [000] ....   100.1: {name}_9: (f+0x0/0x1 [ip_vs]) j={jiffies} {rest}"


def _chain(jiffies: int, *stats: int, chain: int = _TICK, place: int = 0x70000) -> str:
    nodes = [f"n{n}={number + _NODE:#x} p{n}={place:#x}" for n, number in enumerate(stats)]
    nodes.append(f"n{len(stats)}=0x0 p{len(stats)}=(fault)")
    return _line("ipvs-e:0:0-117", "chain", jiffies, f"chain={chain:#x} {' '.join(nodes)}")


def _start(pid: int, jiffies: int, netns: int, stats: int, answer: int) -> list[str]:
    return [
        _line(f"ipvsadm-{pid}", "start", jiffies, f"ipvs={netns:#x} stats={stats:#x}"),
        _line(f"ipvsadm-{pid}", "started", jiffies, f"ret={answer}"),
    ]


_TRACE = [
    "# tracer: nop",
    _chain(5000, _STATS[2], _STATS[1]),
    *_start(200, 5001, _NETNS, _STATS[3], 0),
    *_start(201, 5001, 0x1234, 0x999, 0),
    *_start(202, 5002, _NETNS, 0x777, -12),
    _chain(5500, _STATS[3], _STATS[2]),
    _line("ipvsadm-200", "stop", 5501, f"ipvs={_NETNS:#x} stats={_STATS[1]:#x}"),
    _line("ipvs-e:0:0-117", "stop", 5501, f"ipvs={_NETNS:#x} stats={_STATS[2]:#x}"),
    _line("kworker/0:1-33", "kstop", 5502, f"ipvs={_NETNS:#x} task=0xffff888000010000 ktid=0"),
    _line("kworker/0:1-33", "kstopped", 5503, ""),
    _line("kworker/0:1-33", "kstart", 5503, _KD),
    _line("kworker/0:1-33", "kstarted", 5504, "ret=0"),
    _chain(6000, _STATS[3], _STATS[2]),
    _chain(6001, 0xFFFF_8880_0300_0000, chain=_STACK, place=0),
    _chain(6500, _STATS[3]),
]


def _before() -> State:
    """Kthread 0 has estimators 1 and 2 in row 7."""
    tick = TickState(7, 2, 1, 0, ((0, (2, 1)),))
    kd = KthreadState(0, True, 2, 100, 50, 50, 7, 3, 0, 0, (tick,))
    return State(0, 1, 0, 1, 0, 4, 50, 0, 1, 1, (), (kd,))


def _recorded_events() -> RecordedEvents:
    ids = Ids({_STATS[1]: 1, _STATS[2]: 2}, {1: "one", 2: "two"}, 3)
    return tell(parse_trace(_TRACE), _NETNS, _NODE, _PLACE, _before(), ids)


def test_probes_become_events_as_far_as_they_tell_them() -> None:
    shown = _recorded_events()
    assert shown.events == [
        Estimated(5000, 2, 0, 7),
        Estimated(5000, 1, 0, 7),
        Started(5001, 3),
        Estimated(5500, 3, 0, 7),
        Estimated(5500, 2, 0, 7),
        Estimated(5500, 1, 0, 7),
        Stopped(5501, 1),
        TaskExited(5503, "ipvs-e:0"),
        TaskStarted(5504, 0, True),
        Estimated(6000, 3, 0, 7),
        Estimated(6000, 2, 0, 7),
    ]


def test_the_limits_test_ends_what_is_known_of_places() -> None:
    assert _recorded_events().limits_test == 6001


def _log(params: Params, events: Sequence[Event], **changes: int) -> LiveLog:
    lost = changes.get("lost", 0)
    return LiveLog("7.3.4", "mainline", 5, params, 30_000, lost, None, (), tuple(events))


def _recorded(params: Params, *times: int) -> LiveLog:
    return _log(params, [Estimated(time, 1, 0, 7) for time in times])


def _verdicts(log: LiveLog, tolerance: int) -> dict[str, Verdict]:
    return {
        judged_record.property.id: judged_record.verdict
        for judged_record in judge_live_log(log, tolerance)
    }


def test_a_late_wake_up_is_within_the_tolerance_and_a_later_one_is_not() -> None:
    params = Params(hz=250)
    times = [2000 + 500 * number for number in range(8)]
    assert _verdicts(_recorded(params, *times), 0)["delay.period"] is Verdict.PASS
    late = [*times[:-1], times[-1] + 2]
    assert _verdicts(_recorded(params, *late), 2)["delay.period"] is Verdict.PASS
    assert _verdicts(_recorded(params, *late), 1)["delay.period"] is Verdict.FAIL


def test_what_had_no_case_or_has_gaps_is_not_judged() -> None:
    found = {
        judged_record.property.id: judged_record
        for judged_record in judge_live_log(_recorded(Params(), 5000), 2)
    }
    assert found["delay.closest"].verdict is Verdict.NOT_JUDGED
    assert found["delay.closest"].reason == "there was no case of it"
    assert "no probe" in found["rates.average"].reason
    lost = _log(Params(), [Estimated(100 + number, 1, 0, 7) for number in range(9)], lost=3)
    assert set(_verdicts(lost, 2).values()) == {Verdict.NOT_JUDGED}


def _model_events(finding: str | None) -> LiveLog:
    """What the model does in a finding's history, or in a healthy one, as a live log."""
    if finding is None:
        oracle = Oracle(Params(), MAINLINE)
        oracle.machine.events = []
        for one_operation in (InitNetns(), AddService(1), AddDest(2, 1), Advance(10_000)):
            oracle.apply(one_operation)
    else:
        history = history_of(BY_ID[finding], "mainline")
        oracle = Oracle(history.header.params, MAINLINE)
        oracle.machine.events = []
        for operation in history.operations:
            oracle.apply(operation)
        oracle.apply(Advance(4 * oracle.machine.params.nticks * oracle.machine.params.tick_jiffies))
    events = [
        event
        for event in oracle.machine.events
        if isinstance(event, Estimated | Started | Stopped | TaskStarted | TaskExited)
    ]
    return _log(oracle.machine.params, events)


def test_a_log_of_f15_is_told_as_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"
    path.write_text(live_log_text(_model_events("F15")))
    run = here(capsys, "judge", path)
    assert run.code == 1, run.out
    assert "FAIL       delay.closest" in run.out
    assert "F15: Each restart makes" in run.out
    assert "your rates: rates are too low" in run.out
    assert "stop what keeps writing; no kernel has a repair yet" in run.out


def test_of_f15_the_share_of_the_traffic_that_rates_show_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    path.write_text(live_log_text(_recorded(Params(hz=250), 2000, 2250, 2450)))
    run = here(capsys, "judge", path)
    assert "were 0.90 s apart, not 2.00: of a steady traffic" in run.out
    assert "`ipvsadm -L --rate` shows some 45 %, while" in run.out


def test_a_healthy_log_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"
    path.write_text(live_log_text(_model_events(None)))
    run = here(capsys, "judge", path)
    assert run.code == 0, run.out
    assert "PASS       delay.closest" in run.out
    assert "PASS       tasks.enabled" in run.out


def test_a_log_is_read_as_it_was_written() -> None:
    log = _model_events("F15")
    text = live_log_text(log)
    assert parse_live_log(text.splitlines()) == log
    assert [
        misfit
        for line in text.splitlines()
        for misfit in misfits("live-log-line", json.loads(line))
    ] == []


@pytest.mark.parametrize(
    ("line", "text", "where"),
    [
        (0, "", "line 1"),
        (0, '{"live_log":2}', "line 1: kernel"),
        (1, "nonsense", "line 2"),
        (1, '{"event":"unheard"}', "line 2: event"),
        (1, '{"event":"started","jiffies":1}', "line 2: id"),
    ],
)
def test_a_log_that_cannot_be_read_is_refused_by_line_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: int, text: str, where: str
) -> None:
    lines = live_log_text(_model_events(None)).splitlines()
    lines[line] = text
    path = tmp_path / "log"
    path.write_text("\n".join(lines))
    run = here(capsys, "judge", path)
    assert run.code == 2
    assert f"{path}: {where}" in run.err
    assert len(run.err.splitlines()) == 1


def test_another_version_is_refused() -> None:
    lines = live_log_text(_model_events(None)).splitlines()
    header = json.loads(lines[0])
    header["live_log"] = 2
    with pytest.raises(InputError, match="expected version 1"):
        parse_live_log([json.dumps(header), *lines[1:]])
