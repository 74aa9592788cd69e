"""What it costs that a subject is another process: the model in process, and the model as one.

The work is that of the recordings of the package, every answer compared. Times are seconds by the
clock, best of the repetitions.
"""

import gc
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from ipvs_est.answers.trace import lines_of
from ipvs_est.replay import replay_bytes
from ipvs_est_checks.conformance.recordings import Recording, recordings
from ipvs_est_checks.subjects.subject import start_subject, stop_subject
from ipvs_est_checks.subjects.trace import replay_on

COMMAND = f"'{sys.executable}' -m ipvs_est"
"""The model as a subject."""


@dataclass(frozen=True, slots=True)
class SubjectBench:
    """The same recordings, in process and through a process."""

    traces: int
    operations: int
    in_process_seconds: float
    subject_seconds: float
    own_cpu_seconds: float
    """Of the checks, in the best run of the subject."""
    subject_cpu_seconds: float
    """Of the subject, in all runs together by their number, its start included."""

    @property
    def per_second(self) -> float:
        """Operations that the subject answers in a second."""
        return self.operations / self.subject_seconds

    @property
    def share(self) -> float:
        """Of the speed in process; 1 = it costs nothing."""
        return self.in_process_seconds / self.subject_seconds


def bench_subject(repetitions: int, some: Sequence[Recording] | None = None) -> SubjectBench:
    """Replay the recordings both ways; None = all of the package."""
    chosen = recordings() if some is None else some
    texts = [(recording, lines_of(recording.name, recording.data)) for recording in chosen]
    inside = _best(
        repetitions, lambda: [replay_bytes(recording.name, recording.data) for recording in chosen]
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subject = start_subject(COMMAND)
    try:
        outside = _best(
            repetitions,
            lambda: [replay_on(subject, recording.name, lines) for recording, lines in texts],
        )
    finally:
        stop_subject(subject)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    operations = sum(len(lines) - 1 for _, lines in texts)
    return SubjectBench(
        len(texts), operations, inside[0], outside[0], outside[1], spent / repetitions
    )


def _best(repetitions: int, work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of this process' CPU, of the fastest run."""
    runs = []
    for _ in range(repetitions):
        gc.collect()
        began, cpu = perf_counter(), _cpu()
        work()
        runs.append((perf_counter() - began, _cpu() - cpu))
    return min(runs)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
