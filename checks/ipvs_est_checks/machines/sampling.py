"""Rounds of machines on revisions: in which order, by how many processes, until when.

Rounds do not know of each other, and what they find is put together in the order in which they
are listed here: the number of processes changes nothing but the time that it takes.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from time import monotonic

from ipvs_est import V7, V7_UNWIND, Revision
from ipvs_est_checks.broken_properties import is_chosen
from ipvs_est_checks.machines.profiles import Profile
from ipvs_est_checks.machines.report import MachineReport
from ipvs_est_checks.machines.run import amount_of, run_round, wants_more
from ipvs_est_checks.terminal.progress import OnProgress, no_progress
from ipvs_est_checks.workers import Lost, Pool

_TOLD_APART = "memory.pointer"
"""Breaks on v7 wherever v7-unwind does something else (F09)."""
_AHEAD = 2
"""Rounds handed out for each process, so that none waits for work."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sampled."""

    revisions: tuple[Revision, ...]
    machines: tuple[str, ...]
    profile: Profile | str
    """By name, or made for the occasion."""
    seed: int
    jobs: int
    """Processes."""
    properties: frozenset[str] | None = None
    """Ids of those that are looked at; None = all."""
    minutes: float | None = None
    """Sample that long, instead of the profile's number of rounds."""
    round: int | None = None
    """Only this round of each machine."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round."""

    revision: Revision
    machine: str
    number: int


@dataclass(slots=True)
class Sample:
    """What was found so far."""

    rounds: dict[tuple[str, str], list[MachineReport]] = field(default_factory=dict)
    """By revision and machine, in the order of their numbers."""
    lost: dict[tuple[str, str], list[Lost]] = field(default_factory=dict)
    """Likewise: rounds whose processes died."""

    def of(self, revision: Revision) -> list[MachineReport]:
        """All rounds on a revision."""
        name = revision.name
        return [
            machine_report
            for key, found in self.rounds.items()
            if key[0] == name
            for machine_report in found
        ]

    def lost_on(self, revision: Revision) -> list[Lost]:
        """All lost rounds on a revision."""
        name = revision.name
        return [one_lost for key, lost in self.lost.items() if key[0] == name for one_lost in lost]


def sample(plan: Plan, found: Sample, progress: OnProgress = no_progress) -> None:
    """Run the rounds; `found` grows meanwhile, so that an interrupt loses nothing."""
    started = monotonic()
    done = total = 0
    with Pool(plan.jobs, waiting=lambda name: progress(name, done, total)) as pool:

        def run(rounds: Iterable[Round]) -> Iterator[tuple[Round, MachineReport | Lost]]:
            return pool.map(partial(_report, plan), rounds, _name, ahead=_AHEAD)

        todo = _within(_listed(plan), plan, started)
        total = 0 if plan.minutes is not None else sum(1 for _ in _listed(plan))
        if plan.minutes is not None:
            total = int(plan.minutes * 60)
        begun = (
            one_round for one_round in _wanted(todo, found) if not _may_be_copied(plan, one_round)
        )
        for number, (one_round, report) in enumerate(run(begun), 1):
            _add(found, one_round, report)
            done = number if plan.minutes is None else int(monotonic() - started)
            progress(f"{one_round.machine} machine on {one_round.revision.name}", done, total)
        # With a time limit nothing is copied, and the list has no end.
        listed = () if plan.minutes is not None else _listed(plan)
        for one_round, report in run(_not_copied(plan, found, listed)):
            progress(f"{one_round.machine} machine on {one_round.revision.name}", total, total)
            _add(found, one_round, report)
        # Until each situation was reached; by turns, as often as the profile allows.
        while plan.minutes is None and plan.round is None and (more := _more(plan, found)):
            for one_round, report in run(
                one_round for one_round in more if not _may_be_copied(plan, one_round)
            ):
                progress(f"{one_round.machine} machine on {one_round.revision.name}", total, total)
                _add(found, one_round, report)
            for one_round, report in run(_not_copied(plan, found, more)):
                progress(f"{one_round.machine} machine on {one_round.revision.name}", total, total)
                _add(found, one_round, report)


def _listed(plan: Plan) -> Iterator[Round]:
    """The profile's rounds, or that one, or without end; each machine gets on at its own pace."""
    lines = (
        _line(plan, place, revision, machine)
        for place, (revision, machine) in enumerate(
            (revision, machine) for machine in plan.machines for revision in plan.revisions
        )
    )
    return (one_round for _, _, one_round in heapq.merge(*lines, key=lambda line: line[:2]))


def _line(
    plan: Plan, place: int, revision: Revision, machine: str
) -> Iterator[tuple[float, int, Round]]:
    rounds = amount_of(plan.profile, machine).rounds
    numbers: Iterable[int] = range(rounds)
    if plan.round is not None:
        numbers = (plan.round,)
    elif plan.minutes is not None:
        numbers = count()
    for number in numbers:
        yield (number + 0.5) / rounds, place, Round(revision, machine, number)


def _may_be_copied(plan: Plan, one_round: Round) -> bool:
    """Whether the round may be known from the same one on v7.

    v7-unwind differs from v7 in a single field. Where it is read, v7 goes on to report a call
    through a cleared pointer: so a round on v7 that has met no `memory.pointer` is word for word
    the one on v7-unwind.
    """
    return (
        one_round.revision is V7_UNWIND
        and V7 in plan.revisions
        and plan.minutes is None
        and plan.round is None
        and is_chosen(plan.properties, _TOLD_APART)
    )


def _not_copied(plan: Plan, found: Sample, rounds: Iterable[Round]) -> list[Round]:
    """Take over those of the rounds that are known from v7; answers those that may have been, and
    are not."""
    left: list[Round] = []
    for one_round in rounds:
        if _may_be_copied(plan, one_round) and not _stopped(found, one_round):
            of_v7 = found.rounds.get((V7.name, one_round.machine), [])
            if _stopped(found, replace(one_round, revision=V7)) or one_round.number >= len(of_v7):
                left.append(one_round)
                continue
            report = of_v7[one_round.number]
            if any(other.machine == one_round.machine for other in left):
                left.append(one_round)  # their order is that of their numbers
            elif any(failure.property == _TOLD_APART for failure in report.failures):
                left.append(one_round)
            else:
                _add(found, one_round, _on_unwind(report))
    return left


def _on_unwind(report: MachineReport) -> MachineReport:
    name = V7_UNWIND.name
    failures = tuple(replace(failure, revision=name) for failure in report.failures)
    return replace(report, revision=name, failures=failures, seconds=0.0)


def _within(rounds: Iterator[Round], plan: Plan, started: float) -> Iterator[Round]:
    for one_round in rounds:
        if plan.minutes is not None and monotonic() - started >= 60 * plan.minutes:
            return
        yield one_round


def _wanted(rounds: Iterable[Round], found: Sample) -> Iterator[Round]:
    """Without those of a machine that a failure has stopped."""
    for one_round in rounds:
        if not _stopped(found, one_round):
            yield one_round


def _stopped(found: Sample, one_round: Round) -> bool:
    known = found.rounds.get((one_round.revision.name, one_round.machine), ())
    return any(report.unexpected for report in known)


def _add(found: Sample, one_round: Round, report: MachineReport | Lost) -> None:
    # A round that was already under way when its machine was stopped does not count.
    if _stopped(found, one_round):
        return
    key = (one_round.revision.name, one_round.machine)
    if isinstance(report, Lost):
        found.lost.setdefault(key, []).append(report)
    else:
        found.rounds.setdefault(key, []).append(report)


def _more(plan: Plan, found: Sample) -> list[Round]:
    rounds: list[Round] = []
    for revision in plan.revisions:
        for machine in plan.machines:
            key = (revision.name, machine)
            if found.lost.get(key):
                # The run is incomplete anyway, and the next process may die as well.
                continue
            known = found.rounds[key]
            if wants_more(known, amount_of(plan.profile, machine)):
                rounds.append(Round(revision, machine, len(known)))
    return rounds


def _name(one_round: Round) -> str:
    return (
        f"round {one_round.number} of the {one_round.machine} machine on {one_round.revision.name}"
    )


def _report(plan: Plan, one_round: Round) -> MachineReport:
    return run_round(
        one_round.revision,
        plan.profile,
        plan.seed,
        one_round.machine,
        one_round.number,
        properties=plan.properties,
    )
