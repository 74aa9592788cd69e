"""Recording a running kernel: probes, a snapshot before and one after."""

import time
from collections.abc import Callable

from ipvs_est_checks.live.memory.live import open_live
from ipvs_est_checks.live.memory.unreadable import TornError, UnmappedError, UnreadableError
from ipvs_est_checks.live.reading.netns import Namespace, NetnsReading, Reader
from ipvs_est_checks.live.recording.events import members_of, tell
from ipvs_est_checks.live.recording.live_log import LiveLog, live_log_text
from ipvs_est_checks.live.recording.probes import definitions, place_of
from ipvs_est_checks.live.recording.trace_text import MARK, TraceLine, parse_trace
from ipvs_est_checks.live.tracefs import Instance, comings_and_goings, hits, overruns, probing

_BUFFER_KB = 8192
_LOOK_SECONDS = 20.0
_BEGIN = "ipvs-est: the recording begins"


def record(wait: Callable[[], float], netns: int | None) -> tuple[LiveLog, str]:
    """What happens while `wait` lets time pass and says how many seconds; with the file's text.

    Raises UnreadableError.
    """
    with open_live() as kernel:
        reader = Reader(kernel)
        namespace = _chosen(reader, netns)
        probes = definitions(kernel.types, reader.structs, namespace.address)
        with (
            probing(comings_and_goings(), "ipvs_est_guard") as guard,
            probing(probes, "ipvs_est_record", kilobytes=_BUFFER_KB) as instance,
        ):
            before = _look(reader, namespace, guard)
            if before is None:
                raise UnreadableError("estimators came and went in each reading before it")
            _write(instance, "trace_marker", _BEGIN)
            seconds = wait()
            _write(instance, "tracing_on", "0")
            lines = _since_begin(instance)
            lost = overruns(instance)
            after = _look(reader, namespace, guard)
        shown = tell(
            lines,
            namespace.address,
            reader.structs.est_list,
            place_of(kernel.types, reader.structs),
            before.snapshot.state,
            reader.ids(namespace),
        )
        log = LiveLog(
            kernel=kernel.release,
            revision=reader.revision,
            netns=namespace.inode,
            params=reader.machine.params,
            ms=round(1000 * seconds),
            lost=lost,
            limits_test=shown.limits_test,
            snapshots=(),
            events=tuple(shown.events),
            written=tuple(shown.written),
        )
        return log, live_log_text(log, before, after)


def _chosen(reader: Reader, netns: int | None) -> Namespace:
    spaces = list(reader.namespaces())
    if netns is not None:
        spaces = [space for space in spaces if space.inode == netns]
    if len(spaces) == 1:
        return spaces[0]
    if not spaces:
        raise UnreadableError("no such netns has an IPVS")
    some = ", ".join(str(space.inode) for space in spaces[:8])
    raise UnreadableError(f"several netns have an IPVS, say which with --netns: {some}")


def _look(reader: Reader, namespace: Namespace, guard: Instance) -> NetnsReading | None:
    """A reading of which the places of all estimators are right; None: there was none.

    Less is asked of it than of one that is judged: kthreads may be stopped and started meanwhile.
    """
    deadline = time.monotonic() + _LOOK_SECONDS
    while time.monotonic() < deadline:
        before = hits(guard)
        try:
            first, second = (_read(reader, namespace) for _ in range(2))
        except (TornError, UnmappedError):
            continue
        same = members_of(first.snapshot.state) == members_of(second.snapshot.state)
        if same and hits(guard) == before:
            return second
    return None


def _read(reader: Reader, namespace: Namespace) -> NetnsReading:
    reader.kernel.forget()
    return reader.read(namespace)


def _write(instance: Instance, name: str, text: str) -> None:
    try:
        (instance.path / name).write_text(f"{text}\n")
    except OSError as error:
        raise UnreadableError(f"probes: {name}: {error.strerror}") from None


def _since_begin(instance: Instance) -> list[TraceLine]:
    """What was recorded after the snapshot."""
    with (instance.path / "trace").open(encoding="utf-8", errors="replace") as file:
        lines = list(parse_trace(file))
    marks = [index for index, line in enumerate(lines) if line.name == MARK and _BEGIN in line.text]
    if not marks:
        raise UnreadableError("probes: the beginning of the recording is lost")
    return lines[marks[-1] + 1 :]
