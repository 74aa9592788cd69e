"""Which situations a run has come to, as a table, and what it must have come to."""

from collections.abc import Iterable

from ipvs_est_checks.machines.report import MachineReport, ReachRow


class NotReachedError(AssertionError):
    """A run that never saw a situation says nothing about it, so it is no pass."""


def require_reached(report: MachineReport) -> None:
    """Raise NotReachedError if a situation was not reached.

    A machine that a failure has stopped is not asked.
    """
    stopped = {each.machine for each in report.unexpected}
    missed = [each for each in report.missed if each.machine not in stopped]
    if missed:
        names = ", ".join(f"{each.machine} {each.situation}" for each in missed)
        raise NotReachedError(f"seed {report.seed}, profile {report.profile}: no {names}")


def reach_table(rows: Iterable[ReachRow]) -> str:
    """One line for each situation, with the share of histories that came to it."""
    chosen = list(rows)
    width = max((len(each.situation) for each in chosen), default=0)
    lines: list[str] = []
    machine = ""
    for each in chosen:
        if each.machine != machine:
            machine = each.machine
            lines.append(f"{machine}, {each.examples} histories")
        share = f"{100 * each.share:5.1f} %"
        lines.append(f"  {share}  {each.situation:{width}}  {each.sentence}")
    return "\n".join(lines)
