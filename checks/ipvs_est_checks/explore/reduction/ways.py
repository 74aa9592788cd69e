"""Ways between states that a search has not gone, as it knew where they lead.

The graph of states is searched for loops (`engine/loops.py`), so nothing may be missing in it. A
choice t that sleeps in a state s was taken in the state p from which a step u has led to s first,
or slept there as well; the two are independent. So s, t leads where p, t, u leads.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ipvs_est_checks.explore.engine.loops import StateGraph

_Way = tuple[tuple[int, ...], bytes] | None
"""Choices, and the state with a choice to which they lead; None = they lead to the end."""
_RCU = -2


def number_of(choice: int) -> int:
    """From 0."""
    return choice - _RCU


@dataclass(slots=True)
class KnownWays:
    """What tells where the ways lead that were not gone."""

    witness: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    """By state where a choice sleeps: the state before it, and the choice that first led here."""
    turned: dict[tuple[bytes, int], int] = field(default_factory=dict)
    """By state and choice: it leads to where only this one can go on, which sleeps."""
    ended: set[tuple[bytes, int]] = field(default_factory=set)
    """States and choices behind which there is no other choice."""

    def add_turned(self, state: bytes, choice: int, asleep: int) -> None:
        """See `turned`."""
        self.turned[state, choice] = asleep


def complete(
    graph: StateGraph, asleep: dict[bytes, int], known: KnownWays
) -> list[tuple[bytes, int]]:
    """Add the ways that were not gone; answers the states and choices of which it is not known
    where they lead. Those are ways that each tell only of another one of them, around a loop."""
    todo = [
        (state, choice)
        for state, choice in _missing(asleep, known)
        if _way(graph, known, state, choice) is _UNKNOWN
    ]
    while todo:
        left = []
        for state, choice in todo:
            found = _derived(graph, known, state, choice)
            if found is _UNKNOWN:
                left.append((state, choice))
            elif found is None:
                known.ended.add((state, choice))
            else:
                graph.states[state].out[choice] = found
        if len(left) == len(todo):
            break
        todo = left
    return todo


_UNKNOWN: _Way = ((), b"")


def _missing(asleep: dict[bytes, int], known: KnownWays) -> Iterator[tuple[bytes, int]]:
    yield from known.turned
    for state, bits in asleep.items():
        number = 0
        while bits >> number:
            if bits >> number & 1:
                yield state, number + _RCU
            number += 1


def _way(graph: StateGraph, known: KnownWays, state: bytes, choice: int) -> _Way:
    found = graph.states[state].out.get(choice)
    if found is not None:
        return found
    return None if (state, choice) in known.ended else _UNKNOWN


def _derived(graph: StateGraph, known: KnownWays, state: bytes, choice: int) -> _Way:
    other = known.turned.get((state, choice))
    if other is not None:
        # Behind the choice only the other one can go on, which was taken in this state before.
        way = _after(graph, known, state, other, choice)
        return way if way is None or way is _UNKNOWN else ((choice, other, *way[0]), way[1])
    before, led = known.witness[state]
    way = _after(graph, known, before, choice, led)
    return way if way is None or way is _UNKNOWN else ((choice, *way[0]), way[1])


def _after(graph: StateGraph, known: KnownWays, state: bytes, first: int, second: int) -> _Way:
    """The way on from where the two choices lead, one after the other."""
    way = _way(graph, known, state, first)
    if way is None or way is _UNKNOWN:
        return way
    labels, to = way
    if len(labels) > 1:
        # Only the second one could go on there.
        return labels[2:], to
    way = _way(graph, known, to, second)
    return way if way is None or way is _UNKNOWN else (way[0][1:], way[1])
