"""Guests with real kernels, and why they could not be had.

IPVS_EST_GUESTS names folders with unpacked kernel packages, separated by colons; else they are the
folders of .guests, where .ci/get-guests puts them. A guest is emulated: it needs no KVM.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipvs_est_checks.live.memory.qmp import open_qmp
from kernels.initramfs import CHECKOUT, make_initramfs

VARIABLE = "IPVS_EST_GUESTS"
_QEMU = "qemu-system-x86_64"
_BOOT_SECONDS = 180
_END = "the end of"
_GREETINGS = 60


def need_kernel(series: str) -> Path:
    """The folder of a kernel of that series, such as 7.3; skip the test without one."""
    for name in (_QEMU, "busybox", "ipvsadm", "ldd"):
        if shutil.which(name) is None:
            pytest.skip(f"no {name}: no guest can be started")
    named = os.environ.get(VARIABLE)
    if named is not None:
        folders = [Path(word) for word in named.split(":") if word]
    else:
        folders = sorted((CHECKOUT / ".guests").glob("linux-*"))
    for folder in folders:
        if any(re.match(rf"{series}[.-]", path.name) for path in folder.rglob("lib/modules/*")):
            return folder
    pytest.skip(f"no kernel {series}: {VARIABLE} names none, and .ci/get-guests got none")


@dataclass
class Guest:
    """A machine that runs."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: socket.socket
    commands: int = 0

    @property
    def qmp(self) -> Path:
        """The socket of its monitor."""
        return self.folder / "qmp"

    def run(self, command: str, seconds: float = 120) -> tuple[int, str]:
        """Exit code and output of a shell command in it."""
        self.commands += 1
        end = f"{_END} {self.commands}"
        script = f"( {command}\n) </dev/null 2>&1; code=$?; echo; echo {end} $code\n"
        self.port.sendall(script.encode())
        self.port.settimeout(seconds)
        said = b""
        wanted = re.compile(rb"\n" + end.encode() + rb" (\d+)\n")
        while (match := wanted.search(said)) is None:
            some = self.port.recv(1 << 16)
            assert some, "the guest has gone"
            said += some
        return int(match.group(1)), said[: match.start()].decode(errors="replace").rstrip("\n")

    def ok(self, command: str, seconds: float = 120) -> str:
        """Its output; it has to succeed."""
        code, said = self.run(command, seconds)
        assert code == 0, f"{command}: {code}\n{said}"
        return said

    def copy_in(self, name: str, text: str) -> None:
        """Write a file in it."""
        self.ok(f"cat > {name} <<'END_OF_FILE'\n{text}\nEND_OF_FILE")

    def dump(self, path: Path) -> None:
        """Its memory, while it stands still."""
        path.unlink(missing_ok=True)
        with open_qmp(self.qmp) as qmp:
            qmp.ask("dump-guest-memory", {"paging": False, "protocol": f"file:{path}"})


@contextmanager
def booted(
    kernel: Path,
    folder: Path,
    *,
    megabytes: int = 512,
    slow: bool = False,
    options: str = "",
) -> Iterator[Guest]:
    """A guest in which ip_vs is loaded; ended at the end.

    `slow`: its clock counts instructions, 8 million a second, and jumps where all sleep. Limits
    are small on such a machine. `options` are more words for its kernel's command line.
    """
    make_initramfs(kernel, folder / "initramfs")
    image = next(path for path in sorted(kernel.rglob("vmlinuz*")) if path.is_file())
    command = [
        *(_QEMU, "-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "Nehalem"),
        *("-smp", "2", "-m", str(megabytes), "-display", "none", "-nodefaults", "-no-reboot"),
        *("-kernel", str(image), "-initrd", str(folder / "initramfs")),
        *("-append", f"console=ttyS0 rdinit=/init quiet panic=-1 {options}"),
        *(("-icount", "shift=7,sleep=off") if slow else ()),
        *("-serial", f"file:{folder / 'console'}", "-device", "vmcoreinfo"),
        *("-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"),
        *("-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=shell,path={folder / 'shell'},server=on,wait=off"),
        *("-device", "virtserialport,chardev=shell,name=shell"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait_until_ready(process, folder / "console")
        with socket.socket(socket.AF_UNIX) as port:
            port.connect(str(folder / "shell"))
            _greet(port)
            yield Guest(folder, process, port)
    finally:
        process.kill()
        process.wait()


def _greet(port: socket.socket) -> None:
    """Ask until the shell answers: what is sent before it listens may be lost."""
    port.settimeout(2)
    said = b""
    for number in range(_GREETINGS):
        port.sendall(f"echo; echo $((1 + 1)) greetings {number}\n".encode())
        try:
            while f"2 greetings {number}\n".encode() not in said:
                said += port.recv(1 << 16)
        except TimeoutError:
            continue
        return
    raise AssertionError("the guest's shell does not answer")


def _wait_until_ready(process: subprocess.Popen[bytes], console: Path) -> None:
    deadline = time.monotonic() + _BOOT_SECONDS
    said = ""
    while time.monotonic() < deadline:
        said = console.read_text(errors="replace") if console.exists() else ""
        if "READY" in said:
            return
        assert process.poll() is None, f"the guest ended:\n{said}"
        time.sleep(0.2)
    raise AssertionError(f"the guest is not ready after {_BOOT_SECONDS} s:\n{said}")
