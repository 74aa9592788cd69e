"""Watching a world: every property of the catalogue at every point in its scope.

Properties of states. They are evaluated after each step, and within a step at the moment at
which a mutex is released, in the scopes that the moment is in: a mutex is free; settled (all
control processes have returned and nothing can go on before time passes); quiet (settled for two
revolutions in which time passed only when nothing else could happen). They see the abstract
state alone, so each distinct `projection` is evaluated once in each scope and its verdict kept.
What a schedule repeats of another one that did not fail there is not looked at again.

Properties of what happened read the record of events, which begins before the setup; what the
setup breaks is not counted. They are evaluated at the end of each schedule. With state matching
a schedule ends where a state was seen before, so not every history that leads on from there is
judged. What depends on the state and one step alone (who changes a field under which mutexes,
lock order, who starts a task or publishes a context when) is judged all the same, since each
step from each state is taken by some schedule. A property of a longer history (the groups
`delay` and `rates`, `readers.group`) is judged on the histories that were run: it may be missed
where only another history to the same state breaks it. `quiet_since`, on which a scope depends,
is in the fingerprint, and so is whether a request came since the calc phase began, on which
`progress.not-lost` depends.

Properties about delay hold if tasks get the processor in time. They are judged only on
histories in which time never passed while a task could run.
"""

from collections import Counter
from dataclasses import dataclass, field

from ipvs_est.answers.snapshot import take_snapshot
from ipvs_est.language.events import Event
from ipvs_est.language.params import Params
from ipvs_est.language.violations import BrokenProperty
from ipvs_est.state.machine import Machine
from ipvs_est_checks.broken_properties import (
    EST_FREE,
    SERVICE_FREE,
    STEP,
    broken_cases,
    broken_states,
    record_properties,
)
from ipvs_est_checks.explore.engine.states.projection import Projection, projection
from ipvs_est_spec.catalogue import RECORD_PROPERTIES, STATE_PROPERTIES

WATCHED = frozenset(
    [prop.id for prop in STATE_PROPERTIES] + [prop.id for prop in RECORD_PROPERTIES]
)
"""Ids of all properties that are watched; violations raise themselves."""
LEAK = "memory.leak"
"""Id; the one violation that is looked for at the end of a schedule alone."""
NEEDS_PROMPT_TASKS = frozenset({"delay"})
"""Groups; see above."""


@dataclass(slots=True)
class Watch:
    """What is watched, and what is known from the schedules so far."""

    properties: frozenset[str] = WATCHED
    """Ids; the others may break unnoticed."""
    checks: Counter[str] = field(default_factory=Counter)
    """Evaluations of each property."""
    verdicts: dict[tuple[int, Projection], str] = field(default_factory=dict)
    """Id of the first property that is broken, '' = none; by scopes and state."""
    in_setup: dict[str, int] = field(default_factory=dict)
    """How many cases the setup has, by property of what happened."""


def broken_state(watch: Watch, machine: Machine, scopes: int) -> BrokenProperty | None:
    """The first property of states that does not hold now, of those in these scopes."""
    scopes |= STEP
    if machine.service_mutex.owner is None:
        scopes |= SERVICE_FREE
    if machine.netns.est_mutex.owner is None:
        scopes |= EST_FREE
    key = scopes, projection(machine)
    verdict = watch.verdicts.get(key)
    if verdict is None:
        snapshot = take_snapshot(machine)
        broken = broken_states(machine.params, snapshot, scopes, watch.properties, watch.checks)
        verdict = watch.verdicts[key] = next((state_property.id for state_property in broken), "")
    return BrokenProperty(verdict, "") if verdict else None


def all_broken(machine: Machine, scopes: int) -> tuple[str, ...]:
    """Ids of all properties of states in these scopes that do not hold now."""
    snapshot = take_snapshot(machine)
    broken = broken_states(machine.params, snapshot, scopes, None, Counter())
    return tuple(state_property.id for state_property in broken)


def watches_record(watch: Watch) -> bool:
    """Whether a record of events is needed."""
    return bool(record_properties(watch.properties))


def broken_record(
    watch: Watch, params: Params, events: list[Event], setup: int, *, prompt: bool
) -> BrokenProperty | None:
    """The first property of what happened that does not hold of the record, of whose entries
    the first `setup` are from the setup."""
    for prop in record_properties(watch.properties):
        if prop.group in NEEDS_PROMPT_TASKS and not prompt:
            continue
        known = watch.in_setup.get(prop.id)
        if known is None:
            known = sum(1 for _ in prop.cases(params, events[:setup]))
            watch.in_setup[prop.id] = known
        for case in broken_cases(prop, params, events, watch.checks, known):
            return BrokenProperty(prop.id, ", ".join(map(str, case)))
    return None
