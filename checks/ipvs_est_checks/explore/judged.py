"""In how many scenarios of the library a property comes up at all.

Most properties of states are judged in each. A property of what happened is judged where the
operation that it is about occurs, one of quiet points where two revolutions pass.
"""

from collections.abc import Mapping

from ipvs_est import REVISIONS
from ipvs_est.operations import ExitNetns
from ipvs_est_checks.explore.scenario import library, load
from ipvs_est_checks.explore.watch import WATCHED
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

# As counted from the evaluations of all searches with 1 preemption, on v7, stable, mainline and
# repaired; 0 also where a finding breaks the property, so that it is not watched.
_FEWER: Mapping[str, tuple[int, int, int, int]] = {
    "limits.threads": (1, 1, 2, 2),
    "progress.room": (0, 0, 0, 2),
    "progress.recalculation": (1, 1, 0, 2),
    "progress.tasks": (1, 1, 0, 2),
    "progress.stopped": (25, 26, 34, 34),
    "delay.new-row": (10, 11, 15, 15),
    "delay.relinked-row": (2, 1, 5, 6),
    "delay.remaining": (9, 8, 9, 10),
    "delay.first": (5, 5, 5, 2),
    "delay.period": (0, 0, 1, 1),
    "delay.closest": (0, 0, 0, 10),
    "delay.longest": (8, 7, 10, 10),
    "limits.published": (0, 0, 0, 9),
    "limits.cpulist": (10, 10, 10, 10),
    "limits.requested": (10, 10, 10, 10),
    "place.start": (14, 15, 15, 15),
    "progress.not-lost": (10, 10, 14, 15),
    "tasks.enabled": (22, 23, 25, 25),
    "tasks.relinking": (22, 23, 25, 25),
    "load.chain": (14, 15, 15, 15),
    "load.tick": (14, 15, 15, 15),
    "load.cpus": (14, 15, 15, 15),
    "rates.average": (19, 18, 20, 19),
    "rates.range": (19, 18, 20, 19),
    "rates.converges": (1, 1, 1, 1),
    "rates.error": (1, 1, 1, 1),
    "rates.nothing-lost": (7, 7, 10, 3),
    "readers.group": (1, 1, 1, 1),
    "readers.moved": (9, 9, 10, 10),
    "locks.order": (31, 32, 32, 32),
    "locks.kthreads": (24, 25, 25, 25),
    "locks.lists": (0, 0, 32, 32),
    "locks.est-fields": (0, 0, 0, 24),
    "locks.service-fields": (0, 0, 27, 28),
    "locks.deletion": (25, 25, 28, 29),
    "memory.dest": (2, 2, 2, 2),
}
_VIOLATIONS = frozenset(each.id for each in VIOLATION_PROPERTIES)


def judged_in(property_id: str, revision: str) -> int:
    """Scenarios in which the property is judged with 1 preemption; 0 if it is not watched."""
    if property_id == "memory.leak":
        return sum(map(_exits, library()))
    if property_id in _FEWER:
        return _FEWER[property_id][tuple(REVISIONS).index(revision)]
    return len(library()) if property_id in WATCHED | _VIOLATIONS else 0


def _exits(name: str) -> bool:
    operations = (each for actor in load(name).actors for each in actor.operations)
    return any(isinstance(each, ExitNetns) for each in operations)
