"""QMP, by which a program talks to a qemu: commands, and open files handed over."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ipvs_est_checks.live.memory.unreadable import UnreadableError

_SECONDS = 30.0
"""For one answer."""
_LONGEST = 1 << 22

# Any in this file: parsed JSON of a qemu; whoever takes a value out checks its type.


class Qmp:
    """A monitor's socket that has been greeted. Its methods raise UnreadableError."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._rest = b""

    def ask(
        self,
        command: str,
        arguments: Mapping[str, object] | None = None,
        file: int | None = None,
    ) -> Any:
        """What a command returns; `file`: an open file that goes with it."""
        asked: dict[str, object] = {"execute": command}
        if arguments:
            asked["arguments"] = arguments
        line = json.dumps(asked).encode() + b"\n"
        try:
            if file is None:
                self._socket.sendall(line)
            else:
                socket.send_fds(self._socket, [line], [file])
        except OSError as error:
            raise UnreadableError(f"{command}: {error.strerror or error}") from None
        while True:
            said = self.next_object()
            if "return" in said:
                return said["return"]
            if "error" in said:
                answer = said["error"]
                why = answer.get("desc") if isinstance(answer, dict) else None
                raise UnreadableError(f"{command}: {why or 'an error without a reason'}")

    def next_object(self) -> dict[str, Any]:
        """The next line: an answer, an event or the greeting."""
        while b"\n" not in self._rest:
            try:
                some = self._socket.recv(1 << 16)
            except OSError as error:
                raise UnreadableError(f"no answer: {error.strerror or error}") from None
            if not some or len(self._rest) > _LONGEST:
                raise UnreadableError("the qemu has gone, or talks no QMP")
            self._rest += some
        line, self._rest = self._rest.split(b"\n", 1)
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise UnreadableError("what answers talks no QMP")
        return said


@contextmanager
def open_qmp(path: Path) -> Iterator[Qmp]:
    """A monitor, greeted. Raises UnreadableError."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        try:
            connection.connect(str(path))
        except OSError as error:
            raise UnreadableError(error.strerror or str(error)) from None
        qmp = Qmp(connection)
        if "QMP" not in qmp.next_object():
            raise UnreadableError("what answers talks no QMP")
        qmp.ask("qmp_capabilities")
        yield qmp
