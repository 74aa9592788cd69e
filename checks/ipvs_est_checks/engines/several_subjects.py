"""Engine: several subjects, each in a process of the checks of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ipvs_est import Revision
from ipvs_est_checks.engines.subject import SENTENCES, Asked, engines_of
from ipvs_est_checks.history.subject_failure import FailureKind
from ipvs_est_checks.report.rows import Engine, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.subjects.keeper import Keeper, stop
from ipvs_est_checks.terminal.progress import no_progress
from ipvs_est_checks.workers import Lost, Pool


def engine_of_several(
    subjects: Mapping[str, str], seconds: float, compare: Revision | None
) -> Engine:
    """Commands by the names that they have in rows."""

    def engine(request: Request) -> Iterator[Row]:
        silent = replace(request, progress=no_progress)
        with Pool(max(2, min(request.jobs, len(subjects)))) as pool:
            work = {
                name: pool.submit(name, rows_of_subject, name, command, seconds, compare, silent)
                for name, command in subjects.items()
            }
            for done, (name, work_item) in enumerate(work.items()):
                request.progress(name, done, len(work))
                found = pool.outcome(work_item)
                if isinstance(found, Lost):
                    id_ = FailureKind.NO_ANSWER.value
                    said = f"not judged to its end: {found.why}"
                    verdict = Verdict.INCOMPLETE
                    yield Row(id_, SENTENCES[id_], name, verdict, "subject", 0, 0.0, remark=said)
                else:
                    yield from found

    return engine


def rows_of_subject(
    name: str, command: str, seconds: float, compare: Revision | None, request: Request
) -> tuple[Row, ...]:
    """What is established of one, under its name."""
    keeper = Keeper(command, seconds)
    try:
        return tuple(
            _named(row, name)
            for engine in engines_of(Asked(keeper, compare))
            for row in engine(request)
        )
    finally:
        stop(keeper)


def _named(row: Row, name: str) -> Row:
    problems = tuple(replace(problem, revision=name) for problem in row.problems)
    return replace(row, revision=name, problems=problems)
