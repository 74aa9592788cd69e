"""Running programs of the harness."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any

from ipvs_est_checks.terminal.bad_input import BadInputError

_SANITISER = {
    "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0:handle_segv=0:handle_sigfpe=0",
    "UBSAN_OPTIONS": "print_stacktrace=0",
}
"""The program itself tells what goes wrong, and where."""


class ProgramDiedError(BadInputError):
    """The program itself, not the kernel's code in it, came to an end, such as without memory."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that has been started and has said its first line."""

    process: subprocess.Popen[bytes]
    source: IO[bytes]
    """Where its answers are read."""
    sink: IO[bytes]
    """Where its lines are written."""


@contextmanager
def running(path: Path) -> Iterator[Program]:
    """Start a program, and end it with the block."""
    program = start(path)
    try:
        yield program
    finally:
        stop(program)


def start(path: Path) -> Program:
    """Start a program. Raises ProgramDiedError if it says nothing."""
    process = subprocess.Popen(
        [str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **_SANITISER},
    )
    if process.stdin is None or process.stdout is None:
        raise ProgramDiedError(f"{path}: no pipes")
    # The answers come through a buffer, the lines go at once.
    program = Program(process, process.stdout, process.stdin)
    if not program.source.readline():
        stop(program)
        raise ProgramDiedError(f"{path}: said nothing")
    return program


def ask(program: Program, line: bytes) -> bytes:
    """The answer to one line, which ends with a newline as it does itself."""
    # If it has ended, no answer comes.
    with suppress(BrokenPipeError):
        program.sink.write(line)
        program.sink.flush()
    answer = program.source.readline()
    if not answer:
        raise ProgramDiedError(f"the program ended with {program.process.wait()}")
    return answer


def asking(program: Program) -> Callable[[dict[str, object]], dict[str, Any]]:
    """What asks it a line that is data, for data; Any: parsed JSON of our own program."""

    def asked(line: dict[str, object]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(ask(program, json.dumps(line).encode() + b"\n"))
        return answer

    return asked


AskAll = Callable[[Sequence[dict[str, object]]], Iterator[dict[str, Any]]]
"""Gives a program lines at once, and gives back its answers as they come."""


def asking_all(program: Program) -> AskAll:
    """The same for many lines: the program works while the answers before are looked at."""

    def write(text: bytes) -> None:
        with suppress(BrokenPipeError):
            program.sink.write(text)
            program.sink.flush()

    def asked(lines: Sequence[dict[str, object]]) -> Iterator[dict[str, Any]]:
        text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        writer = Thread(target=write, args=(text,), daemon=True)
        writer.start()
        return _answers(program, len(lines), writer)

    return asked


def _answers(program: Program, count: int, writer: Thread) -> Iterator[dict[str, Any]]:
    for _ in range(count):
        answer = program.source.readline()
        if not answer:
            raise ProgramDiedError(f"the program ended with {program.process.wait()}")
        yield json.loads(answer)
    writer.join()


def stop(program: Program) -> None:
    """End it; what it still answers is lost."""
    program.process.kill()
    program.process.wait()
    with suppress(BrokenPipeError):
        program.sink.close()
    program.source.close()


def answers(path: Path, lines: bytes) -> list[bytes]:
    """The answers to all of these lines, without the handshake.

    Raises ProgramDiedError if the program ends before it has answered all.
    """
    ran = subprocess.run(
        [str(path)],
        input=lines,
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, **_SANITISER},
    )
    found = ran.stdout.splitlines()[1:]
    if len(found) != lines.count(b"\n"):
        raise ProgramDiedError(f"the program ended with {ran.returncode} after {len(found)} lines")
    return found
