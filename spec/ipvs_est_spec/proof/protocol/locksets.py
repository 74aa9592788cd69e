"""Which mutexes an actor holds where it stands, read off its program."""

from collections.abc import Mapping

from ipvs_est_spec.proof.protocol.programs.step import ProtocolStep
from ipvs_est_spec.proof.protocol.system import ProtocolSystem


def held(system: ProtocolSystem, actor: str) -> Mapping[str, frozenset[str]]:
    """Place -> mutexes held there.

    Raises ValueError if two ways to a place differ, or if a mutex is released that is not held
    or taken twice.
    """
    steps = [step for step in system.steps if step.actor == actor]
    found: dict[str, frozenset[str]] = {system.variables[actor][0]: frozenset()}
    for protocol_step in system.steps:
        for variable, value in protocol_step.updates:
            if variable == actor and isinstance(value, str):
                found[value] = frozenset()  # another actor puts it there: a task begins or goes
    todo = list(found)
    while todo:
        place = todo.pop()
        for step in (step for step in steps if step.source == place):
            then = _after(step, found[place])
            if step.target not in found:
                found[step.target] = then
                todo.append(step.target)
            elif found[step.target] != then:
                raise ValueError(f"{actor} holds now this, now that at {step.target!r}")
    return found


def _after(step: ProtocolStep, before: frozenset[str]) -> frozenset[str]:
    if step.acquires in before or (step.releases and step.releases not in before):
        raise ValueError(f"{step.actor} at {step.source!r}: {step.acquires or step.releases}")
    return (before | {step.acquires} if step.acquires else before) - {step.releases}


def places_holding(system: ProtocolSystem, actor: str, mutex: str) -> tuple[str, ...]:
    """Where the actor holds the mutex."""
    return tuple(place for place, mutexes in held(system, actor).items() if mutex in mutexes)
