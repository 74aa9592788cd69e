"""`ipvs-est prove`: selection, processes, reports, exit codes."""

import json
import multiprocessing
import os
import re
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from ipvs_est import REVISIONS, V7
from ipvs_est_checks.cli.commands import prove as cli_prove
from ipvs_est_checks.cli.group import cli, run
from ipvs_est_checks.engines import proofs as engine_proofs_module
from ipvs_est_checks.engines.proofs import engine_proofs
from ipvs_est_checks.proving.report import MOST_COMPLAINTS, details
from ipvs_est_checks.proving.run import in_order, outcomes
from ipvs_est_checks.proving.select import NoSuchTheoremError, select
from ipvs_est_checks.report.rows import Request
from ipvs_est_checks.report.verdict import Verdict as CheckVerdict
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.proof.framework.quick import QUICK, is_quick
from ipvs_est_spec.proof.framework.solve import (
    Answer,
    Decided,
    Decision,
    Options,
    ProofVerdict,
    TheoremOutcome,
)
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import BY_ID, THEOREMS

_REFUTED = Answer(Decision.REFUTED, (("x", "1"),))


def outcome(id_: str, verdict: ProofVerdict = ProofVerdict.PROVED) -> TheoremOutcome:
    proved = Decided("", Answer(Decision.PROVED), Decision.REFUTED, (), 0.5)
    complaints = () if verdict is ProofVerdict.PROVED else ("it is \x1b so",)
    return TheoremOutcome(
        id_, verdict, (proved,), _REFUTED, complaints, 3, 0.5, (("a", "A is so."),)
    )


def found(monkeypatch: pytest.MonkeyPatch, *given: TheoremOutcome, interrupt: bool = False) -> None:
    def outcomes(
        theorems: Sequence[Theorem], options: Options, jobs: int, limit: float, **_: object
    ) -> Generator[TheoremOutcome]:
        yield from given
        if interrupt:
            raise KeyboardInterrupt

    monkeypatch.setattr(cli_prove, "outcomes", outcomes)


def ids(*words: str) -> list[str]:
    return [theorem.id for theorem in select(words)]


def test_a_theorem_that_fails_shows_each_counterexample_once_and_one_in_full() -> None:
    count = MOST_COMPLAINTS + 2
    refuted = tuple(
        Decided(
            f"{rows} rows",
            Answer(Decision.REFUTED, (("nticks", str(rows)),)),
            Decision.REFUTED,
            (),
            0.5,
        )
        for rows in range(2, 2 + count)
    )
    complaints = tuple(
        f"{decided.name}: refuted: nticks = {decided.answer.values[0][1]}" for decided in refuted
    )
    failed = TheoremOutcome("timer.hz", ProofVerdict.FAIL, refuted, _REFUTED, complaints, 3, 0.5)
    lines = list(details(failed))
    assert [line.strip() for line in lines if "refuted: nticks" in line] == [
        *complaints[:MOST_COMPLAINTS]
    ]
    assert "  and 2 more, all in --json" in lines
    assert [line for line in lines if "counterexample (" in line] == ["  counterexample (2 rows):"]


def test_ids_are_unique_and_quick_ones_are_theorems() -> None:
    assert len(BY_ID) == len(THEOREMS)
    assert BY_ID.keys() >= QUICK
    assert len(QUICK) == 53


def test_a_word_is_an_id_or_a_group_or_a_beginning_or_a_property_or_a_pattern() -> None:
    rows = [theorem.id for theorem in THEOREMS if theorem.group == "rows"]
    assert ids() == [theorem.id for theorem in THEOREMS]
    # Another theorem's id may go on with a dash.
    assert ids("rows.new") == ["rows.new"]
    assert ids("rows") == ids("rows.") == rows
    assert ids("rows.relinked-w*", "rows.chain") == ["rows.chain", "rows.relinked-wraps"]
    assert "rows.new-property" in ids("delay.new-row")


def test_an_unknown_id_is_one_line_that_names_like_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", "rows.chian"]) == 2
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1
    assert "no such theorem: rows.chian; did you mean rows.chain" in shown[0]
    with pytest.raises(NoSuchTheoremError, match="list --theorems"):
        select(["qqqqqq"])
    with pytest.raises(NoSuchTheoremError):
        select(["rows", "*.zzz"])


def test_theorems_are_decided_in_processes_and_come_back_in_order() -> None:
    chosen = select(["rows.new-nearest", "rows.chain"])
    under_way: list[str] = []
    at_once = in_order(list(outcomes(chosen, Options(), 2, waiting=under_way.append)))
    # Those that are not quick are begun first.
    assert under_way[0] == "rows.new-nearest"
    assert [(theorem_outcome.id, theorem_outcome.verdict) for theorem_outcome in at_once] == [
        ("rows.chain", ProofVerdict.PROVED),
        ("rows.new-nearest", ProofVerdict.PROVED),
    ]
    one_by_one = in_order(list(outcomes(chosen, Options(), 1)))
    assert [theorem_outcome.twin for theorem_outcome in one_by_one] == [
        theorem_outcome.twin for theorem_outcome in at_once
    ]


def test_a_theorem_over_its_time_limit_is_unknown() -> None:
    (only,) = outcomes(select(["rows.relinked-next-turn"]), Options(), 1, 0.001)
    assert (only.verdict, only.complaints) == (ProofVerdict.UNKNOWN, ("time limit of 0.001 s",))


def cpu_seconds(process: int | None) -> float:
    _, _, fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")
    ticks = fields.split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def test_a_theorem_whose_process_dies_is_unknown_and_the_others_go_on() -> None:
    chosen = select(["rows.relinked-next-turn", "rows.chain"])
    running = outcomes(chosen, Options(), 2)
    assert next(running).id == "rows.chain"
    (long,) = multiprocessing.active_children()
    # A process that has not begun its work yet is replaced by another one. To begin takes one
    # second of a CPU, the theorem several.
    while cpu_seconds(long.pid) < 2.5:
        time.sleep(0.05)
    long.kill()
    died = next(running)
    assert (died.id, died.verdict) == ("rows.relinked-next-turn", ProofVerdict.UNKNOWN)
    assert died.complaints == ("its process was killed by SIGKILL",)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([ProofVerdict.PROVED, ProofVerdict.FINDING], 0),
        ([ProofVerdict.PROVED, ProofVerdict.UNKNOWN], 3),
        ([ProofVerdict.UNKNOWN, ProofVerdict.FAIL], 1),
    ],
)
def test_the_exit_code_tells_the_worst_verdict(
    verdicts: list[ProofVerdict], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("rows.chain", "rows.in-range")
    found(monkeypatch, *(outcome(*pair) for pair in zip(names, verdicts, strict=True)))
    assert CliRunner().invoke(cli, ["prove", *names]).exit_code == code


def test_an_interrupted_run_reports_what_was_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unknown = outcome("rows.in-range", ProofVerdict.UNKNOWN)
    found(monkeypatch, outcome("rows.chain"), unknown, interrupt=True)
    report, junit = tmp_path / "r.json", tmp_path / "r.xml"
    result = CliRunner().invoke(cli, ["prove", "--json", str(report), "--junit", str(junit)])
    assert result.exit_code == 130
    assert result.output.splitlines()[-1].startswith("interrupted: 2 theorems, 1 PROVED, 1 UNK")
    written = json.loads(report.read_text())
    assert (written["complete"], written["exit_code"]) == (False, 130)
    # In the registry's order, whichever came first.
    assert [entry["id"] for entry in written["theorems"]] == ["rows.in-range", "rows.chain"]
    suite = ElementTree.parse(junit).getroot()[0]
    assert suite.get("tests") == "3"
    assert [element.tag for case in suite for element in case] == ["skipped", "error"]


def test_the_record_of_a_theorem_is_complete() -> None:
    result = CliRunner().invoke(cli, ["prove", "--json", "-", "rows.relinked-interval"])
    assert result.exit_code == 0
    written = json.loads(result.stdout)
    (theorem,) = written["theorems"]
    assert re.fullmatch(r"z3 \d+\.\d+\.\d+", written["solver"])
    assert theorem["verdict"] == "PROVED"
    assert theorem["assumptions"].keys() == {"available", "relinked", "est_row", "delay"}
    for entry in theorem["obligations"]:
        assert (entry["status"], entry["premises"]) == ("proved", "satisfiable")
        assert entry["without"] == dict.fromkeys(theorem["assumptions"], "refuted")
    # Each obligation, its premises and without each assumption, and the twin.
    assert theorem["queries"] == 2 * (1 + 1 + 4) + 1
    assert theorem["twin"]["status"] == "refuted"
    assert theorem["twin"]["counterexample"]["nticks"] == "50"
    assert theorem["replayed"] == [
        "numbers: the twin's numbers, given to the model's function, show the mistake"
    ]


def test_smtlib_writes_the_formulas_and_decides_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "scripts"
    result = CliRunner().invoke(cli, ["prove", "rows.chain", "--smtlib", str(directory)])
    assert result.output == f"4 SMT-LIB scripts in {directory}\n"
    assert len(list(directory.glob("rows.chain.*.smt2"))) == 4


def test_quick_decides_the_theorems_that_are_declared_quick_and_names_the_command_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def outcomes(
        theorems: Sequence[Theorem], options: Options, jobs: int, **_: object
    ) -> Generator[TheoremOutcome]:
        asked.extend(theorem.id for theorem in theorems)
        yield from (outcome(theorem.id) for theorem in reversed(theorems))

    monkeypatch.setattr(engine_proofs_module, "outcomes", outcomes)
    everything = Request(tuple(REVISIONS.values()), "quick", None, 1, 2, None)
    rows = list(engine_proofs(everything))
    assert [row.id for row in rows] == [theorem.id for theorem in THEOREMS]
    quick = {row.id for row in rows if row.verdict is CheckVerdict.PASS}
    assert quick == set(asked) == {name for name in BY_ID if is_quick(name)}
    long = next(row for row in rows if row.id == "rows.relinked-next-turn")
    assert long.verdict is CheckVerdict.NOT_RUN
    assert long.command == "ipvs-est prove rows.relinked-next-turn"
    assert {proof.verdict for proof in engine_proofs(replace(everything, profile="ci"))} == {
        CheckVerdict.PASS
    }
    some = replace(everything, properties=frozenset({"delay.new-row"}))
    assert [proof.id for proof in engine_proofs(some)] == ["rows.new-property"]
    v7 = replace(everything, revisions=(V7,), profile="ci")
    assert {proof.revision for proof in engine_proofs(v7)} <= {
        "",
        "v7, v7-unwind",
        "v7, v7-unwind, stable",
        "v7, v7-unwind, stable, mainline",
    }


@pytest.mark.parametrize(
    ("proof", "verdict"),
    [
        (ProofVerdict.PROVED, CheckVerdict.PASS),
        (ProofVerdict.FINDING, CheckVerdict.FINDING),
        (ProofVerdict.FAIL, CheckVerdict.FAIL),
        (ProofVerdict.UNKNOWN, CheckVerdict.INCOMPLETE),
    ],
)
def test_check_passes_on_what_a_proof_says_and_keeps_it_when_interrupted(
    proof: ProofVerdict, verdict: CheckVerdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outcomes(
        theorems: Sequence[Theorem], options: Options, jobs: int, **_: object
    ) -> Generator[TheoremOutcome]:
        yield outcome("rows.chain", proof)
        raise KeyboardInterrupt

    monkeypatch.setattr(engine_proofs_module, "outcomes", outcomes)
    running = engine_proofs(Request(tuple(REVISIONS.values()), "ci", None, 1, 2, None))
    row = next(running)
    assert (row.id, row.verdict, row.cases) == ("rows.chain", verdict, 3)
    assert [problem.command for problem in row.problems] == (
        [] if proof is ProofVerdict.PROVED else ["ipvs-est prove rows.chain"]
    )
    with pytest.raises(KeyboardInterrupt):
        next(running)


def test_list_tells_theorems_and_how_strongly_properties_are_established() -> None:
    output = CliRunner().invoke(cli, ["list", "--theorems"]).output
    assert output.splitlines()[-1] == f"{len(THEOREMS)} theorems"
    written = json.loads(CliRunner().invoke(cli, ["list", "--theorems", "--json"]).output)
    assert [entry["id"] for entry in written] == list(BY_ID)
    properties = json.loads(CliRunner().invoke(cli, ["list", "--json"]).output)
    by_id = {prop["id"]: prop["established"] for prop in properties}
    assert by_id["delay.relinked-row"] == [
        "proved (rows.relinked-property)",
        "explored on v7, v7-unwind, mainline, repaired (1 preemption)",
        "sampled (netns)",
    ]
    assert all(by_id.values())


def test_each_property_that_a_theorem_names_is_in_the_catalogue() -> None:
    known = {prop.id for prop in PROPERTIES}
    assert [theorem.id for theorem in THEOREMS if not known.issuperset(theorem.properties)] == []
