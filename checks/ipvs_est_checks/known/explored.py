"""On which revisions a property is called explored: the engine holds each run to it.

A property is watched unless a finding breaks it without concurrency. It is evaluated where what it
is about comes up: one of states in every scenario, one of what happened where the operation
occurs, one of quiet points where two revolutions pass. `ipvs-est check --profile ci` fails if one
that is called explored on a revision came up in no scenario there.
"""

from ipvs_est import REVISIONS
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.known.by_history import explained
from ipvs_est_checks.known.by_schedule import explained_by_schedule
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

_VIOLATIONS = frozenset(prop.id for prop in VIOLATION_PROPERTIES)
_NEVER = frozenset(
    {
        ("delay.period", "v7"),
        ("delay.period", "v7-unwind"),
        ("delay.period", "stable"),
        ("delay.relinked-row", "stable"),
    }
)
"""Property and revision: what it is about comes up in no scenario with 1 preemption, since with all
properties watched a schedule ends at a defect before. Watched alone it may come up."""


def explained_before(revision: str, property_id: str) -> bool:
    """Whether a finding breaks the property on the revision without concurrency, so that it is
    not watched there. Violations are always looked for."""
    return property_id in WATCHED and explained(revision, property_id)


def explored_on(property_id: str) -> tuple[str, ...]:
    """Names of the revisions on which schedules are searched for one that breaks the property,
    and none does."""
    if property_id not in WATCHED | _VIOLATIONS:
        return ()
    return tuple(
        name
        for name in REVISIONS
        if (property_id, name) not in _NEVER
        and not (explained(name, property_id) or explained_by_schedule(name, property_id))
    )
