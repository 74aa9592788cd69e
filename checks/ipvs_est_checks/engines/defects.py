"""Engine: the known defects, on their revisions and no other, and the negative controls."""

from collections.abc import Iterator

from ipvs_est_checks.defects.report import bound_text, details
from ipvs_est_checks.defects.run import judge_all
from ipvs_est_checks.defects.table import ROWS
from ipvs_est_checks.report.rows import Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict

_HOW = "known defects, explored"


def engine_defects(request: Request) -> Iterator[Row]:
    """A row for each row of the table; it speaks of all revisions."""
    if request.properties is not None:
        return
    if request.profile == "quick":
        yield Row(
            "defects",
            "Each known defect is found on its revisions and on no other; controls are silent.",
            "",
            Verdict.NOT_RUN,
            _HOW,
            0,
            0.0,
            "ipvs-est defects -j 0",
        )
        return
    for result in judge_all(ROWS, None, request.jobs):
        problems: tuple[Problem, ...] = ()
        if result.verdict is not Verdict.PASS:
            text = "\n".join(details(result))
            command = f"ipvs-est defects -v {result.row.id}"
            problems = (Problem(result.row.id, "", text, (), None, command),)
        yield Row(
            f"defects.{result.row.id}",
            result.row.title,
            "",
            result.verdict,
            _HOW,
            sum(cell.schedules for cell in result.cells),
            sum(cell.seconds for cell in result.cells),
            problems=problems,
            remark=f"to {bound_text(result.preemptions)}",
        )
