"""New cases, from a seed: half of them made from nothing, half of cases that are kept."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ipvs_est_checks.campaign.case import (
    CampaignCase,
    Kind,
    history_case,
    history_of,
    scenario_case,
    scenario_of,
)
from ipvs_est_checks.explore.scenarios.scenario import Actor, Scenario
from ipvs_est_checks.generate.scenarios import make_scenarios
from ipvs_est_checks.mutants.histories import TrialHistory, random_history

ROUND = 32
"""Cases that are made at a time: what is kept of a round guides the next one."""
_JIFFIES = (3, 10, 40, 110)
_MOST_OPERATIONS = 120


def make_round(seed: int, number: int, kept: Sequence[CampaignCase]) -> list[CampaignCase]:
    """The round of that number; equal seeds, numbers and kept cases give equal rounds."""
    rng = random.Random(f"{seed}/{number}")
    scenarios = make_scenarios(rng.getrandbits(32), ROUND)
    cases = dict.fromkeys(_made(rng, seed, number, scenarios, kept))
    known = frozenset(kept)
    return [case for case in cases if case not in known]


def _made(
    rng: random.Random,
    seed: int,
    number: int,
    scenarios: Sequence[Scenario],
    kept: Sequence[CampaignCase],
) -> Iterator[CampaignCase]:
    histories = [campaign_case for campaign_case in kept if campaign_case.kind is Kind.HISTORY]
    races = [campaign_case for campaign_case in kept if campaign_case.kind is Kind.SCENARIO]
    for index in range(ROUND):
        history = random_history(seed, number * ROUND + index)
        scenario = scenarios[index % len(scenarios)]
        if index % 2:
            base = rng.choice(histories) if histories and rng.randrange(2) else None
            yield _history(history) if base is None else _crossed_history(rng, base, history)
        else:
            base = rng.choice(races) if races and rng.randrange(2) else None
            yield scenario_case(scenario) if base is None else _crossed(rng, base, scenario)


def _history(history: TrialHistory) -> CampaignCase:
    return history_case(history.params, history.operations)


def _crossed_history(rng: random.Random, base: CampaignCase, other: TrialHistory) -> CampaignCase:
    """The beginning of one with the end of another; what makes no sense there changes nothing."""
    params, operations = history_of(base)
    head = operations[: rng.randint(1, len(operations))]
    tail = other.operations[rng.randrange(len(other.operations)) :]
    return history_case(params, (*head, *tail)[:_MOST_OPERATIONS])


def _crossed(rng: random.Random, base: CampaignCase, other: Scenario) -> CampaignCase:
    """One with another's setup, one of its tasks in the place of another, or other time."""
    scenario = scenario_of(base)
    match rng.randrange(4):
        case 0:
            scenario = replace(scenario, setup=other.setup, params=other.params)
        case 1:
            scenario = replace(scenario, jiffies=rng.choice(_JIFFIES))
        case 2:
            place = rng.randrange(len(scenario.actors))
            actors = [*scenario.actors]
            actors[place] = rng.choice(other.actors)
            scenario = replace(scenario, actors=_named_apart(actors))
        case _:
            actors = [*scenario.actors, rng.choice(other.actors)][:4]
            scenario = replace(scenario, actors=_named_apart(actors))
    return scenario_case(scenario)


def _named_apart(actors: Sequence[Actor]) -> tuple[Actor, ...]:
    """With names that tell what they do and each of which is there once; one exit at most."""
    named: dict[str, Actor] = {}
    for actor in actors:
        if actor.name == "EXIT":
            named["EXIT"] = actor
            continue
        stem = actor.name.rstrip("0123456789")
        number = next(n for n in range(len(actors)) if f"{stem}{n}" not in named)
        named[f"{stem}{number}"] = replace(actor, name=f"{stem}{number}")
    return tuple(named.values())
