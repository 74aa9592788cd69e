"""The `ipvs-est` console script."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.signals import ending_signals, with_signal

if TYPE_CHECKING:
    from ipvs_est_checks.explore.schedule_lines import ScheduleLines

_OF_EXTRA = ("click", "rich", "hypothesis", "z3")
_PACKAGES = "click hypothesis rich z3-solver"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (default: the process's arguments) and return the exit code.

    `oracle` needs the standard library only, so nothing else is imported for it.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["oracle"]:
        from ipvs_est.__main__ import main as oracle

        return oracle(arguments[1:], schedule_lines)
    with ending_signals() as ending:
        return with_signal(_run(arguments), ending)


def schedule_lines() -> "ScheduleLines":
    """What the oracle's process answers beyond `python -m ipvs_est`."""
    from ipvs_est_checks.explore.schedule_lines import ScheduleLines

    return ScheduleLines()


def _run(arguments: Sequence[str]) -> int:
    try:
        from ipvs_est_checks.cli.group import run

        return run(arguments)
    except ModuleNotFoundError as error:
        if error.name not in _OF_EXTRA:
            raise
        print(
            f"ipvs-est: {error.name} is not installed: pip install {_PACKAGES}"
            " (`ipvs-est oracle` works without)",
            file=sys.stderr,
        )
        return exit_codes.BAD_INPUT
    except KeyboardInterrupt:
        # While modules were loaded; later ones are caught where the work is.
        return exit_codes.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
