"""`ipvs-est check`, `list` and `findings`: engines together, reports, exit codes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from ipvs_est import MAINLINE, REPAIRED, REVISIONS, V7, Revision
from ipvs_est_checks.cli import check as cli_check
from ipvs_est_checks.cli.group import cli, run
from ipvs_est_checks.engines.conformance import engine_conformance
from ipvs_est_checks.engines.findings import engine_findings
from ipvs_est_checks.engines.machines import engine_machines
from ipvs_est_checks.history.file import read_history
from ipvs_est_checks.known.findings import FINDINGS, history_of
from ipvs_est_checks.machines import sampling
from ipvs_est_checks.machines.report import FailureRecord, MachineReport
from ipvs_est_checks.report.check_text import by_how, problem_lines
from ipvs_est_checks.report.rows import Engine, Problem, Request, Row, Verdict, worst
from ipvs_est_spec.catalogue import PROPERTIES

TRACES = Path(__file__).parents[1] / "data" / "traces"
PROBLEM = Problem("place.total", "mainline", "it is \x1b elsewhere", ('{"op": "init"}',), None, "c")


def row(verdict: Verdict, *problems: Problem) -> Row:
    return Row("place.total", "It is there.", "mainline", verdict, "sampled", 7, 0.5, "", problems)


def request(*, traces: Path | None = None, properties: frozenset[str] | None = None) -> Request:
    return Request((V7, MAINLINE, REPAIRED), "quick", properties, 1, 1, traces)


def every_round(
    monkeypatch: pytest.MonkeyPatch,
    checks: tuple[tuple[str, int], ...],
    failures: tuple[FailureRecord, ...],
) -> list[tuple[str, str, int]]:
    """Each round finds that; answers which were run."""
    asked: list[tuple[str, str, int]] = []

    def found(
        revision: Revision,
        profile: str,
        seed: int,
        machine: str,
        number: int,
        *,
        properties: frozenset[str] | None,
    ) -> MachineReport:
        del properties
        asked.append((revision.name, machine, number))
        return MachineReport(
            revision.name, profile, seed, (machine,), checks, failures, (), 1, 1, 0.0
        )

    monkeypatch.setattr(sampling, "run_round", found)
    return asked


def engines(monkeypatch: pytest.MonkeyPatch, *rows: Row, interrupt: bool = False) -> None:
    def engine(_: Request) -> Iterator[Row]:
        yield from rows
        if interrupt:
            raise KeyboardInterrupt

    made: tuple[Engine, ...] = (engine,)
    monkeypatch.setattr(cli_check, "ENGINES", made)


@pytest.mark.parametrize(
    ("verdicts", "whole", "code"),
    [
        ([Verdict.PASS, Verdict.FINDING], Verdict.PASS, 0),
        ([Verdict.PASS, Verdict.NOT_RUN], Verdict.PASS, 0),
        ([Verdict.PASS, Verdict.INCOMPLETE], Verdict.INCOMPLETE, 3),
        ([Verdict.INCOMPLETE, Verdict.FAIL], Verdict.FAIL, 1),
        # A run in which nothing was looked at is no pass.
        ([Verdict.NOT_RUN], Verdict.INCOMPLETE, 3),
        ([], Verdict.INCOMPLETE, 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst_verdict(
    verdicts: list[Verdict], whole: Verdict, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(each) for each in verdicts]
    assert worst(rows) is whole
    engines(monkeypatch, *rows)
    assert CliRunner().invoke(cli, ["check", "--seed", "1"]).exit_code == code


def test_the_whole_is_told_by_how_it_was_established() -> None:
    sampled = [row(Verdict.PASS), row(Verdict.PASS), row(Verdict.FINDING)]
    proved = replace(row(Verdict.PASS), how="proved for all", cases=70)
    assert [line.split() for line in by_how([*sampled, proved])] == [
        ["how", "rows", "PASS", "FINDING", "cases"],
        ["sampled", "3", "2", "1", "21"],
        ["proved", "for", "all", "1", "1", "-", "70"],
    ]


def test_a_failure_is_told_with_history_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    engines(monkeypatch, row(Verdict.FAIL, PROBLEM))
    output = CliRunner().invoke(cli, ["check", "--seed", "9", "--revision", "mainline"]).output
    assert output.splitlines()[0] == "profile quick, seed 9"
    assert "place.total  FAIL" in output
    assert '1  {"op": "init"}' in output
    assert "again: c" in output
    assert output.splitlines()[-1] == "1 fail"


def test_reports_hold_every_row_and_survive_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engines(monkeypatch, row(Verdict.PASS), row(Verdict.FAIL, PROBLEM), interrupt=True)
    report, junit = tmp_path / "r.json", tmp_path / "r.xml"
    result = CliRunner().invoke(cli, ["check", "--json", str(report), "--junit", str(junit)])
    assert result.exit_code == 130
    assert result.output.splitlines()[-1] == "interrupted: 1 pass, 1 fail"
    written = json.loads(report.read_text())
    assert written["complete"] is False
    assert [each["verdict"] for each in written["rows"]] == ["PASS", "FAIL"]
    suite = ElementTree.parse(junit).getroot()[0]
    assert suite.get("tests") == "3"
    assert [each.tag for case in suite for each in case] == ["failure", "error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--property", "no.such"], "no such property"),
        (["--revision", "v8"], "v8"),
        (["--traces", "/nowhere"], "does not exist"),
        (["--json", "/nowhere/r.json"], "No such file"),
        (["--seed", "-1"], "-1"),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["check", *arguments])
    assert result.exit_code == 2
    assert message in result.output


def test_a_recorded_finding_shows_even_if_no_random_history_met_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks = tuple((each.id, 1) for each in PROPERTIES)
    every_round(monkeypatch, checks, ())
    rows = {(each.id, each.revision): each.verdict for each in engine_machines(request())}
    assert rows["bitmaps.full", "mainline"] is Verdict.FINDING
    assert rows["bitmaps.full", "repaired"] is Verdict.PASS
    assert rows["counts.tick", "mainline"] is Verdict.PASS


def test_a_failing_random_history_is_told_with_states_and_as_input_for_the_oracle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    history = history_of(next(each for each in FINDINGS if each.id == "F02"))

    record = FailureRecord(
        "netns", "bitmaps.full", "s", "mainline", history.header.params, history.operations, (), ""
    )
    every_round(monkeypatch, (), (replace(record, round=4),))
    wanted = Request((MAINLINE,), "quick", frozenset({"bitmaps.full"}), 1, 1, None)
    found, _ = engine_machines(wanted)
    assert found.verdict is Verdict.FAIL
    (problem,) = found.problems
    assert problem.command == (
        "ipvs-est check --revision mainline --profile quick --seed 1 --round 4"
        " --property bitmaps.full"
    )
    assert problem.failure is not None
    assert problem.failure.before != problem.failure.after
    told = "\n".join(problem_lines(problem))
    assert "it fails after operation" in told
    assert "kd 0" in told
    file = tmp_path / "history.jsonl"
    results = ({**json.loads(each), "result": {"ret": 0}} for each in problem.operations)
    file.write_text("\n".join([problem.header, *map(json.dumps, results)]) + "\n")
    again = read_history(file)
    assert again.operations == history.operations
    assert again.header.params == history.header.params
    assert again.header.revision is MAINLINE


def test_a_usage_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--property", "no.such"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "Error: --property no.such: there is no such property\n"


def test_the_findings_engine_tells_where_each_shows() -> None:
    rows = list(engine_findings(request()))
    assert len(rows) == 3 * len(FINDINGS)
    shown = {(each.id, each.revision): each.verdict for each in rows}
    assert shown["F01", "mainline"] is Verdict.FINDING
    assert shown["F01", "repaired"] is Verdict.PASS
    assert shown["F04", "mainline"] is Verdict.PASS
    assert Verdict.FAIL not in shown.values()
    (found,) = (each for each in rows if (each.id, each.revision) == ("F01", "v7"))
    assert found.problems[0].failure is not None


def test_the_conformance_engine_needs_traces_and_fails_on_a_changed_one(tmp_path: Path) -> None:
    (without,) = engine_conformance(request())
    assert without.verdict is Verdict.NOT_RUN
    text = (TRACES / "early-3003.jsonl").read_text()
    (tmp_path / "a.jsonl").write_text(text.replace('"kernel":"6.12.117"', '"kernel":"7.3.4"'))
    rows = list(engine_conformance(request(traces=tmp_path)))
    assert [each.revision for each in rows] == ["mainline"]
    (tmp_path / "b.jsonl").write_text(text.replace("6.12.117", "7.3.4").replace("1002", "1003"))
    (broken,) = engine_conformance(request(traces=tmp_path))
    assert broken.verdict is Verdict.FAIL
    assert broken.problems[-1].command.endswith("b.jsonl")


def test_list_names_every_property_and_its_findings() -> None:
    output = CliRunner().invoke(cli, ["list"]).output
    assert output.splitlines()[-1] == f"{len(PROPERTIES)} properties, 26 findings"
    written = json.loads(CliRunner().invoke(cli, ["list", "--json"]).output)
    assert [each["id"] for each in written] == [each.id for each in PROPERTIES]
    assert {"F01", "F10"} <= {each for one in written for each in one["findings"]}


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda each: each.id)
def test_a_finding_is_told_and_gone_when_repaired(
    finding: object, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = next(each.id for each in FINDINGS if each is finding)
    assert run(["findings", id_]) == 0
    assert "     ! " in capsys.readouterr().out
    assert run(["findings", "--revision", "repaired", id_]) == 0
    assert capsys.readouterr().out.endswith("     every property holds\n")


def test_all_four_revisions_are_checked_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Request] = []

    def engine(asking: Request) -> Iterator[Row]:
        asked.append(asking)
        yield row(Verdict.PASS)

    made: tuple[Engine, ...] = (engine,)
    monkeypatch.setattr(cli_check, "ENGINES", made)
    CliRunner().invoke(cli, ["check"])
    assert [each.name for each in asked[0].revisions] == list(REVISIONS)
    assert len(REVISIONS) == 4
