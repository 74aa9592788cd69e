"""The `ipvs-est` click group; each subcommand's module is imported when it is used."""

import errno
import io
import os
import sys
from collections.abc import Sequence
from pkgutil import resolve_name

import click

from ipvs_est import __version__
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.suggest import check_names

SUBCOMMANDS = {
    "check": "check:check",
    "list": "list:list_command",
    "show": "show:show",
    "findings": "findings:findings",
    "explore": "explore:explore",
    "defects": "defects:defects",
    "prove": "prove:prove",
    "mutants": "mutants:mutants",
    "campaign": "campaign:campaign",
    "replay": "replay:replay_command",
    "oracle": "oracle:oracle_command",
    "harness": "harness:harness",
    "inspect": "inspect:inspect_command",
    "record": "record:record_command",
    "judge": "judge:judge_command",
    "simulate": "simulate:simulate",
    "generate": "generate:generate",
    "make-trace": "make_trace:make_trace",
    "compare-steps": "compare_steps:compare_steps",
    "schema": "schema:schema_command",
    "bench": "bench:bench",
}
"""Name -> module of `commands` and attribute, in the order of the help."""

COMPLETE = "_IPVS_EST_COMPLETE"
"""Environment variable with which a shell asks for completion."""
_COMPLETION = [
    ("bash", f'eval "$({COMPLETE}=bash_source ipvs-est)"'),
    ("zsh", f'eval "$({COMPLETE}=zsh_source ipvs-est)"'),
    ("fish", f"{COMPLETE}=fish_source ipvs-est | source"),
]


class LazyGroup(click.Group):
    """A group of `SUBCOMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = SUBCOMMANDS.get(cmd_name)
        if target is None:
            return None
        command: click.Command = resolve_name(f"ipvs_est_checks.cli.commands.{target}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args[0].startswith("-"):
            check_names("command", args[:1], SUBCOMMANDS, "see `ipvs-est --help`")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write("Completion in a shell; into its start-up file to have it always:\n")
        formatter.write_dl(_COMPLETION)


@click.group("ipvs-est", cls=LazyGroup, invoke_without_command=True)
@click.version_option(__version__, prog_name="ipvs-est")
@click.pass_context
def cli(context: click.Context) -> None:
    """Checks of the IPVS kthread stats estimator (net/netfilter/ipvs/ip_vs_est.c).

    `check` is the one to begin with; `findings F01` tells what it has found.

    Revisions: v7 as merged in 6.2, stable as in 6.12.117, mainline as in 7.3.4, repaired: mainline
    with the findings repaired.

    Exit codes: 0 pass, 1 fail, 3 incomplete, 2 usage or bad input, 130 interrupted, 143 and 129
    after SIGTERM and SIGHUP, 141 nobody reads the output.
    """
    if context.invoked_subcommand is None:
        # As click does it for a group without arguments, whatever its version.
        click.echo(context.get_help(), err=True)
        context.exit(exit_codes.BAD_INPUT)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; the exit code.

    click's own `main` would exit with 1, which means "fail" here, after ctrl-C and when the
    reader of the output has gone.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files and traces are printed, and not every terminal has every character.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _complete() if os.environ.get(COMPLETE) else _invoke(list(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        dead_pipe = error.errno == errno.EPIPE
        if not dead_pipe:
            # Such as a full disk; the streams may be what fails, so nothing is sure to be seen.
            _complain(f"Error: {error}")
        _discard_output()
        return exit_codes.DEAD_PIPE if dead_pipe else exit_codes.BAD_INPUT
    return code


def _complete() -> int:
    """Answer a shell; the words typed so far are in the environment."""
    from click.shell_completion import shell_complete

    asked = os.environ[COMPLETE]
    if shell_complete(cli, {}, "ipvs-est", COMPLETE, asked) == 0:
        return exit_codes.PASS
    known = ", ".join(f"{shell}_source" for shell, _ in _COMPLETION)
    _complain(f"Error: {COMPLETE}: {printable(asked)} is none of {known}")
    return exit_codes.BAD_INPUT


def _invoke(arguments: list[str]) -> int:
    try:
        with cli.make_context("ipvs-est", arguments) as context:
            cli.invoke(context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        # One line, without click's usage, which --help tells.
        _complain(f"Error: {printable(error.format_message())}{_where_it_goes(error)}")
        return exit_codes.BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted", err=True)
        return exit_codes.INTERRUPTED
    return exit_codes.PASS


def _where_it_goes(error: click.ClickException) -> str:
    """Of an option that stands behind a group, such as `generate --seed 1`."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return ""
    group = error.ctx.command
    if not isinstance(group, click.Group) or isinstance(group, LazyGroup):
        return ""
    names = " or ".join(group.list_commands(error.ctx))
    return f" Options go behind {names}."


def _complain(message: str) -> None:
    try:
        click.echo(message, err=True)
    except OSError:
        return


def _discard_output() -> None:
    """Let the interpreter's last flush find somebody to take what is left."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
