"""`ipvs-est inspect` of made dumps and made kernels: verdicts, findings, exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from command_line import Run, here
from ipvs_est import MAINLINE, REVISIONS, Oracle, Params, Snapshot
from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    DeleteDest,
    InitNetns,
    Operation,
    OperationError,
    SetCpulist,
    SetRunEstimation,
)
from ipvs_est_checks.known.by_history import BY_HISTORY, history_of
from ipvs_est_checks.known.registry import BY_ID
from ipvs_est_checks.live.advice import ADVICE, Mend
from ipvs_est_checks.live.consistent import Looked, Target
from ipvs_est_checks.live.inspection import inspect
from ipvs_est_checks.live.judge import Quiet, judge
from ipvs_est_checks.live.memory.dump import open_dump
from ipvs_est_checks.live.reading.netns import ABSENT, Reader
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import STATE_PROPERTIES
from kernels.made_netns import made_kernel
from schema_check import misfits

_OF_STATES = frozenset(prop.id for prop in STATE_PROPERTIES)
_SHOWN = [finding for finding in BY_HISTORY if set(finding.properties) & _OF_STATES]


Inspected = Callable[..., Run]


@pytest.fixture
def inspected(capsys: pytest.CaptureFixture[str]) -> Inspected:
    """Runs `ipvs-est inspect` in this process."""
    return lambda *arguments: here(capsys, "inspect", *arguments)


def _after(finding_id: str, revision: str, *more: Operation) -> Oracle:
    """The finding's history, then these operations."""
    history = history_of(BY_ID[finding_id], revision)
    oracle = Oracle(history.header.params, REVISIONS[revision])
    for operation in (*history.operations, *more):
        try:
            oracle.apply(operation)
        except OperationError:
            continue
    return oracle


def _revolutions(params: Params) -> Advance:
    return Advance(3 * params.nticks * params.tick_jiffies)


def _healthy(*more: Operation) -> Snapshot:
    oracle = Oracle(Params(possible_cpus=2), MAINLINE)
    for operation in (InitNetns(), AddService(1), AddDest(2, 1), Advance(5000), *more):
        oracle.apply(operation)
    return oracle.snapshot()


def _dump(folder: Path, snapshot: Snapshot) -> str:
    path = folder / "dump"
    path.write_bytes(made_kernel(snapshot).dump())
    return str(path)


def test_a_healthy_machine_passes(inspected: Inspected, tmp_path: Path) -> None:
    result = inspected("--dump", _dump(tmp_path, _healthy()))
    assert result.code == 0, result.out + result.err
    assert "28 hold" in result.out + result.err
    assert "TCP 10.0.0.1:80 -> 10.1.0.2:8080" in result.out + result.err


@pytest.mark.parametrize("finding", _SHOWN, ids=lambda finding: finding.id)
def test_a_finding_is_seen_in_a_dump_and_told(
    inspected: Inspected, tmp_path: Path, finding: object
) -> None:
    found = next(one_finding for one_finding in _SHOWN if one_finding is finding)
    revision = found.revisions[-1]
    oracle = _after(found.id, revision)
    oracle.apply(_revolutions(oracle.machine.params))
    own_table = revision == "mainline"
    kernel = made_kernel(
        oracle.snapshot(),
        one_table=own_table,
        release="7.3.4" if own_table else REVISIONS[revision].kernels[0],
    )
    path = tmp_path / "dump"
    path.write_bytes(kernel.dump())
    result = inspected("--dump", str(path), "--quiet", "--json", str(tmp_path / "json"))
    assert result.code == 1, result.out + result.err
    assert f"{found.id}: {found.title}" in result.out + result.err
    assert ADVICE[found.id].consequence in result.out + result.err
    report = json.loads((tmp_path / "json").read_text())
    failing = {
        entry["id"]: [one["id"] for one in entry["findings"]]
        for entry in report["netns"][0]["properties"]
        if entry["verdict"] == "FAIL"
    }
    assert set(found.properties) & _OF_STATES <= failing.keys()
    assert all(found.id in failing[prop] for prop in set(found.properties) & _OF_STATES)


def test_of_f05_it_is_told_who_waits(inspected: Inspected, tmp_path: Path) -> None:
    oracle = _after("F05", "mainline")
    oracle.apply(_revolutions(oracle.machine.params))
    result = inspected("--dump", _dump(tmp_path, oracle.snapshot()), "--quiet")
    (waiting,) = oracle.snapshot().state.temp
    assert f"what waits: TCP 10.0.0.{waiting}:80\n" in result.out


@pytest.mark.parametrize("finding", _SHOWN, ids=lambda finding: finding.id)
def test_what_is_said_to_mend_a_finding_mends_it(finding: object) -> None:
    found = next(one_finding for one_finding in _SHOWN if one_finding is finding)
    oracle = _after(found.id, found.revisions[-1])
    rest = _revolutions(oracle.machine.params)
    oracle.apply(rest)
    assert _failing(oracle.snapshot()) & set(found.properties)
    mend = ADVICE[found.id].mend
    if mend is Mend.CPULIST:
        kept = oracle.snapshot().sysctls.cpulist
        cpus = oracle.machine.params.possible_cpus if kept is None else len(kept)
        oracle.apply(SetCpulist(weight=cpus))
    elif mend is Mend.ADD:
        oracle.apply(AddService(77))
    else:
        # What no write mends: neither of the two that somebody would try.
        oracle.apply(SetCpulist(weight=oracle.machine.params.possible_cpus))
        oracle.apply(rest)
        oracle.apply(SetRunEstimation(0))
        oracle.apply(SetRunEstimation(1))
    oracle.apply(rest)
    mended = not _failing(oracle.snapshot()) & set(found.properties)
    assert mended == (mend in (Mend.CPULIST, Mend.ADD))


def _failing(snapshot: Snapshot) -> set[str]:
    judged = judge(snapshot, Quiet.YES, {})
    return {
        judged_property.property.id
        for judged_property in judged
        if judged_property.verdict is Verdict.FAIL
    }


def test_what_needs_a_quiet_time_is_not_said_to_fail_of_a_dump(
    inspected: Inspected, tmp_path: Path
) -> None:
    oracle = _after("F05", "mainline")
    oracle.apply(_revolutions(oracle.machine.params))
    path = _dump(tmp_path, oracle.snapshot())
    result = inspected("--dump", path)
    assert result.code == 3, result.out + result.err
    assert "INCOMPLETE progress.room" in result.out + result.err
    assert "nothing says whether somebody configured it" in result.out + result.err


def test_destinations_that_leave_the_trash_are_no_configuration(tmp_path: Path) -> None:
    trashed = (AddDest(3, 1), Advance(5000), DeleteDest(3), Advance(1000))
    looks = []
    path = tmp_path
    for name, history in (("a", trashed), ("b", (*trashed, Advance(200 * 250)))):
        (tmp_path / name).mkdir()
        path = Path(_dump(tmp_path / name, _healthy(*history)))
        with open_dump(path) as kernel:
            reader = Reader(kernel)
            (namespace,) = reader.namespaces()
            looks.append(Looked(reader.read(namespace), 1, 0.1, ()))
    readings = [look.reading for look in looks if look.reading is not None]
    assert [sum(dest.in_trash for dest in reading.snapshot.dests) for reading in readings] == [1, 0]
    with open_dump(path) as kernel:
        target = Target(Reader(kernel), lambda _: looks.pop(0), goes_on=True, watched=False)
        ((found,), _) = inspect(target, lambda _: None, 5, netns=None, assume_quiet=False)
    assert found.quiet is Quiet.YES


def test_stopped_estimation_leaves_open_what_it_leaves_open(
    inspected: Inspected, tmp_path: Path
) -> None:
    path = _dump(tmp_path, _healthy(SetRunEstimation(0), Advance(1000), AddDest(3, 1)))
    result = inspected("--dump", path, "--quiet")
    assert result.code == 0, result.out + result.err
    assert "NOT JUDGED progress.room" in result.out + result.err
    assert "estimation is stopped: run_estimation is 0" in result.out + result.err


@pytest.mark.parametrize("one_table", [True, False])
def test_a_held_mutex_leaves_open_what_it_guards(
    inspected: Inspected, tmp_path: Path, one_table: bool
) -> None:
    kernel = made_kernel(_healthy(), one_table=one_table)
    netns = kernel.places["netns"]
    if one_table:
        kernel.put("netns_ipvs", netns, "service_mutex.owner", netns | 1)
    else:
        kernel.put("mutex", kernel.module_symbols["__ip_vs_mutex"], "owner", netns | 1)
    path = tmp_path / "dump"
    path.write_bytes(kernel.dump())
    result = inspected("--dump", str(path))
    assert "NOT JUDGED place.one-list" in result.out + result.err
    assert "service_mutex is held by" in result.out + result.err
    assert "PASS       limits.stopped" in result.out + result.err


def test_json_holds_the_snapshot_without_what_is_not_known(
    inspected: Inspected, tmp_path: Path
) -> None:
    snapshot = _healthy()
    path = _dump(tmp_path, snapshot)
    assert inspected("--dump", path, "--json", str(tmp_path / "json")).code == 0
    report = json.loads((tmp_path / "json").read_text())
    assert (report["report"], report["version"]) == ("ipvs-est inspect", 1)
    assert misfits("inspect-report", report) == []
    assert report["kernel"]["release"] == "7.3.4-made"
    (netns,) = report["netns"]
    assert netns["verdict"] == "PASS"
    assert (netns["services"], netns["dests"], netns["estimators"], netns["waiting"]) == (
        1,
        1,
        3,
        0,
    )
    known = snapshot_to_json(snapshot)
    top = {name for name in ABSENT if "." not in name}
    assert netns["snapshot"].keys() == known.keys() - top
    assert "wake_at" not in netns["snapshot"]["contexts"][0]["task"]
    assert netns["snapshot"]["state"] == known["state"]


def test_junit_has_a_case_for_each_property(inspected: Inspected, tmp_path: Path) -> None:
    path = _dump(tmp_path, _healthy())
    assert inspected("--dump", path, "--junit", str(tmp_path / "junit")).code == 0
    suite = ElementTree.parse(tmp_path / "junit").getroot()[0]
    assert [element.get("name") for element in suite] == [prop.id for prop in STATE_PROPERTIES]


def test_a_netns_that_is_not_there_is_refused(inspected: Inspected, tmp_path: Path) -> None:
    result = inspected("--dump", _dump(tmp_path, _healthy()), "--netns", "5")
    assert result.code == 2
    assert "no netns 5 has an IPVS" in result.out + result.err
    assert len((result.out + result.err).splitlines()) == 1


def test_options_that_exclude_each_other(inspected: Inspected, tmp_path: Path) -> None:
    path = _dump(tmp_path, _healthy())
    assert inspected("--dump", path, "--qemu", path).code == 2
    assert inspected("--quiet").code == 2
