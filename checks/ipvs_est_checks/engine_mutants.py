"""Engine: every mutant is killed, and every property is broken by one."""

import json
from collections.abc import Iterator
from time import perf_counter

from ipvs_est.operation_json import operation_to_json
from ipvs_est.operations import OPERATIONS
from ipvs_est_checks.check import Problem, Request, Row, Verdict, timed
from ipvs_est_checks.kill_matrix import SEED, Outcome, outcomes, run_control, unbroken
from ipvs_est_checks.kill_matrix import Verdict as Kill
from ipvs_est_checks.mutant_report import is_expected, unfit_text
from ipvs_est_checks.mutants import MUTANTS

_HOW = "mutants"


def engine_mutants(request: Request) -> Iterator[Row]:
    """A row for all mutants, one for the control, one for properties that none breaks.

    Mutants have a base revision of their own, whatever revisions are checked. Where properties
    are asked for, only mutants named for one of them are run.
    """
    if request.properties is not None:
        chosen = [each for each in MUTANTS if request.properties & set(each.properties)]
    else:
        chosen = list(MUTANTS)
    if not chosen:
        return
    started = perf_counter()
    request.progress("mutants", 0, len(chosen))
    control = run_control(SEED, chosen, request.properties)
    stray = tuple(
        Problem(
            each.property,
            each.revision,
            "breaks without a mutant, and no finding says so",
            tuple(
                json.dumps(operation_to_json(step))
                for step in each.scenario.operations
                if isinstance(step, OPERATIONS)
            ),
            None,
            "ipvs-est mutants",
        )
        for each in control.unexplained
    )
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
    found: list[Outcome] = []
    named_only = request.properties is not None
    for outcome in outcomes(chosen, SEED, request.jobs, named_only=named_only):
        found.append(outcome)
        request.progress("mutants", len(found), len(chosen))
    killed = [each for each in found if each.verdict is Kill.KILLED]
    waiting = [each for each in found if each.verdict is Kill.EXPLORER]
    survivors = tuple(
        Problem(
            each.mutant,
            "",
            unfit_text(each)
            if each.verdict is Kill.UNFIT
            else f"the mutant is not killed by the property named for it ({each.verdict.value})",
            (),
            None,
            f"ipvs-est mutants {each.mutant}",
        )
        for each in found
        if not is_expected(each)
    )
    yield Row(
        "mutants",
        f"Each mutant is killed by a property named for it ({len(killed)} of {len(found)}).",
        "",
        Verdict.FAIL if survivors else Verdict.PASS,
        _HOW,
        len(found),
        timed(started),
        problems=survivors,
    )
    if waiting:
        names = ", ".join(each.mutant for each in waiting)
        yield Row(
            "mutants.schedules",
            f"Mutants that only weaker memory ordering can kill: {names}.",
            "",
            Verdict.NOT_RUN,
            _HOW,
            len(waiting),
            0.0,
            f"out of reach: the model has no store buffers ({names})",
        )
    if request.properties is None:
        untouched = unbroken(found)
        yield Row(
            "mutants.properties",
            "Each property is broken by a mutant.",
            "",
            Verdict.INCOMPLETE if untouched else Verdict.PASS,
            _HOW,
            len(found),
            0.0,
            problems=tuple(
                Problem(each, "", "no mutant breaks it", (), None, "ipvs-est mutants")
                for each in untouched
            ),
        )
