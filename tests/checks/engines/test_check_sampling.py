"""`ipvs-est check`: what is sampled, for how long, how often, and what it tells meanwhile."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from ipvs_est import MAINLINE, REPAIRED, V7, V7_UNWIND, Params, Revision
from ipvs_est_checks.cli.commands import check as cli_check
from ipvs_est_checks.cli.group import cli
from ipvs_est_checks.engines.findings import engine_findings
from ipvs_est_checks.engines.machines import engine_machines
from ipvs_est_checks.machines import sampling
from ipvs_est_checks.machines.profiles import Amount, Profile
from ipvs_est_checks.machines.report import FailureRecord, MachineReport, ReachRow
from ipvs_est_checks.machines.run import run_round
from ipvs_est_checks.report.repeat import seeds
from ipvs_est_checks.report.rows import Engine, Request, Row
from ipvs_est_checks.report.verdict import Verdict

Asked = list[tuple[str, str, int]]
REQUEST = Request((MAINLINE, REPAIRED), "quick", None, 1, 1, None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The rounds that are run; none of them takes time or finds anything."""
    rounds: Asked = []

    def run_round(
        revision: Revision,
        profile: str,
        seed: int,
        machine: str,
        number: int,
        *,
        properties: frozenset[str] | None,
    ) -> MachineReport:
        del properties
        rounds.append((revision.name, machine, number))
        if len(rounds) == 7 and seed == 7:
            raise KeyboardInterrupt
        reach = (ReachRow(machine, "some", "some situation", int(number >= 6), 1),)
        checks = (("counts.tick", 1),)
        return MachineReport(revision.name, profile, seed, (machine,), checks, (), reach, 1, 1, 0.0)

    monkeypatch.setattr(sampling, "run_round", run_round)
    return rounds


def verdict(rows: list[Row], revision: Revision) -> Verdict:
    (found,) = (
        row.verdict for row in rows if (row.id, row.revision) == ("counts.tick", revision.name)
    )
    return found


def test_a_profile_fixes_the_rounds_and_more_follow_until_each_situation_was_reached(
    asked: Asked,
) -> None:
    rows = list(engine_machines(REQUEST))
    # 4 or 1 of quick, then up to the seventh, which reaches it.
    assert Counter((revision, machine) for revision, machine, _ in asked) == {
        (revision, machine): 7
        for revision in ("mainline", "repaired")
        for machine in ("netns", "context", "counters", "cpulist")
    }
    assert len(set(asked)) == len(asked)
    assert verdict(rows, MAINLINE) is Verdict.PASS


def test_machines_get_on_side_by_side(asked: Asked) -> None:
    list(engine_machines(replace(REQUEST, revisions=(MAINLINE,))))
    assert [triple[1] for triple in asked[:6]] == [
        "netns",
        "netns",
        "context",
        "counters",
        "cpulist",
        "netns",
    ]


def test_with_a_time_the_rounds_go_on_until_it_is_over(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each look at the clock takes a second: one at the start, one before each round, and one
    # for the progress after it.
    clock = iter(range(10_000))
    monkeypatch.setattr(sampling, "monotonic", lambda: float(next(clock)))
    list(engine_machines(replace(REQUEST, revisions=(MAINLINE,), minutes=1)))
    assert len(asked) == 30
    assert Counter(machine for _, machine, _ in asked) == {
        # Four times what the profile has, and half of a fifth.
        "netns": 18,
        "context": 4,
        "counters": 4,
        "cpulist": 4,
    }


def test_one_round_is_run_alone(asked: Asked) -> None:
    rows = list(engine_machines(replace(REQUEST, round=9, properties=frozenset({"counts.tick"}))))
    assert asked == [("mainline", "netns", 9), ("repaired", "netns", 9)]
    assert [row.id for row in rows] == ["counts.tick", "counts.tick"]


def test_an_interrupt_leaves_what_was_found_and_passes_nothing(asked: Asked) -> None:
    rows: list[Row] = []
    with pytest.raises(KeyboardInterrupt):
        _keep(rows, engine_machines(replace(REQUEST, seed=7)))
    assert len(asked) == 7
    assert verdict(rows, MAINLINE) is Verdict.INCOMPLETE
    # Three machines on two revisions had one round each.
    assert next(row.cases for row in rows if row.id == "counts.tick") == 3


def _keep(kept: list[Row], rows: Iterator[Row]) -> None:
    for row in rows:
        kept.append(row)


def test_engines_tell_how_far_they_are(asked: Asked) -> None:
    seen: list[tuple[str, int, int]] = []

    def progress(label: str, done: int, total: int) -> None:
        seen.append((label, done, total))

    wanted = replace(REQUEST, properties=frozenset({"bitmaps.full"}), progress=progress)
    list(engine_machines(wanted))
    # Before each round and after it.
    assert seen[:4] == [
        ("round 0 of the netns machine on mainline", 0, 10),
        ("netns machine on mainline", 1, 10),
        ("round 0 of the netns machine on repaired", 1, 10),
        ("netns machine on repaired", 2, 10),
    ]
    seen.clear()
    list(engine_findings(wanted))
    assert seen == [("findings", 0, 1)]
    assert asked


def test_findings_are_judged_by_the_properties_asked_for() -> None:
    wanted = frozenset({"bitmaps.avail"})
    rows = list(engine_findings(replace(REQUEST, properties=wanted)))
    assert {row.id for row in rows} == {"F02", "F03"}
    assert {(row.revision, row.verdict) for row in rows} == {
        ("mainline", Verdict.FINDING),
        ("repaired", Verdict.PASS),
    }
    assert {problem.property for row in rows for problem in row.problems} == wanted


def saying(monkeypatch: pytest.MonkeyPatch, *, odd_seed: int | None) -> None:
    """One engine; with that seed it says something else."""

    def engine(request: Request) -> Iterator[Row]:
        said = Verdict.FINDING if request.seed == odd_seed else Verdict.PASS
        yield Row("place.total", "It is there.", "mainline", said, "sampled", 7, 0.5)

    made: tuple[Engine, ...] = (engine,)
    monkeypatch.setattr(cli_check, "ENGINES", made)


def test_repeated_runs_have_their_own_seeds() -> None:
    assert seeds(5, 1) == (5,)
    assert seeds(5, 3)[:2] == seeds(5, 2)
    assert len(set(seeds(5, 50))) == 50
    assert all(0 <= seed < 2**32 for seed in seeds(5, 50))


def test_runs_that_agree_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    saying(monkeypatch, odd_seed=None)
    result = CliRunner().invoke(cli, ["check", "--seed", "5", "--repeat", "3"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[-1] == "3 runs, 0 verdicts differ"
    assert sum(line.startswith("run ") and " of 3, seed " in line for line in lines) == 3


def test_runs_that_differ_fail_and_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second, third = seeds(5, 3)
    saying(monkeypatch, odd_seed=second)
    report, junit = tmp_path / "r.json", tmp_path / "r.xml"
    options = ["--repeat", "3", "--json", str(report), "--junit", str(junit)]
    result = CliRunner().invoke(cli, ["check", "--seed", "5", *options])
    assert result.exit_code == 1
    assert result.output.splitlines()[-4:] == [
        "place.total (sampled) on mainline:",
        f"  PASS with seed {first}, {third}",
        f"  FINDING with seed {second}",
        "3 runs, 1 verdicts differ",
    ]
    written = json.loads(report.read_text())
    assert [entry["seed"] for entry in written["runs"]] == [first, second, third]
    assert [entry["verdicts"] for entry in written["differences"]] == [["PASS", "FINDING", "PASS"]]
    root = ElementTree.parse(junit).getroot()
    assert (len(root), root.get("tests")) == (3, "3")


def test_the_command_of_a_failing_history_runs_nothing_else(asked: Asked) -> None:
    arguments = ["check", "-j", "1", "--revision", "repaired", "--seed", "5", "--round", "3"]
    result = CliRunner().invoke(cli, [*arguments, "--property", "rates.sums"])
    assert asked == [("repaired", "netns", 3)]
    assert result.output.splitlines()[1].startswith("sampled: ")
    assert "explore." not in result.output
    assert "mutants" not in result.output


def test_time_and_round_exclude_each_other() -> None:
    result = CliRunner().invoke(cli, ["check", "--minutes", "1", "--round", "0"])
    assert result.exit_code == 2
    assert "--minutes and --round exclude each other" in result.output


def test_what_a_naive_model_states_can_be_asked_for(asked: Asked) -> None:
    CliRunner().invoke(cli, ["check", "--property", "cpulist.write", "--seed", "1", "-j", "1"])
    assert {machine for _, machine, _ in asked} == {"cpulist"}


def test_rounds_on_v7_unwind_are_taken_from_v7_unless_a_pointer_is_told(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = FailureRecord("netns", "memory.pointer", "", "v7", Params(), (), (), "F09", 1)

    # Of the fixture.
    pretended = vars(sampling)["run_round"]

    def run_round(revision: Revision, *arguments: Any, **named: Any) -> MachineReport:
        found: MachineReport = pretended(revision, *arguments, **named)
        expected = revision is V7 and arguments[2:] == ("netns", 1)
        return replace(found, failures=(failure,)) if expected else found

    monkeypatch.setattr(sampling, "run_round", run_round)
    request = Request((V7, V7_UNWIND), "quick", None, 1, 1, None)
    rows = list(engine_machines(request))
    assert ("v7", "netns", 0) in asked
    assert ("v7-unwind", "netns", 0) not in asked
    # From that round on they are run.
    assert ("v7-unwind", "netns", 1) in asked
    assert ("v7-unwind", "netns", 2) in asked
    assert not [triple for triple in asked if triple[0] == "v7-unwind" and triple[1] != "netns"]
    assert verdict(rows, V7_UNWIND) is Verdict.PASS
    asked.clear()
    # Where nobody looks at the pointer nothing tells the two apart.
    list(engine_machines(replace(request, properties=frozenset({"counts.tick"}))))
    assert ("v7-unwind", "netns", 0) in asked


def test_a_round_without_a_told_pointer_is_the_same_on_both() -> None:
    few = Amount(1, 4, 8)
    small = Profile("small", few, few, few, few, attempts=1)
    left, right = (run_round(revision, small, 3, "netns", 0) for revision in (V7, V7_UNWIND))
    assert "memory.pointer" not in {failure.property for failure in left.failures}
    assert right == replace(
        left,
        revision="v7-unwind",
        failures=tuple(replace(failure, revision="v7-unwind") for failure in left.failures),
        seconds=right.seconds,
    )
