"""Live logs beside the model: what configured a netns is done to the oracle, and compared."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line import here
from ipvs_est import MAINLINE, Oracle, Params
from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est.language.events import Event, Started, Stopped
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import (
    Advance,
    Delete,
    InitNetns,
    Operation,
    SetNice,
    StartDest,
    StartService,
    WriteCpulist,
)
from ipvs_est_checks.live.reading.objects import Ids
from ipvs_est_checks.live.recording.beside_model import beside_model
from ipvs_est_checks.live.recording.events import tell
from ipvs_est_checks.live.recording.live_log import (
    LiveLog,
    Written,
    live_log_text,
    parse_live_log,
)
from ipvs_est_checks.live.recording.probes import Place
from ipvs_est_checks.live.recording.trace_text import parse_trace
from schema_check import misfits

# Any in this file: snapshots as JSON.

_PARAMS = Params(hz=250, preempt_rcu=True, possible_cpus=2, est_cost_ns=184)
_BORN = 7000
_SERVICE, _FIRST, _SECOND, _THIRD = 1, 2, 3, 4


def _kernel(*steps: tuple[int, Operation]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Snapshots before and after what is done so many jiffies after one another."""
    oracle = Oracle(replace(_PARAMS, initial_jiffies=_BORN), MAINLINE)
    oracle.apply(InitNetns())
    oracle.apply(Advance(1000))
    before = snapshot_to_json(oracle.snapshot())
    for jiffies, operation in steps:
        oracle.apply(Advance(jiffies))
        oracle.apply(operation)
    oracle.apply(Advance(5003))
    return before, snapshot_to_json(oracle.snapshot())


_STEPS: tuple[tuple[int, Operation], ...] = (
    (0, StartService(_SERVICE)),
    (1, StartDest(_FIRST)),
    (1500, StartDest(_SECOND)),
    (77, StartDest(_THIRD)),
    (600, SetNice(5)),
    (600, Delete(_FIRST)),
    (50, WriteCpulist("1")),
)
_EVENTS: tuple[Event, ...] = (
    Started(8000, _SERVICE),
    Started(8001, _FIRST),
    Started(9501, _SECOND),
    Started(9578, _THIRD),
    Stopped(10778, _FIRST),
)
_WRITTEN = (
    Written(10178, 4, "est_nice", 1, 5, None),
    Written(10828, 5, "est_cpulist", 1, 5, (1,)),
)


def _log(before: dict[str, Any], after: dict[str, Any]) -> LiveLog:
    # The names of the kernel's services are not the model's: bare estimators have none.
    after = {
        **after,
        "services": [{"id": _SERVICE, "scheduler": None, "dests": [], "references": 1}],
    }
    names = {str(entry["id"]): f"estimator {entry['id']}" for entry in after["objects"]}
    snapshots = (
        {"snapshot": "before", "names": {"0": "total"}, "members": before},
        {"snapshot": "after", "names": names, "members": after},
    )
    return LiveLog("7.3.4", "mainline", 5, _PARAMS, 1, 0, None, snapshots, _EVENTS, _WRITTEN)


def test_a_kernel_that_does_what_the_model_does_is_equal_in_all() -> None:
    found = beside_model(_log(*_kernel(*_STEPS)), 0)
    assert (found.reason, found.late, found.different) == ("", (), ())
    assert found.operations == 7
    # 8 of the netns, what waits, 6 of the kthread, 3 of each estimator.
    assert found.equal == 8 + 1 + 6 + 3 * 4


def test_a_request_that_is_served_late_is_within_the_tolerance() -> None:
    late = (*_STEPS[:4], (602, SetNice(5)), (598, Delete(_FIRST)), _STEPS[6])
    found = beside_model(_log(*_kernel(*late)), 2)
    assert (found.reason, found.different) == ("", ())
    assert found.late == ("kthread 0: row 0 is due at: model 478, kernel 470",)
    # 8 jiffies: a whole tick earlier, and the 2 later.
    assert beside_model(_log(*_kernel(*late)), 0).late == found.late


def test_what_lateness_does_not_explain_is_different(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = _kernel(*_STEPS)
    after = copy.deepcopy(after)
    after["state"]["kthreads"][0]["est_count"] += 1
    (moved,) = [entry for entry in after["objects"] if entry["id"] == _SECOND]
    moved["ktrow"] = (moved["ktrow"] + 25) % 50
    log = _log(before, after)
    found = beside_model(log, 2)
    assert [name.split(":")[0] for name in found.different] == ["kthread 0", "estimator 3"]
    path = tmp_path / "log"
    lines = live_log_text(log).splitlines()
    lines[1:1] = [json.dumps(snapshot) for snapshot in log.snapshots]
    path.write_text("\n".join(lines) + "\n")
    assert parse_live_log(lines) == log
    assert not [misfit for line in lines for misfit in misfits("live-log-line", json.loads(line))]
    run = here(capsys, "judge", path)
    assert run.code == 1
    assert "after 7 operations: of 27 values of the last state 25 are equal" in run.out
    assert "DIFFERENT: kthread 0: est_count: model 4, kernel 5" in run.out


def test_a_netns_that_was_in_use_is_not_compared() -> None:
    before, after = _kernel(*_STEPS)
    log = _log(after, after)
    assert "had been in use" in beside_model(log, 2).reason
    assert "both snapshots" in beside_model(replace(log, snapshots=()), 2).reason
    assert "3 events are lost" in beside_model(replace(_log(before, after), lost=3), 2).reason


def test_writes_of_sysctls_are_told_with_the_values_afterwards() -> None:
    netns = 0xFFFF_8880_0700_0000
    head = "ipvsadm-{}     [000] ....   100.1: {}_9: (f+0x0/0x1 [ip_vs]) j={} "
    values = "run=1 nice=3 valid=1 cpus=0x5"
    trace = [
        head.format(1, "write_est_nice", 50) + f"write=1 ipvs={netns:#x}",
        head.format(2, "write_est_nice", 50) + "write=1 ipvs=0x1234",
        head.format(2, "wrote_est_nice", 51) + values,
        head.format(1, "wrote_est_nice", 52) + values,
        head.format(1, "write_est_cpulist", 53) + f"write=0 ipvs={netns:#x}",
        head.format(1, "wrote_est_cpulist", 54) + values,
    ]
    before = Oracle(_PARAMS, MAINLINE).state()
    shown = tell(parse_trace(trace), netns, 0x50, Place(0, 16, 24), before, Ids())
    assert shown.written == [Written(52, 0, "est_nice", 1, 3, (0, 2))]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"written":"mood"}', "line 2: written: expected one of run_estimation, est_nice, est_cp"),
        ('{"written":"est_nice"}', "line 2: jiffies: expected a number"),
        ('{"written":"est_nice","cpulist":["a"]}', "line 2: cpulist: expected null or a list of"),
        ('{"snapshot":"later"}', "line 2: snapshot: expected before or after"),
        ('{"snapshot":"after"}', "line 2: names: expected names by id"),
        ('{"snapshot":"after","names":{}}', "line 2: members: expected a snapshot"),
        ('{"snapshot":"after","names":{},"members":{"now":-1}}', "line 2: members: "),
    ],
)
def test_lines_that_are_none_are_refused(line: str, said: str) -> None:
    header = live_log_text(replace(_log(*_kernel()), snapshots=(), events=(), written=()))
    with pytest.raises(InputError) as refused:
        parse_live_log([header.strip(), line])
    assert str(refused.value).startswith(said)
