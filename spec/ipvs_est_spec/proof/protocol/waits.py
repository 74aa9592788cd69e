"""Who waits for whom, and the deadlocks: circles of waiting (semantics section 15)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations

from ipvs_est_spec.proof.protocol.expression import FALSE, Condition, Is, both, either
from ipvs_est_spec.proof.protocol.programs.parts import ACTORS
from ipvs_est_spec.proof.protocol.programs.step import at
from ipvs_est_spec.proof.protocol.system import ProtocolSystem

Edges = Mapping[tuple[str, str], Condition]
"""(waiter, other) -> the condition that the first cannot go on without the second."""


def edges(system: ProtocolSystem) -> Edges:
    """Where a waiter waits for a mutex that the other owns, or for its exit; pairs for which
    that can be alone."""
    found: dict[tuple[str, str], dict[Condition, None]] = {}
    for step in system.steps:
        for other in ACTORS:
            if step.acquires and other in system.variables[step.acquires]:
                waits = both(at(step.actor, step.source), Is(step.acquires, (other,)))
            elif step.joins == other:
                waits = at(step.actor, step.source)
            else:
                continue
            found.setdefault((step.actor, other), {})[waits] = None
    return {pair: either(*conditions) for pair, conditions in found.items()}


def circle(waits: Edges, actors: Sequence[str]) -> Condition:
    """Each of the actors waits for the next, the last for the first."""
    pairs = zip(actors, (*actors[1:], actors[0]), strict=True)
    return both(*(waits.get(pair, FALSE) for pair in pairs))


def circles(waits: Edges) -> Iterator[tuple[str, ...]]:
    """All sequences of actors that could be a circle, each once."""
    for count in range(1, len(ACTORS) + 1):
        for chosen in combinations(ACTORS, count):
            for rest in permutations(chosen[1:]):
                actors = (chosen[0], *rest)
                pairs = zip(actors, (*actors[1:], actors[0]), strict=True)
                if all(pair in waits for pair in pairs):
                    yield actors


def deadlock(system: ProtocolSystem) -> Condition:
    """Some actors wait for each other in a circle."""
    waits = edges(system)
    return either(*(circle(waits, group) for group in circles(waits)))
