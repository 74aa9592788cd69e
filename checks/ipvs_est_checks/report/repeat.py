"""Several runs of `ipvs-est check` with other random numbers must say the same."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est_checks.report.rows import Report
from ipvs_est_checks.report.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What one run says of a subject and another does not."""

    id: str
    how: str
    revision: str
    """'' = of all of them."""
    verdicts: tuple[Verdict | None, ...]
    """Of each run, in order; None: it says nothing."""


def seeds(first: int, runs: int) -> tuple[int, ...]:
    """The seed of each run: the first is that given, the others follow from it."""
    numbers = random.Random(first)
    return (first, *(numbers.getrandbits(32) for _ in range(runs - 1)))


def disagreements(reports: Sequence[Report]) -> tuple[Disagreement, ...]:
    """The subjects on which the verdicts of complete runs differ; counts and times may."""
    verdicts = [
        {(row.id, row.how, row.revision): row.verdict for row in report.rows}
        for report in reports
        if report.complete
    ]
    subjects = dict.fromkeys(subject for verdict in verdicts for subject in verdict)
    found: list[Disagreement] = []
    for subject in subjects:
        said = tuple(verdict.get(subject) for verdict in verdicts)
        if len(set(said)) > 1:
            found.append(Disagreement(*subject, said))
    return tuple(found)


def disagreement_lines(found: Sequence[Disagreement], reports: Sequence[Report]) -> Iterator[str]:
    """For people: who says what."""
    complete = [report for report in reports if report.complete]
    for case in found:
        yield f"{case.id} ({case.how}) on {case.revision or 'every revision'}:"
        for verdict in dict.fromkeys(case.verdicts):
            runs = ", ".join(
                str(report.request.seed)
                for report, said in zip(complete, case.verdicts, strict=True)
                if said is verdict
            )
            yield f"  {'nothing' if verdict is None else verdict.value} with seed {runs}"
