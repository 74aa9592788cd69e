"""`ipvs-est bench`: what it measures and reports. Never how fast: no timed test."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from command_line import environment
from ipvs_est_checks.bench.explorer import bench_explore
from ipvs_est_checks.bench.model import Load, bench_recorded, bench_synthetic
from ipvs_est_checks.bench.schedulers import SchedulerBench, bench_schedulers, rows_to_bench
from ipvs_est_checks.bench.subject import bench_subject
from ipvs_est_checks.cli.commands import bench as bench_module
from ipvs_est_checks.cli.commands.bench import bench
from ipvs_est_checks.conformance.recordings import recordings
from ipvs_est_checks.explore.engine.job import JobKind
from ipvs_est_checks.explore.engine.watch import WATCHED
from schema_check import misfits

TRACE = "\n".join(
    [
        '{"trace":"tiny","format":1,"kernel":"7.3.4","seed":1,"params":{"hz":100,"nticks":5,'
        '"tick_jiffies":40,"load_divisor":8,"chain_factor":3,"tick_chains":3,'
        '"preempt_rcu":false,"possible_cpus":1,"est_cost_ns":3,"initial_jiffies":1000}}',
        '{"op":"tot","result":{"ret":0}}',
        '{"op":"svc","id":1,"result":{"ret":0}}',
        '{"op":"settle","result":{"ret":0}}',
        '{"op":"settle","result":{"ret":0}}',
        "",
    ]
)


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    (tmp_path / "tiny.jsonl").write_text(TRACE)
    return tmp_path


def test_the_recorded_bench_counts_every_operation_by_kind(traces: Path) -> None:
    result = bench_recorded(sorted(traces.iterdir()), repetitions=2)
    assert {rate.op: rate.count for rate in result.rates} == {"tot": 1, "svc": 1, "settle": 2}
    assert (result.traces, result.operations) == (1, 4)
    assert result.seconds == sum(rate.seconds for rate in result.rates)


def test_the_synthetic_load_estimates_every_estimator() -> None:
    # At 1000 ns a warm estimation is taken for 4000: 95000 / 4000 = 23 fit into a chain,
    # 50 * 48 * 23 = 55200 into a kthread.
    assert bench_synthetic(Load(300, possible_cpus=8)).kthreads == 1


def test_a_load_beyond_the_thread_limit_is_refused() -> None:
    # One CPU allows four kthreads.
    result = CliRunner().invoke(
        bench,
        [
            "--estimators",
            "230000",
            "--cpus",
            "1",
            "--busy-cpus",
            "1",
            "--repeat",
            "1",
            "--no-explore",
            "--no-subject",
        ],
    )
    assert result.exit_code == 2
    assert "found no room" in result.output


def test_the_report_holds_each_size_and_kind(traces: Path, tmp_path: Path) -> None:
    report = tmp_path / "bench.json"
    arguments = ["--traces", str(traces), "--repeat", "1", "--estimators", "50", "--no-explore"]
    arguments += ["--no-subject"]
    result = CliRunner().invoke(bench, [*arguments, "--estimators", "80", "--json", str(report)])
    assert result.exit_code == 0, result.output
    written = json.loads(report.read_text())
    assert written["report"] == "ipvs-est bench"
    assert misfits("bench-report", written) == []
    assert [entry["load"]["estimators"] for entry in written["synthetic"]] == [50, 80]
    assert written["recorded"]["operations"] == 4


@pytest.mark.parametrize("kind", JobKind)
def test_the_explorer_bench_does_the_same_work_each_time(kind: JobKind) -> None:
    first, second = (bench_explore(kind, 1, schedules=20) for _ in range(2))
    assert first.schedules == second.schedules == 3 * 20
    assert (first.steps, first.states) == (second.steps, second.states)
    assert first.steps > first.schedules
    assert first.states > 0
    assert first.steps_per_second == first.steps / first.seconds


def test_the_report_has_a_row_for_each_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        bench_module,
        "bench_explore",
        lambda kind, repeat, watching: bench_explore(kind, repeat, watching=watching, schedules=5),
    )
    report = tmp_path / "bench.json"
    arguments = ["--repeat", "1", "--estimators", "50", "--no-subject", "--json", str(report)]
    result = CliRunner().invoke(bench, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads(report.read_text())["explore"]
    assert [row["scheduler"] for row in rows] == ["dfs", "dfs", "pct", "random", "pos", "surw"]
    assert [row["properties"] for row in rows] == [0, len(WATCHED), 0, 0, 0, 0]
    assert [row["schedules"] for row in rows] == [15] * 6
    assert "steps/s" in result.output


def test_schedules_until_a_defect_shows_are_counted_for_each_random_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tuple(row for row in rows_to_bench() if row.id in ("D02", "D03d"))
    monkeypatch.setattr(bench_module, "rows_to_bench", lambda: rows)
    report = tmp_path / "bench.json"
    arguments = ["--repeat", "1", "--estimators", "50", "--no-explore", "--no-subject"]
    arguments += ["--schedulers", "3", "--json", str(report)]
    result = CliRunner().invoke(bench, arguments)
    assert result.exit_code == 0, result.output
    written = json.loads(report.read_text())["schedulers"]
    assert [(entry["defect"], entry["scheduler"]) for entry in written] == [
        (row, kind) for row in ("D02", "D03d") for kind in ("random", "pct", "pos", "surw")
    ]
    assert all(entry["found"] == entry["seeds"] == 3 for entry in written)
    (line,) = [line for line in result.output.splitlines() if line.startswith("D03d ")]
    medians = [entry["median"] for entry in written if entry["defect"] == "D03d"]
    assert line.split()[-4:] == [f"{median:g}" for median in medians]


def test_a_defect_that_shows_with_less_than_half_of_the_seeds_has_no_median() -> None:
    (row,) = [row for row in rows_to_bench() if row.id == "D04a"]
    found = list(bench_schedulers((row,), 2, 1, most=1))
    assert [
        scheduler_bench.median
        for scheduler_bench in found
        if isinstance(scheduler_bench, SchedulerBench)
    ] == [None] * 4


def test_the_model_as_a_subject_does_the_work_that_it_does_in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    some = recordings()[:2]
    monkeypatch.setattr(bench_module, "bench_subject", lambda repeat: bench_subject(repeat, some))
    report = tmp_path / "bench.json"
    arguments = ["--repeat", "2", "--estimators", "50", "--no-explore", "--json", str(report)]
    result = CliRunner().invoke(bench, arguments)
    assert result.exit_code == 0, result.output
    answer = json.loads(report.read_text())["subject"]
    lines = sum(recording.data.count(b"\n") for recording in some)
    assert (answer["traces"], answer["operations"]) == (2, lines - 2)
    assert min(entry for entry in answer.values()) > 0
    assert f"subject: 2 recordings, {lines - 2} operations:" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--estimators", "0"], "0 is not in the range"),
        (["--cpus", "2", "--busy-cpus", "3"], "--busy-cpus 3 is more than --cpus 2"),
        (["--traces", "/nowhere"], "does not exist"),
        (["--json", "/nowhere/report.json"], "No such file"),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(bench, arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_a_directory_without_traces_or_with_a_bad_one_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(bench, ["--traces", str(tmp_path)])
    assert result.exit_code == 2
    assert "no *.jsonl file" in result.output
    (tmp_path / "bad.jsonl").write_text(TRACE.replace('"id":1', '"id":true'))
    result = CliRunner().invoke(bench, ["--traces", str(tmp_path)])
    assert result.exit_code == 2
    assert "bad.jsonl:3: id: expected an integer, found a boolean" in result.output
