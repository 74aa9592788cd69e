"""Many jobs, in this process or in several; each is the same in any number of processes."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from ipvs_est_checks.explore.engine.job import Job, JobResult, do_job, result_so_far
from ipvs_est_checks.explore.engine.run import Tally

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    # The parent's end of a pipe to a worker, and the worker's.
    ToWorker = Connection[tuple[int, Job], tuple[int, JobResult]]
    ToParent = Connection[tuple[int, JobResult], tuple[int, Job]]

_SECONDS_PER_REPORT = 0.2

Report = Callable[[int, JobResult], None]
"""Takes a job's index and what came of it so far; the last one of a job has ended."""


class WorkerDiedError(Exception):
    """A process came to an end while it searched, such as for lack of memory."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"the process that explored {job.source} on {job.revision.name} died")


def do_jobs(jobs: Sequence[Job], processes: int, report: Report) -> None:
    """Do all jobs; results come in any order. Raises WorkerDiedError.

    What a job has found is reported when it is found, so that nothing is lost if the rest is
    interrupted.
    """
    processes = min(processes, len(jobs))
    if processes > 1:
        _in_processes(jobs, processes, report)
        return
    for index, job in enumerate(jobs):
        _do_one(index, job, report)


def _do_one(index: int, job: Job, report: Report) -> None:
    tally = Tally()
    found = 0
    started = monotonic()
    due = started + _SECONDS_PER_REPORT

    def tell(result: JobResult) -> None:
        report(index, replace(result, seconds=monotonic() - started))

    def progress(tally: Tally) -> None:
        nonlocal found, due
        now = monotonic()
        if len(tally.failures) > found or now >= due:
            found = len(tally.failures)
            due = now + _SECONDS_PER_REPORT
            tell(result_so_far(tally))

    try:
        result = do_job(job, tally, progress)
    except KeyboardInterrupt:
        tell(result_so_far(tally))
        raise
    tell(result)


def _in_processes(jobs: Sequence[Job], processes: int, report: Report) -> None:
    """Each worker gets one job at a time through a pipe of its own."""
    # Imported here: it takes as long as some jobs.
    from multiprocessing import get_context
    from multiprocessing.connection import wait

    context = get_context("fork")
    workers = []
    idle: list[ToWorker] = []
    busy: dict[ToWorker, int] = {}
    todo = list(enumerate(jobs))[::-1]
    try:
        for _ in range(processes):
            to_worker, to_parent = context.Pipe()
            worker = context.Process(target=_work, args=(to_parent, to_worker), daemon=True)
            worker.start()
            workers.append(worker)
            # Only the worker holds its end, so that its death ends the pipe.
            to_parent.close()
            idle.append(to_worker)
        while todo or busy:
            while idle and todo:
                connection = idle.pop()
                index, job = todo.pop()
                busy[connection] = index
                _send(connection, index, job)
            ready = wait(list(busy))
            for connection in [each for each in busy if each in ready]:
                index = busy[connection]
                result = _receive(connection, jobs[index])
                report(index, result)
                if result.ended:
                    del busy[connection]
                    idle.append(connection)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()


def _send(connection: "ToWorker", index: int, job: Job) -> None:
    try:
        connection.send((index, job))
    except OSError:
        raise WorkerDiedError(job) from None


def _receive(connection: "ToWorker", job: Job) -> JobResult:
    try:
        return connection.recv()[1]
    except (EOFError, OSError):
        raise WorkerDiedError(job) from None


def _work(to_parent: "ToParent", to_worker: "ToWorker") -> None:
    # Ctrl-C reaches the whole process group; the parent alone tells about it and ends the rest.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A forked process has the parent's end too, and would keep the pipe alive by itself.
    to_worker.close()

    def report(index: int, result: JobResult) -> None:
        to_parent.send((index, result))

    try:
        while True:
            index, job = to_parent.recv()
            _do_one(index, job, report)
    except (EOFError, OSError):
        # The parent is gone.
        return
