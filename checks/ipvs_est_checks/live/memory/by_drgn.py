"""Dumps of other kinds, such as makedumpfile's compressed ones: their memory by drgn.

drgn reads the memory alone; symbols and types come from it as from any other dump, so that no
debug package is needed.
"""

from pathlib import Path

from ipvs_est_checks.live.memory.dump import kernel_of_memory
from ipvs_est_checks.live.memory.pages import PAGE, Pages
from ipvs_est_checks.live.memory.protocol import Kernel, Source
from ipvs_est_checks.live.memory.unreadable import UnmappedError, UnreadableError
from ipvs_est_checks.live.memory.vmcoreinfo import parse_vmcoreinfo

_WORD = (1 << 64) - 1
_NO_NAMES = (
    "its header does not name the system, as in what qemu compresses itself, whose ELF dump can be"
    " read"
)
_LEFT_OUT = (
    "the dump was made without it, perhaps by a makedumpfile that does not know this kernel;"
    " with its level 17 (-d 17) nothing that is needed is left out"
)


def kernel_by_drgn(path: Path) -> Kernel:
    """The kernel of whatever drgn opens. Raises UnreadableError."""
    try:
        import drgn
    except ModuleNotFoundError:
        raise UnreadableError(
            "a dump that is no ELF file needs drgn: install the extra `drgn`"
        ) from None
    program = drgn.Program()
    try:
        program.set_core_dump(path)
        info = parse_vmcoreinfo(program["VMCOREINFO"].string_())
    except Exception as error:
        # What its libraries say of a file it raises as an Exception without a kind.
        hint = f": {_NO_NAMES}" if "KDUMP_ATTR_ARCH_NAME" in str(error) else ""
        raise UnreadableError(f"drgn: {error}{hint}") from None

    def fetch(number: int) -> bytes:
        address = number * PAGE & _WORD
        try:
            return program.read(address, PAGE)
        except (drgn.FaultError, ValueError, OverflowError) as error:
            hint = f": {_LEFT_OUT}" if "Excluded page" in str(error) else ""
            raise UnmappedError(f"{address:#x}: {error}{hint}") from None

    pages = Pages(fetch)
    return kernel_of_memory(info, pages, pages, Source.DUMP)
