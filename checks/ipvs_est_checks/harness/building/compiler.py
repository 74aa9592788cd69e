"""The system's C compiler and the tools that come with it."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipvs_est_checks.terminal.bad_input import BadInputError


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler that can be called."""

    command: str
    identity: str
    """What `--version` says; another compiler builds another program."""


class CompileError(Exception):
    """A file does not compile; `.first` is the compiler's first error, with its place."""

    def __init__(self, first: str) -> None:
        super().__init__(first)
        self.first = first


def find_compiler() -> Compiler:
    """The compiler that CC names, else `cc`. Raises BadInputError if there is none."""
    command = os.environ.get("CC") or "cc"
    found = shutil.which(command)
    if found is None:
        raise BadInputError(f"no C compiler: {command} is not installed (CC can name another)")
    ran = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise BadInputError(f"no C compiler: {command} --version fails")
    return Compiler(found, ran.stdout.partition("\n")[0])


def check_word_bits(compiler: Compiler, word_bits: int, folder: Path) -> None:
    """Raises BadInputError if programs of that word size cannot be made here."""
    source = folder / "word.c"
    source.write_text('#include <stdio.h>\nint main(void) { return puts("") < 0; }\n')
    try:
        run(compiler, [f"-m{word_bits}", "-o", str(folder / "word"), str(source)])
    except CompileError as error:
        raise BadInputError(
            f"{word_bits} bits: {compiler.command} -m{word_bits} makes no programs here:"
            f" {error.first}"
        ) from None


def run(compiler: Compiler, arguments: Sequence[str]) -> None:
    """Call the compiler. Raises CompileError."""
    # Messages in one language: the first error is looked for in them.
    environment = {**os.environ, "LC_ALL": "C"}
    ran = subprocess.run(
        [compiler.command, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=environment,
    )
    if ran.returncode:
        raise CompileError(first_error(ran.stderr))


def first_error(messages: str) -> str:
    """The line that says what is wrong, of all that the compiler wrote."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    for line in lines:
        if re.search(
            r"\b(fatal )?error: (?!ld returned)|undefined (reference|symbol)|multiple definition",
            line,
        ):
            return line
    return lines[0] if lines else "no message"


def tool(compiler: Compiler, name: str) -> str:
    """Path of a tool that the compiler itself uses, such as objcopy. Raises BadInputError."""
    ran = subprocess.run(
        [compiler.command, f"-print-prog-name={name}"], capture_output=True, text=True, check=False
    )
    found = shutil.which(ran.stdout.strip() or name)
    if found is None:
        raise BadInputError(f"no {name}: it comes with the C compiler's assembler (binutils)")
    return found
