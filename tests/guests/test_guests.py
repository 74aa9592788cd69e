"""Real kernels in emulated guests: healthy ones, and F05 and F15 where they happen.

Run with `--guests one`, the gate's, or `--guests all`.
"""

import json
import re
import resource
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import Run, environment, here
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
  ipvsadm -d -t 10.0.0.1:80 -r 10.1.0.2:80; ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.2:80 -m; $1
  ipvsadm -A -t 10.0.0.3:80 -s rr; ipvsadm -a -t 10.0.0.3:80 -r 10.1.0.2:80 -m; $1
  ipvsadm -D -t 10.0.0.3:80; ipvsadm -D -f 7; ipvsadm -A -f 7 -s rr; $1
done
"""
"""The argument: what is between two changes."""
_READINGS = """
import json, sys
from ipvs_est_checks.live.consistent import live_target
from ipvs_est_checks.live.judge import Quiet, judge
from ipvs_est_checks.report.verdict import Verdict
found = {'readings': int(sys.argv[1]), 'none': 0, 'tries': 0, 'alarms': [], 'left': 0, 'judged': 0}
seconds = []
with live_target(probes=True) as target:
    (namespace,) = target.reader.namespaces()
    for _ in range(found['readings']):
        looked = target.look(namespace)
        seconds.append(looked.seconds)
        found['tries'] += looked.tries
        if looked.reading is None:
            found['none'] += 1
            continue
        for each in judge(looked.reading.snapshot, Quiet.UNKNOWN, looked.reading.names):
            if each.verdict is Verdict.FAIL:
                found['alarms'].append(each.property.id)
            judged = each.verdict in (Verdict.PASS, Verdict.FAIL)
            found['judged' if judged else 'left'] += 1
with open('/proc/self/status') as status:
    found['peak_kb'] = next(int(line.split()[1]) for line in status if line.startswith('VmHWM'))
found |= {'mean': sum(seconds) / len(seconds), 'longest': max(seconds)}
print(json.dumps(found))
"""
"""`none`: no try was one state; `left`: properties of one that was, and that were not judged."""
_WRITES = """
n=0
while kill -0 $(cat /tmp/pid) 2>/dev/null; do
  n=$((n + 1)); echo $((n % 2)) > /proc/sys/net/ipv4/vs/est_nice; usleep 20000
done
"""
"""Until the recording is written."""
_RECORD = """
ipvs-est record --seconds 25 -o /tmp/log >/tmp/said 2>&1 &
echo $! > /tmp/pid
until grep -q 'recording begins' /sys/kernel/tracing/instances/ipvs_est_record*/trace; do
  sleep 1
done 2>/dev/null
"""
"""The recording begins once its probes are there and its first snapshot is taken."""
_INSPECT = """
ipvs-est inspect --wait 100 >/tmp/said 2>&1 &
echo $! > /tmp/pid
until grep -q 1 /sys/kernel/tracing/instances/ipvs_est_*/events/ipvs_est_*/enable; do
  sleep 1
done 2>/dev/null
"""
_KILL_ALL = """
parent=$(cat /tmp/pid)
children=$(grep -l "^PPid:[[:space:]]*$parent$" /proc/[0-9]*/status | cut -d / -f 3)
kill -9 $children $parent; sleep 5
"""
_TAKES_PACKETS = """
ip addr add 10.0.0.2/32 dev lo
ipvsadm -A -u 10.0.0.1:53 -s rr
ipvsadm -a -u 10.0.0.1:53 -r 10.0.0.2:53 -m
"""
_TRAFFIC = """
import os, socket, sys, time
began, sent = time.monotonic(), 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    while sent < int(sys.argv[1]):
        sender.sendto(b'x' * 64, ('10.0.0.1', 53))
        sent += 1
        if sent % 20 == 0:
            with open('/tmp/sent.new', 'w') as file:
                file.write('sent %d %f\\n' % (sent, time.monotonic() - began))
            os.rename('/tmp/sent.new', '/tmp/sent')
        time.sleep(0.02)
"""
"""The argument: how many packets. A file says how many they are so far, after so many seconds."""
_RATES = """
for each in 1 2 3 4 5 6; do ipvsadm -Ln --rate -u 10.0.0.1:53; cat /tmp/sent; sleep 2; done
"""
_LOOP = (
    "import time; began = time.process_time(); n = sum(each * each for each in range(300000));"
    " print(time.process_time() - began)"
)
_ELF_HEADER = 64
_LEFT = "ls /sys/kernel/tracing/instances; cat /sys/kernel/tracing/kprobe_events"
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


def _ticks(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each kthread its rows, with the length, bitmaps and chains of each."""
    (netns,) = report["netns"]
    return [entry["ticks"] for entry in netns["snapshot"]["state"]["kthreads"]]


def _places(report: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Kthread, row and chain of each estimator by name."""
    (netns,) = report["netns"]
    return {
        netns["names"][str(entry["id"])]: (entry["ktid"], entry["ktrow"], entry["ktcid"])
        for entry in netns["snapshot"]["objects"]
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
        assert guest.ok(_LEFT) == ""
        guest.dump(tmp_path / "dump")
        by_dump = inspected("--dump", tmp_path / "dump", "--json", "-")
        assert by_dump.code == 0, by_dump.out
    for report in (live, _report(by_qemu), _report(by_dump)):
        (netns,) = report["netns"]
        assert {entry["verdict"] for entry in netns["properties"]} == {"PASS"}
        assert len(netns["properties"]) == 28
        assert _places(report).keys() == _NAMES
        assert report["kernel"]["hz"] == 250
    assert _places(live) == _places(_report(by_qemu)) == _places(_report(by_dump))
    assert _ticks(live) == _ticks(_report(by_qemu)) == _ticks(_report(by_dump))


def test_readings_while_services_come_and_go_raise_no_alarm(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 while there is a second between two changes, and some while there is nothing."""
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path) as guest:
        guest.ok(_SERVICES)
        guest.copy_in("/tmp/churn", _CHURN)
        guest.copy_in("/tmp/readings", _READINGS)
        for pause, readings in (("sleep 1", 200), ("true", 6)):
            guest.ok(f"sh /tmp/churn '{pause}' >/dev/null 2>&1 & echo $! > /tmp/pid; sleep 1")
            said = guest.ok(f"python3 /tmp/readings {readings}", 1800)
            guest.ok("kill $(cat /tmp/pid)")
            with capsys.disabled():
                print(f"\nbetween two changes {pause}: {said}")
            found = json.loads(said)
            assert found["alarms"] == [], said
            assert pause == "true" or found["none"] < readings // 20, said


def test_f15_is_seen_where_it_happens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    """Writes to est_nice make revolutions shorter, and rates too low by as much as is told; without
    them a recording is healthy."""
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path) as guest:
        guest.copy_in("/tmp/writes", _WRITES)
        guest.copy_in("/tmp/traffic", _TRAFFIC)
        guest.ok(_TAKES_PACKETS)
        guest.ok("python3 /tmp/traffic 1000000 >/dev/null 2>&1 & sleep 8")
        guest.ok(_RECORD, 400)
        guest.ok("sh /tmp/writes >/dev/null 2>&1 & sleep 12")
        listed = guest.ok(_RATES)
        (tmp_path / "written").write_text(guest.ok(_RECORDED, 400))
        guest.ok("sleep 20")
        steady = guest.ok(_RATES)
        guest.ok(_RECORD, 400)
        (tmp_path / "quiet").write_text(guest.ok(_RECORDED, 400))
    # An emulated CPU may come late by far.
    quiet = here(capsys, "judge", tmp_path / "quiet", "--tolerance", "30")
    assert "PASS       delay.closest" in quiet.out, quiet.out
    written = here(capsys, "judge", tmp_path / "written", "--tolerance", "30")
    assert written.code == 1, written.out
    assert "FAIL       delay.closest" in written.out
    assert "F15: Each restart makes" in written.out
    shown = re.search(r"`ipvsadm -L --rate` shows some (\d+) %", written.out)
    assert shown is not None
    share = _shown(listed)
    with capsys.disabled():
        print(f"\nof a steady traffic rates showed {share:.0%}, and later {_shown(steady):.0%}")
        print(written.out)
    assert abs(share - int(shown.group(1)) / 100) < 0.15
    assert share < 0.85
    assert 0.9 < _shown(steady) < 1.1


def _shown(listed: str) -> float:
    """Of the packets that are sent to a service each second the share that its rates show."""
    rates = [number[1] for number in _last_numbers(listed)]
    sent = [
        [float(number) for number in line.split()[1:]]
        for line in listed.splitlines()
        if line.startswith("sent")
    ]
    (first, began), (last, ended) = sent[0], sent[-1]
    return sum(rates) / len(rates) / ((last - first) / (ended - began))


def test_nothing_is_left_of_a_command_that_is_killed(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """By the child that cleans up; where that was killed too, by the next command."""
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path) as guest:
        guest.ok(_SERVICES)
        for command in (_RECORD, _INSPECT):
            guest.ok(command, 400)
            assert "ip_vs_stop_estimator" in guest.ok(_LEFT)
            guest.ok("kill -9 $(cat /tmp/pid); sleep 5")
            assert guest.ok(_LEFT) == ""
        guest.ok(_RECORD, 400)
        guest.ok(_KILL_ALL)
        assert "ip_vs_stop_estimator" in guest.ok(_LEFT)
        guest.ok("ipvs-est inspect", 400)
        assert guest.ok(_LEFT) == ""


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
        guest.ok("python3 /tmp/many 0 29 0; sleep 10; python3 /tmp/many 0 29 330; sleep 10", 600)
        full = _report(inspected("--qemu", guest.qmp, "--wait", "0", "--json", "-"))
        (netns,) = full["netns"]
        assert [entry["estimators"] for entry in netns["kthreads"]] == [2400] * 4
        assert {entry["verdict"] for entry in netns["properties"]} == {"PASS"}
        second = [name.split() for name, at in _places(full).items() if at[0] == 1]
        gone = "".join(f"-d -t {service} -r {dest}\n" for _, service, _, dest in second)
        guest.copy_in("/tmp/gone", gone)
        guest.ok("ipvsadm -R < /tmp/gone; sleep 5", 900)
        guest.ok(f"{_TAKES_PACKETS} python3 /tmp/traffic 100", 300)
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
        assert [group[1] for group in counted] == [100, 100]
        mended = inspected("--qemu", guest.qmp)
        assert mended.code == 0, mended.out


@pytest.mark.parametrize("kind", ["-c", "-l"], ids=["zlib", "lzo"])
def test_a_compressed_dump_says_what_the_dump_says(
    kind: str, healthy_dump: Path, tmp_path: Path, inspected: Inspected
) -> None:
    """As makedumpfile writes it, through drgn."""
    pytest.importorskip("drgn", reason="drgn is not installed")
    if shutil.which("makedumpfile") is None:
        pytest.skip("no makedumpfile: nothing makes a compressed dump")
    command = ["makedumpfile", kind, "-d", "17", str(healthy_dump), str(tmp_path / "compressed")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    reports = []
    for path in (healthy_dump, tmp_path / "compressed"):
        run = inspected("--dump", path, "--json", "-")
        assert run.code == 0, run.out
        (netns,) = _report(run)["netns"]
        reports.append({name: value for name, value in netns.items() if name != "seconds"})
    assert reports[0] == reports[1]


@pytest.fixture(scope="module")
def healthy_dump(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Of a guest with services, its program headers right behind the file's: makedumpfile looks
    for them nowhere else, and qemu puts headers of sections before them."""
    _need(pytestconfig, "all")
    folder = tmp_path_factory.mktemp("dump")
    with booted(need_kernel("7.3"), folder) as guest:
        guest.ok(_SERVICES)
        guest.ok("sleep 8")
        guest.dump(folder / "dump")
    (folder / "dump").chmod(0o600)
    with (folder / "dump").open("r+b") as file:
        head = bytearray(file.read(_ELF_HEADER))
        (at,) = struct.unpack_from("<Q", head, 32)
        entry, count = struct.unpack_from("<HH", head, 54)
        file.seek(at)
        programs = file.read(entry * count)
        struct.pack_into("<QQ", head, 32, _ELF_HEADER, 0)
        struct.pack_into("<H", head, 52, _ELF_HEADER)
        struct.pack_into("<HHH", head, 58, 0, 0, 0)
        file.seek(0)
        file.write(head + programs)
    return folder / "dump"


def test_10_001_estimators_are_read_live_and_100_001_from_a_dump(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """100 services with 99 destinations each, then 1,000. The dump is judged outside of the guest,
    by CPU time."""
    _need(pytestconfig, "all")
    with booted(need_kernel("7.3"), tmp_path, megabytes=1024) as guest:
        guest.copy_in("/tmp/many", MANY_DESTS)
        guest.copy_in("/tmp/readings", _READINGS)
        guest.ok("python3 /tmp/many 0 100 99; sleep 10", 600)
        outside = subprocess.check_output([sys.executable, "-c", _LOOP], text=True)
        slower = float(guest.ok(f"python3 -c '{_LOOP}'")) / float(outside)
        read = json.loads(guest.ok("python3 /tmp/readings 4", 900))
        with capsys.disabled():
            print(f"\n10,001 live, a guest {slower:.0f} times as slow: {read}")
        assert (read["none"], read["alarms"]) == (0, [])
        guest.ok("python3 /tmp/many 100 1000 99; sleep 10", 1800)
        guest.dump(tmp_path / "dump")
    command = [sys.executable, "-m", "ipvs_est_checks.command"]
    command += ["inspect", "--dump", str(tmp_path / "dump")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, private = time.monotonic(), 0
    with (tmp_path / "page").open("w") as page:
        process = subprocess.Popen(
            command, stdout=page, stderr=subprocess.STDOUT, env=environment()
        )
        while process.poll() is None:
            private = max(private, _private_kb(process.pid))
            time.sleep(0.02)
    took = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with capsys.disabled():
        print(
            f"\n100,001 estimators of a dump: {used:.1f} s of CPU time, {took:.1f} s by the clock,"
            f" {private // 1024} MB private"
        )
    said = (tmp_path / "page").read_text()
    assert "100001 estimators, 0 waiting" in said
    assert process.returncode == 0, said
    assert used < 10
    assert private < 300 * 1024


def _private_kb(process: int) -> int:
    """Memory that is no mapped file's; 0 if it has just ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) if found else 0


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
    return [[int(name) for name in row[-5:]] for row in rows if row[-1].isdigit()]
