"""`ipvs-est explore --subject` and `--tree`: scenarios on whatever gives scheduling points."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from ipvs_est_checks.cli.options.subject import started_keeper
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.history.subject_failure import SubjectError
from ipvs_est_checks.subjects.keeper import Keeper, running, stop
from ipvs_est_checks.subjects.schedules import (
    Failure,
    NotPreparedError,
    Searched,
    cause_of,
    check_schedule,
    prepare,
    run_schedule,
    schedule_text,
    search,
    timeline,
)
from ipvs_est_checks.subjects.subject import SCHEDULES, Subject, asking
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar

FIELDS = "fields:"
"""A schedule with points at shared fields begins so, one without by `LOCKS`."""
LOCKS = "locks:"
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


@dataclass(frozen=True, slots=True)
class Explored:
    """What is explored."""

    option: str
    """That names it on the command line."""
    programs: Programs


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


@contextmanager
def explored_subject(name: str, seconds: float) -> Iterator[Explored]:
    """A subject, to be explored. Raises BadInputError if it cannot be."""
    keeper = started_keeper(name, seconds)
    try:
        if running(keeper).handshake.gives.get(SCHEDULES) != 1:
            raise BadInputError(
                f"--subject {printable(name)}: cannot be explored: the subject gives no"
                f" {SCHEDULES} of version 1"
            )
        yield Explored(f"--subject {shlex.quote(name)}", _OneSubject(keeper))
    finally:
        stop(keeper)


def name_argument(path: Path) -> str:
    """The path as a word of a command line."""
    return shlex.quote(str(path))


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of a scenario."""

    searches: list[tuple[str, Searched]]
    failed: str = ""
    """How the subject failed to answer."""


def explore_on(
    explored: Explored,
    scenarios: Sequence[Scenario],
    preemptions: int,
    most: int,
    *,
    keep_going: bool,
) -> int:
    """Search each scenario and say what came of it; the exit code."""
    failed = left = 0
    for scenario in scenarios:
        why = explored.programs.why_not(scenario)
        if why:
            click.echo(f"not tried {scenario.name}: {why}")
            continue
        try:
            tried = _search(explored, scenario, preemptions, most, keep_going)
        except NotPreparedError as error:
            click.echo(f"not tried {printable(str(error))}")
            left += 1
            continue
        failed += bool(tried.failed) or any(each.failures for _, each in tried.searches)
        left += not all(each.exhausted for _, each in tried.searches)
        _tell(explored, scenario, tried)
    if failed:
        return exit_codes.FAIL
    return exit_codes.INCOMPLETE if left else exit_codes.PASS


def _search(
    explored: Explored, scenario: Scenario, preemptions: int, most: int, keep_going: bool
) -> _Tried:
    """First with points at mutexes and waits alone, then at every shared field."""
    found: list[tuple[str, Searched]] = []
    with progress_bar(scenario.name, most) as bar, _hidden_at_end(lambda: hide(bar)):
        try:
            with explored.programs.started(scenario) as subject:
                ask = asking(subject)
                prepare(ask, scenario)
                bounds = ((LOCKS, preemptions), (FIELDS, min(preemptions, _FIELD_PREEMPTIONS)))
                for kind, bound in bounds:
                    searched = search(
                        ask,
                        scenario,
                        preemptions=bound,
                        fields=kind == FIELDS,
                        most=most,
                        keep_going=keep_going,
                        on_run=lambda tried: draw(bar, tried),
                    )
                    found.append((kind, searched))
                    if searched.failures and not keep_going:
                        break
        except SubjectError as error:
            failure = error.failure
            return _Tried(found, f"{failure.kind.value}: {failure.detail}")
    return _Tried(found)


@contextmanager
def _hidden_at_end(hidden: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    finally:
        hidden()


def _tell(explored: Explored, scenario: Scenario, tried: _Tried) -> None:
    found = tried.searches
    failures = [(kind, failure) for kind, each in found for failure in each.failures]
    amount = ", ".join(
        f"{each.schedules} schedules at {kind.rstrip(':')}{'' if each.exhausted else ', not all'}"
        for kind, each in found
    )
    verdict = "FAIL" if failures or tried.failed else "PASS"
    if verdict == "PASS" and not all(each.exhausted for _, each in found):
        verdict = "INCOMPLETE"
    click.echo(f"{verdict} {scenario.name}: {amount or 'no search ended'}")
    if tried.failed:
        click.echo(f"  {printable(tried.failed)}")
    for kind, failure in failures:
        _tell_failure(explored, scenario, kind, failure)


def _tell_failure(explored: Explored, scenario: Scenario, kind: str, failure: Failure) -> None:
    click.echo(f"  {printable(failure.cause)} (schedule {failure.number})")
    for line in timeline(failure.run):
        click.echo(f"  {printable(line)}")
    token = f"{kind}{schedule_text(failure.run)}"
    click.echo(f"  again: ipvs-est explore {explored.option} {scenario.name} --replay {token}")


def replay_on(explored: Explored, scenario: Scenario, token: str) -> int:
    """Run one schedule again and tell it; the exit code."""
    kind = next((each for each in (FIELDS, LOCKS) if token.startswith(each)), None)
    if kind is None:
        raise BadInputError(f"--replay: {token[:40]}: begins neither by {FIELDS} nor by {LOCKS}")
    try:
        word = token.removeprefix(kind)
        check_schedule(word)
    except ValueError as error:
        raise BadInputError(f"--replay: {error}") from None
    try:
        with explored.programs.started(scenario) as subject:
            ask = asking(subject)
            prepare(ask, scenario)
            run = run_schedule(ask, word, scenario.jiffies, fields=kind == FIELDS)
    except SubjectError as error:
        click.echo(printable(f"{error.failure.kind.value}: {error.failure.detail}"))
        return exit_codes.FAIL
    for line in timeline(run):
        click.echo(printable(line))
    cause = cause_of(run)
    click.echo(printable(cause) or run.end)
    return exit_codes.FAIL if cause else exit_codes.PASS
