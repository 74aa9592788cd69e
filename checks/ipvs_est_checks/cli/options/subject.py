"""The options that name what is asked: a subject, or a Linux tree; and how long it may take."""

from collections.abc import Callable
from typing import TypeVar

import click

from ipvs_est_checks.cli.options.amount import AmountType
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.history.subject_failure import SubjectError
from ipvs_est_checks.subjects.keeper import Keeper, running
from ipvs_est_checks.subjects.subject import SECONDS
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable

F = TypeVar("F", bound=Callable[..., object])


def subject_option(purpose: str) -> Callable[[F], F]:
    """`--subject COMMAND`, as `subject`."""
    return click.option("--subject", metavar="COMMAND", help=purpose)


def tree_option(purpose: str) -> Callable[[F], F]:
    """`--tree TREE`, as `tree`."""
    return click.option("--tree", metavar="TREE", type=NamedPath(), help=purpose)


def seconds_option() -> Callable[[F], F]:
    """`--seconds N`, as `seconds`."""
    return click.option(
        "--seconds",
        metavar="N",
        type=AmountType(0, min_open=True),
        default=SECONDS,
        show_default=True,
        help="How long the subject may take for one answer.",
    )


def started_keeper(name: str, seconds: float) -> Keeper:
    """The subject, started: what cannot be started is bad input."""
    keeper = Keeper(name, seconds)
    try:
        running(keeper)
    except (OSError, ValueError, SubjectError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInputError(f"--subject {printable(name)}: {printable(why)}") from None
    return keeper
