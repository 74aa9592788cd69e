"""Lines to a subject and back: through the pipes of a process, or through a Unix socket."""

import os
import selectors
import shlex
import signal
import socket
import subprocess
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from ipvs_est_checks.history.subject_failure import FailureKind, SubjectError

UNIX = "unix:"
"""A subject that begins with this is the path of a socket, any other a command."""
MAX_ANSWER = 256 << 20
"""Bytes in one line of a subject. A snapshot of 100,000 estimators takes some 40 MB."""
_CHUNK = 1 << 16
_TAIL = 2000
"""Bytes of standard error that are kept."""
_PATIENCE_AT_END = 1.0
"""Seconds that a process gets to end after its input has ended."""


@dataclass(slots=True)
class Channel:
    """An open connection; what was read beyond the last line stays in `rest`."""

    name: str
    """The command or socket, for messages."""
    reader: int
    """File descriptor, not blocking."""
    writer: int
    """File descriptor, not blocking; of a socket the same."""
    errors: int | None
    """File descriptor of standard error, not blocking."""
    process: subprocess.Popen[bytes] | None
    connection: socket.socket | None
    selector: selectors.BaseSelector
    """What its answers and errors are waited for with; the writer is in it while it is full."""
    rest: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    """The end of what came on standard error."""
    slowest: float = 0.0
    """Seconds that the slowest answer took."""


def open_channel(subject: str) -> Channel:
    """Start the command, or connect to the socket. Raises OSError, and ValueError for a command
    line that a shell could not split."""
    if subject.startswith(UNIX):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(subject.removeprefix(UNIX))
        except OSError:
            connection.close()
            raise
        connection.setblocking(False)
        descriptor = connection.fileno()
        return Channel(
            subject, descriptor, descriptor, None, None, connection, _watching(descriptor)
        )
    words = shlex.split(subject)
    if not words:
        raise ValueError("the command is empty")
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        # Ctrl-C at the terminal is for the checks, which then end the subject.
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    files = (process.stdout.fileno(), process.stdin.fileno(), process.stderr.fileno())
    for file in files:
        os.set_blocking(file, False)
    return Channel(subject, *files, process, None, _watching(files[0], files[2]))


def _watching(*descriptors: int) -> selectors.BaseSelector:
    selector = selectors.DefaultSelector()
    for descriptor in descriptors:
        selector.register(descriptor, selectors.EVENT_READ)
    return selector


def exchange(
    channel: Channel, texts: Iterable[tuple[bytes, int]], seconds: float
) -> Generator[bytes, None, None]:
    """Write texts, each with the number of its lines, and give the answer to each line as it comes.

    Answers are without their newlines. While who takes them is at work, the subject answers what
    was written before; a text is asked for when the one before has been written. The time limit is
    for each answer: it begins anew whenever one was taken. Whoever takes no more of them
    has to close the generator: what was asked is then still waited for. Raises SubjectError.
    """
    source = iter(texts)
    wanted = 0
    waiting = memoryview(b"")
    more = True
    writes = False
    start = 0
    since = monotonic()
    deadline = since + seconds
    try:
        while True:
            while more and not waiting:
                text = next(source, None)
                if text is None:
                    more = False
                else:
                    waiting, wanted = _write(channel, memoryview(text[0])), wanted + text[1]
            if writes != bool(waiting):
                writes = bool(waiting)
                (_also_write if writes else _write_no_more)(channel)
            while wanted and (end := channel.rest.find(b"\n", start)) >= 0:
                answer = bytes(channel.rest[:end])
                del channel.rest[: end + 1]
                start = 0
                wanted -= 1
                channel.slowest = max(channel.slowest, monotonic() - since)
                try:
                    yield answer
                except GeneratorExit:
                    # Those that are still to come must not be taken for answers to the next lines.
                    more, source = False, iter(())
                    if writes:
                        writes = False
                        _write_no_more(channel)
                    _finish(channel, waiting, wanted, seconds)
                    raise
                since = monotonic()
                deadline = since + seconds
            if not wanted and not waiting and not more:
                return
            start = len(channel.rest)
            if start > MAX_ANSWER:
                detail = f"a line is longer than {MAX_ANSWER} bytes"
                raise SubjectError(FailureKind.NO_ANSWER, detail)
            ready = channel.selector.select(max(0.0, deadline - monotonic()))
            if not ready and monotonic() >= deadline:
                raise SubjectError(FailureKind.SILENCE, f"no answer within {seconds:g} s")
            for key, events in ready:
                if key.fd == channel.errors:
                    _read_errors(channel)
                    continue
                if events & selectors.EVENT_WRITE:
                    waiting = _write(channel, waiting)
                if events & selectors.EVENT_READ and not _read(channel):
                    raise SubjectError(FailureKind.CRASH, _how_it_ended(channel))
    finally:
        if writes:
            _write_no_more(channel)


def _finish(channel: Channel, waiting: memoryview, answers: int, seconds: float) -> None:
    """Write the rest of a text, and throw away what is answered to it and to those before."""
    for _ in exchange(channel, [(bytes(waiting), answers)], seconds):
        pass


def close(channel: Channel, *, at_once: bool = False) -> None:
    """End the connection, and the process with all that it has started.

    `at_once`: it has failed, so it is not waited for.
    """
    channel.selector.close()
    if channel.connection is not None:
        channel.connection.close()
    process = channel.process
    if process is None:
        return
    _close_pipes(process)
    try:
        process.wait(0.0 if at_once else _PATIENCE_AT_END)
    except subprocess.TimeoutExpired:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it has started."""
    try:
        # It is the leader of a session of its own, so of a process group too.
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    process.wait()


def _also_write(channel: Channel) -> None:
    selector = channel.selector
    if channel.writer == channel.reader:
        selector.modify(channel.reader, selectors.EVENT_READ | selectors.EVENT_WRITE)
    else:
        selector.register(channel.writer, selectors.EVENT_WRITE)


def _write_no_more(channel: Channel) -> None:
    selector = channel.selector
    if channel.writer == channel.reader:
        selector.modify(channel.reader, selectors.EVENT_READ)
    else:
        selector.unregister(channel.writer)


def _write(channel: Channel, waiting: memoryview) -> memoryview:
    try:
        return waiting[os.write(channel.writer, waiting[:_CHUNK]) :]
    except BlockingIOError:
        return waiting
    except OSError:
        # The reader will find out how it ended, after the answers that were given before.
        return memoryview(b"")


def _read(channel: Channel) -> bool:
    """Whether there may be more to come."""
    try:
        data = os.read(channel.reader, _CHUNK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    channel.rest += data
    return bool(data)


def _read_errors(channel: Channel) -> None:
    assert channel.errors is not None
    try:
        data = os.read(channel.errors, _CHUNK)
    except BlockingIOError:
        return
    channel.tail += data
    del channel.tail[:-_TAIL]
    if not data:
        channel.selector.unregister(channel.errors)
        channel.errors = None


def _how_it_ended(channel: Channel) -> str:
    """What is known of a subject that has closed its output."""
    process = channel.process
    if process is None:
        return "it closed the connection"
    try:
        code = process.wait(_PATIENCE_AT_END)
    except subprocess.TimeoutExpired:
        return "it closed its output"
    if channel.errors is not None:
        with suppress(BlockingIOError):
            channel.tail += os.read(channel.errors, _TAIL)
    how = f"exit code {code}"
    if code < 0:
        how = f"killed by {_signal_name(-code)}"
    said: Sequence[str] = channel.tail.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(said) if line.strip()), "")
    return f"{how}: {last}" if last else how


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            # What is left for a reader that has gone cannot be written.
            with suppress(OSError):
                pipe.close()
