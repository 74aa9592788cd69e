"""What a check says, and what several of them say together."""

from collections.abc import Iterable
from enum import Enum

from ipvs_est_checks.terminal import exit_codes


class Verdict(Enum):
    """What a check says."""

    PASS = "PASS"
    FINDING = "FINDING"
    """It fails, as recorded: a fact about the revision."""
    FAIL = "FAIL"
    INCOMPLETE = "INCOMPLETE"
    """A bound or a limit was hit, or what should have run could not."""
    SAMPLED = "SAMPLED"
    """No failure in a number of random schedules or histories, which are never all."""
    NOT_JUDGED = "NOT JUDGED"
    """What it would be judged by is not given: nothing is known of it."""
    NOT_RUN = "NOT RUN"
    """The profile leaves it out: nothing was judged."""


_WORST_FIRST = (Verdict.FAIL, Verdict.INCOMPLETE, Verdict.SAMPLED)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of the whole: FAIL before INCOMPLETE before SAMPLED before PASS.

    A recorded finding is a pass, and what a profile leaves out by design does not count. Where
    nothing was looked at there is no pass.
    """
    found = set(verdicts)
    for verdict in _WORST_FIRST:
        if verdict in found:
            return verdict
    return Verdict.PASS if found & {Verdict.PASS, Verdict.FINDING} else Verdict.INCOMPLETE


def exit_code(verdict: Verdict) -> int:
    """Of a whole run."""
    if verdict is Verdict.FAIL:
        return exit_codes.FAIL
    incomplete = verdict in (Verdict.INCOMPLETE, Verdict.NOT_RUN, Verdict.NOT_JUDGED)
    return exit_codes.INCOMPLETE if incomplete else exit_codes.PASS


def counted(verdicts: Iterable[Verdict]) -> str:
    """How often each occurs, as in `3 pass, 1 fail`."""
    found = list(verdicts)
    return ", ".join(
        f"{found.count(verdict)} {verdict.value.lower()}" for verdict in Verdict if verdict in found
    )
