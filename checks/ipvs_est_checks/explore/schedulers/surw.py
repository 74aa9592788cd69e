"""Selectively uniform random walk: every order of some events is as likely as every other.

Source: Zhao, Wolff, Mathur, Roychoudhury, "Selectively Uniform Concurrency Testing", ASPLOS
2025. A walk that chooses a thread by how many events it has left draws every interleaving of
them alike, where one that chooses any thread alike favours those in which short threads end
early. The events are the accesses to one place, another one for each schedule. Which thread has
the next of them is drawn beforehand; a thread that comes to one out of turn waits. All else is
chosen as in a random walk.

How many there are is not known before: each schedule goes by what was counted in the one before
that met most of them. Where a wrong count leaves nobody to go on, whoever waits out of turn does.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from ipvs_est_checks.explore.engine.access import Place
from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
)


@dataclass(slots=True)
class SelectivelyUniform:
    """Never comes to an end."""

    seed: int
    executions: int = 0
    """Number of the next schedule, from 0; the first only counts."""
    numbers: Random = field(default_factory=Random)
    most: dict[Place, Counter[int]] = field(default_factory=dict)
    """By place that several choices accessed: how often each did, in the schedule with most."""
    counted: dict[Place, Counter[int]] = field(default_factory=dict)
    """In this schedule."""
    selected: Place | None = None
    """The place whose accesses are ordered in this schedule; None = nothing is known yet."""
    left: Counter[int] = field(default_factory=Counter)
    """Accesses to it that each choice is expected to make yet."""
    turn: int | None = None
    """Whose access comes next."""

    def new_execution(self) -> Beginning:
        """There is always another."""
        self.numbers = Random(f"{self.seed}:{self.executions}")
        self.executions += 1
        self.counted = {}
        places = sorted(self.most)
        self.selected = self.numbers.choice(places) if places else None
        self.left = Counter() if self.selected is None else Counter(self.most[self.selected])
        self._draw_turn()
        return FROM_THE_START

    def next_choice(self, moment: Moment) -> int | None:
        """Any that is not at an access out of its turn."""
        in_turn = [number for number in moment.enabled if not self._waits(moment, number)]
        chosen = self.numbers.choice(in_turn or moment.enabled)
        access = moment.access(chosen)
        if access is not None:
            self.counted.setdefault(access.place, Counter())[chosen] += 1
            if access.place == self.selected:
                self.left[chosen] = max(0, self.left[chosen] - 1)
                self._draw_turn()
        return chosen

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """Learn how many accesses there are."""
        del ending, steps
        for place, counts in self.counted.items():
            if len(counts) < 2:
                continue
            known = self.most.get(place)
            if known is None or counts.total() > known.total():
                self.most[place] = counts

    def _waits(self, moment: Moment, choice: int) -> bool:
        if self.turn is None or choice == self.turn:
            return False
        access = moment.access(choice)
        return access is not None and access.place == self.selected

    def _draw_turn(self) -> None:
        """By how many each has left, so that every order of all that are left is as likely."""
        choices: Sequence[int] = sorted(number for number, left in self.left.items() if left)
        weights = [self.left[choice] for choice in choices]
        self.turn = self.numbers.choices(choices, weights)[0] if choices else None
