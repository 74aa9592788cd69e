"""The type of an option that is a number, perhaps with a fraction."""

import math
from typing import Any

import click


class AmountType(click.FloatRange):
    """A number in a range; NaN, which no comparison keeps out of one, is none."""

    def convert(
        self,
        value: Any,  # what stands on the command line, as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """The number; click.BadParameter if it is none or out of range."""
        number = super().convert(value, param, ctx)
        assert isinstance(number, float)
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number
