"""Which trace files a command line names."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ipvs_est.answers.trace import TraceError
from ipvs_est.language.input_error import InputError
from ipvs_est_checks.conformance.outcome import STDIN, Piped, Unusable

SUFFIX = ".jsonl"


def trace_files(paths: Iterable[Path]) -> list[Path | Piped | Unusable]:
    """The named files, in order; a directory stands for its `*.jsonl` files, sorted by name,
    and - for standard input, which is read now.

    A directory that cannot be listed or that holds none is unusable.
    """
    found: list[Path | Piped | Unusable] = []
    for path in paths:
        if str(path) == STDIN:
            found.append(_standard_input())
        elif path.is_dir():
            found += _in_directory(path)
        else:
            found.append(path)
    return found


def _in_directory(directory: Path) -> list[Path] | list[Unusable]:
    try:
        # Not Path.glob, to which a directory that it may not read is an empty one.
        names = sorted(name for name in os.listdir(directory) if name.endswith(SUFFIX))
    except OSError as error:
        return [_unusable(directory, f"cannot be listed: {error.strerror}")]
    if not names:
        return [_unusable(directory, f"holds no *{SUFFIX} file")]
    return [directory / name for name in names]


def _standard_input() -> Piped | Unusable:
    if sys.stdin is None:
        return _unusable(Path(STDIN), "standard input is closed")
    try:
        return Piped(sys.stdin.buffer.read())
    except OSError as error:
        return _unusable(Path(STDIN), f"cannot be read: {error.strerror}")


def _unusable(path: Path, message: str) -> Unusable:
    return Unusable(TraceError(str(path), 0, InputError("", message)))
