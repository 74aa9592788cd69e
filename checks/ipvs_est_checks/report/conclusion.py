"""The verdict of a run in words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ipvs_est import REVISIONS
from ipvs_est_checks.history.subject_failure import ANSWER, RECORDED
from ipvs_est_checks.report.causes import SharedCause
from ipvs_est_checks.report.matrix import cells
from ipvs_est_checks.report.rows import Row
from ipvs_est_checks.report.verdict import Verdict, counted, worst
from ipvs_est_spec.catalogue import PROPERTIES

_PROPERTIES = frozenset(prop.id for prop in PROPERTIES)


def conclusion(
    rows: Sequence[Row], revisions: Sequence[str], causes: Sequence[SharedCause], *, complete: bool
) -> str:
    """One line: as recorded or not, how many properties and revisions, how many findings.

    Of subjects, of which nothing is recorded: how many answers and properties are behind it.
    """
    judged = [
        line
        for line in cells(rows, revisions).values()
        if any(matrix_cell.verdict not in (None, Verdict.INCOMPLETE) for matrix_cell in line)
    ]
    findings = {
        finding for row in rows if row.verdict is Verdict.FINDING for finding in row.findings
    }
    of = (
        f"{_number(len(judged), 'property', 'properties')} on"
        f" {_number(len(revisions), 'revision', 'revisions')},"
        f" {_number(len(findings), 'known finding', 'known findings')}"
    )
    as_wanted = "as recorded"
    subjects = [revision for revision in revisions if revision not in REVISIONS]
    if subjects:
        as_wanted = "nothing wrong is found"
        of = _of_subjects(rows, subjects, sorted(findings))
    ran = [row for row in rows if row.verdict is not Verdict.NOT_RUN]
    checks = f"{_number(len(ran), 'check', 'checks')} in all"
    verdict = worst(row.verdict for row in rows)
    if verdict is Verdict.FAIL:
        said = f"not as recorded: {_number(len(causes), 'cause', 'causes')} above; {of}"
    elif not complete:
        said = f"so far as it went, {as_wanted}: {of}"
    elif verdict is Verdict.INCOMPLETE:
        left = sum(row.verdict is Verdict.INCOMPLETE for row in rows)
        said = f"not complete: {_number(left, 'check', 'checks')} not made as asked; {of}"
    else:
        said = f"{as_wanted if subjects else f'everything is {as_wanted}'}: {of}"
    counts = counted(row.verdict for row in ran)
    return f"{'' if complete else 'interrupted: '}{said} ({checks}: {counts or 'none'})"


def _of_subjects(rows: Sequence[Row], subjects: Sequence[str], findings: Sequence[str]) -> str:
    compared = sum(row.cases for row in rows if row.id == ANSWER)
    recorded = sum(row.cases for row in rows if row.id == RECORDED)
    judged = {
        row.id
        for row in rows
        if row.id in _PROPERTIES and row.verdict not in (Verdict.NOT_JUDGED, Verdict.NOT_RUN)
    }
    lines = [f"{_number(compared, 'answer', 'answers')} compared"] if compared else []
    lines += [_number(recorded, "recording", "recordings")] if recorded else []
    lines.append(f"{len(judged)} of {len(_PROPERTIES)} properties judged")
    lines += [f"it shows {', '.join(findings)}"] if findings else []
    return f"{', '.join(lines)} on {_number(len(subjects), 'subject', 'subjects')}"


def with_reasons(rows: Sequence[Row], *, complete: bool) -> tuple[Row, ...]:
    """The rows, with a word why where one of an id passes and another shows a finding, and where
    one is incomplete because the run was interrupted."""
    shown: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.verdict is Verdict.FINDING:
            shown.setdefault((row.id, row.revision), []).append(row)
    explained = []
    for row in rows:
        others = shown.get((row.id, row.revision), [])
        if row.verdict is Verdict.PASS and others and not row.remark:
            findings = ", ".join(
                sorted({finding for other in others for finding in other.findings})
            )
            ways = ", ".join(dict.fromkeys(other.how for other in others))
            row = replace(row, remark=f"{findings or 'the finding'} is not met here: {ways}")
        if row.verdict is Verdict.INCOMPLETE and not complete and not row.remark:
            row = replace(row, remark="interrupted")
        explained.append(row)
    return tuple(explained)


def remarks(rows: Sequence[Row]) -> Iterator[str]:
    """What is incomplete, and what the profile leaves out: a line for each reason."""
    for verdict in (Verdict.INCOMPLETE, Verdict.NOT_JUDGED, Verdict.NOT_RUN):
        chosen = [row for row in rows if row.verdict is verdict]
        # One search or proof left out is like another; a reason is told once.
        reasons = Counter(_reason(row) for row in chosen)
        for reason, number in reasons.items():
            first = next(row for row in chosen if _reason(row) == reason)
            of = first.id if number == 1 else f"{first.id} and {number - 1} more"
            yield f"{verdict.value.lower()}: {of}: {reason}"


def _reason(row: Row) -> str:
    if row.remark:
        return row.remark
    if row.verdict is Verdict.NOT_RUN:
        return f"the profile leaves it out ({row.how}); --profile ci has more"
    otherwise = "a bound was hit" if row.verdict is Verdict.INCOMPLETE else "nothing tells of it"
    return next((problem.detail for problem in row.problems), otherwise)


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
