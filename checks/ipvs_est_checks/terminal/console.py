"""Rich's console for a command's output."""

import sys

from rich.console import Console

from ipvs_est_checks.terminal.progress import is_terminal


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Rich would exit with 1, which means "fail" here.
        raise  # called while the BrokenPipeError is handled


def output_console() -> Console:
    """Writes to standard output, wherever that is when something is printed.

    Not what rich guesses: an environment variable must not put escapes into a pipe.
    """
    return _Console(force_terminal=is_terminal(sys.stdout))
