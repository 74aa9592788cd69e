"""VMCOREINFO: what a kernel says of itself to those who read its dump."""

from collections.abc import Mapping

from ipvs_est_checks.live.memory.unreadable import UnreadableError

NOTE = b"VMCOREINFO"


class VmcoreInfo:
    """Its lines, by what stands before the `=`."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """Raises UnreadableError if it is missing."""
        found = self._values.get(name)
        if found is None:
            raise UnreadableError(f"its VMCOREINFO lacks {name}")
        return found

    def has(self, name: str) -> bool:
        """Whether it says that."""
        return name in self._values

    def symbol(self, name: str) -> int:
        """The address of a symbol."""
        return self._number(f"SYMBOL({name})", 16)

    def symbols_of(self, prefix: str) -> Mapping[str, int]:
        """All symbols whose names begin so."""
        start = f"SYMBOL({prefix}"
        names = [value[7:-1] for value in self._values if value.startswith(start)]
        return {name: self.symbol(name) for name in names}

    def number(self, name: str) -> int:
        """A `NUMBER`."""
        return self._number(f"NUMBER({name})", 10)

    def _number(self, name: str, base: int) -> int:
        text = self.text(name)
        try:
            value = int(text, base)
        except ValueError:
            raise UnreadableError(f"its VMCOREINFO has no number for {name}") from None
        if not -(1 << 63) <= value < 1 << 64:
            raise UnreadableError(f"its VMCOREINFO has no 64-bit number for {name}")
        return value


def parse_vmcoreinfo(raw: bytes) -> VmcoreInfo:
    """The note's content; lines without `=` are left out."""
    text = raw.split(b"\0", 1)[0].decode("ascii", errors="replace")
    pairs = (line.split("=", 1) for line in text.split("\n") if "=" in line)
    return VmcoreInfo({name: value.strip() for name, value in pairs})
