"""Which actors a scenario lets meet: counted in schedules that were run."""

import random
from itertools import combinations

from ipvs_est import Revision
from ipvs_est.language.violations import ViolationError
from ipvs_est_checks.explore.engine.world import RCU, TIME, World, enabled, start, step
from ipvs_est_checks.explore.scenarios.scenario import Scenario

CTL, SYSCTL, WORK, KT0, KTN, EXIT, CALLBACK, PACKETS, READER = (
    "control process",
    "sysctl writer",
    "reload work",
    "kthread 0",
    "kthread above 0",
    "netns exit",
    "RCU callback",
    "packet writer",
    "reader",
)
ACTORS = (CTL, SYSCTL, WORK, KT0, KTN, EXIT, CALLBACK, PACKETS, READER)

# The scenarios of the library name their tasks so.
_NAMES = (("SYSCTL", SYSCTL), ("EXIT", EXIT), ("PACKETS", PACKETS), ("READER", READER))

Pair = frozenset[str]


def all_pairs() -> set[Pair]:
    """Every two of the actors."""
    return {frozenset(combination) for combination in combinations(ACTORS, 2)}


def pairs_met(scenario: Scenario, revision: Revision, schedules: int, seed: int) -> set[Pair]:
    """Pairs of which, in a random schedule, one took a step between two steps of the other."""
    numbers = random.Random(seed)
    met: set[Pair] = set()
    for _ in range(schedules):
        world = start(scenario, revision)
        kinds: list[str] = []
        try:
            while len(kinds) < 2_000 and (choices := enabled(world)):
                choice = numbers.choice(choices)
                if choice != TIME:
                    kinds.append(_kind(world, choice))
                step(world, choice)
        except ViolationError:
            pass
        met |= _between(kinds)
    return met


def _between(kinds: list[str]) -> set[Pair]:
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for index, kind in enumerate(kinds):
        first.setdefault(kind, index)
        last[kind] = index
    found: set[Pair] = set()
    for index, kind in enumerate(kinds):
        found |= {
            frozenset((kind, other))
            for other in first
            if other != kind and first[other] < index < last[other]
        }
    return found


def _kind(world: World, choice: int) -> str:
    if choice == RCU:
        return CALLBACK
    task = world.by_index[choice].task
    if task.kd is not None:
        return KT0 if task.kd.id == 0 else KTN
    if task is world.machine.netns.reload_work.running:
        return WORK
    return next((kind for prefix, kind in _NAMES if task.name.startswith(prefix)), CTL)
