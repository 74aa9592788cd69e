"""A qemu that this test plays: the guest is stopped, read, and goes on, whatever happens."""

import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from command_line import here
from ipvs_est import MAINLINE, Oracle, Params
from ipvs_est.language.operations import AddDest, AddService, Advance, InitNetns
from ipvs_est_checks.live.memory.qemu import stopped
from ipvs_est_checks.live.memory.qmp import open_qmp
from kernels.made_kernel import MadeKernel
from kernels.made_netns import made_kernel

# Any in this file: parsed JSON of our own requests.


class _Qemu:
    """What a monitor's socket answers for a made kernel."""

    def __init__(self, kernel: MadeKernel, *, running: bool, fails: str = "") -> None:
        self.kernel = kernel
        self.running = running
        self.fails = fails
        self.asked: list[str] = []
        self._file = -1

    def serve(self, listener: socket.socket) -> None:
        """One client, until it goes."""
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b'{"QMP": {"version": {}}}\n')
            rest = b""
            while True:
                data, files, _, _ = socket.recv_fds(connection, 1 << 16, 4)
                if not data:
                    return
                if files:
                    self._file = files[0]
                rest += data
                while b"\n" in rest:
                    line, rest = rest.split(b"\n", 1)
                    answer = self._answer(json.loads(line))
                    event = b'{"event": "STOP"}\n' if self.asked[-1] == "stop" else b""
                    connection.sendall(event + json.dumps(answer).encode() + b"\n")

    def _answer(self, asked: dict[str, Any]) -> dict[str, object]:
        command = asked["execute"]
        self.asked.append(command)
        if command == self.fails:
            return {"error": {"class": "GenericError", "desc": "it does not like to"}}
        if command == "query-status":
            return {"return": {"running": self.running}}
        if command in ("stop", "cont"):
            self.running = command == "cont"
        if command == "dump-guest-memory":
            assert not self.running
            arguments = asked["arguments"]
            os.write(self._file, self._dump(arguments["begin"], arguments["length"]))
            os.close(self._file)
        return {"return": {}}

    def _dump(self, begin: int, length: int) -> bytes:
        """An ELF file of a part, with the note."""
        content = self.kernel.vmcoreinfo()
        note = struct.pack("<III", 11, len(content), 0) + b"VMCOREINFO\0\0" + content
        note += b"\0" * (-len(note) % 4)
        part = bytes(self.kernel.memory[begin : begin + length])
        start = 64 + 2 * 56
        size = len(part)
        segments = struct.pack("<IIQQQQQQ", 4, 0, start, 0, 0, len(note), len(note), 0)
        segments += struct.pack("<IIQQQQQQ", 1, 0, start + len(note), 0, begin, size, size, 0)
        return self.kernel.dump()[:56] + struct.pack("<HHHH", 2, 0, 0, 0) + segments + note + part


@contextmanager
def _listening(qemu: _Qemu, path: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=qemu.serve, args=(listener,))
        thread.start()
        yield
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def kernel() -> MadeKernel:
    """One service with two destinations."""
    oracle = Oracle(Params(possible_cpus=2), MAINLINE)
    for operation in (InitNetns(), AddService(1), AddDest(2, 1), AddDest(3, 1), Advance(5000)):
        oracle.apply(operation)
    return made_kernel(oracle.snapshot())


def test_a_guest_stands_still_while_it_is_read_and_goes_on(
    kernel: MadeKernel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qemu = _Qemu(kernel, running=True)
    with _listening(qemu, tmp_path / "qmp"):
        run = here(capsys, "inspect", "--qemu", tmp_path / "qmp", "--wait", "0")
    assert run.code == 0, run.err
    assert "28 hold" in run.out
    assert "TCP 10.0.0.1:80 -> 10.1.0.2:8080" in run.out
    assert qemu.running
    assert qemu.asked.count("stop") == qemu.asked.count("cont") > 1


def test_a_guest_that_stood_still_before_stays_so(
    kernel: MadeKernel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qemu = _Qemu(kernel, running=False)
    with _listening(qemu, tmp_path / "qmp"):
        run = here(capsys, "inspect", "--qemu", tmp_path / "qmp", "--wait", "0")
    assert run.code == 0, run.err
    assert not qemu.running
    assert "cont" not in qemu.asked


def test_a_guest_goes_on_after_an_error(
    kernel: MadeKernel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qemu = _Qemu(kernel, running=True, fails="dump-guest-memory")
    with _listening(qemu, tmp_path / "qmp"):
        run = here(capsys, "inspect", "--qemu", tmp_path / "qmp")
    assert run.code == 2
    assert run.err.splitlines() == [
        f"Error: {tmp_path / 'qmp'}: dump-guest-memory: it does not like to"
    ]
    assert qemu.running


def test_a_guest_goes_on_after_an_interruption(kernel: MadeKernel, tmp_path: Path) -> None:
    qemu = _Qemu(kernel, running=True)
    with _listening(qemu, tmp_path / "qmp"), open_qmp(tmp_path / "qmp") as qmp:
        with pytest.raises(KeyboardInterrupt), stopped(qmp):
            raise KeyboardInterrupt
        assert qemu.running


@pytest.mark.parametrize("said", [b"hello\n", b"[1]\n", b'{"no": "greeting"}\n', b""])
def test_what_talks_no_qmp_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "qmp"))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        run = here(capsys, "inspect", "--qemu", tmp_path / "qmp")
        thread.join(10)
    assert run.code == 2
    assert "QMP" in run.err
    assert len(run.err.splitlines()) == 1


def test_no_socket_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = here(capsys, "inspect", "--qemu", tmp_path / "none")
    assert run.code == 2
    assert len(run.err.splitlines()) == 1
