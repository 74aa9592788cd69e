"""`python -m ipvs_est`: the oracle as a process (docs: SCHEMA.md)."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from ipvs_est import __version__

if TYPE_CHECKING:
    from ipvs_est.oracle_process import Extension

# Exit codes.
DONE = 0
UNUSABLE_STREAM = 2
"""Also what argparse exits with for a wrong option."""
INTERRUPTED = 130
DEAD_PIPE = 141

_PROG = "ipvs-est oracle"
_HINT = 'type lines of JSON, the first {"configure":{}}; ctrl-D ends'
_DESCRIPTION = """\
The oracle as a process: reads one JSON object a line from standard input and answers each
with one line on standard output. A configuration line starts a machine, operations follow;
a recorded trace can be piped in as it is. SCHEMA.md in the package ipvs_est is the contract.
"""
_EPILOG = """\
Lines to begin with:
  {"configure":{"revision":"mainline"}}
  {"op":"init"}
  {"op":"add_service","id":1}
  {"op":"advance","n":1000}
  {"op":"dump"}

Exit codes: 0 end of input, 2 usage or a stream that cannot be used, 130 interrupted,
141 nobody reads the answers any more.
"""


def main(
    argv: Sequence[str] | None = None, extension: "Callable[[], Extension] | None" = None
) -> int:
    """Answer standard input on standard output until it ends; the exit code.

    `argv` are the arguments without the program's name; default: those of the process.
    `extension` makes what answers lines that only another package can.
    """
    _parser().parse_args(argv)
    if sys.stdin is None or sys.stdout is None:
        return _unusable("standard input and output must be open")
    try:
        # Here, so that a ctrl-C while the model is loaded ends quietly as well.
        from ipvs_est.oracle_process import serve

        if sys.stdin.isatty():
            _tell(_HINT)
        more = None if extension is None else extension()
        serve(sys.stdin.buffer, sys.stdout.buffer, more)
    except BrokenPipeError:
        _discard_output()
        return DEAD_PIPE
    except OSError as error:
        _discard_output()
        return _unusable(error.strerror or type(error).__name__)
    except KeyboardInterrupt:
        _discard_output()
        return INTERRUPTED
    return DONE


class _Parser(argparse.ArgumentParser):
    """Complains in one line; --help tells the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(UNUSABLE_STREAM, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROG,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ipvs-est {__version__}")
    return parser


def _unusable(reason: str) -> int:
    _tell(reason)
    return UNUSABLE_STREAM


def _tell(message: str) -> None:
    # Without a standard error, print would take standard output, where only answers belong.
    if sys.stderr is not None:
        print(f"{_PROG}: {message}", file=sys.stderr)


def _discard_output() -> None:
    """Let the interpreter's last flush find somebody to take what is left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
