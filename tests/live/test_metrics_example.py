"""The example for node_exporter reads what `inspect --json` writes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import CHECKOUT, here
from ipvs_est import MAINLINE, Oracle, Params
from ipvs_est.language.operations import AddDest, AddService, Advance, InitNetns
from kernels.made_netns import INODE, made_kernel

_EXAMPLE = CHECKOUT / "examples" / "textfile-collector" / "ipvs_est_metrics.py"


def _metrics(text: str, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_EXAMPLE), str(target)]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False)


def test_a_report_becomes_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    oracle = Oracle(Params(), MAINLINE)
    for operation in (InitNetns(), AddService(1), AddDest(2, 1), Advance(5000)):
        oracle.apply(operation)
    kernel = made_kernel(oracle.snapshot(), finish=False)
    kernel.put("netns_ipvs", kernel.places["netns"], "est_max_threads", 9)
    kernel.finish()
    (tmp_path / "dump").write_bytes(kernel.dump())
    run = here(capsys, "inspect", "--dump", tmp_path / "dump", "--json", "-")
    assert run.code == 1
    made = _metrics(run.out, tmp_path / "out.prom")
    assert made.returncode == 0, made.stderr
    lines = (tmp_path / "out.prom").read_text().splitlines()
    assert "ipvs_est_up 1" in lines
    assert f'ipvs_est_verdict{{netns="{INODE}"}} 1' in lines
    assert f'ipvs_est_estimators{{netns="{INODE}"}} 3' in lines
    failed = f'netns="{INODE}",property="limits.max-threads",finding=""'
    assert f"ipvs_est_property_failed{{{failed}}} 1" in lines
    assert [path.name for path in tmp_path.glob("out.prom*")] == ["out.prom"]


@pytest.mark.parametrize(
    "text", [json.dumps({"report": "other"}), "[1]", "nonsense", '{"report":"ipvs-est inspect"}']
)
def test_another_report_is_refused(tmp_path: Path, text: str) -> None:
    made = _metrics(text, tmp_path / "out.prom")
    assert made.returncode == 2
    assert len(made.stderr.splitlines()) == 1
    assert not (tmp_path / "out.prom").exists()


def test_a_kernel_that_cannot_be_read_is_told_in_place_of_what_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a monitor would go on seeing the last verdict."""
    target = tmp_path / "out.prom"
    target.write_text('ipvs_est_verdict{netns="1"} 0\n')
    (tmp_path / "dump").write_bytes(b"no dump at all")
    run = here(capsys, "inspect", "--dump", tmp_path / "dump", "--json", "-")
    assert run.code == 2
    made = _metrics(run.out, target)
    assert made.returncode == 2
    assert len(made.stderr.splitlines()) == 1
    lines = [line for line in target.read_text().splitlines() if not line.startswith("#")]
    assert lines == ["ipvs_est_up 0"]


def test_where_the_file_cannot_be_written_it_says_so(tmp_path: Path) -> None:
    made = _metrics("", tmp_path / "none" / "out.prom")
    assert made.returncode == 2
    assert len(made.stderr.splitlines()) == 1
