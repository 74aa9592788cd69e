"""What was compiled before, and whether all that went into it is still the same."""

import json
import os
import shutil
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path


def cache_root() -> Path:
    """Where programs are kept: below XDG_CACHE_HOME, else below the home directory."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ipvs-est" / "harness"


KEPT_SECONDS = 30 * 24 * 3600.0
"""What nobody has used for so long is removed."""
_USED = "used"
"""A file in each folder, as old as its last use."""


def mark_used(folder: Path) -> None:
    """Say that the folder of the cache is in use now."""
    (folder / _USED).touch()


def prune(root: Path, now: float) -> int:
    """Remove the folders that were not used for `KEPT_SECONDS`; how many.

    One without a mark, such as one that is being filled, gets a mark instead.
    """
    removed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        if not folder.is_dir():
            continue
        try:
            used = (folder / _USED).stat().st_mtime
        except FileNotFoundError:
            mark_used(folder)
            continue
        if now - used > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def digest(parts: Iterable[str | bytes]) -> str:
    """A name for these parts in this order."""
    state = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


def file_digest(path: str | Path) -> str | None:
    """Of a file's content; None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return blake2b(file.read(), digest_size=16).hexdigest()
    except OSError:
        return None


def read_dependencies(text: str) -> list[str]:
    """Files that a compiler's rule for make (-MD) names, its target left out."""
    _, _, files = text.replace("\\\n", " ").partition(":")
    # A blank in a name is written with a backslash before it.
    return [word.replace("\0", " ") for word in files.replace("\\ ", "\0").split()]


def write_record(path: Path, recipe: str, files: Iterable[str]) -> None:
    """Record how something was made, and what each file that went into it holds now."""
    record = {"recipe": recipe, "files": {file: file_digest(file) for file in sorted(set(files))}}
    write_at_once(path, json.dumps(record).encode())


def is_current(path: Path, recipe: str) -> bool:
    """Whether it is recorded, would be made in the same way, and of the same files."""
    try:
        record = json.loads(path.read_bytes())
        known = record["files"].items()
        same_recipe = record["recipe"] == recipe
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    return same_recipe and all(file_digest(name) == digest for name, digest in known)


def recorded_files(path: Path) -> list[str]:
    """The files of a record."""
    return list(json.loads(path.read_bytes())["files"])


def write_at_once(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.write_bytes(data)
    scratch.replace(path)
