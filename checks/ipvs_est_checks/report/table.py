"""The long table of `ipvs-est check -v`: a line for each subject and way of establishing it."""

from collections.abc import Iterator, Sequence

from ipvs_est_checks.report.columns import aligned
from ipvs_est_checks.report.rows import Row
from ipvs_est_checks.report.verdict import Verdict, worst


def table(rows: Sequence[Row], revisions: Sequence[str]) -> Iterator[str]:
    """One line for each subject: a verdict for each revision, then what it says and why."""
    merged: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        merged.setdefault((row.id, row.how), []).append(row)
    lines = [("id", *revisions, "how", "cases", "seconds", "what")]
    for (subject, how), group in merged.items():
        by_revision = {name: row for row in group for name in row.revision.split(", ")}
        everywhere = by_revision.get("")
        verdicts = []
        for revision in revisions:
            found = by_revision.get(revision, everywhere)
            verdicts.append("-" if found is None else found.verdict.value)
        lines.append(
            (
                subject,
                *verdicts,
                how,
                str(sum(row.cases for row in group)),
                f"{sum(row.seconds for row in group):.1f}",
                _what(group),
            )
        )
    numbers = len(revisions) + 2
    yield from aligned(lines, {numbers, numbers + 1})


def _what(group: Sequence[Row]) -> str:
    """The sentence, a word why where the verdict needs one, the command that runs what was not."""
    said = [group[0].sentence]
    said += dict.fromkeys(f"({row.remark})" for row in group if row.remark)
    said += dict.fromkeys(f"run: {row.command}" for row in group if row.command)
    return " ".join(said)


def by_how(rows: Sequence[Row]) -> Iterator[str]:
    """What each way of establishing has shown: rows by verdict, a column for each that occurs."""
    ways = dict.fromkeys(row.how for row in rows)
    verdicts = [verdict for verdict in Verdict if any(row.verdict is verdict for row in rows)]
    lines = [("how", "rows", *(verdict.value for verdict in verdicts), "cases", "seconds")]
    for how in ways:
        group = [row for row in rows if row.how == how]
        counts = [sum(row.verdict is verdict for row in group) for verdict in verdicts]
        cases = sum(row.cases for row in group)
        seconds = sum(row.seconds for row in group)
        cells = (how, str(len(group)), *(str(count or "-") for count in counts))
        lines.append((*cells, str(cases), f"{seconds:.1f}"))
    yield from aligned(lines, range(1, len(verdicts) + 4))


def stage_line(rows: Sequence[Row], seconds: float) -> str:
    """What one engine has found, as soon as it has ended."""
    ran = [row for row in rows if row.verdict is not Verdict.NOT_RUN]
    ways = "; ".join(dict.fromkeys(row.how for row in ran or rows))
    if not ran:
        return f"{ways}: left out by the profile"
    cases = sum(row.cases for row in ran)
    whole = worst(row.verdict for row in ran)
    said = "as recorded"
    if all(row.verdict is Verdict.NOT_JUDGED for row in ran):
        said = "none judged"
    elif whole is not Verdict.PASS:
        said = f"{sum(row.verdict is whole for row in ran)} {whole.value}"
    return f"{ways}: {len(ran)} checks, {cases} cases, {said}, {seconds:.1f} s"
