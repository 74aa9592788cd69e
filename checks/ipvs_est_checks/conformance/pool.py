"""Replaying many traces, in this process or in several; the outcomes come in order all the same."""

import gc
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ipvs_est.language.revision import Revision
from ipvs_est_checks.conformance.outcome import Outcome, Unusable, outcome_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    # The parent's end of a pipe to a worker, and the worker's.
    ToWorker = Connection[Path, Outcome]
    ToParent = Connection[Outcome, Path]

# A replay leaves little garbage in cycles, and looking for it as often as Python does by
# itself takes about a tenth of the time.
_ALLOCATIONS_PER_COLLECTION = 20_000


class WorkerDiedError(Exception):
    """A process came to an end while it replayed a trace, such as for lack of memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the process that replayed {path} died")
        self.path = path


def outcomes(
    files: Sequence[Path | Unusable], override: Revision | None, jobs: int
) -> Generator[Outcome]:
    """The outcome of each file, in their order, found by that many processes.

    Raises WorkerDiedError, and OSError if a process cannot be started. Close the generator
    to end the processes early.
    """
    paths = [each for each in files if isinstance(each, Path)]
    jobs = min(jobs, len(paths))
    replayed = _in_processes(paths, override, jobs) if jobs > 1 else _here(paths, override)
    try:
        for each in files:
            yield next(replayed) if isinstance(each, Path) else each
    finally:
        replayed.close()


def usable_cpus() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _here(paths: Sequence[Path], override: Revision | None) -> Generator[Outcome]:
    with _rare_collections():
        for path in paths:
            yield outcome_of(path, override)


@contextmanager
def _rare_collections() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _in_processes(
    paths: Sequence[Path], override: Revision | None, jobs: int
) -> Generator[Outcome]:
    """Each worker gets one path at a time through a pipe of its own.

    Not `concurrent.futures`: its threads complain aloud when workers are ended early.
    """
    # Imported here: it takes as long as some traces.
    from multiprocessing import Pipe, Process
    from multiprocessing.connection import wait

    processes: list[Process] = []
    idle: list[ToWorker] = []
    busy: dict[ToWorker, int] = {}
    found: dict[int, Outcome] = {}
    todo = list(enumerate(paths))[::-1]
    try:
        for _ in range(jobs):
            to_worker, to_parent = Pipe()
            process = Process(target=_work, args=(to_parent, to_worker, override), daemon=True)
            process.start()
            processes.append(process)
            # Only the worker holds its end, so that its death ends the pipe.
            to_parent.close()
            idle.append(to_worker)
        for index in range(len(paths)):
            while index not in found:
                while idle and todo:
                    worker = idle.pop()
                    busy[worker], path = todo.pop()
                    _send(worker, path)
                ready = wait(list(busy))
                for worker in [each for each in busy if each in ready]:
                    number = busy.pop(worker)
                    found[number] = _receive(worker, paths[number])
                    idle.append(worker)
            yield found.pop(index)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _send(worker: "ToWorker", path: Path) -> None:
    try:
        worker.send(path)
    except OSError:
        raise WorkerDiedError(path) from None


def _receive(worker: "ToWorker", path: Path) -> Outcome:
    try:
        return worker.recv()
    except (EOFError, OSError):
        raise WorkerDiedError(path) from None


def _work(to_parent: "ToParent", to_worker: "ToWorker", override: Revision | None) -> None:
    # Ctrl-C reaches the whole process group; the parent alone tells about it and ends the rest.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A forked process has the parent's end too, and would keep the pipe alive by itself.
    to_worker.close()
    with _rare_collections():
        try:
            while True:
                to_parent.send(outcome_of(to_parent.recv(), override))
        except (EOFError, OSError):
            # The parent is gone.
            return
