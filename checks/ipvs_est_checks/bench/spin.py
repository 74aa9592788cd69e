"""The protocol's transition system in Spin, beside the search of this project.

Both walk the same states: all that can be reached, and until each deadlock of D03 shows. Spin is
a program of its own, with a C compiler; nothing else of the project needs it.
"""

import re
import resource
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from ipvs_est import REVISIONS
from ipvs_est_checks.bench.promela import promela
from ipvs_est_spec.proof.protocol import run
from ipvs_est_spec.proof.protocol.bad_runs import DEADLOCKS
from ipvs_est_spec.proof.protocol.expression import Condition
from ipvs_est_spec.proof.protocol.programs.parts import ACTORS
from ipvs_est_spec.proof.protocol.system import ProtocolSystem, system

REVISION = "stable"
"""Has the deadlocks D03a to D03f."""
NEEDED = ("spin", "cc")
_STORED = re.compile(rb"^\s*(\d+) states, stored", re.MULTILINE)
_ERRORS = re.compile(rb"errors: (\d+)")
_DEPTH = 1_000_000
"""Longest path that Spin's depth-first search may take."""


class SpinError(Exception):
    """Spin, or what it has written, has failed; the text is its first line."""


@dataclass(frozen=True, slots=True)
class SpinWalk:
    """Of the states that can be reached, as far as was asked."""

    found: bool
    """A state that was looked for."""
    states: int
    """Distinct ones."""
    seconds: float
    """CPU time; Spin's compilation is not in it."""


@dataclass(frozen=True, slots=True)
class SpinBench:
    """One question to both."""

    what: str
    """`all states`, or rows of the known defects."""
    sysctl: bool
    """From the initial state of a kernel with sysctls."""
    spin: SpinWalk
    search: SpinWalk
    """Of this project, breadth first."""


def missing() -> tuple[str, ...]:
    """Programs that are needed and not there."""
    return tuple(name for name in NEEDED if shutil.which(name) is None)


def questions() -> tuple[str, ...]:
    """What `bench_spin` asks, in order."""
    return tuple(what for what, _, _ in _asked(system(REVISIONS[REVISION])))


def bench_spin() -> Iterator[SpinBench]:
    """Each question; raises SpinError."""
    one = system(REVISIONS[REVISION])
    for what, number, bad in _asked(one):
        initial = one.initial[number]
        yield SpinBench(
            what, initial["sysctl"] == "1", spin_walk(one, initial, bad), search(one, initial, bad)
        )


def _asked(one: ProtocolSystem) -> Iterator[tuple[str, int, Condition | None]]:
    for number in range(len(one.initial)):
        yield "all states", number, None
    for deadlock in DEADLOCKS:
        wanted = deadlock.where.initially["sysctl"]
        number = next(n for n, state in enumerate(one.initial) if state["sysctl"] == wanted)
        yield ", ".join(deadlock.defects), number, deadlock.bad(one)


def spin_walk(
    one: ProtocolSystem, initial: Mapping[str, str], bad: Condition | None = None
) -> SpinWalk:
    """Spin's depth-first search, without its partial-order reduction: every variable is shared,
    so there is nothing to reduce. Raises SpinError."""
    with TemporaryDirectory() as directory:
        Path(directory, "model.pml").write_text(promela(one, initial, bad), encoding="utf-8")
        # Without -o2 it leaves out variables that nothing reads, and counts fewer states.
        _do(directory, "spin", "-o2", "-a", "model.pml")
        flags = ("-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-DCOLLAPSE", "-DMEMLIM=16000")
        _do(directory, "cc", *flags, "-o", "pan", "pan.c")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Without -E it would tell of states in which nobody can go on: those are deadlocks too,
        # but the question is another one.
        output = _do(directory, "./pan", "-E", f"-m{_DEPTH}", "-w26")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    stored, errors = _STORED.search(output), _ERRORS.search(output)
    if stored is None or errors is None or b"max search depth too small" in output:
        raise SpinError(f"pan: {_first_line(output)}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return SpinWalk(errors[1] != b"0", int(stored[1]), seconds)


def search(
    one: ProtocolSystem, initial: Mapping[str, str], bad: Condition | None = None
) -> SpinWalk:
    """All states that can be reached, or until one is bad, breadth first."""
    began = process_time()
    ready = run.runner(one)
    is_bad = (lambda _: False) if bad is None else run.compiled(ready.index, bad)
    codes = [
        {value: number for number, value in enumerate(values)} for values in one.variables.values()
    ]

    def packed(state: run.State) -> bytes:
        # A tenth of the memory of a tuple of texts.
        return bytes(code[value] for code, value in zip(codes, state, strict=True))

    level = [run.state_of(ready, initial)]
    seen = set(map(packed, level))
    found = is_bad(level[0])
    while level and not found:
        new: list[run.State] = []
        for state in level:
            for actor in ACTORS:
                for _, then in run.following(ready, state, actor):
                    key = packed(then)
                    if key in seen:
                        continue
                    seen.add(key)
                    new.append(then)
                    found = found or is_bad(then)
            if found:
                break
        level = new
    return SpinWalk(found, len(seen), process_time() - began)


def _do(directory: str, *command: str) -> bytes:
    done = subprocess.run(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        raise SpinError(f"{command[0]}: {_first_line(done.stdout)}")
    return done.stdout


def _first_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[0] if lines else "says nothing"
