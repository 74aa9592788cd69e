"""How much a run does, and with which random numbers."""

import random
from dataclasses import dataclass
from typing import TypeVar
from warnings import catch_warnings, filterwarnings

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import HypothesisWarning
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from ipvs_est_checks.hypothesis_runs import no_local_constants, nothing_left_behind

M = TypeVar("M", bound=RuleBasedStateMachine)


@dataclass(frozen=True, slots=True)
class Amount:
    """Of one machine.

    Hypothesis makes many of a round's histories from earlier ones of the round; several rounds
    differ more.
    """

    rounds: int
    examples: int
    """Histories in a round."""
    steps: int
    """Rules in a history."""
    more: int = 0
    """Further rounds, at most, until every situation was reached."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Amounts by machine."""

    name: str
    netns: Amount
    context: Amount
    counters: Amount
    cpulist: Amount
    attempts: int
    """Shorter histories tried for each failure that was not expected."""


QUICK = Profile(
    "quick",
    netns=Amount(4, 9, 12, more=40),
    context=Amount(1, 30, 50, more=20),
    counters=Amount(1, 24, 40, more=20),
    cpulist=Amount(1, 20, 25, more=20),
    attempts=200,
)
"""With all other engines and five revisions less than a minute on two cores."""
CI = Profile(
    "ci",
    netns=Amount(5, 40, 25, more=20),
    context=Amount(3, 80, 60, more=20),
    counters=Amount(2, 80, 60, more=20),
    cpulist=Amount(2, 80, 30, more=20),
    attempts=600,
)
DEEP = Profile(
    "deep",
    netns=Amount(120, 80, 40, more=20),
    context=Amount(50, 100, 90, more=20),
    counters=Amount(50, 100, 90, more=20),
    cpulist=Amount(50, 100, 40, more=20),
    attempts=3000,
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (QUICK, CI, DEEP)}


def fresh_seed() -> int:
    """A seed for a run that was given none; print it."""
    return random.SystemRandom().getrandbits(32)


def settings_of(amount: Amount, *, shrink: bool = False) -> settings:
    """Every setting that changes what is explored is named here.

    A profile of Hypothesis' own, such as the one that it loads when it finds itself in a CI
    and that explores the same histories each time, thus has nothing left to decide. Without
    `shrink` that is left to `shorten`: it works on operations and tries a known number of times.
    """
    return settings(
        max_examples=amount.examples,
        stateful_step_count=amount.steps,
        derandomize=False,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        backend="hypothesis",
    )


def explore_round(
    machine: type[M], amount: Amount, number: int, index: int, *, shrink: bool = False
) -> None:
    """One round of a machine, that with this index among those of the seed `number`.

    Rounds do not know of each other, so that any one can be run alone, in any process. Raises
    what the first failing history raised, or with `shrink` the shortest one that was found.
    """
    numbers = random.Random(number)
    for _ in range(index):
        numbers.getrandbits(64)
    chosen = seed(numbers.getrandbits(64))(machine)
    with nothing_left_behind(), no_local_constants(), catch_warnings():
        # On Python 3.14 Hypothesis takes its own random generator for one that may go away.
        filterwarnings("ignore", ".*register_random", HypothesisWarning)
        run_state_machine_as_test(chosen, settings=settings_of(amount, shrink=shrink))
