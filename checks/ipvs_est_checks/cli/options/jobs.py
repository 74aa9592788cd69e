"""The option of all commands that work in several processes."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ipvs_est_checks.workers import usable_cpus

F = TypeVar("F", bound=Callable[..., object])


def jobs_option() -> Callable[[F], F]:
    """`-j N`, as `jobs`: at least 1."""
    return click.option(
        "-j",
        "--jobs",
        metavar="N",
        type=_Jobs(min=0),
        default=0,
        show_default=True,
        help="Work in N processes; 0: one for each usable CPU.",
    )


class _Jobs(click.IntRange):
    def convert(
        self,
        value: Any,  # what stands on the command line, as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        number = super().convert(value, param, ctx)
        assert isinstance(number, int)
        return number or usable_cpus()
