"""How the counterexamples of each theorem's twin, and of a refuted theorem, show in the model."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from ipvs_est import MAINLINE, REPAIRED, REVISIONS, V7, Revision
from ipvs_est.language.violations import describe
from ipvs_est_checks.proving.counterexamples import (
    calc_values,
    histories,
    rate_values,
    row_values,
    schedules,
    states,
    timer_values,
    walks,
)
from ipvs_est_checks.proving.counterexamples.reading import read
from ipvs_est_checks.proving.counterexamples.schedules import ReplaySchedule
from ipvs_est_checks.proving.counterexamples.states import StepReplay
from ipvs_est_spec.proof.framework.solve import Decision, ProofVerdict, TheoremOutcome
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.protocol.bad_runs import FOUND

Values = dict[str, int]


class ReplayKind(Enum):
    """What a counterexample is, in the model."""

    NUMBERS = "numbers"
    """Inputs of the model's own function, which answers otherwise, or whose answer does not do
    what the twin claims."""
    STATE = "state"
    """A state that is loaded into a machine, where the step is taken."""
    SCHEDULE = "schedule"
    """A schedule of the model's tasks that follows the run."""
    HISTORY = "history"
    """A run of the model in which the same mistake, or the finding, shows."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ShownReplay:
    """What replaying the counterexamples of one theorem has shown."""

    kind: ReplayKind
    lines: tuple[str, ...]
    """What was done, one sentence each; with NONE why nothing can be."""
    complaints: tuple[str, ...]
    """What did not show."""


_NUMBERS: Mapping[str, Callable[[Values], bool]] = {
    **row_values.REPLAYS,
    **calc_values.REPLAYS,
    **rate_values.REPLAYS,
    **timer_values.REPLAYS,
}
_FOUND_NUMBERS: Mapping[str, Callable[[Values], bool]] = timer_values.FOUND
_INDUCTION = "induction."
_FINDINGS: Mapping[str, tuple[str, Revision]] = {
    "induction.bitmaps.in-range": ("F01", MAINLINE),
    "induction.bitmaps.in-range.F01": ("F01", MAINLINE),
    "induction.limits.tick.F20": ("F01", MAINLINE),
    "walk.place.F08": ("", REPAIRED),
    "walk.kd0": ("F23", V7),
    "walk.kd0.F23": ("F23", V7),
    "walk.kd0.F17": ("F23", V7),
}
"""Theorem -> the finding that its twin plants, and where; '': its twin is one of `walks`."""
_SUMS = (
    "It is about sums of 48 or 50 numbers; the model has no such sum to be wrong, only lists, whose"
    " lengths are never negative and never summed by it."
)


def kind_of(theorem: Theorem) -> ReplayKind:
    """What the counterexamples of the theorem's twin are; raises ValueError if nobody says so."""
    if theorem.id in _NUMBERS:
        return ReplayKind.NUMBERS
    if theorem.id in _FINDINGS or theorem.id in walks.REPLAYS:
        return ReplayKind.HISTORY
    if theorem.id.startswith(_INDUCTION):
        return ReplayKind.STATE
    if theorem.id in schedules.REPLAYS:
        return ReplayKind.SCHEDULE
    if theorem.id.startswith("sums."):
        return ReplayKind.NONE
    raise ValueError(f"{theorem.id}: nobody says how its counterexamples show in the model")


def with_replay(theorem: Theorem, outcome: TheoremOutcome) -> TheoremOutcome:
    """The outcome with what replaying has shown; what does not show is a failure.

    Nothing is tried without a counterexample of the twin.
    """
    if outcome.twin.status is not Decision.REFUTED:
        return outcome
    shown = replayed(theorem, outcome)
    lines = tuple(f"{shown.kind.value}: {line}" for line in shown.lines)
    outcome = replace(outcome, replayed=lines)
    if not shown.complaints:
        return outcome
    complaints = (*outcome.complaints, *shown.complaints)
    return replace(outcome, verdict=ProofVerdict.FAIL, complaints=complaints)


def replayed(theorem: Theorem, outcome: TheoremOutcome) -> ShownReplay:
    """Execute in the model the counterexamples of the twin, and those of a refuted theorem.

    Numbers are those of the outcome; states and schedules are looked for anew, the former in
    a small geometry.
    """
    kind = kind_of(theorem)
    if kind is ReplayKind.NONE:
        return ShownReplay(kind, (_SUMS,), ())
    attempts = {
        ReplayKind.NUMBERS: _numbers,
        ReplayKind.STATE: _states,
        ReplayKind.SCHEDULE: _schedules,
        ReplayKind.HISTORY: _histories,
    }[kind](theorem, outcome)
    lines, complaints = list[str](), list[str]()
    for line, complaint in attempts:
        (complaints if complaint else lines).append(line)
    return ShownReplay(kind, tuple(lines), tuple(complaints))


_Told = Iterator[tuple[str, bool]]
"""A sentence, and whether it is a complaint."""


def _numbers(theorem: Theorem, outcome: TheoremOutcome) -> _Told:
    if _NUMBERS[theorem.id](read(outcome.twin.values)):
        yield "the twin's numbers, given to the model's function, show the mistake", False
    else:
        yield "the model does not differ from the twin at the counterexample's numbers", True
    if theorem.refuted_by:
        shows = _FOUND_NUMBERS[theorem.id]
        for obligation in outcome.obligations:
            if shows(read(obligation.answer.values)):
                yield f"the numbers that refute it ({obligation.name}) show in the model", False
            else:
                yield f"{obligation.name}: the model does not do what the counterexample says", True


def _states(theorem: Theorem, outcome: TheoremOutcome) -> _Told:
    invariant = (theorem.statement or theorem.id).removeprefix(_INDUCTION)
    yield _told_of_state("twin", invariant, states.twin_replay(invariant))
    for finding in theorem.refuted_by:
        for row, replay in states.finding_replays(invariant, finding):
            yield _told_of_state(row.step, invariant, replay)


def _told_of_state(name: str, invariant: str, replay: StepReplay | None) -> tuple[str, bool]:
    if replay is None:
        return f"{name}: no small state is a counterexample", True
    case = f" ({replay.case})" if replay.case else ""
    what = f"{name}: in a state loaded into the model of {replay.revision}, {replay.step}{case}"
    if replay.broken_before:
        return f"{what}: {', '.join(replay.broken_before)} do not hold before it", True
    if invariant not in replay.broken_after:
        return f"{what} keeps {invariant}", True
    slots, estimators = len(replay.state.contexts), len(replay.state.estimators)
    return f"{what} loses {invariant}; contexts {slots}, estimators {estimators}", False


def _histories(theorem: Theorem, outcome: TheoremOutcome) -> _Told:
    finding, revision = _FINDINGS.get(theorem.id, ("", REPAIRED))
    if finding:
        yield _told_of_finding("twin", finding, revision)
    else:
        walk = walks.REPLAYS[theorem.statement or theorem.id]
        if walks.walk_shows(walk):
            yield f"twin: with the mistake in the model, and not without it, {walk.symptom}", False
        else:
            yield "twin: the mistake does not show in the model's walk", True
    for item in theorem.refuted_by:
        for name in theorem.revision.split(", "):
            yield _told_of_finding(name, item, REVISIONS[name])


def _told_of_finding(name: str, finding: str, revision: Revision) -> tuple[str, bool]:
    broken = histories.finding_shows(finding, revision)
    if broken:
        return f"{name}: {finding} breaks {broken} on {revision.name}", False
    return f"{name}: {finding} does not show on {revision.name}", True


def _schedules(theorem: Theorem, outcome: TheoremOutcome) -> _Told:
    yield _told_of_schedule("twin", schedules.twin_schedule(theorem.id))
    for bad, found in zip(
        FOUND.get(theorem.id, ()), schedules.found_schedules(theorem.id), strict=True
    ):
        yield _told_of_schedule(bad.revision.name, found)


def _told_of_schedule(name: str, schedule: ReplaySchedule | None) -> tuple[str, bool]:
    if schedule is None:
        return f"{name}: no schedule of the model follows the run", True
    violation = schedule.found.violation
    properties = ", ".join(sorted(schedule.properties))
    ends = describe(violation) if violation is not None else properties or "the bad state"
    steps = len(schedule.found.choices)
    changed = ", with the mistake in the model," if schedule.edits else ""
    return f"{name}: a schedule of {steps} steps{changed} ends so: {ends}", False
