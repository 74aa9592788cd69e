"""The scheduler that follows a given schedule."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvs_est.language.input_error import InputError
from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
)


@dataclass(slots=True)
class Replay:
    """One schedule; raises InputError where it cannot be followed."""

    choices: Sequence[int]
    at: int = 0
    begun: bool = False

    def new_execution(self) -> Beginning | None:
        """Once."""
        first, self.begun = not self.begun, True
        return FROM_THE_START if first else None

    def next_choice(self, moment: Moment) -> int | None:
        """The next of the choices; None after the last."""
        if self.at == len(self.choices):
            return None
        choice = self.choices[self.at]
        self.at += 1
        if choice not in moment.enabled:
            raise InputError("token", f"step {self.at}: {choice} cannot go on there")
        return choice

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """Nothing to learn."""
        del ending, steps
