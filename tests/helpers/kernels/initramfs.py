"""A small root file system for a guest: a shell, ipvsadm, this Python with the project, modules."""

import lzma
import os
import py_compile
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.util import cache_from_source
from pathlib import Path

import click

CHECKOUT = Path(__file__).resolve().parents[3]
ROOTS = ("refimpl", "spec", "checks")
_MODULES = (
    "libcrc32c",
    "nf_defrag_ipv6",
    "nf_defrag_ipv4",
    "nf_conntrack",
    "ip_vs",
    "ip_vs_rr",
    "qemu_fw_cfg",
)
"""In the order in which they are loaded; a kernel has not all of them."""
_IMPORTED = (
    "ipvs_est_checks.command",
    "ipvs_est_checks.cli.group",
    "ipvs_est_checks.cli.commands.inspect",
    "ipvs_est_checks.cli.commands.record",
    "ipvs_est_checks.cli.commands.judge",
    "ipvs_est_checks.live.page",
    "click._textwrap",
    "click.shell_completion",
    "encodings.idna",
    "fractions",
    "threading",
)
_INIT = """\
#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin PYTHONPATH={path} HOME=/tmp
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp; mount -t tracefs t /sys/kernel/tracing
mount -t securityfs s /sys/kernel/security
for each in {modules}; do insmod /modules/$each.ko; done
ip link set lo up; ip addr add 10.0.0.1/32 dev lo
echo 0 > /proc/sys/kernel/hung_task_timeout_secs
ln -s {python} /bin/python3
echo '#!/bin/sh
exec {python} -m ipvs_est_checks.command "$@"' > /bin/ipvs-est; chmod +x /bin/ipvs-est
echo READY
while true; do sh 0<> /dev/vport0p1 1>&0 2>&1; sleep 1; done
"""


def make_initramfs(kernel: Path, target: Path) -> None:
    """Write the archive for the kernel whose packages were unpacked below a folder."""
    files: dict[str, tuple[int, bytes]] = {}

    def add(path: Path, name: str | None = None) -> None:
        mode = 0o755 if os.access(path, os.X_OK) else 0o644
        files[name or str(path)] = (stat.S_IFREG | mode, path.read_bytes())

    busybox, ipvsadm = (Path(shutil.which(name) or "") for name in ("busybox", "ipvsadm"))
    add(busybox, "/bin/busybox")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for word in listed.stdout.split():
        if word != "busybox":
            files[f"/bin/{word}"] = (stat.S_IFLNK | 0o777, b"busybox")
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    for program in (ipvsadm, python):
        add(program)
    sources, libraries = _imported()
    for library in (*libraries, *_libraries((ipvsadm, python, *libraries))):
        add(library)
    with tempfile.TemporaryDirectory() as folder:
        for source in sources:
            add(source)
            # Compiling takes long in a guest.
            compiled = Path(folder) / "compiled"
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(str(source), str(compiled), invalidation_mode=mode)
            add(compiled, cache_from_source(str(source)))
    loaded = []
    for name in _MODULES:
        found = sorted(kernel.rglob(f"{name}.ko*"))
        if found:
            data = found[0].read_bytes()
            data = lzma.decompress(data) if found[0].suffix == ".xz" else data
            files[f"/modules/{name}.ko"] = (stat.S_IFREG | 0o644, data)
            loaded.append(name)
    site = Path(click.__file__).parents[1]
    path = ":".join([*(str(CHECKOUT / root) for root in ROOTS), str(site)])
    init = _INIT.format(path=path, modules=" ".join(loaded), python=python)
    files["/init"] = (stat.S_IFREG | 0o755, init.encode())
    for item in ("/proc", "/sys", "/dev", "/tmp"):
        files[item] = (stat.S_IFDIR | 0o755, b"")
    target.write_bytes(_archive(files))


def _imported() -> tuple[list[Path], list[Path]]:
    """Python sources and libraries that the commands import: what an interpreter says of itself."""
    program = (
        f"import sys, importlib\nfor each in {_IMPORTED!r}: importlib.import_module(each)\n"
        "print(*{m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)},"
        " sep='\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": ":".join(str(CHECKOUT / root) for root in ROOTS)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    paths = [Path(word) for word in done.stdout.split("\n") if word]
    own = [
        *(CHECKOUT / "refimpl").rglob("*.py"),
        *(CHECKOUT / "spec").rglob("*.py"),
        *(CHECKOUT / "checks/ipvs_est_checks/live").rglob("*.py"),
        *(CHECKOUT / "checks/ipvs_est_checks/cli").rglob("*.py"),
    ]
    sources = {path for path in paths if path.suffix == ".py"} | set(own)
    standard = Path(os.__file__).parent
    # What the interpreter itself begins with, which is frozen in it and may not be told.
    sources |= {standard / "os.py", *(standard / "encodings").glob("*.py")}
    return sorted(sources), sorted(path for path in paths if path.suffix == ".so")


def _libraries(programs: Iterable[Path]) -> list[Path]:
    """What they are linked with."""
    found: set[Path] = set()
    for program in programs:
        done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)}
    return sorted(found)


def _archive(files: dict[str, tuple[int, bytes]]) -> bytes:
    """A cpio archive as the kernel reads it, with the folders of all files."""
    folders = {str(parent) for name in files for parent in Path(name).parents} - {"/"}
    whole = {**dict.fromkeys(folders, (stat.S_IFDIR | 493, b"")), **files}
    archive = bytearray()
    for number, name in enumerate([*sorted(whole), "TRAILER!!!"], 1):
        mode, data = whole.get(name, (0, b""))
        text = name.removeprefix("/").encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(text), 0)
        archive += b"070701" + b"".join(b"%08X" % field for field in fields) + text
        archive += b"\0" * (-len(archive) % 4) + data
        archive += b"\0" * (-len(archive) % 4)
    return bytes(archive)
