"""A search that is written to a file now and then, and when it is told to end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from ipvs_est_checks.explore.engine.job import Go, Job, JobResult, Ongoing, new_search, search
from ipvs_est_checks.explore.engine.run import Tally
from ipvs_est_checks.explore.engine.searches import do_one
from ipvs_est_checks.explore.failures.already_known import AlreadyKnown
from ipvs_est_checks.explore.large.checkpoint import checkpoint_bytes
from ipvs_est_checks.report.report_file import write_report_file
from ipvs_est_checks.terminal.signals import deferred_signals

_SECONDS = 60.0
"""Between two files, at least."""
_SHARE = 20
"""At most one part in so many of the time goes into writing."""


@dataclass(slots=True)
class Kept:
    """One search and its file."""

    file: Path
    ongoing: Ongoing | None = None
    """To go on with; None: it begins."""
    seconds: float = _SECONDS
    due: float = 0.0
    """When to write next, by the monotonic clock."""
    written: bool = False


def do_kept(
    job: Job,
    kept: Kept,
    report: Callable[[JobResult], None],
    already: AlreadyKnown,
    go: Go = search,
) -> JobResult:
    """Do a job as `do_one` does; what was done of the search is in the file at the end.

    A signal that ends the command waits until the schedule under way has come to its end and the
    search is written. Raises OSError if the file cannot be written; then it is as it was.
    """

    def search_on(
        job: Job, ongoing: Ongoing, progress: Callable[[Tally], None], already: AlreadyKnown
    ) -> None:
        kept.due = monotonic() + kept.seconds
        with deferred_signals() as deferred:

            def between(tally: Tally) -> None:
                progress(tally)
                if not deferred.number and monotonic() < kept.due:
                    return
                ongoing.rest_asked = True
                if ongoing.at_rest:
                    _write(kept, job, ongoing)
                    ongoing.rest_asked = False
                    deferred.act()

            go(job, ongoing, between, already)
            _write(kept, job, ongoing)

    return do_one(already, job, report, kept.ongoing or new_search(job), search_on)


def _write(kept: Kept, job: Job, ongoing: Ongoing) -> None:
    began = monotonic()
    write_report_file(kept.file, checkpoint_bytes(job, ongoing))
    ended = monotonic()
    kept.written = True
    kept.due = ended + max(kept.seconds, _SHARE * (ended - began))
