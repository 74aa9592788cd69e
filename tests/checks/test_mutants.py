"""The kill matrix: every planted mistake is found, by the property named for it, and none leaks."""

import json
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from types import CodeType, FunctionType

import pytest

import ipvs_est
from command_line import here
from ipvs_est import MAINLINE
from ipvs_est.language.operations import Settle
from ipvs_est_checks.engines.mutants import engine_mutants
from ipvs_est_checks.known.by_history import BY_HISTORY, explained, history_of
from ipvs_est_checks.known.by_repair import known_by_repair
from ipvs_est_checks.mutants import kill_matrix
from ipvs_est_checks.mutants import report as mutant_report
from ipvs_est_checks.mutants.histories import DIRECTED, TrialHistory, random_history
from ipvs_est_checks.mutants.kill_matrix import (
    HISTORIES,
    SEED,
    Control,
    Matrix,
    MutantOutcome,
    MutantVerdict,
    Unexplained,
    judge,
    outcomes,
    run_control,
    unbroken,
)
from ipvs_est_checks.mutants.mutant import Engine, Mutant
from ipvs_est_checks.mutants.registry import BY_ID, MUTANTS
from ipvs_est_checks.mutants.report import exit_code, json_report, notes
from ipvs_est_checks.mutants.run import breaks, control, mutated, under_buffers
from ipvs_est_checks.report.rows import Request
from ipvs_est_checks.report.verdict import Verdict as Told
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.text_edits import Edit, EditError, applied, edited, patch
from ipvs_est_spec.catalogue import PROPERTIES

# Known defects, section 2: row -> its mutants. D02 is of section 1.
ROWS: Mapping[str, tuple[str, ...]] = {
    "D02": ("D02",),
    "D20": ("D20",),
    "D21": ("D21",),
    "D22": ("D22",),
    "D23": ("D23",),
    "D24": ("D24",),
    "D30": ("D30",),
    "D31": ("D31",),
    "D33": ("D33",),
    "D34": ("D34",),
    "D35": ("D35",),
    "D36": ("D36",),
    "D50": ("D50",),
    "D51": ("D51",),
    "D53": ("D53-reader", "D53-init", "D53-writer"),
    "R1": ("R1",),
    "R2": ("R2",),
    "R3": ("R3",),
    "R4": ("R4-genid", "R4-count", "R4-barrier"),
    "R5": ("R5",),
    "R6": ("R6-enable", "R6-order"),
    "R7": ("R7-slot", "R7-kd", "R7-tick"),
}

MUTANT_COUNT = 74

# Nothing kills it: under store buffers it does what the unmutated model does.
EQUIVALENT = {"R4-barrier"}


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    """The whole matrix, with the default seed."""
    return Matrix(SEED, tuple(outcomes(MUTANTS, SEED, 1)), run_control(SEED, known_by_repair))


def codes() -> dict[tuple[str, str], tuple[int, CodeType]]:
    """Every function that a module of the model names, with its code."""
    found: dict[tuple[str, str], tuple[int, CodeType]] = {}
    for info in pkgutil.walk_packages(ipvs_est.__path__, "ipvs_est."):
        module = import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, FunctionType):
                found[module.__name__, name] = id(value), value.__code__
    return found


def test_every_row_of_the_reviews_has_its_mutants() -> None:
    wanted = [mutant for mutants in ROWS.values() for mutant in mutants]
    assert {mutant.id for mutant in MUTANTS if not mutant.id.startswith("P-")} == set(wanted)
    assert (len(ROWS), len(wanted)) == (22, 29)


def test_mutants_are_counted_and_named_once() -> None:
    assert len(MUTANTS) == len(BY_ID) == MUTANT_COUNT


def test_mutants_name_properties_of_the_catalogue() -> None:
    known = {prop.id for prop in PROPERTIES}
    for mutant in MUTANTS:
        assert set(mutant.properties) <= known, mutant.id
        assert bool(mutant.properties) == (mutant.engine is not Engine.BUFFERS), mutant.id
        assert bool(mutant.reason) == (mutant.engine is Engine.BUFFERS), mutant.id


def test_every_hand_made_history_is_used() -> None:
    assert {mutant.directed for mutant in MUTANTS if mutant.directed} == DIRECTED.keys()


def test_every_mutant_is_killed_by_the_property_named_for_it(matrix: Matrix) -> None:
    verdicts = {outcome.mutant: outcome.verdict for outcome in matrix.outcomes}
    assert {id_ for id_, verdict in verdicts.items() if verdict is not MutantVerdict.KILLED} == (
        EQUIVALENT
    )
    assert {
        id_ for id_, verdict in verdicts.items() if verdict is MutantVerdict.EQUIVALENT
    } == EQUIVALENT


def test_killing_history_kills_again_and_the_unmutated_model_survives_it(matrix: Matrix) -> None:
    kills = [outcome for outcome in matrix.outcomes if outcome.kill is not None]
    assert len(kills) == MUTANT_COUNT - len(EQUIVALENT)
    for outcome in kills:
        assert outcome.kill is not None
        mutant = BY_ID[outcome.mutant]
        assert breaks(mutant, outcome.kill.shown, outcome.kill.property), outcome.mutant


def test_every_property_is_broken_by_a_mutant(matrix: Matrix) -> None:
    assert unbroken(matrix.outcomes) == ()


def test_unmutated_model_breaks_only_what_findings_explain(matrix: Matrix) -> None:
    found = matrix.control
    assert found.unexplained == ()
    assert found.histories == HISTORIES + sum(bool(mutant.directed) for mutant in MUTANTS)
    bases = {mutant.base.name for mutant in MUTANTS}
    assert all(any(explained(name, item) for name in bases) for item in found.broken)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_leaving_a_mutant_restores_every_function(mutant: Mutant) -> None:
    before = codes()
    assert len(before) > 200
    with applied(mutant.edits):
        during = codes()
        assert during.keys() == before.keys()
        assert during != before
    assert codes() == before


def test_failing_block_restores_every_function() -> None:
    before = codes()
    with pytest.raises(ZeroDivisionError), applied(BY_ID["D24"].edits):
        raise ZeroDivisionError
    assert codes() == before
    with (
        pytest.raises(EditError),
        applied([*BY_ID["D24"].edits, Edit("estimator.drain:nothing", "", "")]),
    ):
        pass
    assert codes() == before


def test_edit_that_does_not_fit_is_an_error() -> None:
    assert edited("a = 1\n", Edit("m:f", "1", "2")) == "a = 2\n"
    for old in ("3", "a"):
        with pytest.raises(EditError, match="times, not once"):
            edited("a = a\n", Edit("m:f", old, "b"))
    becomes_generator = Edit("estimator.contexts:trim_array", "array.pop()", "yield array.pop()")
    with pytest.raises(EditError, match="generator"), applied([becomes_generator]):
        pass


def test_a_mutant_that_the_model_has_left_behind_fails_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = Edit("estimator.contexts:trim_array", "        array.shift()\n        return", "")
    monkeypatch.setitem(BY_ID, "D24", replace(BY_ID["D24"], edits=(gone,)))
    chosen = [BY_ID["D24"], BY_ID["D30"]]
    unfit, other = outcomes(chosen, SEED, 1)
    assert (unfit.verdict, unfit.kill, unfit.broken) == (MutantVerdict.UNFIT, None, ())
    assert other.verdict is MutantVerdict.KILLED
    found = Matrix(SEED, (unfit, other), run_control(SEED, known_by_repair, chosen))
    assert exit_code(found) == 1
    reported = list(notes(found))
    assert reported[0] == f"FAIL D24: {BY_ID['D24'].sentence}"
    assert reported[1] == (
        "  does not fit the model any more, so its edit has to follow: estimator.contexts:"
        "trim_array: the text occurs 0 times, not once: array.shift() / return"
    )
    assert json.loads(json_report(found))["mutants"][0]["untried"] == unfit.untried


def test_check_tells_a_mutant_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Edit("estimator.contexts:trim_array", "array.shift()", "")
    monkeypatch.setitem(BY_ID, "D24", replace(BY_ID["D24"], edits=(gone,)))
    properties = frozenset(BY_ID["D24"].properties)
    rows = engine_mutants(Request((MAINLINE,), "quick", properties, 1, 1, None))
    (row,) = (row for row in rows if row.id == "mutants")
    assert row.verdict is Told.FAIL
    (problem,) = row.problems
    assert problem.property == "D24"
    assert problem.detail.startswith("does not fit the model any more")


def test_what_breaks_without_a_mutant_is_told_once_with_its_shortest_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = history_of(next(finding for finding in BY_HISTORY if finding.id == "F02"))
    shorter = TrialHistory(history.header.params, history.operations)
    longer = TrialHistory(history.header.params, (*history.operations, Settle()))
    stray = tuple(
        Unexplained("mainline", "bitmaps.full", trial_history)
        for trial_history in (longer, shorter)
    )
    found = Control(2, 17, (), stray, 0.0)
    monkeypatch.setattr("ipvs_est_checks.engines.mutants.run_control", lambda *_: found)
    rows = engine_mutants(Request((MAINLINE,), "quick", frozenset({"bitmaps.full"}), 1, 1, None))
    control_row = next(rows)
    assert control_row.verdict is Told.FAIL
    (problem,) = control_row.problems
    assert problem.detail == (
        "breaks without a mutant, and no finding says so (2 histories, of which this is the"
        " shortest)"
    )
    # F02 without what it does after that.
    assert problem.operations[-1] == '{"op": "advance", "n": 10}'
    assert len(problem.operations) == len(problem.words) == 7
    assert problem.failure is not None
    assert json.loads(problem.header)["params"]["nticks"] == 1


def test_patch_shows_what_was_taken_out_and_put_in() -> None:
    assert patch([Edit("estimator.contexts:trim_array", "    while len", "    if len")]) == [
        "ipvs_est.estimator.contexts.trim_array",
        "- while len",
        "+ if len",
    ]


def test_equal_seeds_give_equal_histories_and_others_do_not() -> None:
    assert random_history(1, 2) == random_history(1, 2)
    assert len({random_history(seed, 0).operations for seed in range(20)}) == 20


def test_random_histories_reach_several_kthreads() -> None:
    kthreads = [_contexts(index) for index in range(HISTORIES)]
    assert sum(kthread >= 2 for kthread in kthreads) >= 5
    assert max(kthreads) >= 3


def _contexts(index: int) -> int:
    """The largest number of slots that a snapshot around an operation shows."""
    from ipvs_est_checks.history.monitor import step, watch

    scenario = random_history(SEED, index)
    seen = watch(scenario.params, MAINLINE)
    most = 0
    for operation in scenario.operations:
        step(seen, operation)
        most = max(most, seen.before.state.kt_count)
    return most


def test_property_that_the_unmutated_model_breaks_too_kills_nothing() -> None:
    scenario = DIRECTED["limits-shrink"]
    mutant = BY_ID["D51"]
    both = mutated(mutant, scenario).failures.keys() & control(mutant, scenario).failures.keys()
    assert both
    assert not any(breaks(mutant, scenario, name) for name in both)


# What the command answers


def outcome(verdict: MutantVerdict, mutant: str = "D24") -> MutantOutcome:
    return MutantOutcome(mutant, verdict, None, (), 0.0)


CLEAN = Control(1, 1, (), (), 0.0)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([MutantVerdict.KILLED], exit_codes.PASS),
        ([MutantVerdict.KILLED, MutantVerdict.EQUIVALENT], exit_codes.PASS),
        ([MutantVerdict.EQUIVALENT, MutantVerdict.SURVIVED], exit_codes.FAIL),
        ([MutantVerdict.OTHER], exit_codes.FAIL),
        ([MutantVerdict.KILLED, MutantVerdict.LOST], exit_codes.INCOMPLETE),
        ([MutantVerdict.LOST, MutantVerdict.SURVIVED], exit_codes.FAIL),
    ],
)
def test_exit_code_tells_survivors_from_what_is_equivalent(
    verdicts: list[MutantVerdict], code: int
) -> None:
    found = Matrix(1, tuple(outcome(verdict) for verdict in verdicts), CLEAN)
    assert mutant_report.exit_code(found) == code


def test_unclean_control_and_unbroken_property_fail() -> None:
    unclean = Control(
        1, 1, (), (kill_matrix.Unexplained("mainline", "x", DIRECTED["no-time-passes"]),), 0.0
    )
    assert mutant_report.exit_code(Matrix(1, (outcome(MutantVerdict.KILLED),), unclean)) == (
        exit_codes.FAIL
    )
    everything = tuple(outcome(MutantVerdict.KILLED, mutant.id) for mutant in MUTANTS)
    assert mutant_report.exit_code(Matrix(1, everything, CLEAN)) == exit_codes.FAIL


def test_survivor_is_reported_with_its_patch() -> None:
    lines = list(mutant_report.notes(Matrix(1, (outcome(MutantVerdict.SURVIVED),), CLEAN)))
    assert lines[:2] == [
        "FAIL D24: Only one trailing empty slot is trimmed.",
        "  was to break array.trailing-hole, breaks nothing",
    ]
    assert "  + if len" in lines


def test_command_prints_an_aligned_table(capsys: pytest.CaptureFixture[str]) -> None:
    run = here(capsys, "mutants", "D31", "D20")
    assert run.code == exit_codes.PASS, run.out + run.err
    heading, first, second, totals = run.out.splitlines()
    assert heading.split() == list(mutant_report.HEADINGS)
    assert first.split()[:4] == ["D20", "KILLED", "locks.deletion", "schedules"]
    assert second.split()[:4] == ["D31", "KILLED", "place.start", "histories"]
    assert len(heading) == len(first) == len(second)
    assert totals.startswith("2 of 2 mutants killed")
    assert f"seed {SEED}" in totals


def test_a_mutant_that_changes_nothing_is_told_with_its_reason_and_what_shows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = here(capsys, "mutants", "R4-barrier")
    assert run.code == exit_codes.PASS, run.out + run.err
    assert "EQUIVALENT R4-barrier: No full barrier" in run.out
    assert BY_ID["R4-barrier"].reason in run.out
    assert (
        "scenario cpulist-in-calc-phase under tso to 1 preemption: 261 states without it,"
        " 270 with it, 71 and 71 abstract states, which are the same\n" in run.out
    )
    assert run.out.splitlines()[-1].startswith("0 of 1 mutants killed, 1 proved equivalent; ")


def test_a_mutant_that_does_something_else_under_store_buffers_is_not_equivalent() -> None:
    sibling = BY_ID["R4-genid"]
    assert not under_buffers(replace(sibling, edits=())).equivalent
    assert not under_buffers(sibling).equivalent


def test_json_report_is_the_same_for_the_same_seed_in_any_number_of_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = [
        here(capsys, "mutants", "D31", "D24", "P-tick", "--json", "-", "-j", jobs).out
        for jobs in ("1", "2")
    ]
    first, second = (_without_seconds(json.loads(text)) for text in texts)
    assert first == second
    assert isinstance(first, dict)
    assert first["seed"] == SEED
    assert [entry["verdict"] for entry in first["mutants"]] == ["killed"] * 3


def _without_seconds(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_seconds(entry) for key, entry in value.items() if key != "seconds"}
    if isinstance(value, list):
        return [_without_seconds(entry) for entry in value]
    return value


def test_unknown_mutant_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    run = here(capsys, "mutants", "D99")
    assert run.code == exit_codes.BAD_INPUT
    assert "no such mutant: D99" in run.err


def test_judging_one_mutant_is_the_same_again() -> None:
    first, second = (judge(BY_ID["P-avail"], 7) for _ in range(2))
    assert (first.verdict, first.kill, first.broken) == (second.verdict, second.kill, second.broken)
