"""What random histories leave behind: samples of states and of cases, the same on every run."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from random import Random

from ipvs_est import REVISIONS, Params, Snapshot
from ipvs_est.language.operations import ExitNetns, Operation
from ipvs_est_checks.history.monitor import finish, step, watch
from ipvs_est_checks.testing import random_histories as histories
from ipvs_est_spec.catalogue import RECORD_PROPERTIES
from ipvs_est_spec.property import Case

HISTORIES = 120
CASES_OF_EACH = 40
"""So many cases of each property are kept, spread over the histories."""


@dataclass(frozen=True, slots=True)
class Samples:
    """From all histories together."""

    checks: Counter[str]
    """Evaluations by the monitor, by property."""
    failures: dict[str, int]
    """Seed of the first history in which a property fails."""
    snapshots: tuple[Snapshot, ...]
    cases: dict[str, tuple[Case, ...]]
    """By property."""


def random_history(seed: int) -> tuple[Params, list[Operation]]:
    """A machine and a history that is valid by construction."""
    random = Random(seed)
    params = random.choice(histories.SMALL)
    steps = [
        (random.choice(histories._KINDS), random.randint(0, 1000), random.randint(0, 1000))
        for _ in range(random.randint(20, 60))
    ]
    operations = histories.history(params, steps, failures=seed % 3 == 0)
    return params, [*operations, ExitNetns()] if seed % 2 else operations


@cache
def samples() -> Samples:
    """Watch all histories."""
    checks: Counter[str] = Counter()
    failures: dict[str, int] = {}
    snapshots: list[Snapshot] = []
    cases: dict[str, list[Case]] = {prop.id: [] for prop in RECORD_PROPERTIES}
    for seed in range(HISTORIES):
        params, operations = random_history(seed)
        seen = watch(params, REVISIONS["repaired"])
        for operation in operations:
            step(seen, operation)
            if seen.oracle.ended:
                break
            if Random(len(seen.operations)).random() < 0.05:
                snapshots.append(seen.before)
        finish(seen)
        checks += seen.checks
        for failed in seen.failures:
            failures.setdefault(failed, seed)
        events = seen.oracle.machine.events or []
        for prop in RECORD_PROPERTIES:
            of_this = list(prop.cases(params, events))
            cases[prop.id] += of_this[:: 1 + len(of_this) // 4]
    return Samples(
        checks,
        failures,
        tuple(snapshots),
        {name: tuple(found[:: 1 + len(found) // CASES_OF_EACH]) for name, found in cases.items()},
    )
