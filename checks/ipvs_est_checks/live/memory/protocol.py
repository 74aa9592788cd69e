"""What the reading of a kernel needs, whatever the kernel's memory is in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ipvs_est_checks.live.memory.btf import Btf

Symbols = Mapping[tuple[str, str], int]
"""Address by module ('' = the kernel itself) and name."""

MODULE = "ip_vs"
KERNEL_SYMBOLS = frozenset(
    {
        "__cpu_possible_mask",
        "__per_cpu_offset",
        "__start_BTF",
        "__stop_BTF",
        "_stext",
        "btf_modules",
        "clocksource_jiffies",
        "housekeeping",
        "init_task",
        "jiffies",
        "jiffies_64",
        "modules",
        "net_namespace_list",
        "nr_cpu_ids",
    }
)
MODULE_SYMBOLS = frozenset({"__ip_vs_mutex", "ip_vs_svc_fwm_table", "ip_vs_svc_table"})
"""Of the module, or of the kernel where it is built in."""
SYMBOLS = KERNEL_SYMBOLS | MODULE_SYMBOLS
"""Names of all symbols that anybody asks for; a kernel has not all of them."""


class KernelMemory(Protocol):
    """Kernel virtual memory."""

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes. Raises UnreadableError."""
        ...

    def around(self, address: int, size: int) -> tuple[bytes, int]:
        """Bytes that hold these, and where they begin: no copy of what is within a page."""
        ...


class Source(Enum):
    """What a kernel's memory is in."""

    LIVE = "live"
    DUMP = "dump"
    QEMU = "qemu"


@dataclass(frozen=True, slots=True)
class Kernel:
    """An image of a kernel."""

    source: Source
    release: str
    """As `uname -r` says it."""
    memory: KernelMemory
    symbols: Symbols
    types: Btf
    """Of the module, with those of the kernel below."""
    forget: Callable[[], None]
    """What is read from here on is read anew; nothing where it cannot change."""


def symbol(kernel: Kernel, name: str) -> int | None:
    """The address of a symbol, of the module first; None: there is none."""
    found = kernel.symbols.get((MODULE, name))
    return kernel.symbols.get(("", name)) if found is None else found
