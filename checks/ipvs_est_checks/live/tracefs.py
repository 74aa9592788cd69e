"""Probes in a tracefs instance of their own, which go away however their owner ends."""

import errno
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ipvs_est_checks.live.memory.protocol import MODULE
from ipvs_est_checks.live.memory.unreadable import UnreadableError

_TRACEFS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
_EVENTS = "kprobe_events"
_OURS = re.compile(r"ipvs_est(?:_guard|_record)?_([0-9]+)")
"""Names of instances and groups: what they are for, and the process that made them."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


_GUARDS = (
    "ip_vs_start_estimator",
    "ip_vs_stop_estimator",
    "ip_vs_est_reload_start",
    "ip_vs_est_kthread_start",
    "est_reload_work_handler",
)
"""Functions that are called whenever an estimator comes or goes, or limits may change."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A tracefs instance, and the group of events that are ours."""

    tracefs: Path
    path: Path
    group: str
    probes: tuple[str, ...]
    """Names of the events."""


@contextmanager
def probing(
    definitions: Sequence[str], group: str, root: Path | None = None, kilobytes: int = 8
) -> Iterator[Instance]:
    """Define kprobe events, `p:NAME WHERE ARGUMENTS` each, and enable them in an instance.

    A child process takes them away when this one ends, even if it is killed; where that was killed
    too, the next one who probes does. Raises UnreadableError.
    """
    tracefs = _find_tracefs(root)
    take_away_leftovers(tracefs)
    own = f"{group}_{os.getpid()}"
    instance = tracefs / "instances" / own
    lines: dict[str, str] = {}
    for definition in definitions:
        (kind, name), rest = definition.split(" ", 1)[0].split(":"), definition.split(" ", 1)[1]
        # Counts of events are told without their group: the name alone has to be ours.
        lines[f"{name}_{os.getpid()}"] = f"{kind}:{own}/{name}_{os.getpid()} {rest}\n"
    done = Instance(tracefs, instance, own, tuple(lines))
    with _taken_away(done):
        try:
            instance.mkdir()
            (instance / "buffer_size_kb").write_text(f"{kilobytes}\n")
            for line in lines.values():
                _append(tracefs / _EVENTS, line)
            (instance / "events" / own / "enable").write_text("1\n")
        except OSError as error:
            raise UnreadableError(f"probes: {_why(error)}") from None
        yield done


def hits(instance: Instance) -> tuple[int, ...]:
    """How often each event has happened, in the order of their names. Raises UnreadableError."""
    try:
        lines = (instance.tracefs / "kprobe_profile").read_text().splitlines()
    except OSError as error:
        raise UnreadableError(f"probes: {_why(error)}") from None
    found: dict[str, int] = {}
    for line in lines:
        words = line.split()
        if len(words) == 3 and words[1].isdigit():
            found[words[0]] = int(words[1])
    try:
        return tuple(found[probe] for probe in instance.probes)
    except KeyError as missing:
        # Without this a reading would be guarded by nothing.
        raise UnreadableError(f"probes: somebody took {missing.args[0]} away") from None


def guard_definitions() -> list[str]:
    """Probes that count whatever is configured."""
    return [f"p:{guard} {MODULE}:{guard}" for guard in _GUARDS]


def comings_and_goings() -> list[str]:
    """Probes that count estimators being started and stopped."""
    return guard_definitions()[:2]


def take_away_leftovers(tracefs: Path) -> None:
    """Instances and probes of processes that are gone: killed together with the child that was to
    clean up."""
    probes: dict[str, list[str]] = {}
    with suppress(OSError):
        for line in (tracefs / _EVENTS).read_text().splitlines():
            group, _, name = line.split(" ", 1)[0].partition(":")[2].partition("/")
            probes.setdefault(group, []).append(name)
    groups = set(probes)
    with suppress(OSError):
        groups |= {path.name for path in (tracefs / "instances").iterdir()}
    for group in sorted(groups):
        ours = _OURS.fullmatch(group)
        if ours is not None and not _runs(int(ours.group(1))):
            names = tuple(probes.get(group, ()))
            _clean(Instance(tracefs, tracefs / "instances" / group, group, names))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def overruns(instance: Instance) -> int:
    """Events that were lost since the buffer was full. Raises UnreadableError."""
    lost = 0
    try:
        for path in (instance.path / "per_cpu").glob("cpu*/stats"):
            for line in path.read_text().splitlines():
                name, _, value = line.partition(":")
                if name in ("overrun", "commit overrun", "dropped events"):
                    lost += int(value)
    except (OSError, ValueError) as error:
        raise UnreadableError(f"probes: the buffer's statistics: {error}") from None
    return lost


def _find_tracefs(root: Path | None) -> Path:
    for tracef in (root,) if root is not None else _TRACEFS:
        if (tracef / _EVENTS).exists():
            return tracef
    try:
        (_TRACEFS[0] / _EVENTS).stat()
    except PermissionError:
        raise UnreadableError("tracefs: needs root") from None
    except OSError:
        pass
    raise UnreadableError(
        "no tracefs with kprobe_events: mount it, or read with --no-probes, which is less sure"
    )


def _why(error: OSError) -> str:
    if error.errno in (errno.EPERM, errno.EACCES):
        return "not allowed: needs root, and no lockdown (--no-probes does without, less sure)"
    return f"{error.filename or ''}: {error.strerror}".removeprefix(": ")


def _append(path: Path, text: str) -> None:
    """As the shell's >>: these files refuse to be positioned, which Python's own way does."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


@contextmanager
def _taken_away(instance: Instance) -> Iterator[None]:
    """A child waits until this process closes a pipe or is gone, and then cleans up."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _wait_and_clean(instance, reading, writing)
    os.close(reading)
    try:
        yield
    finally:
        os.close(writing)
        os.waitpid(child, 0)


def _wait_and_clean(instance: Instance, reading: int, writing: int) -> None:
    """The child's whole life."""
    try:
        os.setsid()
        for signals in _ENDING:
            signal.signal(signals, signal.SIG_IGN)
        os.close(writing)
        os.read(reading, 1)
        _clean(instance)
    finally:
        os._exit(0)


def _clean(instance: Instance) -> None:
    """Each step for itself: one may be missing, if its making was interrupted."""

    steps: list[Callable[[], object]] = [
        lambda: (instance.path / "events" / instance.group / "enable").write_text("0\n")
    ]
    for name in instance.probes:
        steps.append(partial(_append, instance.tracefs / _EVENTS, f"-:{instance.group}/{name}\n"))
    for step in (*steps, instance.path.rmdir):
        with suppress(OSError):
            step()
