"""The `ipvs-est` console script and its group of subcommands."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint

import click
import pytest

from command_line import CHECKOUT, here, ipvs_est
from ipvs_est import __version__
from ipvs_est_checks import command
from ipvs_est_checks.cli import group as cli
from ipvs_est_checks.cli.group import SUBCOMMANDS

Capture = pytest.CaptureFixture[str]

# Of packages that indexes have: a wheel may come from anywhere.
INSTALL = "pip install click hypothesis rich z3-solver"
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def without_packages(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command where nothing but Python and the checkout is installed."""
    script = """\
import sys
sys.path[:0] = sys.argv[1:4]
from ipvs_est_checks.command import main
sys.exit(main(sys.argv[4:]))
"""
    roots = [str(CHECKOUT / root) for root in ("refimpl", "spec", "checks")]
    return subprocess.run(
        [sys.executable, "-S", "-I", "-B", "-c", script, *roots, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# The script


def test_installed_script_is_main() -> None:
    name, target = next(iter(PROJECT["scripts"].items()))
    assert name == "ipvs-est"
    assert EntryPoint(name, target, "console_scripts").load() is command.main


def test_oracle_works_with_nothing_installed() -> None:
    lines = ['{"configure":{"revision":"mainline"}}', '{"op":"init"}']
    run = without_packages("oracle", stdin="".join(f"{line}\n" for line in lines))
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout.splitlines()[-1]) == {"result": {"ret": 0}}


@pytest.mark.parametrize("arguments", [[], ["--help"], ["replay", "x"], ["--oracle"]])
def test_other_subcommands_say_what_to_install(arguments: list[str]) -> None:
    run = without_packages(*arguments)
    assert run.stderr == (
        f"ipvs-est: click is not installed: {INSTALL} (`ipvs-est oracle` works without)\n"
    )
    assert (run.returncode, run.stdout) == (2, "")


def test_what_is_to_be_installed_is_what_the_extra_names() -> None:
    needed = [entry.partition(">=")[0] for entry in PROJECT["optional-dependencies"]["check"]]
    assert f"pip install {' '.join(needed)}" == INSTALL


def test_missing_rich_is_told_as_well(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(arguments: list[str]) -> int:
        raise ModuleNotFoundError("No module named 'rich'", name="rich")

    monkeypatch.setattr(cli, "run", run)
    found = here(capsys, "simulate")
    assert found.err.startswith(f"ipvs-est: rich is not installed: {INSTALL}")
    assert found.code == 2


@pytest.mark.parametrize(
    "name", ["click.core", "clic", "ipvs_est_checks.cli.commands.replay", "numpy"]
)
def test_other_missing_module_is_no_matter_of_extras(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(arguments: list[str]) -> int:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(cli, "run", run)
    with pytest.raises(ModuleNotFoundError, match=name):
        command.main(["replay"])


def test_interrupt_while_modules_are_loaded_is_quiet(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", run)
    found = here(capsys, "replay", "x")
    assert (found.code, found.out, found.err) == (130, "", "")


# The group


def test_every_subcommand_can_be_loaded() -> None:
    context = click.Context(cli.cli)
    assert list(SUBCOMMANDS) == cli.cli.list_commands(context)
    for name in SUBCOMMANDS:
        assert isinstance(cli.cli.get_command(context, name), click.Command)


def test_help_lists_the_subcommands(capsys: Capture) -> None:
    run = here(capsys, "--help")
    listed = run.out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == list(SUBCOMMANDS)
    assert {"replay", "simulate", "oracle"} <= SUBCOMMANDS.keys()
    # Each has a sentence of its own.
    assert all(len(line.split()) > 3 for line in listed)
    assert run.code == 0


def test_version_is_that_of_the_distribution(capsys: Capture) -> None:
    run = here(capsys, "--version")
    assert (run.code, run.out) == (0, f"ipvs-est, version {__version__}\n")
    assert PROJECT["version"] == __version__


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["replays"], "Error: no such command: replays; did you mean replay?"),
        (["qqq"], "Error: no such command: qqq; see `ipvs-est --help`"),
        (["--nope"], "No such option"),
    ],
)
def test_wrong_usage_gives_2(arguments: list[str], expected: str, capsys: Capture) -> None:
    run = here(capsys, *arguments)
    assert expected in run.err
    assert (run.code, run.out) == (2, "")


def test_no_arguments_give_the_help_and_2() -> None:
    run = ipvs_est()
    assert (run.code, run.out) == (2, "")
    assert run.err == ipvs_est("--help").out
    assert "\\n" not in run.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion_as_the_help_says(shell: str) -> None:
    asked = f"_IPVS_EST_COMPLETE={shell}_source"
    assert asked in ipvs_est("--help").out
    run = ipvs_est(_IPVS_EST_COMPLETE=f"{shell}_source")
    assert (run.code, run.err) == (0, "")
    assert f"_IPVS_EST_COMPLETE={shell}_complete" in run.out


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("ipvs-est mut", ["mutants"]),
        ("ipvs-est check --pro", ["--profile", "--property"]),
        ("ipvs-est check --profile d", ["deep"]),
    ],
)
def test_commands_options_and_values_are_completed(words: str, completed: list[str]) -> None:
    run = ipvs_est(
        _IPVS_EST_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))
    )
    assert run.out.splitlines() == [f"plain,{name}" for name in completed]
    assert (run.code, run.err) == (0, "")


def test_a_wish_for_completion_that_nobody_knows_is_refused() -> None:
    run = ipvs_est(_IPVS_EST_COMPLETE="ksh_source")
    assert (run.code, run.out) == (2, "")
    assert run.err == (
        "Error: _IPVS_EST_COMPLETE: ksh_source is none of bash_source, zsh_source, fish_source\n"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "--property", "reader.grup"], "no such property: reader.grup; did you mean"),
        (["explore", "exit-in-drian"], "no such scenario: exit-in-drian; did you mean exit-in"),
        (
            ["explore", "exit-in-drain", "--property", "NONE"],
            "no such property that is watched: NONE; did you mean none",
        ),
        (["defects", "d36"], "no such defect: d36; did you mean D36"),
        (["mutants", "R4-barier"], "no such mutant: R4-barier; did you mean R4-barrier"),
        (["findings", "F0l"], "no such finding: F0l; did you mean F"),
        (["prove", "rows.chian"], "no such theorem: rows.chian; did you mean rows.chain"),
        (["mutants", "qqqq"], "no such mutant: qqqq; `ipvs-est mutants` runs all of them"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_those_like_it(
    arguments: list[str], expected: str, capsys: Capture
) -> None:
    run = here(capsys, *arguments)
    assert run.err.startswith(f"Error: {expected}")
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        # click itself exits with 1 for these, which means a failed check here.
        (click.ClickException("bad"), 2, "Error: bad\n"),
        (click.Abort(), 130, "Interrupted\n"),
        (KeyboardInterrupt(), 130, "Interrupted\n"),
    ],
)
def test_click_error_is_no_failed_check(
    error: BaseException,
    code: int,
    expected: str,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def invoke(context: click.Context) -> None:
        raise error

    monkeypatch.setattr(cli.cli, "invoke", invoke)
    run = here(capsys, "replay", "x")
    assert (run.code, run.out, run.err) == (code, "", expected)


def test_bug_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def invoke(context: click.Context) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli.cli, "invoke", invoke)
    with pytest.raises(ZeroDivisionError):
        command.main(["replay", "x"])


def test_oracle_can_be_reached_through_the_group(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    handed: list[tuple[str, ...]] = []

    def oracle(arguments: tuple[str, ...], lines: object) -> int:
        # The command's oracle takes schedules as well, which the model's own program does not.
        assert callable(lines)
        handed.append(arguments)
        return 17

    monkeypatch.setattr("ipvs_est.__main__.main", oracle)
    assert cli.run(["oracle", "--help", "-x", "file"]) == 17
    assert command.main(["oracle", "--version"]) == 17
    assert list(map(list, handed)) == [["--help", "-x", "file"], ["--version"]]
    assert capsys.readouterr().out == ""
