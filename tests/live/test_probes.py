"""Probes in a folder that stands for a tracefs: what is left over, and what is taken away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipvs_est_checks.live.memory.unreadable import UnreadableError
from ipvs_est_checks.live.tracefs import Instance, hits, take_away_leftovers

_GONE = 2**22 + 1
"""No kernel gives a process this number."""


def _tracefs(folder: Path, *groups: str) -> Path:
    """With an instance and a probe of each group."""
    for group in groups:
        (folder / "instances" / group).mkdir(parents=True)
    lines = [
        f"p:{group}/start_{group} ip_vs:ip_vs_start_estimator j=@jiffies_64:u64" for group in groups
    ]
    (folder / "kprobe_events").write_text("".join(f"{line}\n" for line in lines))
    return folder


def _deleted(tracefs: Path) -> list[str]:
    """Groups of which a probe was deleted: a tracefs takes a line that begins with a minus so."""
    lines = (tracefs / "kprobe_events").read_text().splitlines()
    return [line[2:].partition("/")[0] for line in lines if line.startswith("-:")]


def test_what_killed_processes_left_is_taken_away(tmp_path: Path) -> None:
    gone = [f"ipvs_est_{_GONE}", f"ipvs_est_guard_{_GONE}", f"ipvs_est_record_{_GONE}"]
    kept = [f"ipvs_est_{os.getpid()}", "ipvs_est_other", f"somebody_{_GONE}", f"ipvs_est_{2**70}"]
    tracefs = _tracefs(tmp_path, *gone, *kept)
    take_away_leftovers(tracefs)
    assert sorted(path.name for path in (tracefs / "instances").iterdir()) == sorted(kept)
    assert _deleted(tracefs) == sorted(gone)


def test_what_a_process_that_runs_has_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        name = f"ipvs_est_record_{other.pid}"
        tracefs = _tracefs(tmp_path, name)
        take_away_leftovers(tracefs)
        assert (tracefs / "instances" / name).is_dir()
        assert _deleted(tracefs) == []
    finally:
        other.communicate()


def test_probes_without_an_instance_are_taken_away(tmp_path: Path) -> None:
    name = f"ipvs_est_{_GONE}"
    tracefs = _tracefs(tmp_path, name)
    (tracefs / "instances" / name).rmdir()
    take_away_leftovers(tracefs)
    assert _deleted(tracefs) == [name]


def test_hits_of_a_probe_that_somebody_took_away_are_none(tmp_path: Path) -> None:
    instance = Instance(tmp_path, tmp_path / "instances" / "a", "a", ("start_1", "stop_1"))
    (tmp_path / "kprobe_profile").write_text("  start_1   5   0\n  stop_1   7   0\n")
    assert hits(instance) == (5, 7)
    (tmp_path / "kprobe_profile").write_text("  start_1   5   0\n")
    with pytest.raises(UnreadableError, match="somebody took stop_1 away"):
        hits(instance)
