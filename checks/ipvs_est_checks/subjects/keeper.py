"""A subject that is kept alive from history to history, and started anew after it has failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvs_est import Params, Revision
from ipvs_est_checks.history.subject_failure import RefusedError
from ipvs_est_checks.machines.geometries import CHOICES
from ipvs_est_checks.machines.system import SystemUnderTest
from ipvs_est_checks.subjects.subject import (
    WATCHED,
    Subject,
    SubjectRun,
    begin,
    start_subject,
    stop_subject,
)


@dataclass(slots=True)
class Keeper:
    """A command or `unix:PATH`, and what runs of it at the moment."""

    name: str
    seconds: float
    """For one answer."""
    subject: Subject | None = None


def running(keeper: Keeper) -> Subject:
    """The subject, started if there is none that can be asked; raises what starting it raises."""
    if keeper.subject is not None and keeper.subject.failed:
        stop(keeper)
    if keeper.subject is None:
        keeper.subject = start_subject(keeper.name, keeper.seconds)
    return keeper.subject


def stop(keeper: Keeper) -> None:
    """End it."""
    if keeper.subject is not None:
        stop_subject(keeper.subject)
        keeper.subject = None


def system_of(
    keeper: Keeper, revision: Revision, watched: Sequence[str] = WATCHED
) -> SystemUnderTest:
    """The subject as a system for the state machines: what it takes, and which machines it can
    be, is asked of it. Raises SubjectError and OSError, RefusedError if it can be none."""

    def new_oracle(params: Params, revision: Revision) -> SubjectRun:
        return begin(running(keeper), params, revision, watched)

    geometries = []
    refused: RefusedError | None = None
    for params in dict.fromkeys(CHOICES):
        try:
            new_oracle(params, revision)
        except RefusedError as error:
            refused = error
            continue
        geometries.append(params)
    if refused is not None and not geometries:
        raise refused
    operations = running(keeper).handshake.operations
    return SystemUnderTest(new_oracle, operations=operations, geometries=tuple(geometries))
