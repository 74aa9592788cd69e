"""What cannot be read is refused in one line, with exit code 2; damage has no verdict."""

import struct
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_line import Run, here
from ipvs_est import MAINLINE, Oracle, Params, Snapshot
from ipvs_est.language.operations import AddDest, AddService, Advance, InitNetns
from ipvs_est_checks.live.consistent import live_target
from ipvs_est_checks.live.judge import Quiet, judge
from ipvs_est_checks.live.memory.btf import STRUCT, Btf
from ipvs_est_checks.live.memory.dump import open_dump
from ipvs_est_checks.live.memory.elf import read_notes, read_segments
from ipvs_est_checks.live.memory.kallsyms import parse_kallsyms
from ipvs_est_checks.live.memory.live import open_live
from ipvs_est_checks.live.memory.unreadable import UnreadableError
from ipvs_est_checks.live.memory.vmcoreinfo import parse_vmcoreinfo
from ipvs_est_checks.live.reading.netns import Reader
from ipvs_est_checks.report.verdict import Verdict
from kernels.made_btf import make_btf
from kernels.made_kernel import MadeKernel
from kernels.made_netns import made_kernel, types_for

Inspected = Callable[..., Run]


@pytest.fixture
def inspected(capsys: pytest.CaptureFixture[str]) -> Inspected:
    """Runs `ipvs-est inspect` in this process."""
    return lambda *arguments: here(capsys, "inspect", *arguments)


@cache
def _snapshot() -> Snapshot:
    oracle = Oracle(Params(possible_cpus=2), MAINLINE)
    for operation in (InitNetns(), AddService(1), AddDest(2, 1), AddDest(3, 1), Advance(5000)):
        oracle.apply(operation)
    return oracle.snapshot()


def _kernel() -> MadeKernel:
    return made_kernel(_snapshot())


@cache
def _good() -> bytes:
    return _kernel().dump()


def _refused(inspected: Inspected, folder: Path, dump: bytes, reason: str) -> None:
    path = folder / "dump"
    path.write_bytes(dump)
    result = inspected("--dump", path)
    assert result.code == 2
    assert result.out == ""
    assert reason in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("dump", "reason"),
    [
        (b"", "empty"),
        (b"nothing", "no ELF file"),
        (b"\x7fELF\x01\x01".ljust(64, b"\0"), "no 64-bit little-endian ELF file"),
        (b"KDUMP   ".ljust(64, b"\0"), "drgn"),
    ],
)
def test_files_that_are_no_dump(
    inspected: Inspected, tmp_path: Path, dump: bytes, reason: str
) -> None:
    _refused(inspected, tmp_path, dump, reason)


@pytest.mark.parametrize("kept", [10, 63, 100, 300, 5000, -1])
def test_truncated_dumps(inspected: Inspected, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "dump"
    path.write_bytes(_good()[:kept])
    result = inspected("--dump", path)
    assert result.code == 2
    assert len(result.err.splitlines()) == 1
    assert "truncated" in result.err or "no ELF" in result.err


def test_what_drgn_cannot_open(
    inspected: Inspected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a compressed dump that qemu wrote it raises an Exception without a kind."""

    class Program:
        def set_core_dump(self, path: Path) -> None:
            raise Exception("KDUMP_ATTR_ARCH_NAME: Key has no value")

    drgn = ModuleType("drgn")
    vars(drgn)["Program"] = Program
    monkeypatch.setitem(sys.modules, "drgn", drgn)
    dump = b"KDUMP   ".ljust(4096, b"\0")
    _refused(inspected, tmp_path, dump, "drgn: KDUMP_ATTR_ARCH_NAME")
    _refused(inspected, tmp_path, dump, "as in what qemu compresses itself")


def test_a_dump_of_another_machine(inspected: Inspected, tmp_path: Path) -> None:
    dump = bytearray(_good())
    struct.pack_into("<H", dump, 18, 183)
    _refused(inspected, tmp_path, bytes(dump), "no dump of an x86-64 machine")


def test_a_dump_without_vmcoreinfo(inspected: Inspected, tmp_path: Path) -> None:
    dump = _good().replace(b"VMCOREINFO\0", b"VMCOREOUTFO"[:11], 1)
    _refused(inspected, tmp_path, dump, "-device vmcoreinfo")


def test_a_kernel_without_ip_vs(inspected: Inspected, tmp_path: Path) -> None:
    kernel = made_kernel(_snapshot(), finish=False)
    kernel.has_module = False
    kernel.finish()
    _refused(inspected, tmp_path, kernel.dump(), "ip_vs is not loaded in it")


def test_a_kernel_without_types(inspected: Inspected, tmp_path: Path) -> None:
    dump = _good().replace(b"__start_BTF", b"__start_FTB")
    _refused(inspected, tmp_path, dump, "no BTF")


def test_an_estimator_of_before_kthreads(inspected: Inspected, tmp_path: Path) -> None:
    kernel = made_kernel(_snapshot(), finish=False)
    del kernel.types.structs["netns_ipvs"]["est_kt_arr"]
    kernel.finish()
    _refused(inspected, tmp_path, kernel.dump(), "older than 6.2")


def test_a_list_that_is_a_loop(inspected: Inspected, tmp_path: Path) -> None:
    kernel = _kernel()
    netns = kernel.places["netns"]
    head = netns + kernel.offset("netns_ipvs", "est_temp_list")
    node = kernel.alloc(16)
    kernel.pointer(head, node)
    kernel.pointer(node, node)
    kernel.pointer(node + 8, head)
    _refused(inspected, tmp_path, kernel.dump(), "does not point back")


def test_a_wild_pointer(inspected: Inspected, tmp_path: Path) -> None:
    kernel = _kernel()
    netns = kernel.places["netns"]
    kernel.put("netns_ipvs", netns, "svc_table", 0xDEAD_0000_0000_0100)
    _refused(inspected, tmp_path, kernel.dump(), "0xdead000000000")


def _live_reason(root: Path) -> str:
    with pytest.raises(UnreadableError) as caught, open_live(root) as kernel:
        Reader(kernel)
    return str(caught.value)


def test_a_running_kernel_without_ip_vs(tmp_path: Path) -> None:
    kernel = made_kernel(_snapshot(), finish=False)
    kernel.has_module = False
    kernel.finish()
    assert _live_reason(kernel.live(tmp_path)) == "ip_vs is not loaded"


def test_a_running_kernel_without_types(tmp_path: Path) -> None:
    root = _kernel().live(tmp_path)
    (root / "sys/kernel/btf/vmlinux").unlink()
    assert "no BTF (CONFIG_DEBUG_INFO_BTF)" in _live_reason(root)


def test_hidden_addresses(tmp_path: Path) -> None:
    root = _kernel().live(tmp_path)
    text = (root / "proc/kallsyms").read_text()
    hidden = "".join(f"{0:016x}{line[16:]}\n" for line in text.splitlines())
    (root / "proc/kallsyms").write_text(hidden)
    assert "kernel.kptr_restrict" in _live_reason(root)


def test_no_kcore(tmp_path: Path) -> None:
    root = _kernel().live(tmp_path)
    (root / "proc/kcore").unlink()
    assert "CONFIG_PROC_KCORE" in _live_reason(root)


@pytest.mark.parametrize(("locked", "reason"), [(False, "needs root"), (True, "locked down")])
def test_who_may_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: bool, reason: str
) -> None:
    root = _kernel().live(tmp_path)
    modes = "none integrity [confidentiality]" if locked else "[none] integrity confidentiality"
    (root / "sys/kernel/security/lockdown").write_text(modes)

    def refuse(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("ipvs_est_checks.live.memory.live.os.open", refuse)
    assert reason in _live_reason(root)


def test_no_tracefs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipvs_est_checks.live.tracefs._TRACEFS", (tmp_path / "none",))
    root = _kernel().live(tmp_path / "root")
    with pytest.raises(UnreadableError, match="--no-probes"), live_target(probes=True, root=root):
        pass


# ---- fuzzing: whatever is read, nothing but an UnreadableError comes of it ----

_FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_CHANGES = st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=12)


def _one_line(error: UnreadableError) -> None:
    assert str(error)
    assert "\n" not in str(error)


def _changed(data: bytes, changes: list[tuple[int, int]], span: int) -> bytes:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % min(span, len(damaged))] = value
    return bytes(damaged)


@_FUZZ
@given(st.binary(max_size=400))
def test_any_bytes_as_elf_notes_and_symbols(data: bytes) -> None:
    for read in (
        lambda: read_segments(lambda offset, size: data[offset : offset + size]),
        lambda: read_segments(lambda o, size: (b"\x7fELF\x02\x01" + data)[o : o + size]),
        lambda: list(read_notes(data)),
        lambda: parse_kallsyms(data),
        lambda: parse_vmcoreinfo(data).symbol("_stext"),
    ):
        try:
            read()
        except UnreadableError as error:
            _one_line(error)


@_FUZZ
@given(_CHANGES, st.integers(0, 2**16))
def test_damaged_types(changes: list[tuple[int, int]], kept: int) -> None:
    base, split = make_btf(types_for(_snapshot()), ("netns_ipvs", "ip_vs_service"))
    for data in (_changed(base, changes, len(base)), base[: kept % len(base)]):
        try:
            types = Btf(split, Btf(data))
            for name in ("netns_ipvs", "task_struct", "ip_vs_service"):
                id_ = types.find(name, STRUCT)
                if id_ is not None:
                    types.size(id_)
                    types.member(id_, "est_mutex.owner")
                    types.member(id_, "thread_info.cpu")
            types.enumerator("KTHREAD_BITS", "KTHREAD_SHOULD_STOP")
        except UnreadableError as error:
            _one_line(error)


@cache
def _interesting() -> tuple[tuple[int, int], ...]:
    """Parts of the dump's file that are not zero: headers, structs, types, tables."""
    dump, found = _good(), []
    for start in range(0, len(dump), 4096):
        if any(dump[start : start + 4096]):
            found.append((start, min(4096, len(dump) - start)))
    return tuple(found)


@_FUZZ
@given(_CHANGES)
def test_damaged_dumps_are_read_or_refused(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(_good())
    parts = _interesting()
    for place, value in changes:
        start, size = parts[place % len(parts)]
        damaged[start + place // len(parts) % size] = value
    path = tmp_path / "dump"
    path.write_bytes(damaged)
    try:
        with open_dump(path) as kernel:
            reader = Reader(kernel)
            for namespace in reader.namespaces():
                reader.read(namespace)
    except UnreadableError as error:
        _one_line(error)


def test_a_dump_that_lacks_a_page_is_refused_or_says_what_the_whole_says(tmp_path: Path) -> None:
    """Of every page that holds anything: no verdict comes of what is missing."""
    path = tmp_path / "dump"
    refused = 0
    for start, size in _interesting():
        damaged = bytearray(_good())
        damaged[start : start + size] = bytes(size)
        path.write_bytes(damaged)
        try:
            with open_dump(path) as kernel:
                reader = Reader(kernel)
                readings = [reader.read(namespace) for namespace in reader.namespaces()]
        except UnreadableError as error:
            _one_line(error)
            refused += 1
            continue
        for reading in readings:
            judged = judge(reading.snapshot, Quiet.YES, reading.names)
            assert {one.verdict for one in judged} == {Verdict.PASS}
    assert refused > len(_interesting()) // 2
