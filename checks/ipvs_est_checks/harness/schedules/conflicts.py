"""Accesses to one field by two tasks without a common lock, one of them plain, and where.

Seen in the build with points, in the schedules of a search: what no schedule came to is not told.
"""

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.compiler import find_compiler, tool
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import ask, asking, running
from ipvs_est_checks.subjects.schedules import prepare, search

_IN_TREE = "/net/netfilter/ipvs/"
_NOWHERE = ""
_LINE = re.compile(r":\d+(?=\)$)")


@dataclass(frozen=True, slots=True)
class CodeAccess:
    """One access, at one place, by one task under one set of locks."""

    place: int
    """Address of the code."""
    object: int
    """Address of what holds the field."""
    field: str
    write: bool
    once: bool
    """By READ_ONCE, WRITE_ONCE or an atomic: not plain."""
    task: str
    locks: int
    """A bit for each lock that was held."""


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """Two places whose accesses no common lock orders."""

    field: str
    places: tuple[str, str]
    """Such as `read in ip_vs_est_calc_phase (net/netfilter/ipvs/ip_vs_est.c:838)`, sorted."""


def conflicts_of(tree: Tree, scenarios: Iterable[Scenario], most: int) -> list[Conflict]:
    """Those that at most so many schedules of each scenario come to, one preemption each."""
    found: set[Conflict] = set()
    for scenario in scenarios:
        program = build(tree, options_for(scenario.params, Variant.POINTS))
        with running(program) as started:
            prepare(asking(started), scenario)
            search(
                asking(started), scenario, preemptions=1, fields=True, most=most, keep_going=True
            )
            answer = json.loads(ask(started, b'{"accesses":true}\n'))["accesses"]
        accesses = [CodeAccess(*entry) for entry in answer]
        pairs = conflicting(accesses)
        places = source_places(
            program, {code_access.place for pair in pairs for code_access in pair}
        )
        for pair in pairs:
            if _NOWHERE in (places[pair[0].place], places[pair[1].place]):
                # The harness itself stands for a part of netns exit.
                continue
            first, second = sorted(
                _text(code_access, places[code_access.place]) for code_access in pair
            )
            found.add(Conflict(pair[0].field, (first, second)))
    return sorted(found)


def new_conflicts(conflicts: Iterable[Conflict], before: Iterable[Conflict]) -> list[Conflict]:
    """Those that were not there before; a patch moves lines, so these do not count."""
    known = {_without_lines(conflict) for conflict in before}
    return [conflict for conflict in conflicts if _without_lines(conflict) not in known]


def _without_lines(conflict: Conflict) -> tuple[str, ...]:
    return (conflict.field, *sorted(_LINE.sub("", place) for place in conflict.places))


def conflicting(accesses: Iterable[CodeAccess]) -> list[tuple[CodeAccess, CodeAccess]]:
    """Pairs of different tasks at one field, one a write, one plain, without a common lock."""
    return [
        (one, other)
        for one, other in combinations(accesses, 2)
        if (one.object, one.field) == (other.object, other.field)
        and one.task != other.task
        and (one.write or other.write)
        and not (one.once and other.once)
        and not one.locks & other.locks
    ]


def _text(access: CodeAccess, place: str) -> str:
    once = " once" if access.once else ""
    return f"{'write' if access.write else 'read'}{once} in {place}"


def source_places(program: Path, addresses: set[int]) -> dict[int, str]:
    """The innermost of the tree's functions at each, with file and line."""
    wanted = sorted(addresses)
    if not wanted:
        return {}
    command = [tool(find_compiler(), "addr2line"), "-a", "-i", "-f", "-e", str(program)]
    command += [hex(number - 1) for number in wanted]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    found = dict.fromkeys(wanted, _NOWHERE)
    current = 0
    lines = iter(ran.stdout.splitlines())
    for line in lines:
        if line.startswith("0x"):
            current = int(line, 16) + 1
            continue
        _, inside, rest = next(lines, "").partition(_IN_TREE)
        if inside and found.get(current) == _NOWHERE:
            found[current] = f"{line} ({inside[1:]}{rest.partition(' ')[0]})"
    return found
