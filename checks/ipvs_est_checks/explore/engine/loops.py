"""Livelocks: loops in the graph of states that a fair schedule can stay in for ever.

Time, allocations and whatever else only grows are part of the state, so in a loop of states none
of them passes: tasks run and nothing comes of it. A loop counts only if it is fair: each task
goes on somewhere in it, or cannot go on somewhere in it. Where one that could go on all the time
is never chosen, the schedule is to blame.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ipvs_est_checks.explore.engine.path import Path, unrolled

_Labels = tuple[int, ...]
"""Choices on the way from one state to the next, those included that were the only ones."""


@dataclass(slots=True)
class StateNode:
    enabled: Sequence[int]
    reached: Path
    """A schedule that leads there."""
    out: dict[int, tuple[_Labels, bytes]] = field(default_factory=dict)
    """By choice: the way to the next state with a choice."""


@dataclass(slots=True)
class StateGraph:
    """States with a choice, by fingerprint, and how they lead to each other."""

    states: dict[bytes, StateNode] = field(default_factory=dict)


def add_state(graph: StateGraph, state: bytes, enabled: Sequence[int], reached: Path) -> None:
    """A state was reached; nothing new if it was before."""
    if state not in graph.states:
        graph.states[state] = StateNode(enabled, reached)


def add_way(graph: StateGraph, state: bytes, labels: Sequence[int], to: bytes) -> None:
    """These choices, made one after the other in a state that was added, lead to another."""
    graph.states[state].out[labels[0]] = tuple(labels), to


@dataclass(frozen=True, slots=True)
class Loop:
    """A fair loop."""

    reached: tuple[int, ...]
    """A schedule that leads to its first state."""
    around: tuple[int, ...]
    """Once around it."""


def fair_loop(graph: StateGraph) -> Loop | None:
    """One of the fair loops, the same for the same graph; None if there is none."""
    for component in _components(graph):
        loop = _fair(graph, component)
        if loop is not None:
            return loop
    return None


def _components(graph: StateGraph) -> Iterator[list[bytes]]:
    """Strongly connected components that contain a loop (Tarjan's algorithm)."""
    numbers: dict[bytes, int] = {}
    lows: dict[bytes, int] = {}
    stack: list[bytes] = []
    on_stack: set[bytes] = set()
    for root in graph.states:
        if root in numbers:
            continue
        numbers[root] = lows[root] = len(numbers)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(_successors(graph, root)))]
        while work:
            state, successors = work[-1]
            for successor in successors:
                if successor not in numbers:
                    numbers[successor] = lows[successor] = len(numbers)
                    stack.append(successor)
                    on_stack.add(successor)
                    work.append((successor, iter(_successors(graph, successor))))
                    break
                if successor in on_stack:
                    lows[state] = min(lows[state], numbers[successor])
            else:
                work.pop()
                if work:
                    before = work[-1][0]
                    lows[before] = min(lows[before], lows[state])
                if lows[state] == numbers[state]:
                    component = _pop(stack, on_stack, state)
                    if len(component) > 1 or state in _successors(graph, state):
                        yield component


def _pop(stack: list[bytes], on_stack: set[bytes], root: bytes) -> list[bytes]:
    component: list[bytes] = []
    while True:
        component.append(stack.pop())
        on_stack.discard(component[-1])
        if component[-1] == root:
            component.reverse()
            return component


def _successors(graph: StateGraph, state: bytes) -> list[bytes]:
    return [to for _, to in graph.states[state].out.values() if to in graph.states]


def _fair(graph: StateGraph, component: list[bytes]) -> Loop | None:
    """A closed walk through the component on which every task takes a step or passes a state
    in which it is blocked; None if some task does neither anywhere in the component."""
    members = set(component)
    everyone = {number for state in component for number in graph.states[state].enabled}
    done: dict[int, tuple[bytes, int | None]] = {}
    """By choice: a state, and the way on from it, where the choice is taken or cannot go on."""
    for state in component:
        node = graph.states[state]
        for first, (labels, to) in node.out.items():
            if to not in members:
                continue
            for choice in labels:
                done.setdefault(choice, (state, first))
            if len(labels) > 1:
                # After the first choice only one task could go on: there all others are blocked.
                for choice in sorted(everyone - {labels[1]}):
                    done.setdefault(choice, (state, first))
        for choice in sorted(everyone.difference(node.enabled)):
            done.setdefault(choice, (state, None))
    if not everyone <= done.keys():
        return None
    start = here = component[0]
    around: list[int] = []
    for choice in sorted(everyone):
        state, way = done[choice]
        here = _walk(graph, members, here, state, around)
        if way is not None:
            labels, here = graph.states[state].out[way]
            around.extend(labels)
    _walk(graph, members, here, start, around)
    return Loop(tuple(unrolled(graph.states[start].reached)), tuple(around))


def _walk(
    graph: StateGraph, members: set[bytes], start: bytes, end: bytes, around: list[int]
) -> bytes:
    """Go from one state of the component to another on a shortest way."""
    came: dict[bytes, tuple[bytes, _Labels]] = {}
    queue = deque([start])
    while end not in came and start != end:
        state = queue.popleft()
        for labels, to in graph.states[state].out.values():
            if to in members and to not in came and to != start:
                came[to] = (state, labels)
                queue.append(to)
    way: list[_Labels] = []
    state = end
    while state != start:
        state, labels = came[state]
        way.append(labels)
    for labels in reversed(way):
        around.extend(labels)
    return end


def is_fair(enabled: Sequence[Sequence[int]], choices: Sequence[int]) -> bool:
    """Whether a loop is fair: `choices` are those made on the way around it, `enabled` the tasks
    that could go on where each was made."""
    everyone = {number for choice in enabled for number in choice}
    always = everyone.intersection(*enabled)
    return always <= set(choices)
