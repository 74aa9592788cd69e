"""`ipvs-est explore --reduction compare`: the reduced search beside the whole one."""

from collections.abc import Sequence
from math import exp, inf, log
from time import monotonic

import click

from ipvs_est_checks.explore.engine.job import Job
from ipvs_est_checks.explore.reduction.compare import compare, difference
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar

COMPARE = "compare"


def compare_all(jobs: Sequence[Job], minutes: float | None) -> int:
    """Tell of each job whether both searches come to the same; the exit code.

    minutes: for both searches of each.
    """
    ratios: list[float] = []
    wrong = unfinished = 0
    with progress_bar("explore", len(jobs)) as bar:
        for number, job in enumerate(jobs):
            name = f"{job.source} on {job.revision.name}"
            draw(bar, number, name)
            until = inf if minutes is None else monotonic() + 60 * minutes
            both = compare(job.scenario, job.revision, job.watched, until)
            hide(bar)
            if both is None:
                unfinished += 1
                click.echo(f"{name}: INCOMPLETE: not both have ended")
                continue
            whole, reduced = both.whole.figures, both.reduced.figures
            ratio = reduced.steps / whole.steps
            ratios.append(ratio)
            differs = difference(both)
            wrong += bool(differs)
            verdict = f"FAIL: {differs}" if differs else "equal"
            failures = f", {len(both.whole.failures)} failures" if both.whole.failures else ""
            click.echo(
                f"{name}: {verdict}: {whole.states} states{failures},"
                f" {reduced.steps} steps of {whole.steps} ({ratio:.3f}),"
                f" {reduced.schedules} schedules of {whole.schedules}"
            )
    if ratios:
        mean = exp(sum(map(log, ratios)) / len(ratios))
        click.echo(f"{len(ratios)} that both have ended: geometric mean of the steps {mean:.3f}")
    if wrong:
        return exit_codes.FAIL
    return exit_codes.INCOMPLETE if unfinished else exit_codes.PASS
