"""Deciding a theorem with z3: its premises, its goals, its twin and each of its assumptions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from time import process_time
from typing import Protocol

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Goal, Theorem

RLIMIT = 200_000_000
"""z3's own measure of work for one query, so that the limit does not depend on the machine;
about a minute."""


class Decision(Enum):
    """What z3 says of one formula."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


class ProofVerdict(Enum):
    """What is said of a theorem."""

    PROVED = "PROVED"
    FINDING = "FINDING"
    """Refuted, as recorded."""
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    """z3 gave up on one of the queries."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask."""

    seed: int = 0
    """Of z3's random choices."""
    rlimit: int = RLIMIT
    """For each query; 0: no limit."""
    drop_assumptions: bool = True
    """Also ask whether each assumption is needed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """z3's answer to one query."""

    status: Decision
    values: tuple[tuple[str, str], ...] = ()
    """The counterexample's."""
    reason: str = ""
    """Why the solver does not know."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What comes of an obligation without one of its assumptions."""

    assumption: str
    status: Decision


@dataclass(frozen=True, slots=True)
class Decided:
    """One obligation."""

    name: str
    answer: Answer
    premises: Decision
    """Of "the premises contradict each other": to be refuted."""
    dropped: tuple[Dropped, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class TheoremOutcome:
    """One theorem."""

    id: str
    verdict: ProofVerdict
    obligations: tuple[Decided, ...]
    twin: Answer
    complaints: tuple[str, ...]
    """Why the verdict is FAIL or UNKNOWN."""
    queries: int
    seconds: float
    """Of CPU time, as in `Decided`: z3 uses one thread, and other processes do not matter."""
    assumptions: tuple[tuple[str, str], ...] = ()
    """Ids and sentences of all obligations' assumptions."""
    replayed: tuple[str, ...] = ()
    """What executing the counterexamples in the model has shown; () = that was not tried."""


class Solver(Protocol):
    """Who is asked."""

    def ask(self, obligation: Goal) -> Answer:
        """Whether an obligation holds; if not, a counterexample if the solver tells it."""
        ...

    def contradiction(self, terms: Sequence[z3.BoolRef]) -> Decision:
        """Whether the terms cannot hold at once."""
        ...


@dataclass(frozen=True, slots=True)
class Z3Solver:
    """z3."""

    options: Options
    over_functions: bool = False
    """As that of `Theorem`. Either way all answers are right; this is about how soon they come."""

    def ask(self, obligation: Goal) -> Answer:
        """Whether an obligation holds; if not, a counterexample."""
        return _ask(obligation, self._solver())

    def contradiction(self, terms: Sequence[z3.BoolRef]) -> Decision:
        """Whether the terms cannot hold at once."""
        solver = self._solver()
        solver.add(*terms)
        answer = solver.check()
        if answer == z3.unknown:
            return Decision.UNKNOWN
        return Decision.PROVED if answer == z3.unsat else Decision.REFUTED

    def _solver(self) -> z3.Solver:
        solver = z3.SimpleSolver() if self.over_functions else z3.Solver()
        if self.options.rlimit:
            solver.set(rlimit=self.options.rlimit)
        return solver


def decide(theorem: Theorem, options: Options, solver: Solver | None = None) -> TheoremOutcome:
    """Ask a solver, z3 by default, everything about a theorem.

    Sets z3's random seed for the whole process. The same seed gives the same answers.
    """
    started = process_time()
    seed_z3(options.seed)
    solver = solver or Z3Solver(options, theorem.over_functions)
    found: list[Decided] = []
    sentences: dict[str, str] = {}
    queries = 1
    for obligation in theorem.obligations():
        began = process_time()
        answer = solver.ask(obligation)
        if answer.status is Decision.REFUTED:
            # The counterexample fulfils them.
            premises = Decision.REFUTED
        else:
            premises = _premises(obligation, solver)
            queries += 1
        queries += 1
        dropped: list[Dropped] = []
        for assumption in obligation.assumptions:
            sentences[assumption.id] = assumption.sentence
            if not options.drop_assumptions or theorem.refuted_by:
                continue
            without = solver.ask(_without(obligation, assumption.id))
            dropped.append(Dropped(assumption.id, without.status))
            queries += 1
        seconds = process_time() - began
        found.append(Decided(obligation.name, answer, premises, tuple(dropped), seconds))
    twin = solver.ask(theorem.twin.obligation())
    failures = tuple(_failures(theorem, found, twin))
    unknowns = tuple(_unknowns(found, twin))
    if failures:
        verdict = ProofVerdict.FAIL
    elif unknowns:
        verdict = ProofVerdict.UNKNOWN
    else:
        verdict = ProofVerdict.FINDING if theorem.refuted_by else ProofVerdict.PROVED
    return TheoremOutcome(
        theorem.id,
        verdict,
        tuple(found),
        twin,
        failures + unknowns,
        queries,
        process_time() - started,
        tuple(sentences.items()),
    )


def seed_z3(seed: int) -> None:
    """Set the random seed of z3's engines, for the whole process."""
    for name in ("smt.random_seed", "sat.random_seed"):
        z3.set_param(name, seed)


def ask(obligation: Goal, options: Options) -> Answer:
    """Whether an obligation holds by z3; if not, a counterexample."""
    return Z3Solver(options).ask(obligation)


def _ask(goal: Goal, solver: z3.Solver) -> Answer:
    solver.add(*goal.definitions, *(assumption.term for assumption in goal.assumptions))
    solver.add(z3.Not(goal.conclusion))
    answer = solver.check()
    if answer == z3.unsat:
        return Answer(Decision.PROVED)
    if answer == z3.unknown:
        return Answer(Decision.UNKNOWN, reason=solver.reason_unknown())
    model = solver.model()
    values = tuple(
        (name, value_text(model.evaluate(term, model_completion=True))) for name, term in goal.shown
    )
    return Answer(Decision.REFUTED, values)


def _premises(goal: Goal, solver: Solver) -> Decision:
    """Of "the premises contradict each other", which has to be refuted."""
    return solver.contradiction(
        [*goal.definitions, *(assumption.term for assumption in goal.assumptions)]
    )


def _without(obligation: Goal, id_: str) -> Goal:
    kept = tuple(assumption for assumption in obligation.assumptions if assumption.id != id_)
    return replace(obligation, assumptions=kept)


def value_text(value: z3.ExprRef) -> str:
    """A value for people; `int(text, 0)` reads numbers back. Bit vectors are unsigned."""
    if isinstance(value, z3.BitVecNumRef):
        number = value.as_long()
        return str(number) if number < 1 << 16 else hex(number)
    if isinstance(value, z3.IntNumRef):
        return str(value.as_long())
    return value.sexpr()


def _failures(theorem: Theorem, found: Sequence[Decided], twin: Answer) -> Iterator[str]:
    if not found:
        yield "there is nothing to prove"
    for decided in found:
        if theorem.refuted_by and decided.answer.status is Decision.PROVED:
            text = f"no longer refuted, though {', '.join(theorem.refuted_by)} says so"
            yield _named(text, decided.name)
        elif not theorem.refuted_by and decided.answer.status is Decision.REFUTED:
            yield f"{_named('refuted', decided.name)}: {values_text(decided.answer.values)}"
        if decided.premises is Decision.PROVED:
            yield _named("the premises contradict each other", decided.name)
        for dropped in decided.dropped:
            if dropped.status is Decision.PROVED:
                yield _named(f"the assumption {dropped.assumption} is not needed", decided.name)
    if twin.status is Decision.PROVED:
        yield "the twin is not refuted"


def _unknowns(found: Sequence[Decided], twin: Answer) -> Iterator[str]:
    for decided in found:
        if decided.answer.status is Decision.UNKNOWN:
            yield _named(f"the solver does not know ({decided.answer.reason})", decided.name)
        if decided.premises is Decision.UNKNOWN:
            yield _named(
                "the solver does not know whether the premises can be satisfied", decided.name
            )
        for dropped in decided.dropped:
            if dropped.status is Decision.UNKNOWN:
                yield _named(
                    f"the solver does not know whether {dropped.assumption} is needed", decided.name
                )
    if twin.status is Decision.UNKNOWN:
        yield f"the solver does not know of the twin ({twin.reason})"


def _named(text: str, name: str) -> str:
    return f"{name}: {text}" if name else text


def values_text(values: Sequence[tuple[str, str]]) -> str:
    """A counterexample on one line."""
    return ", ".join(f"{name} = {value}" for name, value in values)
