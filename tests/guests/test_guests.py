"""Real kernels in emulated guests: healthy ones, and F05 and F15 where they happen.

Run with `--guests one`, the gate's, or `--guests all`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Run, here
from kernels.guests import booted, need_kernel
from kernels.many_dests import MANY_DESTS

# Any in this file: parsed JSON of our own reports.

Inspected = Callable[..., Run]

_SERVICES = """
ipvsadm -A -t 10.0.0.1:80 -s rr
for each in 1 2 3; do ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.$each:80 -m; done
ipvsadm -A -f 7 -s rr
ipvsadm -A -u [2001:db8::1]:53 -s rr
ipvsadm -a -u [2001:db8::1]:53 -r [2001:db8::2]:53 -m
"""
_NAMES = {
    "total",
    "FWM 7",
    "TCP 10.0.0.1:80",
    "TCP 10.0.0.1:80 -> 10.1.0.1:80",
    "TCP 10.0.0.1:80 -> 10.1.0.2:80",
    "TCP 10.0.0.1:80 -> 10.1.0.3:80",
    "UDP [2001:db8::1]:53",
    "UDP [2001:db8::1]:53 -> [2001:db8::2]:53",
}
_CHURN = """
while true; do
  ipvsadm -d -t 10.0.0.1:80 -r 10.1.0.2:80; ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.2:80 -m; sleep 1
done
"""
_READINGS = """
import sys
from ipvs_est_checks.live.consistent import live_target
from ipvs_est_checks.live.judge import Quiet, judge
from ipvs_est_checks.report.verdict import Verdict
alarms, none, seconds = [], 0, []
with live_target(probes=True) as target:
    (namespace,) = target.reader.namespaces()
    for _ in range(int(sys.argv[1])):
        looked = target.look(namespace)
        seconds.append(looked.seconds)
        if looked.reading is None:
            none += 1
            continue
        found = judge(looked.reading.snapshot, Quiet.UNKNOWN, looked.reading.names)
        alarms += [each.property.id for each in found if each.verdict is Verdict.FAIL]
with open('/proc/self/status') as status:
    peak = next(line.split()[1] for line in status if line.startswith('VmHWM'))
print('alarms', sorted(set(alarms)), 'of', len(alarms), 'not judged', none)
print('mean', sum(seconds) / len(seconds), 'longest', max(seconds), 'peak kB', peak)
"""
_WRITES = """
n=0
while [ $n -lt 100 ]; do
  n=$((n + 1)); echo $((n % 2)) > /proc/sys/net/ipv4/vs/est_nice; usleep 100000
done
"""
_RECORD = """
ipvs-est record --seconds 25 -o /tmp/log >/tmp/said 2>&1 &
echo $! > /tmp/pid
until grep -q 'recording begins' /sys/kernel/tracing/instances/ipvs_est_record*/trace; do
  sleep 1
done 2>/dev/null
"""
"""The recording begins once its probes are there and its first snapshot is taken."""
_WAITING = """
ip addr add 10.0.0.2/32 dev lo
ipvsadm -A -u 10.0.0.1:53 -s rr
ipvsadm -a -u 10.0.0.1:53 -r 10.0.0.2:53 -m
python3 /tmp/traffic
"""
_TRAFFIC = """
import socket, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    for _ in range(100):
        sender.sendto(b'x' * 64, ('10.0.0.1', 53))
        time.sleep(0.05)
"""
_RECORDED = "while kill -0 $(cat /tmp/pid) 2>/dev/null; do sleep 1; done; cat /tmp/log"


@pytest.fixture
def inspected(capsys: pytest.CaptureFixture[str]) -> Inspected:
    """Runs `ipvs-est inspect` in this process."""
    return lambda *arguments: here(capsys, "inspect", *arguments)


def _need(config: pytest.Config, *wanted: str) -> None:
    chosen = config.getoption("--guests")
    if chosen not in wanted:
        pytest.skip("guests are started with --guests one or all")


def _report(run: Run) -> dict[str, Any]:
    found = json.loads(run.out)
    assert isinstance(found, dict)
    return found


def _places(report: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Kthread, row and chain of each estimator by name."""
    (netns,) = report["netns"]
    return {
        netns["names"][str(each["id"])]: (each["ktid"], each["ktrow"], each["ktcid"])
        for each in netns["snapshot"]["objects"]
    }


@pytest.mark.parametrize("series", ["7.3", "6.12"])
def test_by_all_routes_a_healthy_kernel_is_healthy(
    series: str, tmp_path: Path, inspected: Inspected, pytestconfig: pytest.Config
) -> None:
    _need(pytestconfig, "all", "one" if series == "7.3" else "all")
    with booted(need_kernel(series), tmp_path) as guest:
        guest.ok(_SERVICES)
        guest.ok("sleep 8")
        by_qemu = inspected("--qemu", guest.qmp, "--json", "-")
        assert by_qemu.code == 0, by_qemu.out
        live = _report(Run(0, guest.ok("ipvs-est inspect --json - 2>/dev/null", 300), ""))
        left = guest.ok("ls /sys/kernel/tracing/instances; cat /sys/kernel/tracing/kprobe_events")
        assert left == ""
        guest.dump(tmp_path / "dump")
        by_dump = inspected("--dump", tmp_path / "dump", "--json", "-")
        assert by_dump.code == 0, by_dump.out
    for report in (live, _report(by_qemu), _report(by_dump)):
        (netns,) = report["netns"]
        assert {each["verdict"] for each in netns["properties"]} == {"PASS"}
        assert len(netns["properties"]) == 28
        assert _places(report).keys() == _NAMES
        assert report["kernel"]["hz"] == 250
    assert _places(live) == _places(_report(by_qemu)) == _places(_report(by_dump))


def test_readings_while_services_come_and_go_raise_no_alarm(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path) as guest:
        guest.ok(_SERVICES)
        guest.copy_in("/tmp/churn", _CHURN)
        guest.copy_in("/tmp/readings", _READINGS)
        guest.ok("sh /tmp/churn >/dev/null 2>&1 & sleep 1")
        said = guest.ok("python3 /tmp/readings 20", 400)
        assert "alarms [] of 0" in said, said


def test_f15_is_seen_where_it_happens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    """Writes to est_nice make revolutions shorter; without them a recording is healthy."""
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path) as guest:
        guest.ok(_SERVICES)
        guest.ok("sleep 8")
        guest.copy_in("/tmp/writes", _WRITES)
        guest.ok(_RECORD, 400)
        guest.ok("sh /tmp/writes", 400)
        (tmp_path / "written").write_text(guest.ok(_RECORDED, 400))
        guest.ok(_RECORD, 400)
        (tmp_path / "quiet").write_text(guest.ok(_RECORDED, 400))
        guest.ok(_RECORD, 400)
        guest.ok("kill -9 $(cat /tmp/pid); sleep 5")
        left = guest.ok("ls /sys/kernel/tracing/instances; cat /sys/kernel/tracing/kprobe_events")
        assert left == ""
    # An emulated CPU may come late by far.
    quiet = here(capsys, "judge", tmp_path / "quiet", "--tolerance", "30")
    assert "PASS       delay.closest" in quiet.out, quiet.out
    written = here(capsys, "judge", tmp_path / "written", "--tolerance", "30")
    assert written.code == 1, written.out
    assert "FAIL       delay.closest" in written.out
    assert "F15: Each restart makes" in written.out


def test_f05_is_seen_by_qemu_and_goes_as_told(
    tmp_path: Path, inspected: Inspected, pytestconfig: pytest.Config
) -> None:
    """Four kthreads are full, the second one's estimators go, and what comes next waits."""
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path, megabytes=1024, slow=True) as guest:
        guest.copy_in("/tmp/many", MANY_DESTS)
        guest.copy_in("/tmp/traffic", _TRAFFIC)
        guest.ok("echo 0 > /proc/sys/net/ipv4/vs/est_cpulist")
        # With the total as many as four kthreads have room for, if chain_max is 1; the services
        # are there first, and so with kthread 0.
        guest.ok("python3 /tmp/many 8 0; sleep 10; python3 /tmp/many 8 9591; sleep 10", 600)
        full = _report(inspected("--qemu", guest.qmp, "--wait", "0", "--json", "-"))
        (netns,) = full["netns"]
        assert [each["estimators"] for each in netns["kthreads"]] == [2400] * 4
        assert {each["verdict"] for each in netns["properties"]} == {"PASS"}
        second = [name.split() for name, at in _places(full).items() if at[0] == 1]
        gone = "".join(f"-d -t {service} -r {dest}\n" for _, service, _, dest in second)
        guest.copy_in("/tmp/gone", gone)
        guest.ok("ipvsadm -R < /tmp/gone; sleep 5", 900)
        guest.ok(_WAITING, 300)
        rates = guest.ok("ipvsadm -Ln --rate -u 10.0.0.1:53; ipvsadm -Ln --stats -u 10.0.0.1:53")
        assert _last_numbers(rates) == [[0] * 5] * 4
        # The guest's 4 quiet seconds may take longer outside.
        by_qemu = inspected("--qemu", guest.qmp, "--wait", "20", "--json", "-")
        assert by_qemu.code == 1, by_qemu.out
        (netns,) = _report(by_qemu)["netns"]
        failed = [found for found in netns["properties"] if found["verdict"] != "PASS"]
        assert [(found["id"], found["verdict"]) for found in failed] == [("progress.room", "FAIL")]
        (finding,) = failed[0]["findings"]
        assert finding["id"] == "F05"
        assert "rates of 0" in finding["rates"]
        assert "write est_cpulist" in finding["do"]
        assert netns["waiting"] == 2
        guest.ok("echo 0 > /proc/sys/net/ipv4/vs/est_cpulist; sleep 30", 300)
        counted = _last_numbers(guest.ok("ipvsadm -Ln --stats -u 10.0.0.1:53"))
        assert [each[1] for each in counted] == [100, 100]
        mended = inspected("--qemu", guest.qmp)
        assert mended.code == 0, mended.out


def test_a_recording_from_the_beginning_agrees_with_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path) as guest:
        guest.ok(_RECORD, 400)
        guest.ok(_SERVICES)
        guest.ok("sleep 5; echo 5 > /proc/sys/net/ipv4/vs/est_nice")
        guest.ok("sleep 3; ipvsadm -d -t 10.0.0.1:80 -r 10.1.0.2:80")
        guest.ok("echo 0 > /proc/sys/net/ipv4/vs/est_cpulist")
        (tmp_path / "log").write_text(guest.ok(_RECORDED, 400))
    # An emulated CPU may come late by far.
    run = here(capsys, "judge", tmp_path / "log", "--tolerance", "30", "-v")
    assert "beside the model, after 10 operations: of 36 values" in run.out, run.out
    assert ", 0 different" in run.out, run.out


def test_what_may_not_be_read_is_told_in_one_line(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path, options="lsm=lockdown") as guest:
        unprivileged = "import os, sys; os.setuid(1); os.execv('/bin/sh', ['sh', *sys.argv[1:]])"
        guest.copy_in("/tmp/nobody", unprivileged)
        for before, command, said in (
            ("true", "python3 /tmp/nobody -c 'ipvs-est inspect'", "CAP_SYSLOG"),
            ("sysctl -w kernel.kptr_restrict=2", "ipvs-est inspect", "kptr_restrict"),
            (
                "sysctl -w kernel.kptr_restrict=0; umount /sys/kernel/tracing",
                "ipvs-est inspect",
                "no tracefs",
            ),
            ("rmmod ip_vs_rr ip_vs", "ipvs-est inspect", "ip_vs is not loaded"),
            (
                "echo confidentiality > /sys/kernel/security/lockdown; insmod /modules/ip_vs.ko",
                "ipvs-est inspect --no-probes",
                "lockdown=confidentiality",
            ),
        ):
            guest.run(before)
            code, out = guest.run(command, 400)
            assert code == 2, f"{command}: {out}"
            (line,) = out.strip().splitlines()[-1:]
            assert said in line, out
            assert "Traceback" not in out


def _last_numbers(listed: str) -> list[list[int]]:
    """The numbers of each service and destination in what ipvsadm lists."""
    rows = [line.split() for line in listed.splitlines()]
    return [[int(each) for each in row[-5:]] for row in rows if row[-1].isdigit()]
