"""Work in several processes: the one pool of all commands.

Work is submitted to a `Pool`, as to an executor of `concurrent.futures`, and has a name. A process
that comes to an end while it works, such as for lack of memory, is replaced: its work is `Lost`,
by name and with the reason, and the rest goes on. With one process the work is done in this one.

Not `concurrent.futures` or `multiprocessing.Pool` themselves: the first gives up all work when a
process dies, and complains aloud when it is ended early; the second waits for ever for what a dead
process should have answered. `multiprocessing` is loaded when a process is started: that takes as
long as some work.
"""

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext, ForkServerContext, SpawnContext
    from multiprocessing.process import BaseProcess

    Context = ForkContext | ForkServerContext | SpawnContext
    # Calls go one way, and a kind with a value comes back. What it is, the call knows.
    Pipe = Connection[Any, Any]

P = ParamSpec("P")
A = TypeVar("A")
N = TypeVar("N")
R = TypeVar("R")

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that end a command. Some reach the whole process group; the command alone acts on them
and ends its workers, which ignore them."""

_LOOK_SECONDS = 0.5
# Work here leaves little garbage in cycles, and looking for it as often as Python does by itself
# takes about a tenth of the time.
_ALLOCATIONS_PER_COLLECTION = 20_000
_NO_MEMORY = "out of memory"
# A process may come to its end before it begins what it was given; the next one need not.
_MOST_GIVEN = 2


@dataclass(frozen=True, slots=True)
class Lost:
    """Work without a result."""

    name: str
    why: str
    """Such as `its process was killed by SIGKILL`."""
    seconds: float = 0.0
    """By the clock, until it was lost."""

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception
    traceback: str
    """Of the process where it was raised; '' = this one, and the error has it."""


class WorkerError(Exception):
    """The traceback in a worker, as the cause of an exception that is raised again here."""


class _Pending(Enum):
    PENDING = auto()


@dataclass(slots=True, eq=False)
class WorkItem(Generic[R]):
    """Submitted work; `Pool.outcome` and `Pool.as_completed` bring it to its end."""

    name: str
    call: Callable[[Callable[[Any], None]], R]
    """Takes where to tell what was found so far."""
    on_note: Callable[[Any], None]
    """Called here with what the work tells before its end."""
    answer: R | Lost | _Raised | _Pending = _Pending.PENDING
    given: int = 0
    """To how many processes."""

    @property
    def done(self) -> bool:
        """Whether there is an outcome."""
        return self.answer is not _Pending.PENDING

    def outcome(self) -> R | Lost:
        """What it returned, once it is done. An exception of the work is raised again."""
        answer = self.answer
        assert not isinstance(answer, _Pending)
        if isinstance(answer, _Raised):
            raise answer.error from (WorkerError(answer.traceback) if answer.traceback else None)
        return answer


@dataclass(slots=True, eq=False)
class _Worker:
    process: "BaseProcess"
    pipe: "Pipe"
    task: WorkItem[Any] | None = None
    began: float = 0.0
    has_begun: bool = False
    """It has told that it received the task."""


def ignore(_: object) -> None:
    """For who does not want to be told."""


def usable_cpus() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pool:
    """Processes that work; leaving it as a context manager ends them.

    processes: at a time; with 1 (and no `fresh`) the work is done in this process.
    fresh: a process of its own for each work, made from one that has loaded these modules and
    done nothing else; None: a process does one work after the other.
    limit: seconds for one work, 0 = none; what takes longer is lost. Not with work done here.
    waiting: called every now and then with the name of the work that takes longest so far.
    """

    def __init__(
        self,
        processes: int,
        *,
        fresh: Sequence[str] | None = None,
        limit: float = 0.0,
        waiting: Callable[[str], None] = ignore,
    ) -> None:
        self._processes = processes
        self._fresh = fresh
        self._limit = limit
        self._waiting = waiting
        self._todo: deque[WorkItem[Any]] = deque()
        self._workers: list[_Worker] = []
        self._collections = gc.get_threshold()

    def __enter__(self) -> Self:
        if self._is_here:
            _collect_rarely()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._is_here:
            gc.unfreeze()
            gc.set_threshold(*self._collections)

    @property
    def _is_here(self) -> bool:
        return self._processes <= 1 and self._fresh is None

    def submit(
        self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> WorkItem[R]:
        """Ask for a call; with processes it and its result have to be fit for pickling."""
        return self._add(WorkItem(name, partial(_without_notes, function, args, kwargs), ignore))

    def submit_noting(
        self, name: str, function: Callable[[Callable[[N], None]], R], on_note: Callable[[N], None]
    ) -> WorkItem[R]:
        """Ask for a call that tells what it has found before its end, so that nothing is lost
        if it is interrupted; `on_note` is called with that."""
        return self._add(WorkItem(name, function, on_note))

    def outcome(self, task: WorkItem[R]) -> R | Lost:
        """Wait for this task; what it returned. An exception of the work is raised again."""
        while not task.done:
            self._go_on()
        return task.outcome()

    def poll(self) -> None:
        """Hand out work and take the answers that there are, without waiting for any."""
        if not self._is_here:
            self._go_on(0.0)

    def as_completed(self, tasks: Iterable[WorkItem[R]]) -> Iterator[WorkItem[R]]:
        """The tasks, each as soon as it is done."""
        left = list(tasks)
        while left:
            ready = [work_item for work_item in left if work_item.done]
            if not ready:
                self._go_on()
                continue
            left = [work_item for work_item in left if not work_item.done]
            yield from ready

    def map(
        self,
        function: Callable[[A], R],
        work: Iterable[A],
        name: Callable[[A], str],
        *,
        ahead: int | None = None,
    ) -> Iterator[tuple[A, R | Lost]]:
        """Each piece of work with what the function returns for it, in their order.

        ahead: take so many pieces for each process, and more only when they are wanted; None =
        all at once.
        """
        waiting: deque[tuple[A, WorkItem[R]]] = deque()
        limit = None if ahead is None else ahead * max(1, self._processes)
        for item in work:
            waiting.append((item, self.submit(name(item), function, item)))
            if limit is not None and len(waiting) >= (1 if self._is_here else limit):
                yield from self._next(waiting)
        while waiting:
            yield from self._next(waiting)

    def _next(self, waiting: deque[tuple[A, WorkItem[R]]]) -> Iterator[tuple[A, R | Lost]]:
        work, task = waiting.popleft()
        outcome = self.outcome(task)
        yield work, outcome

    def close(self) -> None:
        """End all processes; what is not done never will be."""
        self._todo.clear()
        with _signals_held():
            for worker in self._workers:
                worker.process.kill()
            for worker in self._workers:
                self._forget(worker)
            self._workers.clear()

    def _add(self, task: WorkItem[R]) -> WorkItem[R]:
        self._todo.append(task)
        return task

    def _go_on(self, patience: float | None = None) -> None:
        """Until something has happened, but not for long; `patience` in seconds."""
        if self._is_here:
            task = self._todo.popleft()
            self._waiting(task.name)
            _do_here(task)
            return
        from multiprocessing.connection import wait

        self._hand_out()
        busy = [worker for worker in self._workers if worker.task is not None]
        if not busy:
            return
        longest = min(busy, key=lambda worker: worker.began)
        assert longest.task is not None
        self._waiting(longest.task.name)
        if patience is None:
            patience = self._patience(longest)
        ready = wait([worker.pipe for worker in busy], patience)
        for worker in busy:
            if worker.pipe in ready:
                self._receive(worker)
            elif self._limit and monotonic() - worker.began >= self._limit:
                worker.process.kill()
                self._lose(worker, f"time limit of {self._limit:g} s")

    def _patience(self, longest: _Worker) -> float:
        if not self._limit:
            return _LOOK_SECONDS
        left = longest.began + self._limit - monotonic()
        return max(0.0, min(left, _LOOK_SECONDS))

    def _hand_out(self) -> None:
        while self._todo:
            worker = next((worker for worker in self._workers if worker.task is None), None)
            if worker is None:
                if len(self._workers) >= max(1, self._processes):
                    return
                try:
                    worker = self._start()
                except OSError as error:
                    if not self._workers:
                        task = self._todo.popleft()
                        task.answer = Lost(task.name, f"no process could be started: {error}")
                    # With those that there are: memory is short.
                    return
            self._send(worker)

    def _send(self, worker: _Worker) -> None:
        task = self._todo[0]
        try:
            worker.pipe.send(task.call)
        except OSError:
            # It died while it had nothing to do: nothing is lost.
            self._end(worker)
            return
        self._todo.popleft()
        task.given += 1
        worker.task = task
        worker.began = monotonic()
        worker.has_begun = False

    def _receive(self, worker: _Worker) -> None:
        task = worker.task
        assert task is not None
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            if not worker.has_begun and task.given < _MOST_GIVEN:
                # It was already dying when it was given the task: another one does it.
                self._todo.appendleft(task)
                self._end(worker)
                return
            self._lose(worker, _cause_of_death(worker.process.exitcode))
            return
        if kind is _Kind.BEGUN:
            # To load what a fresh process needs is no part of its work.
            worker.began = monotonic()
            worker.has_begun = True
            return
        if kind is _Kind.NOTE:
            task.on_note(value)
            return
        task.answer = Lost(task.name, _NO_MEMORY) if kind is _Kind.NO_MEMORY else value
        worker.task = None
        if self._fresh is not None:
            self._end(worker)

    def _lose(self, worker: _Worker, why: str) -> None:
        assert worker.task is not None
        worker.task.answer = Lost(worker.task.name, why, monotonic() - worker.began)
        self._end(worker)

    def _end(self, worker: _Worker) -> None:
        with _signals_held():
            worker.process.kill()
            self._forget(worker)
            self._workers.remove(worker)

    @staticmethod
    def _forget(worker: _Worker) -> None:
        worker.process.join()
        worker.process.close()
        worker.pipe.close()

    def _start(self) -> _Worker:
        context = _context(self._fresh)
        here, there = context.Pipe()
        # A signal must not come between the process and our knowledge of it, nor reach it
        # before it ignores signals.
        with _signals_held():
            process = context.Process(
                target=_work, args=(there, here, self._fresh is None), daemon=True
            )
            try:
                process.start()
            except OSError:
                here.close()
                raise
            finally:
                # Only the worker holds its end, so that its death ends the pipe.
                there.close()
            worker = _Worker(process, here)
            self._workers.append(worker)
        return worker


def _without_notes(
    function: Callable[..., R],
    args: tuple[Any, ...],  # those of `submit`, where they are typed
    kwargs: dict[str, Any],
    _: Callable[[Any], None],
) -> R:
    return function(*args, **kwargs)


def _do_here(task: WorkItem[Any]) -> None:
    try:
        task.answer = task.call(task.on_note)
    except MemoryError:
        task.answer = Lost(task.name, _NO_MEMORY)
    except Exception as error:
        task.answer = _Raised(error, "")


def _cause_of_death(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"its process was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"its process was killed by signal {-code}"
    return f"its process ended with exit code {code}"


def _context(fresh: Sequence[str] | None) -> "Context":
    from multiprocessing import get_all_start_methods, get_context

    methods = get_all_start_methods()
    if fresh is not None and "forkserver" in methods:
        server = get_context("forkserver")
        # Loaded once, not in each process.
        server.set_forkserver_preload(list(fresh))
        return server
    if fresh is None and "fork" in methods:
        return get_context("fork")
    return get_context("spawn")


def _collect_rarely() -> None:
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION)
    gc.freeze()


class LostWorkError(Exception):
    """Work has no result; the text says which, and why."""


def results_of(
    pool: Pool, function: Callable[[A], R], work: Iterable[A], name: Callable[[A], str]
) -> Iterator[tuple[A, R]]:
    """As `Pool.map`, for work of which none can be done without. Raises LostWorkError."""
    for item, outcome in pool.map(function, work, name):
        if isinstance(outcome, Lost):
            raise LostWorkError(str(outcome))
        yield item, outcome


@contextmanager
def _signals_held() -> Iterator[None]:
    """Those that end the command wait until this is over."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# In the worker's process.


class _Kind(Enum):
    """What comes back from a worker."""

    BEGUN = auto()
    NOTE = auto()
    ANSWER = auto()
    NO_MEMORY = auto()


def _work(to_parent: "Pipe", to_worker: "Pipe", much: bool) -> None:
    """much: one work after the other."""
    for entry in ENDING:
        signal.signal(entry, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    # A forked process has the parent's end too, and would keep the pipe alive by itself.
    to_worker.close()
    end_with_parent()
    if much:
        _collect_rarely()
    try:
        while True:
            call = to_parent.recv()
            to_parent.send((_Kind.BEGUN, None))
            _do(call, to_parent)
    except (EOFError, OSError):
        # The parent is gone.
        return


def _do(call: Callable[[Callable[[Any], None]], object], to_parent: "Pipe") -> None:
    answer: object
    try:
        answer = call(lambda note: to_parent.send((_Kind.NOTE, note)))
    except MemoryError:
        to_parent.send((_Kind.NO_MEMORY, None))
        return
    except Exception as error:
        answer = _raised(error)
    try:
        to_parent.send((_Kind.ANSWER, answer))
    except OSError:
        raise
    except Exception as error:
        # It cannot be pickled.
        to_parent.send((_Kind.ANSWER, _raised(error)))


def _raised(error: Exception) -> _Raised:
    from pickle import dumps, loads
    from traceback import format_exception

    text = "".join(format_exception(error))
    try:
        loads(dumps(error))
    except Exception:
        error = WorkerError(f"{type(error).__name__}: {error}")
    return _Raised(error, text)


def end_with_parent() -> None:
    """Do not work on when the command was killed."""
    from multiprocessing import parent_process
    from threading import Thread

    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()
