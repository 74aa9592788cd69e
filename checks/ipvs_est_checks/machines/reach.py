"""Which situations a run has come to, as a table, and what it must have come to."""

from collections.abc import Iterable

from ipvs_est_checks.machines.report import MachineReport, ReachRow


class NotReachedError(AssertionError):
    """A run that never saw a situation says nothing about it, so it is no pass."""


def require_reached(report: MachineReport) -> None:
    """Raise NotReachedError if a situation was not reached.

    A machine that a failure has stopped is not asked.
    """
    stopped = {failure_record.machine for failure_record in report.unexpected}
    missed = [reach_row for reach_row in report.missed if reach_row.machine not in stopped]
    if missed:
        names = ", ".join(f"{reach_row.machine} {reach_row.situation}" for reach_row in missed)
        raise NotReachedError(f"seed {report.seed}, profile {report.profile}: no {names}")


def reach_table(rows: Iterable[ReachRow]) -> str:
    """One line for each situation, with the share of histories that came to it."""
    chosen = list(rows)
    width = max((len(reach_row.situation) for reach_row in chosen), default=0)
    lines: list[str] = []
    machine = ""
    for reach_row in chosen:
        if reach_row.machine != machine:
            machine = reach_row.machine
            lines.append(f"{machine}, {reach_row.examples} histories")
        share = f"{100 * reach_row.share:5.1f} %"
        lines.append(f"  {share}  {reach_row.situation:{width}}  {reach_row.sentence}")
    return "\n".join(lines)
