"""Work handed out through the interface of `concurrent.futures.Executor`, so that any engine that
has it will do: processes here, or Dask's `distributed` on several machines.

A worker may die. What it had is handed out again: no work is lost by that, and since an answer is
taken once for each piece of work, none is counted twice. What is there each time that a worker
dies is given up, by name.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_all_start_methods, get_context
from typing import Generic, TypeVar, cast

from ipvs_est_checks.workers import ENDING, Lost, end_with_parent

A = TypeVar("A")
R = TypeVar("R")

DASK = "distributed"
"""The distribution of the extra `dask`, and its package."""
_DIED = ("KilledWorker", "FutureCancelledError")
"""What Dask says of a worker that died; named, since it may not be installed."""
_PRELOADED = ["ipvs_est_checks.campaign.run_case"]


@dataclass(slots=True)
class Handout(Generic[A, R]):
    """Hands out calls of one function."""

    function: Callable[[A], R]
    name: Callable[[A], str]
    make: Callable[[], Executor]
    """Makes an executor: one of processes takes no more work when a process has died."""
    executor: Executor | None = None
    renewed: int = 0
    """How often one had to be made anew."""
    answers: int = 0
    _futures: list[Future[R]] = field(default_factory=list)

    def map(self, work: Sequence[A]) -> list[R | Lost]:
        """The answers, in the order of the work, each once."""
        done: dict[int, R | Lost] = {}
        left = self._try(work, range(len(work)), done)
        for index in left:
            # One of these kills its worker, or was beside one that does: each by itself.
            if self._try(work, [index], done):
                done[index] = Lost(self.name(work[index]), "its worker died, twice")
        self.answers += len(done)
        return [done[index] for index in range(len(work))]

    def _try(
        self, work: Sequence[A], indexes: Iterable[int], done: dict[int, R | Lost]
    ) -> list[int]:
        """Those of which the worker died."""
        if self.executor is None:
            self.executor = self.make()
        died: list[int] = []
        index_of: dict[Future[R], int] = {}
        for index in indexes:
            try:
                index_of[self.executor.submit(self.function, work[index])] = index
            except BrokenExecutor:
                died.append(index)
        self._futures = list(index_of)
        for future in as_completed(index_of):
            try:
                done[index_of[future]] = future.result()
            except (BrokenExecutor, CancelledError):
                died.append(index_of[future])
            except Exception as error:
                # By name: without the extra its exceptions cannot be imported.
                if type(error).__name__ not in _DIED:
                    raise
                died.append(index_of[future])
        self._futures = []
        if died:
            self.close()
            self.renewed += 1
        return sorted(died)

    def close(self) -> None:
        """End the executor; what is under way is given up."""
        if self.executor is not None:
            for future in self._futures:
                future.cancel()
            # Not every engine knows `cancel_futures`.
            self.executor.shutdown(wait=True)
            self.executor = None


@contextmanager
def handing_out(
    function: Callable[[A], R], name: Callable[[A], str], make: Callable[[], Executor]
) -> Iterator[Handout[A, R]]:
    """Ends the executor at the end."""
    handout = Handout(function, name, make)
    try:
        yield handout
    finally:
        handout.close()


def process_executor(processes: int) -> Executor:
    """Processes of this machine, each made from one that has done nothing else."""
    if "forkserver" in get_all_start_methods():
        server = get_context("forkserver")
        server.set_forkserver_preload(_PRELOADED)
        return ProcessPoolExecutor(processes, server, _begin)
    return ProcessPoolExecutor(processes, get_context("spawn"), _begin)


def _begin() -> None:
    """In a worker: the command alone acts on signals, and its end is theirs."""
    for entry in ENDING:
        signal.signal(entry, signal.SIG_IGN)
    end_with_parent()


def dask_executor(address: str) -> Executor:
    """The workers of a Dask scheduler, such as `tcp://host:8786`; raises ImportError if the extra
    is not installed, OSError if nobody answers."""
    # Imported by name: the extra has no types, and most do without it.
    client = import_module("distributed").Client(address, timeout=10)
    return cast("Executor", client.get_executor(pure=False))
