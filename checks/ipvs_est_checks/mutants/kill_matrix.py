"""Which mutant is killed by which property, and by what.

A history, or a schedule, counts only where the unmutated model does not break the same property
in it. So a property that a recorded finding breaks can kill too, but not where the finding shows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from time import perf_counter

from ipvs_est.language.revision import MAINLINE, Revision
from ipvs_est_checks.mutants.histories import DIRECTED, TrialHistory, random_history
from ipvs_est_checks.mutants.mutant import Engine, Mutant
from ipvs_est_checks.mutants.registry import BY_ID, MUTANTS
from ipvs_est_checks.mutants.run import (
    KillingSchedule,
    SeenHistory,
    breaks,
    control,
    mutated,
    search,
    shrunk,
    under_buffers,
    watched,
)
from ipvs_est_checks.text_edits import EditError
from ipvs_est_checks.workers import Lost, Pool, ignore
from ipvs_est_spec.catalogue import PROPERTIES

SEED = 20260722
# Random histories that a mutant may survive before its hand-made one is tried.
HISTORIES = 30


KnownByRepair = Callable[[Revision, str, Callable[[Revision], bool]], Sequence[object]]
"""`known.by_repair.known_by_repair`: of a revision, a property, and whether it holds on another."""


class MutantVerdict(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    """By a property named for it."""
    OTHER = "other"
    """Only by other properties."""
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    """Nothing kills it, and it was shown to change nothing."""
    UNFIT = "does not fit"
    """The model has changed where the mutant would change it: nothing was tried."""
    LOST = "lost"
    """The process that tried died."""


@dataclass(frozen=True, slots=True)
class Kill:
    """How a mutant was killed."""

    property: str
    engine: Engine
    tried: int
    """Histories, or schedules, run until then, this one included."""
    operations: int
    """Operations, or steps of schedules, in all of them."""
    shown: TrialHistory | KillingSchedule
    """In what: the history is shrunk if that was asked for."""
    detail: str
    """What the property said before shrinking."""


@dataclass(frozen=True, slots=True)
class MutantOutcome:
    """One row of the matrix."""

    mutant: str
    """Its id."""
    verdict: MutantVerdict
    kill: Kill | None
    """By a named property, else the first by another."""
    broken: tuple[str, ...]
    """Ids of all properties seen broken, sorted."""
    seconds: float
    untried: str = ""
    """Why it does not fit the model, or how the process that tried died; '' = it was tried."""
    evidence: str = ""
    """Of one that is equivalent."""


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A property that the unmutated model breaks, and no finding says so."""

    revision: str
    property: str
    history: TrialHistory


@dataclass(frozen=True, slots=True)
class Control:
    """The same histories without a mutant."""

    histories: int
    operations: int
    broken: tuple[str, ...]
    """Ids of the properties broken, each by a finding, sorted."""
    unexplained: tuple[Unexplained, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """A whole run."""

    seed: int
    outcomes: tuple[MutantOutcome, ...]
    control: Control
    complete: bool = True
    """Not interrupted."""


EMPTY_CONTROL = Control(0, 0, (), (), 0.0)
"""Of a run that was interrupted before it was there."""


def judge(
    mutant: Mutant, seed: int, *, named_only: bool = False, shrinks: bool = True
) -> MutantOutcome:
    """Try to kill one mutant; `named_only`: look at no other properties than those named for it.

    `shrinks`: the history that kills it is made shorter.
    """
    started = perf_counter()
    if mutant.engine is Engine.SCHEDULES:
        return _judge_by_schedules(mutant, started)
    if mutant.engine is Engine.BUFFERS:
        same = under_buffers(mutant)
        verdict = MutantVerdict.EQUIVALENT if same.equivalent else MutantVerdict.SURVIVED
        seconds = perf_counter() - started
        return MutantOutcome(mutant.id, verdict, None, (), seconds, evidence=same.text)
    looked_at = frozenset(mutant.properties) if named_only else None
    broken: set[str] = set()
    found: Kill | None = None
    operations = 0
    for number, (engine, history) in enumerate(_histories(mutant, seed), start=1):
        seen = mutated(mutant, history, looked_at)
        operations += seen.operations
        new = _new(mutant, history, seen, looked_at)
        broken.update(new)
        named = [prop for prop in mutant.properties if prop in new]
        if named or (new and found is None):
            id_ = (named or new)[0]
            failure = seen.failures[id_]
            if named and shrinks:
                history = shrunk(mutant, history, id_, failure.step)
            found = Kill(id_, engine, number, operations, history, failure.detail)
        if named:
            break
    return MutantOutcome(
        mutant.id,
        _verdict(mutant, found),
        found,
        tuple(sorted(broken)),
        perf_counter() - started,
    )


def _judge_by_schedules(mutant: Mutant, started: float) -> MutantOutcome:
    """Each property by itself: a schedule ends with the first that it breaks."""
    broken: list[str] = []
    found: Kill | None = None
    for id_ in mutant.properties:
        shown, figures = search(mutant, id_)
        if shown is None or not breaks(mutant, shown, id_):
            continue
        broken.append(id_)
        if found is None:
            tried = figures.schedules
            detail = f"scenario {shown.scenario}"
            found = Kill(id_, Engine.SCHEDULES, tried, figures.steps, shown, detail)
    seconds = perf_counter() - started
    return MutantOutcome(mutant.id, _verdict(mutant, found), found, tuple(sorted(broken)), seconds)


def _histories(mutant: Mutant, seed: int) -> Iterator[tuple[Engine, TrialHistory]]:
    directed = [(Engine.DIRECTED, DIRECTED[mutant.directed])] if mutant.directed else []
    if mutant.engine is Engine.DIRECTED:
        yield from directed
    for index in range(HISTORIES):
        yield Engine.HISTORIES, random_history(seed, index)
    if mutant.engine is not Engine.DIRECTED:
        yield from directed


def _new(
    mutant: Mutant, history: TrialHistory, seen: SeenHistory, looked_at: frozenset[str] | None
) -> list[str]:
    """Properties that the mutant breaks and its control does not."""
    if not seen.failures:
        return []
    known = control(mutant, history, looked_at).failures
    return [failure for failure in seen.failures if failure not in known]


def _verdict(mutant: Mutant, found: Kill | None) -> MutantVerdict:
    if found is not None and found.property in mutant.properties:
        return MutantVerdict.KILLED
    return MutantVerdict.SURVIVED if found is None else MutantVerdict.OTHER


def run_control(
    seed: int,
    known: KnownByRepair,
    mutants: Sequence[Mutant] = MUTANTS,
    properties: frozenset[str] | None = None,
) -> Control:
    """The histories of these mutants without a mutant: random ones on mainline, hand-made ones
    on their bases. `known`: asked of each property that breaks. `properties`: those that are
    looked at, None = all."""
    started = perf_counter()
    cases: list[tuple[Revision, TrialHistory]] = [
        (MAINLINE, random_history(seed, index)) for index in range(HISTORIES)
    ]
    cases += [(mutant.base, DIRECTED[mutant.directed]) for mutant in mutants if mutant.directed]
    operations = 0
    broken: set[str] = set()
    unexplained: list[Unexplained] = []
    for base, history in cases:
        seen = watched(base, history, (), properties)
        operations += seen.operations
        for failure in seen.failures:
            if _is_known(known, base, history, failure):
                broken.add(failure)
            else:
                unexplained.append(Unexplained(base.name, failure, history))
    return Control(
        len(cases),
        operations,
        tuple(sorted(broken)),
        tuple(unexplained),
        perf_counter() - started,
    )


def _is_known(
    known: KnownByRepair, base: Revision, history: TrialHistory, property_id: str
) -> bool:
    """Whether a recorded finding breaks the property there: with its repair it holds."""
    only = frozenset({property_id})
    return bool(
        known(
            base,
            property_id,
            lambda revision: not watched(revision, history, (), only).failures,
        )
    )


def outcomes(
    mutants: Sequence[Mutant],
    seed: int,
    jobs: int,
    *,
    named_only: bool = False,
    shrinks: bool = True,
    waiting: Callable[[str], None] = ignore,
) -> Iterator[MutantOutcome]:
    """The rows in order, found by that many processes; `named_only` and `shrinks` as in `judge`,
    `waiting` as of `Pool`."""
    ids = [mutant.id for mutant in mutants]
    with Pool(min(jobs, len(ids)), waiting=waiting) as pool:
        for id_, outcome in pool.map(partial(_judge, seed, named_only, shrinks), ids, str):
            if isinstance(outcome, Lost):
                yield MutantOutcome(id_, MutantVerdict.LOST, None, (), 0.0, outcome.why)
            else:
                yield outcome


def _judge(seed: int, named_only: bool, shrinks: bool, id_: str) -> MutantOutcome:
    started = perf_counter()
    try:
        return judge(BY_ID[id_], seed, named_only=named_only, shrinks=shrinks)
    except EditError as error:
        # One that a change of the model has overtaken must not hide what the others show.
        return MutantOutcome(
            id_, MutantVerdict.UNFIT, None, (), perf_counter() - started, str(error)
        )


def breakers(found: Sequence[MutantOutcome]) -> Mapping[str, tuple[str, ...]]:
    """For each property of the catalogue: ids of the mutants that break it."""
    return {
        prop.id: tuple(outcome.mutant for outcome in found if prop.id in outcome.broken)
        for prop in PROPERTIES
    }


def unbroken(found: Sequence[MutantOutcome]) -> tuple[str, ...]:
    """Ids of the properties that no mutant breaks."""
    return tuple(id_ for id_, mutants in breakers(found).items() if not mutants)
