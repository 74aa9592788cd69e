"""`ipvs-est explore --subject` and `--tree`: scenarios on whatever gives scheduling points."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from ipvs_est_checks.cli.options.subject import started_keeper
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.history.subject_failure import SubjectError
from ipvs_est_checks.subjects.judged_schedules import CHAPTER_OF, JUDGED_VERSIONS, PropertyJudge
from ipvs_est_checks.subjects.keeper import Keeper, running, stop
from ipvs_est_checks.subjects.minimised import minimised
from ipvs_est_checks.subjects.schedules import (
    Ask,
    FailingRuns,
    Fields,
    NotPreparedError,
    ScheduleOutcome,
    ScheduleVerdict,
    Searched,
    cause_of,
    check_schedule,
    first_steps,
    judged_schedule,
    prepare,
    run_schedule,
    schedule_text,
    search,
    timeline,
)
from ipvs_est_checks.subjects.subject import SCHEDULES, SCHEDULES_VERSIONS, Subject, asking
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar

FIELDS = "fields:"
"""A schedule with points at shared fields begins so, one without by `LOCKS`."""
LOCKS = "locks:"
_NAMES = re.compile(r"[a-z_.]+(,[a-z_.]+)*")
"""Instead of these: the fields alone at which it has points."""
_FIELD_PREEMPTIONS = 1
"""With points at each shared field there are too many schedules for more."""


class Programs(Protocol):
    """Where the subject for a scenario comes from."""

    def why_not(self, scenario: Scenario) -> str:
        """Why the scenario cannot be tried; '' if it can."""
        ...

    def started(self, scenario: Scenario) -> AbstractContextManager[Subject]:
        """The subject, that can be asked; raises BadInputError."""
        ...

    def lines(
        self, ask: Ask, scenario: Scenario, run: ScheduleOutcome, fields: Fields
    ) -> Iterator[str]:
        """A run of the scenario, which was prepared, as a timeline."""
        ...


@dataclass(frozen=True, slots=True)
class SearchedScenario:
    """What is explored."""

    option: str
    """That names it on the command line."""
    programs: Programs
    revision: str = ""
    """That it is asked to be; '' = its own choice."""


@dataclass(frozen=True, slots=True)
class _OneSubject:
    """The same one for all scenarios; started anew after it has failed."""

    keeper: Keeper

    def why_not(self, scenario: Scenario) -> str:
        """It is asked."""
        del scenario
        return ""

    @contextmanager
    def started(self, scenario: Scenario) -> Iterator[Subject]:
        del scenario
        yield running(self.keeper)

    def lines(
        self, ask: Ask, scenario: Scenario, run: ScheduleOutcome, fields: Fields
    ) -> Iterator[str]:
        """By the names of the points: of its source nothing is known."""
        del ask, scenario, fields
        yield from timeline(run)


@contextmanager
def explored_subject(name: str, seconds: float, revision: str) -> Iterator[SearchedScenario]:
    """A subject, to be explored; `revision`: that it is asked to be. Raises BadInputError."""
    keeper = started_keeper(name, seconds)
    try:
        if running(keeper).handshake.gives.get(SCHEDULES) not in SCHEDULES_VERSIONS:
            versions = " or ".join(map(str, SCHEDULES_VERSIONS))
            raise BadInputError(
                f"--subject {printable(name)}: cannot be explored: the subject gives no"
                f" {SCHEDULES} of version {versions}"
            )
        option = f"--subject {shlex.quote(name)}"
        if revision:
            option += f" --revision {revision}"
        yield SearchedScenario(option, _OneSubject(keeper), revision)
    finally:
        stop(keeper)


def name_argument(path: Path) -> str:
    """The path as a word of a command line."""
    return shlex.quote(str(path))


@dataclass(frozen=True, slots=True)
class _Shown:
    """A failure, made short."""

    kind: str
    failure: FailingRuns
    lines: list[str]
    """The timeline."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of a scenario."""

    searches: list[tuple[str, Searched]]
    shown: list[_Shown]
    failed: str = ""
    """How the subject failed to answer."""


def explore_on(
    explored: SearchedScenario,
    scenarios: Sequence[Scenario],
    bounds: Bounds,
    properties: frozenset[str],
    *,
    keep_going: bool,
) -> int:
    """Search each scenario and say what came of it; the exit code.

    `properties`: those of `JUDGED` that are watched as well, if the subject tells its states.
    """
    failed = left = 0
    for scenario in scenarios:
        why = explored.programs.why_not(scenario)
        if why:
            click.echo(f"not tried {scenario.name}: {why}")
            continue
        try:
            tried = _search(explored, scenario, bounds, properties, keep_going)
        except NotPreparedError as error:
            click.echo(f"not tried {printable(str(error))}")
            left += 1
            continue
        failed += bool(tried.failed) or any(searched.failures for _, searched in tried.searches)
        left += not all(searched.exhausted for _, searched in tried.searches)
        _tell(explored, scenario, tried)
    if failed:
        return exit_codes.FAIL
    return exit_codes.INCOMPLETE if left else exit_codes.PASS


def _search(
    explored: SearchedScenario,
    scenario: Scenario,
    bounds: Bounds,
    properties: frozenset[str],
    keep_going: bool,
) -> _Tried:
    """First with points at mutexes and waits alone, then at every shared field."""
    found: list[tuple[str, Searched]] = []
    shown: list[_Shown] = []
    most = bounds.schedules
    with progress_bar(scenario.name, most) as bar, _hidden_at_end(lambda: hide(bar)):
        try:
            with explored.programs.started(scenario) as subject:
                ask = asking(subject)
                judge = _judge(subject, scenario, properties)
                prepare(ask, scenario, explored.revision, judge)
                at_fields = min(bounds.preemptions, _FIELD_PREEMPTIONS)
                for kind, bound in ((LOCKS, bounds.preemptions), (FIELDS, at_fields)):
                    searched = search(
                        ask,
                        scenario,
                        preemptions=bound,
                        fields=kind == FIELDS,
                        most=most,
                        keep_going=keep_going,
                        on_run=lambda tried: draw(bar, tried),
                        judge=judge,
                    )
                    found.append((kind, searched))
                    for failing_runs in searched.failures:
                        failure = minimised(ask, scenario, failing_runs, kind == FIELDS)
                        lines = explored.programs.lines(ask, scenario, failure.run, kind == FIELDS)
                        shown.append(_Shown(kind, failure, list(lines)))
                    if searched.failures and not keep_going:
                        break
        except SubjectError as error:
            failed = error.failure
            return _Tried(found, shown, f"{failed.kind.value}: {failed.detail}")
    return _Tried(found, shown)


def _judge(
    subject: Subject, scenario: Scenario, properties: frozenset[str]
) -> PropertyJudge | None:
    """Of these properties; None: of none. Raises BadInputError if the subject does not tell what
    they read."""
    if not properties:
        return None
    judge = PropertyJudge(scenario.params, properties)
    gives = subject.handshake.gives
    absent = [CHAPTER_OF[name] for name in judge.asks if CHAPTER_OF[name] not in gives]
    if gives.get(SCHEDULES) not in JUDGED_VERSIONS:
        absent.append(f"{SCHEDULES} of version {max(JUDGED_VERSIONS)}")
    if absent:
        raise BadInputError(
            f"--property {', '.join(sorted(properties))}: not judged: the subject gives no"
            f" {absent[0]}"
        )
    return judge


@contextmanager
def _hidden_at_end(hidden: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    finally:
        hidden()


def _tell(explored: SearchedScenario, scenario: Scenario, tried: _Tried) -> None:
    found = tried.searches
    failures = any(ended.failures for _, ended in found)
    amount = ", ".join(
        f"{ended.schedules} schedules at {kind.rstrip(':')}{'' if ended.exhausted else ', not all'}"
        for kind, ended in found
    )
    verdict = "FAIL" if failures or tried.failed else "PASS"
    if verdict == "PASS" and not all(ended.exhausted for _, ended in found):
        verdict = "INCOMPLETE"
    click.echo(f"{verdict} {scenario.name}: {amount or 'no search ended'}")
    if tried.failed:
        click.echo(f"  {printable(tried.failed)}")
    for shown in tried.shown:
        _tell_failure(explored, scenario, shown)


def _tell_failure(explored: SearchedScenario, scenario: Scenario, shown: _Shown) -> None:
    kind, failure = shown.kind, shown.failure
    click.echo(f"  {printable(failure.cause)} (schedule {failure.number})")
    for line in shown.lines:
        click.echo(f"  {printable(line)}")
    again = f"ipvs-est explore {explored.option} {scenario.name}"
    if failure.property:
        again += f" --property {failure.property}"
    click.echo(f"  again: {again} --replay {kind}{schedule_text(failure.run)}")


def replay_on(
    explored: SearchedScenario, scenario: Scenario, token: str, properties: frozenset[str]
) -> int:
    """Run one schedule again and tell it, and what it breaks of these; the exit code."""
    fields, word = schedule_of(token)
    broken: ScheduleVerdict | None = None
    try:
        with explored.programs.started(scenario) as subject:
            ask = asking(subject)
            judge = _judge(subject, scenario, properties)
            prepare(ask, scenario, explored.revision, judge)
            if judge is None:
                run = run_schedule(ask, word, scenario.jiffies, fields=fields)
            else:
                run, broken = judged_schedule(
                    ask, word, scenario.jiffies, fields=fields, judge=judge
                )
            if broken is not None:
                run = first_steps(run, broken.steps)
            for line in explored.programs.lines(ask, scenario, run, fields):
                click.echo(printable(line))
    except SubjectError as error:
        click.echo(printable(f"{error.failure.kind.value}: {error.failure.detail}"))
        return exit_codes.FAIL
    cause = broken.cause if broken is not None else cause_of(run)
    click.echo(printable(cause) or run.end)
    return exit_codes.FAIL if cause else exit_codes.PASS


def schedule_of(text: str) -> tuple[Fields, str]:
    """Where tasks stop, and the word. Raises BadInputError."""
    kind, _, word = text.partition(":")
    fields: Fields
    match f"{kind}:":
        case "fields:":
            fields = True
        case "locks:":
            fields = False
        case _ if _NAMES.fullmatch(kind) and word:
            fields = tuple(kind.split(","))
        case _:
            raise BadInputError(
                f"--replay: {text[:40]}: begins neither by {FIELDS} nor by {LOCKS} nor by names"
                " of fields"
            )
    try:
        check_schedule(word)
    except ValueError as error:
        raise BadInputError(f"--replay: {error}") from None
    return fields, word
