"""Replaying many traces; the outcomes come in order whatever the number of processes."""

from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

from ipvs_est.language.revision import Revision
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import Outcome, Piped, Unusable, outcome_of
from ipvs_est_checks.workers import Pool


def outcomes(
    files: Sequence[Path | Piped | Unusable], override: Revision | None, jobs: int
) -> Generator[Outcome]:
    """The outcome of each file, in their order, found by that many processes.

    Close the generator to end the processes early.
    """
    usable = [file for file in files if not isinstance(file, Unusable)]
    with Pool(min(jobs, len(usable))) as pool:
        replayed = pool.map(partial(_outcome, override), usable, str)
        for file in files:
            yield file if isinstance(file, Unusable) else next(replayed)[1]


def _outcome(override: Revision | None, source: Path | Piped) -> Passed | Failed | Unusable:
    return outcome_of(source, override)
