"""The type of an option that bounds preemptions, or does not."""

from typing import Any

import click

UNBOUNDED = -1
"""What `none` becomes."""


class PreemptionsType(click.IntRange):
    """A number in a range, or `none`: no bound."""

    def convert(
        self,
        value: Any,  # what stands on the command line, as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """The number, or UNBOUNDED; click.BadParameter if it is neither or out of range."""
        if value == "none":
            return UNBOUNDED
        number = super().convert(value, param, ctx)
        assert isinstance(number, int)
        return number
