"""One case on one revision: what it comes to, and what fails. A worker's part of a campaign."""

import random
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass

from ipvs_est import REVISIONS, Oracle, Revision, ViolationError
from ipvs_est.answers.results import Result
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import OperationError
from ipvs_est_checks.campaign.case import CampaignCase, Kind, history_of, scenario_of
from ipvs_est_checks.campaign.features import LOOKED_AT, shape
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.world import enabled, start, step
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.failures.token import token_text
from ipvs_est_checks.explore.scenarios.coverage import pairs_met
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.scenarios.setup_check import check_setup
from ipvs_est_checks.history import monitor
from ipvs_est_checks.known.failures import ALREADY_KNOWN, known_as
from ipvs_est_checks.known.registry import findings_of
from ipvs_est_checks.machines.naive.steps import DONE
from ipvs_est_checks.machines.netns.situations import Observer, observe
from ipvs_est_checks.mutants.registry import BY_ID
from ipvs_est_checks.text_edits import applied

BOUNDS = Bounds(preemptions=2, schedules=400)
"""Of the search of a scenario."""
_WALKS = 10
"""Random schedules by which a scenario is looked at."""
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class BrokenCase:
    """A failure."""

    property: str
    """Its id."""
    text: str
    known: tuple[str, ...]
    """Ids of findings and defects that explain it; () = it is new."""
    token: str = ""
    """Of its schedule, if it needs one."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of a case."""

    features: frozenset[str] = frozenset()
    broken: tuple[BrokenCase, ...] = ()
    amount: int = 0
    """Operations, or schedules."""
    unfit: str = ""
    """Why it cannot be run; '' = it was."""

    @property
    def new(self) -> tuple[BrokenCase, ...]:
        """Failures that nothing explains."""
        return tuple(broken_case for broken_case in self.broken if not broken_case.known)


def run_case(revision: str, mutant: str, case: CampaignCase) -> CaseResult:
    """Run it, on the revision or, with the id of a mutant, on that."""
    with applied(BY_ID[mutant].edits) if mutant else nullcontext():
        base = BY_ID[mutant].base if mutant else REVISIONS[revision]
        try:
            if case.kind is Kind.HISTORY:
                return _history(base, case)
            return _scenario(base, case)
        except InputError as error:
            return CaseResult(unfit=f"{error.field}: {error.message}")
        except Exception as error:
            # The model itself cannot go on: what a campaign looks for, and no end of it.
            return CaseResult(broken=(BrokenCase("", f"{type(error).__name__}: {error}", ()),))


def _history(revision: Revision, case: CampaignCase) -> CaseResult:
    params, operations = history_of(case)
    seen = monitor.watch(params, revision)
    oracle = seen.oracle
    assert isinstance(oracle, Oracle)
    observer = Observer()
    features: set[str] = set()
    for operation in operations:
        before, events = seen.before, oracle.machine.events or []
        known = len(events)
        result = monitor.step(seen, operation)
        if isinstance(result, OperationError):
            # It makes no sense there and changes nothing.
            continue
        assert isinstance(result, Result | ViolationError)
        observe(observer, operation, result, DONE, before, seen.before, events[known:])
        features.add(f"operation:{operation.op}:{type(result).__name__}")
        if oracle.ended:
            break
        features.add(shape(oracle.machine))
    monitor.finish(seen)
    features |= {f"situation:{name}" for name in observer.reached.intersection(LOOKED_AT)}
    broken = tuple(
        BrokenCase(failure.property, failure.detail, findings_of(revision.name, failure.property))
        for failure in seen.failures.values()
    )
    features |= {f"broken:{broken_case.property}" for broken_case in broken}
    return CaseResult(frozenset(features), broken, len(seen.operations))


def _scenario(revision: Revision, case: CampaignCase) -> CaseResult:
    scenario = scenario_of(case)
    check_setup(scenario, revision)
    # The same walks for the same case, in whatever session.
    number = random.Random(case.text).getrandbits(32)
    features = set(_shapes(scenario, revision, number))
    for pair in pairs_met(scenario, revision, _WALKS, number):
        features.add(f"meet:{' and '.join(sorted(pair))}")
    watched = ALREADY_KNOWN.watched_by_default(revision)
    seen = hunt(scenario, revision, BOUNDS, watched)
    broken = []
    for hit in seen.hits:
        known = known_as(revision.name, hit.cause)
        watching = hit.cause.property if hit.cause.property in watched else ""
        token = token_text(scenario, revision, hit.found.choices, watching)
        ids = () if known is None else known.ids
        broken.append(BrokenCase(hit.cause.property, hit.cause.text, ids, token))
        features |= {f"known:{identity}" for identity in ids} or {f"broken:{hit.cause.property}"}
    return CaseResult(frozenset(features), tuple(broken), seen.figures.schedules)


def _shapes(scenario: Scenario, revision: Revision, number: int) -> Iterator[str]:
    numbers = random.Random(number)
    for _ in range(_WALKS):
        world = start(scenario, revision)
        with suppress(ViolationError):
            while world.steps < _LONGEST and (choices := enabled(world)):
                step(world, numbers.choice(choices))
                yield shape(world.machine)
