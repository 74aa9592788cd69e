"""Reading by pages, each fetched once."""

from collections.abc import Callable

PAGE = 4096
_SHIFT = 12
_MOST = 8192
"""Pages kept: 32 MB."""

Fetch = Callable[[int], bytes]
"""The page of that number, 4096 bytes; raises UnreadableError."""


class Pages:
    """Memory of which pages that were fetched are kept; implements `Memory`."""

    __slots__ = ("_fetch", "_kept", "fetched")

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[int, bytes] = {}
        self.fetched = 0
        """Pages so far."""

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes. Raises UnreadableError."""
        at = address & PAGE - 1
        end = at + size
        if end <= PAGE:
            return self._page(address >> _SHIFT)[at:end]
        last = (address + size - 1) >> _SHIFT
        whole = b"".join([self._page(each) for each in range(address >> _SHIFT, last + 1)])
        return whole[at:end]

    def forget(self) -> None:
        """Fetch everything anew."""
        self._kept.clear()

    def _page(self, number: int) -> bytes:
        found = self._kept.get(number)
        if found is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            found = self._kept[number] = self._fetch(number)
            self.fetched += 1
        return found
