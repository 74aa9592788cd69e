"""One session of a campaign: the corpus is run, cases are made and run, what is new is kept."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic

from ipvs_est import Revision
from ipvs_est_checks.campaign.case import CampaignCase, history_case
from ipvs_est_checks.campaign.corpus import Corpus, add_case, read_corpus, remove_case
from ipvs_est_checks.campaign.features import LOOKED_AT
from ipvs_est_checks.campaign.handout import Handout, handing_out
from ipvs_est_checks.campaign.make_cases import ROUND, make_round
from ipvs_est_checks.campaign.run_case import BrokenCase, CaseResult, run_case
from ipvs_est_checks.mutants.histories import random_history
from ipvs_est_checks.mutants.mutant import Engine, Mutant
from ipvs_est_checks.mutants.registry import MUTANTS
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.workers import Lost

CANARY_ROUNDS = 12
"""In which the canary has to be found."""


class Mode(Enum):
    """What a session is for; the names are those of ClusterFuzzLite."""

    CODE_CHANGE = "code-change"
    """The corpus, then new cases for a while; only what fails is kept."""
    BATCH = "batch"
    """The corpus, then new cases for long; what comes to something new is kept."""
    PRUNE = "prune"
    """The corpus is reduced to what comes to as much."""
    COVERAGE = "coverage"
    """The corpus is run, and it is told what it comes to."""


GENERATING = (Mode.CODE_CHANGE, Mode.BATCH)
"""Modes that make new cases, and so have a canary."""


@dataclass(frozen=True, slots=True)
class CampaignRequest:
    """What a session is to do."""

    mode: Mode
    directory: Path
    revision: Revision
    seed: int
    cases: int | None = None
    """New ones, at most; in rounds of `ROUND`."""
    until: float = inf
    """By the monotonic clock: no round is begun after it."""


@dataclass(frozen=True, slots=True)
class Canary:
    """The planted mutant of a session."""

    mutant: str
    found: str = ""
    """The property that it breaks; '' = it was not found."""
    histories: int = 0
    """That were tried, the one that shows it included."""


@dataclass(slots=True)
class CampaignSession:
    """What a session has done so far: readable also after ctrl-C."""

    wanted: CampaignRequest
    corpus: Corpus = field(default_factory=Corpus)
    canary: Canary | None = None
    """None: the mode has none, or it did not come to it."""
    features: dict[str, CampaignCase] = field(default_factory=dict)
    """By feature: the first case that came to it."""
    run: int = 0
    """Cases, those of the corpus included."""
    made: int = 0
    """New ones among them."""
    amount: int = 0
    """Operations and schedules."""
    unfit: int = 0
    """Cases that cannot be run on this revision."""
    added: list[CampaignCase] = field(default_factory=list)
    removed: list[CampaignCase] = field(default_factory=list)
    broken: dict[str, tuple[CampaignCase, BrokenCase]] = field(default_factory=dict)
    """New failures, by what they say: the first case of each."""
    known: set[str] = field(default_factory=set)
    """Ids of findings and defects that explain the others."""
    lost: list[Lost] = field(default_factory=list)
    complete: bool = False
    """Not interrupted, and the corpus was run to its end."""

    @property
    def verdict(self) -> Verdict:
        """A session without its canary has not shown that it would find anything."""
        if self.broken:
            return Verdict.FAIL
        blind = self.wanted.mode in GENERATING and not (self.canary and self.canary.found)
        if self.lost or not self.complete or blind or not self.run:
            return Verdict.INCOMPLETE
        return Verdict.SAMPLED


Progress = Callable[[str], None]


def hold(
    session: CampaignSession, make: Callable[[], Executor], progress: Progress = lambda text: None
) -> None:
    """Hold the session, with workers of that executor. Raises InputError naming a file of the
    corpus, or OSError."""
    wanted = session.wanted
    session.corpus = read_corpus(wanted.directory)
    call = partial(_run, wanted.revision.name)
    with handing_out(call, _name, make) as handout:
        if wanted.mode in GENERATING:
            _find_canary(session, handout, progress)
        if not _run_corpus(session, handout, progress):
            return
        if wanted.mode in GENERATING:
            _generate(session, handout, progress)
        if wanted.mode is Mode.PRUNE and not session.lost:
            _prune(session)
    session.complete = True


_Work = tuple[str, CampaignCase]
"""The id of a mutant, '' = none, and a case."""


def _run(revision: str, work: _Work) -> CaseResult:
    mutant, case = work
    return run_case(revision, mutant, case)


def _name(work: _Work) -> str:
    return work[1].name


def canaries() -> tuple[Mutant, ...]:
    """Mutants that random histories kill."""
    return tuple(mutant for mutant in MUTANTS if mutant.engine is Engine.HISTORIES)


def _find_canary(
    session: CampaignSession, handout: Handout[_Work, CaseResult], progress: Progress
) -> None:
    """Plant another mutant in each session, and look for it as for any failure."""
    known = canaries()
    mutant = known[session.wanted.seed % len(known)]
    session.canary = Canary(mutant.id)
    tried = 0
    for _ in range(CANARY_ROUNDS):
        progress(f"canary {mutant.id}, history {tried}")
        histories = [random_history(session.wanted.seed, tried + number) for number in range(ROUND)]
        cases = [history_case(history.params, history.operations) for history in histories]
        answers = handout.map([(mutant.id, case) for case in cases])
        for number, answer in enumerate(answers, tried + 1):
            if isinstance(answer, Lost):
                session.lost.append(answer)
                continue
            names = [
                broken_case.property
                for broken_case in answer.broken
                if broken_case.property in mutant.properties
            ]
            # What the revision breaks by itself shows nothing.
            known_before = {
                broken_case.property for broken_case in answer.broken if broken_case.known
            }
            shown = next((name for name in names if name not in known_before), "")
            if shown:
                session.canary = Canary(mutant.id, shown, number)
                return
        tried += ROUND
        session.canary = Canary(mutant.id, "", tried)


def _run_corpus(
    session: CampaignSession, handout: Handout[_Work, CaseResult], progress: Progress
) -> bool:
    """Whether all of it was run."""
    cases = session.corpus.in_order()
    if session.wanted.mode is Mode.PRUNE:
        # The first one that comes to a thing is kept: let that be a small one.
        failing = session.corpus.failing
        cases = tuple(sorted(cases, key=lambda case: (case not in failing, len(case.text))))
    for begin in range(0, len(cases), ROUND):
        if monotonic() >= session.wanted.until:
            return False
        progress(f"corpus: {begin} of {len(cases)}")
        _run_all(session, handout, cases[begin : begin + ROUND])
    return True


def _run_all(
    session: CampaignSession, handout: Handout[_Work, CaseResult], cases: Sequence[CampaignCase]
) -> list[tuple[CampaignCase, CaseResult, bool]]:
    """Those that were run, with whether they came to something new."""
    seen = []
    for case, answer in zip(cases, handout.map([("", case) for case in cases]), strict=True):
        if isinstance(answer, Lost):
            session.lost.append(answer)
            continue
        session.run += 1
        session.amount += answer.amount
        session.unfit += bool(answer.unfit)
        fresh = answer.features - session.features.keys()
        session.features.update(dict.fromkeys(fresh, case))
        for broken in answer.broken:
            session.known.update(broken.known)
        for broken in answer.new:
            session.broken.setdefault(f"{broken.property} {broken.text}", (case, broken))
        seen.append((case, answer, bool(fresh)))
    return seen


def _generate(
    session: CampaignSession, handout: Handout[_Work, CaseResult], progress: Progress
) -> None:
    wanted = session.wanted
    number = 0
    kept = [*session.corpus.in_order()]
    while monotonic() < wanted.until and (wanted.cases is None or session.made < wanted.cases):
        progress(f"{session.made} new cases, {len(session.features)} features")
        for case, answer, fresh in _run_all(
            session, handout, make_round(wanted.seed, number, kept)
        ):
            session.made += 1
            if answer.new:
                add_case(wanted.directory, case, failing=True)
                session.added.append(case)
            elif fresh and not answer.unfit and wanted.mode is Mode.BATCH:
                add_case(wanted.directory, case, failing=False)
                session.added.append(case)
                kept.append(case)
        number += 1


def _prune(session: CampaignSession) -> None:
    """Keep what fails, and of the others the smallest that comes to something."""
    needed = {campaign_case.name for campaign_case in session.corpus.failing}
    needed |= {feature.name for feature in session.features.values()}
    for case in sorted(session.corpus.others, key=lambda other: other.name):
        if case.name not in needed or case in session.corpus.failing:
            remove_case(session.wanted.directory, case)
            session.removed.append(case)


def situations_missing(session: CampaignSession) -> tuple[str, ...]:
    """Situations that no history has come to."""
    return tuple(name for name in LOOKED_AT if f"situation:{name}" not in session.features)


def kinds(session: CampaignSession) -> dict[str, int]:
    """How many features there are of each kind."""
    counted: dict[str, int] = {}
    for feature in sorted(session.features):
        kind = feature.partition(":")[0]
        counted[kind] = counted.get(kind, 0) + 1
    return counted
