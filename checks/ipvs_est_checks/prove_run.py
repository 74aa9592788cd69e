"""Deciding many theorems, in this process or in several; the outcomes come in order."""

import signal
from collections.abc import Iterator, Sequence

from ipvs_est_spec.proof.registry import BY_ID
from ipvs_est_spec.proof.solve import Options, Outcome, decide
from ipvs_est_spec.proof.theorem import Theorem


def outcomes(theorems: Sequence[Theorem], options: Options, jobs: int) -> Iterator[Outcome]:
    """What z3 says of each; terms are built in the process that decides."""
    tasks = [(each.id, options) for each in theorems]
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        yield from map(_decide, tasks)
        return
    # Imported here: it takes as long as some theorems.
    from multiprocessing import Pool

    with Pool(jobs, _ignore_interrupts) as pool:
        yield from pool.imap(_decide, tasks)


def _decide(task: tuple[str, Options]) -> Outcome:
    id_, options = task
    return decide(BY_ID[id_], options)


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole process group; the parent alone acts on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
