"""Reading by pages, each fetched once."""

from collections.abc import Callable

PAGE = 4096
_SHIFT = 12
_MOST = 8192
"""Pages kept: 32 MB."""

Fetch = Callable[[int], bytes]
"""The page of that number, 4096 bytes; raises UnreadableError."""
FetchRun = Callable[[int, int], bytes | None]
"""So many pages from that number on at once; None: they cannot be had together."""
_RUN = 8
"""Pages at once: what the kernel's allocator keeps objects of a kilobyte in."""


class Pages:
    """Memory of which pages that were fetched are kept; implements `Memory`."""

    __slots__ = ("_fetch", "_fetch_run", "_kept", "fetched")

    def __init__(self, fetch: Fetch, fetch_run: FetchRun | None = None) -> None:
        self._fetch = fetch
        self._fetch_run = fetch_run
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
        whole = b"".join([self._page(number) for number in range(address >> _SHIFT, last + 1)])
        return whole[at:end]

    def around(self, address: int, size: int) -> tuple[bytes, int]:
        """As `Memory` says. Raises UnreadableError."""
        at = address & PAGE - 1
        if at + size <= PAGE:
            number = address >> _SHIFT
            return self._kept.get(number) or self._page(number), at
        return self.read(address, size), 0

    def forget(self) -> None:
        """Fetch everything anew."""
        self._kept.clear()

    def _page(self, number: int) -> bytes:
        found = self._kept.get(number)
        if found is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            found = self._fetched_run(number) or self._fetch(number)
            self._kept[number] = found
            self.fetched += 1
        return found

    def _fetched_run(self, number: int) -> bytes | None:
        """The page, with its neighbours kept as well; None: it has to be fetched alone."""
        if self._fetch_run is None:
            return None
        first = number - number % _RUN
        run = self._fetch_run(first, _RUN)
        if run is None:
            return None
        for one_number in range(_RUN):
            self._kept.setdefault(
                first + one_number, run[one_number * PAGE : (one_number + 1) * PAGE]
            )
        return self._kept[number]
