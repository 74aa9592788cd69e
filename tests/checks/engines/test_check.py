"""`ipvs-est check`, `list` and `findings`: engines together, reports, exit codes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from ipvs_est import MAINLINE, REPAIRED, REVISIONS, V7, Revision
from ipvs_est.language.operations import Dump
from ipvs_est.oracle_process import Session, answer
from ipvs_est.replay import Failed, Passed, replay
from ipvs_est_checks.cli.commands import check as cli_check
from ipvs_est_checks.cli.group import cli, run
from ipvs_est_checks.conformance.recordings import Recording, recordings
from ipvs_est_checks.engines import conformance, findings
from ipvs_est_checks.engines.conformance import engine_conformance
from ipvs_est_checks.engines.findings import engine_findings
from ipvs_est_checks.engines.machines import engine_machines
from ipvs_est_checks.history.file import read_history
from ipvs_est_checks.known.by_history import BY_HISTORY, history_of
from ipvs_est_checks.machines import sampling
from ipvs_est_checks.machines.report import FailureRecord, MachineReport
from ipvs_est_checks.machines.run import SENTENCES
from ipvs_est_checks.report.causes import causes
from ipvs_est_checks.report.matrix import WIDTH, matrix
from ipvs_est_checks.report.problem_text import problem_lines
from ipvs_est_checks.report.rows import Engine, Problem, Request, Row
from ipvs_est_checks.report.saved import saved
from ipvs_est_checks.report.table import by_how, table
from ipvs_est_checks.report.verdict import Verdict, worst
from ipvs_est_spec.catalogue import PROPERTIES

TRACES = Path(__file__).parents[2] / "data" / "traces"
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
    rows = [row(verdict) for verdict in verdicts]
    assert worst(verdicts) is whole
    engines(monkeypatch, *rows)
    assert CliRunner().invoke(cli, ["check", "--seed", "1"]).exit_code == code


def test_the_whole_is_told_by_how_it_was_established() -> None:
    sampled = [row(Verdict.PASS), row(Verdict.PASS), row(Verdict.FINDING)]
    proved = replace(row(Verdict.PASS), how="proved for all", cases=70)
    assert [line.split() for line in by_how([*sampled, proved])] == [
        ["how", "rows", "PASS", "FINDING", "cases", "seconds"],
        ["sampled", "3", "2", "1", "21", "1.5"],
        ["proved", "for", "all", "1", "1", "-", "70", "0.5"],
    ]


def test_a_failure_is_told_first_with_history_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    engines(monkeypatch, row(Verdict.FAIL, PROBLEM))
    output = CliRunner().invoke(cli, ["check", "--seed", "9", "--revision", "mainline"]).output
    lines = output.splitlines()
    assert lines[0] == "profile quick, seed 9"
    assert lines[1].startswith("sampled: 1 checks, 7 cases, 1 FAIL, ")
    assert lines[3].startswith("1. place.total: ")
    assert lines[4] == "  fails on mainline"
    assert '    {"op": "init"}' in lines
    assert "  again: c" in lines
    verdict = lines.index(
        "not as recorded: 1 cause above; 1 property on 1 revision, 0 known findings"
        " (1 check in all: 1 fail)"
    )
    assert lines[verdict + 2 :] == ["property     mainline", "place.total  FAIL"]


def test_reports_hold_every_row_and_survive_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    finding = replace(row(Verdict.FINDING), id="F12", findings=("F12",))
    engines(monkeypatch, finding, row(Verdict.FAIL, PROBLEM), interrupt=True)
    report, junit = tmp_path / "r.json", tmp_path / "r.xml"
    result = CliRunner().invoke(cli, ["check", "--json", str(report), "--junit", str(junit)])
    assert result.exit_code == 130
    said = f"interrupted: not as recorded: 1 cause above; 1 property on {len(REVISIONS)} revisions"
    assert said in result.output
    written = json.loads(report.read_text())
    assert written["complete"] is False
    assert [entry["verdict"] for entry in written["rows"]] == ["FINDING", "FAIL"]
    assert [entry["shortest"]["property"] for entry in written["causes"]] == ["place.total"]
    suite = ElementTree.parse(junit).getroot()[0]
    assert suite.get("tests") == "3"
    assert [element.tag for case in suite for element in case] == ["properties", "failure", "error"]
    assert suite[0][0][0].attrib == {"name": "finding", "value": "F12"}
    assert [element.get("time") for element in suite] == ["0.500", "0.500", None]


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
    checks = tuple((prop.id, 1) for prop in PROPERTIES)
    every_round(monkeypatch, checks, ())
    rows = {
        (machine.id, machine.revision): machine.verdict for machine in engine_machines(request())
    }
    assert rows["bitmaps.full", "mainline"] is Verdict.FINDING
    assert rows["bitmaps.full", "repaired"] is Verdict.PASS
    assert rows["counts.tick", "mainline"] is Verdict.PASS


def test_a_failing_random_history_is_told_with_states_and_as_input_for_the_oracle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    history = history_of(next(finding for finding in BY_HISTORY if finding.id == "F02"))

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
    text = "\n".join(problem_lines(problem))
    assert "it fails after operation" in text
    assert "kd 0" in text
    file = tmp_path / "history.jsonl"
    results = ({**json.loads(operation), "result": {"ret": 0}} for operation in problem.operations)
    file.write_text("\n".join([problem.header, *map(json.dumps, results)]) + "\n")
    again = read_history(file)
    assert again.operations == history.operations
    assert again.header.params == history.header.params
    assert again.header.revision is MAINLINE


def test_a_usage_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--property", "no.such"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "Error: no such property: no.such; see `ipvs-est list`\n"


def test_the_findings_engine_tells_where_each_shows() -> None:
    rows = list(engine_findings(request()))
    assert len(rows) == 3 * len(BY_HISTORY)
    shown = {(row.id, row.revision): row.verdict for row in rows}
    assert shown["F01", "mainline"] is Verdict.FINDING
    assert shown["F01", "repaired"] is Verdict.PASS
    assert shown["F04", "mainline"] is Verdict.PASS
    assert Verdict.FAIL not in shown.values()
    (found,) = (row for row in rows if (row.id, row.revision) == ("F01", "v7"))
    assert found.problems[0].failure is not None


def test_the_conformance_engine_fails_on_a_changed_trace(tmp_path: Path) -> None:
    text = (TRACES / "early-3003.jsonl").read_text()
    (tmp_path / "a.jsonl").write_text(text.replace('"kernel":"6.12.117"', '"kernel":"7.3.4"'))
    rows = list(engine_conformance(request(traces=tmp_path)))
    assert [row.revision for row in rows] == ["mainline"]
    (tmp_path / "b.jsonl").write_text(text.replace("6.12.117", "7.3.4").replace("1002", "1003"))
    (broken,) = engine_conformance(request(traces=tmp_path))
    assert broken.verdict is Verdict.FAIL
    problem = broken.problems[-1]
    assert problem.command.endswith("b.jsonl")
    # What is saved of it is the recording up to where the model differs.
    (tmp_path / "saved.jsonl").write_text(saved(problem))
    again = replay(tmp_path / "saved.jsonl")
    assert isinstance(again, Failed)
    assert again.line == len(problem.operations) + 1


def test_a_gate_without_its_recordings_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> tuple[Recording, ...]:
        raise FileNotFoundError("no archive")

    monkeypatch.setattr(conformance, "recordings", missing)
    (without,) = engine_conformance(request())
    assert without.verdict is Verdict.INCOMPLETE
    assert without.remark == "the recordings of the package cannot be read: no archive"


def test_the_recordings_of_the_package_are_replayed_wherever_the_command_is_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(conformance, "recordings", lambda: recordings()[:1])
    (row,) = engine_conformance(replace(request(), revisions=tuple(REVISIONS.values())))
    assert row.verdict is Verdict.PASS
    assert row.cases > 0


def test_a_broken_property_is_told_by_its_shortest_history_which_can_be_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """F02 and F03, taken for failures: each history breaks bitmaps.avail."""
    problems = [
        replace(problem, detail=f"of {found.id}")
        for found in engine_findings(request(properties=frozenset({"bitmaps.avail"})))
        for problem in found.problems
        if problem.revision == "mainline"
    ]
    assert len(problems) == 2
    rows = [
        replace(row(Verdict.FAIL, problems[1]), id="bitmaps.avail"),
        replace(row(Verdict.FAIL, problems[0]), id="bitmaps.avail"),
        replace(row(Verdict.INCOMPLETE), id="counts.tick", remark="it ended"),
        replace(row(Verdict.INCOMPLETE), id="counts.chain", remark="it ended"),
    ]
    (cause,) = causes(rows)
    shortest = min(problems, key=lambda problem: len(problem.operations))
    assert len(cause.problem.operations) == len(shortest.operations)
    assert cause.problems == 2
    engines(monkeypatch, *rows)
    file = tmp_path / "f.jsonl"
    result = CliRunner().invoke(cli, ["check", "--save", str(file)])
    assert result.exit_code == 1
    # As it is told it can be given to the oracle: no numbers before, no words behind.
    lines = [line for line in result.output.splitlines() if line.startswith("{")]
    session = Session()
    for number, line in enumerate(lines, 1):
        assert "error" not in answer(session, line.encode(), number)
    assert len(lines) == 1 + len(cause.problem.operations)
    assert isinstance(replay(file), Passed)
    assert "  incomplete: counts.tick and 1 more: it ended" in result.output.splitlines()


def test_nothing_is_saved_where_nothing_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engines(monkeypatch, row(Verdict.PASS))
    result = CliRunner().invoke(cli, ["check", "--save", str(tmp_path / "f")])
    assert result.exit_code == 0
    assert "is not written: no failure has a history" in result.output
    assert not (tmp_path / "f").exists()


def test_two_histories_that_do_not_break_the_same_have_two_causes() -> None:
    found = {
        finding.id: finding for finding in engine_findings(request()) if finding.revision == "v7"
    }
    rows = [replace(found[id_], verdict=Verdict.FAIL) for id_ in ("F04", "F12")]
    assert [cause.properties[0] for cause in causes(rows)] == [
        "memory.use-after-free",
        "place.total",
    ]


def test_the_verdict_is_in_words_and_the_matrix_has_the_findings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        row(Verdict.PASS),
        replace(row(Verdict.FINDING), how="history", findings=("F12",)),
        replace(row(Verdict.PASS), id="counts.tick", revision=""),
        replace(row(Verdict.NOT_RUN), id="explore.rest", revision="", remark="left out"),
    ]
    engines(monkeypatch, *rows)
    result = CliRunner().invoke(cli, ["check", "--revision", "mainline", "--revision", "repaired"])
    assert result.exit_code == 0
    assert result.output.splitlines()[3:] == [
        "everything is as recorded: 2 properties on 2 revisions, 1 known finding"
        " (3 checks in all: 2 pass, 1 finding)",
        "  not run: explore.rest: left out",
        "",
        "property     mainline  repaired",
        "place.total  F12       -",
        "counts.tick  pass      pass",
    ]
    verbose = CliRunner().invoke(cli, ["check", "-v"]).output
    assert "It is there. (F12 is not met here: history)" in verbose


def test_a_matrix_of_all_properties_and_revisions_fits_a_terminal() -> None:
    rows = [
        Row(prop.id, "", name, Verdict.FINDING, "", 1, 0.0, findings=("F01", "F02", "F03"))
        for prop in PROPERTIES
        for name in REVISIONS
    ]
    lines = list(matrix(rows, list(REVISIONS)))
    assert len(lines) == 1 + len(PROPERTIES)
    assert max(map(len, lines)) <= WIDTH
    assert lines[1].split()[1:4] == ["F01", "F02", "+1"]


def test_properties_of_which_the_same_is_said_share_a_line() -> None:
    rows = [
        replace(row(Verdict.PASS), id="counts.tick"),
        replace(row(Verdict.PASS), id="counts.chain-len"),
        replace(row(Verdict.INCOMPLETE), id="bitmaps.full"),
        row(Verdict.FAIL),
    ]
    assert list(matrix(rows, ["mainline"])) == [
        "property      mainline",
        "place.total   FAIL",
        "2 others      pass",
        "bitmaps.full  incomplete",
    ]


def test_a_finding_too_deep_for_the_run_is_named_where_its_property_passes() -> None:
    rows = [
        replace(row(Verdict.PASS), id="counts.tick"),
        replace(row(Verdict.PASS), id="counts.chain-len", revision="mainline"),
        replace(row(Verdict.SAMPLED), id="counts.chain-len", revision="stable"),
        replace(row(Verdict.FINDING), id="counts.chain-len", revision="v7", findings=("F27",)),
        replace(row(Verdict.FAIL), id="memory.leak", revision="stable"),
    ]
    deep = {("stable", "counts.chain-len"): ("F27",), ("stable", "memory.leak"): ("F27",)}
    lines = list(
        matrix(
            rows,
            ["v7", "stable", "mainline"],
            recorded=lambda revision, id_: deep.get((revision, id_), ()),
        )
    )
    assert lines[:2] + lines[-1:] == [
        "property          v7   stable  mainline",
        "counts.chain-len  F27  (F27)   pass",
        "in brackets: recorded, and not met within the bounds of this run; ipvs-est findings F27",
    ]
    (failed,) = [line for line in lines if line.startswith("memory.leak")]
    assert failed.split() == ["memory.leak", "-", "FAIL", "-"]


def test_a_failure_that_only_time_brings_out_is_told_with_that_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = history_of(next(finding for finding in BY_HISTORY if finding.id == "F05"))
    operations = tuple(
        operation for operation in history.operations if not isinstance(operation, Dump)
    )[:-1]
    record = FailureRecord(
        "netns", "progress.room", "s", "mainline", history.header.params, operations, (), ""
    )
    every_round(monkeypatch, (), (record,))
    wanted = Request((MAINLINE,), "quick", frozenset({"progress.room"}), 1, 1, None)
    found = next(iter(engine_machines(wanted)))
    (problem,) = found.problems
    assert len(problem.operations) == len(problem.words) == len(operations) + 1
    assert json.loads(problem.operations[-1])["op"] == "advance"
    (cause,) = causes([found])
    assert cause.properties == ("progress.room",)


def test_a_table_has_seconds_of_its_own_and_no_blanks_at_the_end() -> None:
    lines = list(table([row(Verdict.PASS), row(Verdict.PASS)], ["mainline"]))
    assert lines[1].split() == ["place.total", "PASS", "sampled", "14", "1.0", "It", "is", "there."]
    assert all(line == line.rstrip() for line in lines)


def test_a_finding_whose_history_breaks_nothing_any_more_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = replace(BY_HISTORY[3], revisions=("v7", "mainline"))
    assert wrong.id == "F04"
    monkeypatch.setattr(findings, "BY_HISTORY", (wrong,))
    rows = {finding.revision: finding for finding in engine_findings(request())}
    assert {name: row.verdict for name, row in rows.items()} == {
        "v7": Verdict.FINDING,
        "mainline": Verdict.FAIL,
        "repaired": Verdict.PASS,
    }
    assert [problem.detail for problem in rows["mainline"].problems] == [
        "F04 is recorded, and its history does not break this any more"
    ]
    monkeypatch.setattr(findings, "BY_HISTORY", (replace(BY_HISTORY[3], revisions=()),))
    rows = {finding.revision: finding for finding in engine_findings(request())}
    (problem,) = rows["v7"].problems
    assert problem.detail.endswith("(F04 is not recorded on v7)")
    assert rows["repaired"].problems == ()


def test_list_names_every_property_and_its_findings() -> None:
    output = CliRunner().invoke(cli, ["list"]).output
    assert output.splitlines()[-1].startswith(f"{len(PROPERTIES)} properties, ")
    # Whatever `check` can show is listed.
    listed = {line.partition(" ")[0] for line in output.splitlines()}
    assert SENTENCES.keys() <= listed
    written = json.loads(CliRunner().invoke(cli, ["list", "--json"]).output)
    assert [entry["id"] for entry in written] == [prop.id for prop in PROPERTIES]
    assert {"F01", "F10"} <= {entry for one in written for entry in one["findings"]}


@pytest.mark.parametrize("finding", BY_HISTORY, ids=lambda finding: finding.id)
def test_a_finding_is_told_and_gone_when_repaired(
    finding: object, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = next(one_finding.id for one_finding in BY_HISTORY if one_finding is finding)
    assert run(["findings", id_]) == 0
    assert "     ! " in capsys.readouterr().out
    assert run(["findings", "--revision", "repaired", id_]) == 0
    assert capsys.readouterr().out.endswith("     every property holds\n")


def test_all_revisions_are_checked_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Request] = []

    def engine(asking: Request) -> Iterator[Row]:
        asked.append(asking)
        yield row(Verdict.PASS)

    made: tuple[Engine, ...] = (engine,)
    monkeypatch.setattr(cli_check, "ENGINES", made)
    CliRunner().invoke(cli, ["check"])
    assert [revision.name for revision in asked[0].revisions] == list(REVISIONS)
    assert len(REVISIONS) == 5


def test_progress_tells_the_share_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(request: Request) -> Iterator[Row]:
        for done in (0, 1, 2):
            request.progress("halves", done, 2)
        yield row(Verdict.PASS)

    shares: list[tuple[float, float]] = []
    monkeypatch.setattr(cli_check, "ENGINES", (engine, engine))
    monkeypatch.setattr(
        cli_check, "draw", lambda bar, done, label: shares.append((done, bar.total))
    )
    assert CliRunner().invoke(cli, ["check"]).exit_code == 0
    assert shares == [(figure, 1) for figure in (0.0, 0.25, 0.5, 0.5, 0.75, 1.0)]


def test_an_interrupted_check_has_not_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def engine(_: Request) -> Iterator[Row]:
        yield row(Verdict.PASS)
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_check, "ENGINES", (engine,))
    report = tmp_path / "r.json"
    assert CliRunner().invoke(cli, ["check", "--json", str(report)]).exit_code == 130
    written = json.loads(report.read_text(encoding="utf-8"))
    assert (written["complete"], written["verdict"]) == (False, "INCOMPLETE")
