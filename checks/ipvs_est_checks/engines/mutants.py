"""Engine: every mutant is killed, and every property is broken by one."""

import json
from collections.abc import Iterator, Sequence
from time import perf_counter

from ipvs_est import REVISIONS
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import OPERATIONS
from ipvs_est_checks.history.file import header_line
from ipvs_est_checks.history.geometry_text import geometry_text
from ipvs_est_checks.history.monitor import run
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.known.by_repair import known_by_repair
from ipvs_est_checks.mutants.kill_matrix import (
    SEED,
    MutantOutcome,
    Unexplained,
    outcomes,
    run_control,
    unbroken,
)
from ipvs_est_checks.mutants.kill_matrix import MutantVerdict as Kill
from ipvs_est_checks.mutants.registry import MUTANTS
from ipvs_est_checks.mutants.report import is_expected, unfit_text
from ipvs_est_checks.report.rows import Problem, Request, Row, timed
from ipvs_est_checks.report.verdict import Verdict

_HOW = "mutants"


def engine_mutants(request: Request) -> Iterator[Row]:
    """A row for all mutants, one for the control, one for properties that none breaks.

    Mutants have a base revision of their own, whatever revisions are checked. Where properties
    are asked for, only mutants named for one of them are run.
    """
    if request.properties is not None:
        chosen = [mutant for mutant in MUTANTS if request.properties & set(mutant.properties)]
    else:
        chosen = list(MUTANTS)
    if not chosen:
        return
    started = perf_counter()
    request.progress("mutants", 0, len(chosen))
    control = run_control(SEED, known_by_repair, chosen, request.properties)
    stray = tuple(_stray(control.unexplained))
    yield Row(
        "mutants.control",
        "Without a mutant the same histories break nothing that no finding explains.",
        "",
        Verdict.FAIL if stray else Verdict.PASS,
        _HOW,
        control.operations,
        timed(started),
        problems=stray,
    )
    started = perf_counter()
    found: list[MutantOutcome] = []
    named_only = request.properties is not None

    def trying(id_: str) -> None:
        request.progress(f"mutant {id_}", len(found), len(chosen))

    # What kills them is told by `ipvs-est mutants`: here no history need be short.
    running = outcomes(
        chosen, SEED, request.jobs, named_only=named_only, shrinks=False, waiting=trying
    )
    for outcome in running:
        found.append(outcome)
        request.progress("mutants", len(found), len(chosen))
    killed = [mutant_outcome for mutant_outcome in found if mutant_outcome.verdict is Kill.KILLED]
    same = [mutant_outcome for mutant_outcome in found if mutant_outcome.verdict is Kill.EQUIVALENT]
    survivors = tuple(
        Problem(
            mutant_outcome.mutant,
            "",
            _what_is_wrong(mutant_outcome),
            (),
            None,
            f"ipvs-est mutants {mutant_outcome.mutant}",
        )
        for mutant_outcome in found
        if not is_expected(mutant_outcome)
    )
    lost = any(mutant_outcome.verdict is Kill.LOST for mutant_outcome in found)
    failed = any(
        not is_expected(mutant_outcome) and mutant_outcome.verdict is not Kill.LOST
        for mutant_outcome in found
    )
    yield Row(
        "mutants",
        _sentence(len(killed), len(same), len(found)),
        "",
        Verdict.FAIL if failed else Verdict.INCOMPLETE if lost else Verdict.PASS,
        _HOW,
        len(found),
        timed(started),
        problems=survivors,
    )
    if request.properties is None:
        # What a mutant would break that nobody tried is not known.
        untouched = () if lost else unbroken(found)
        yield Row(
            "mutants.properties",
            "Each property is broken by a mutant.",
            "",
            Verdict.INCOMPLETE if untouched or lost else Verdict.PASS,
            _HOW,
            len(found),
            0.0,
            problems=tuple(
                Problem(name, "", "no mutant breaks it", (), None, "ipvs-est mutants")
                for name in untouched
            ),
        )


def _sentence(killed: int, same: int, tried: int) -> str:
    equivalent = f", {same} proved equivalent" if same else ""
    return f"Each mutant is killed by a property named for it ({killed} of {tried}{equivalent})."


def _what_is_wrong(outcome: MutantOutcome) -> str:
    match outcome.verdict:
        case Kill.UNFIT:
            return unfit_text(outcome)
        case Kill.LOST:
            return outcome.untried
        case _:
            return (
                f"the mutant is not killed by the property named for it ({outcome.verdict.value})"
            )


def _stray(unexplained: Sequence[Unexplained]) -> Iterator[Problem]:
    """Of the histories that break a property on a revision the shortest."""
    together: dict[tuple[str, str], list[Unexplained]] = {}
    for one_unexplained in unexplained:
        together.setdefault((one_unexplained.revision, one_unexplained.property), []).append(
            one_unexplained
        )
    for (revision, property_id), found in together.items():
        history = min(
            (unexplained.history for unexplained in found),
            key=lambda trial_history: len(trial_history.operations),
        )
        steps = tuple(
            operation for operation in history.operations if isinstance(operation, OPERATIONS)
        )
        failure = run(
            history.params, REVISIONS[revision], steps, properties=frozenset({property_id})
        ).failures.get(property_id)
        last = len(steps) if failure is None or failure.step < 0 else failure.step + 1
        many = f" ({len(found)} histories, of which this is the shortest)" if found[1:] else ""
        yield Problem(
            property_id,
            revision,
            f"breaks without a mutant, and no finding says so{many}",
            tuple(json.dumps(operation_to_json(step)) for step in steps[:last]),
            failure,
            "ipvs-est mutants",
            header_line(property_id, revision, history.params),
            geometry=geometry_text(history.params),
            words=tuple(in_words(step) for step in steps[:last]),
        )
