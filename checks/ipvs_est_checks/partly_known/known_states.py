"""The properties of states where not all of a state is known."""

from collections import Counter
from collections.abc import Iterator

from ipvs_est_checks.broken_properties import state_properties
from ipvs_est_checks.partly_known.partial import Partial
from ipvs_est_checks.partly_known.reads import AbsentError, judged_by
from ipvs_est_spec.property import StateProperty


def broken_in(
    partial: Partial, scopes: int, properties: frozenset[str] | None, checks: Counter[str]
) -> Iterator[StateProperty]:
    """The chosen properties in these scopes that do not hold, of those that read what is known;
    counts evaluations."""
    holds = judged_by(partial)
    for prop in state_properties(properties, scopes):
        try:
            good = holds(prop)
        except AbsentError:
            continue
        checks[prop.id] += 1
        if not good:
            yield prop
