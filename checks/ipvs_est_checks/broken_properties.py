"""Which properties of the catalogue are broken by what a driver has shown: states and records.

Whoever watches a history (`history.monitor`) or a schedule (`explore.engine.watch`) knows in which
scopes a moment is, and asks here which properties do not hold there.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ipvs_est import Params, Snapshot
from ipvs_est.language.events import Event
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.catalogue import RECORD_PROPERTIES, STATE_PROPERTIES
from ipvs_est_spec.property import Case, RecordProperty, Scope, StateProperty
from ipvs_est_spec.state.snapshot_state import snapshot_state

QUIET_REVOLUTIONS = 2
"""Long enough for a restart, the calc phase, a drain and its next attempt."""

_BITS = {scope: 1 << index for index, scope in enumerate(Scope)}
STEP, SERVICE_FREE, EST_FREE, SETTLED, QUIET = (
    _BITS[scope]
    for scope in (
        Scope.STEP,
        Scope.SERVICE_MUTEX_FREE,
        Scope.EST_MUTEX_FREE,
        Scope.SETTLED,
        Scope.QUIET,
    )
)
"""A moment is in a set of scopes: the sum of these."""

_ALGEBRA = PythonAlgebra()


def scopes_of(snapshot: Snapshot, *, settled: bool) -> int:
    """The scopes that a moment is in, by the mutexes that are free then."""
    scopes = STEP
    for mutex in snapshot.mutexes:
        if mutex.owner is None:
            scopes |= EST_FREE if mutex.name == "est_mutex" else SERVICE_FREE
    return scopes | SETTLED if settled else scopes


def quiet_jiffies(params: Params) -> int:
    """Jiffies without any operation after which a settled moment is quiet."""
    return QUIET_REVOLUTIONS * params.nticks * params.tick_jiffies


def is_chosen(properties: frozenset[str] | None, property_id: str) -> bool:
    """Whether a choice of properties, None = all, has this one."""
    return properties is None or property_id in properties


def broken_states(
    params: Params,
    snapshot: Snapshot,
    scopes: int,
    properties: frozenset[str] | None,
    checks: Counter[str],
) -> Iterator[StateProperty]:
    """The chosen properties of states in these scopes that do not hold; counts evaluations."""
    state = snapshot_state(_ALGEBRA, params, snapshot)
    for prop in state_properties(properties, scopes):
        checks[prop.id] += 1
        if not prop.predicate(state):
            yield prop


@lru_cache(maxsize=1024)
def state_properties(properties: frozenset[str] | None, scopes: int) -> tuple[StateProperty, ...]:
    """The chosen properties of states that have to hold in these scopes."""
    return tuple(
        prop
        for prop in STATE_PROPERTIES
        if scopes & _BITS[prop.scope] and is_chosen(properties, prop.id)
    )


@lru_cache(maxsize=256)
def record_properties(properties: frozenset[str] | None) -> tuple[RecordProperty, ...]:
    """The chosen properties of what happened."""
    return tuple(prop for prop in RECORD_PROPERTIES if is_chosen(properties, prop.id))


def broken_cases(
    judged: RecordProperty,
    params: Params,
    events: Sequence[Event],
    checks: Counter[str],
    known: int = 0,
) -> Iterator[Case]:
    """The cases of the record, after the first `known` ones, for which the property does not hold;
    counts evaluations."""
    # Most cases repeat, those of idle counters above all.
    held: set[Case] = set()
    for number, case in enumerate(judged.cases(params, events)):
        if number < known:
            continue
        checks[judged.id] += 1
        if case in held:
            continue
        if judged.predicate(_ALGEBRA, case):
            held.add(case)
        else:
            yield case
