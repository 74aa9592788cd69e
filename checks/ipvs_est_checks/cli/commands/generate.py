"""`ipvs-est generate`."""

from pathlib import Path

import click

from ipvs_est.language.header import params_from_json, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import check_unique_keys, parse_object
from ipvs_est.language.params import Params
from ipvs_est.language.revision import MAINLINE, REVISIONS
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.explore.scenarios.scenario import scenario_text
from ipvs_est_checks.explore.scenarios.strategy import MOST_TASKS
from ipvs_est_checks.explore.scenarios.strategy import THEMES as SCENARIO_THEMES
from ipvs_est_checks.generate.histories import Wish, history_text, make_histories
from ipvs_est_checks.generate.scenarios import make_scenarios
from ipvs_est_checks.machines.netns.themes import THEMES
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.report.report_file import write_report_file
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.progress import draw, progress_bar

_DERIVED = frozenset({"tick_jiffies", "tick_chains"})

_seed = click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0, 2**64 - 1),
    help="Equal seeds give equal files.  [default: a fresh one, which is printed]",
)
_count = click.option(
    "--count",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=10,
    show_default=True,
    help="How many.",
)
_machine = click.option(
    "--params",
    metavar="JSON",
    help="Their machine, as in a trace's header; what is left out has its default."
    "  [default: small ones of all kinds]",
)
_output = click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=NamedPath(file_okay=False),
    required=True,
    help="Directory for the files, one each; made if it is not there.",
)


@click.group()
def generate() -> None:
    """Make random histories or scenarios, as files for any use.

    Histories are input of the oracle, of `replay` (with answers) and of any program that speaks
    the oracle's language; scenarios are input of `explore`.
    """


@generate.command()
@_seed
@_count
@_output
@click.option(
    "--rules",
    metavar="N",
    type=click.IntRange(1, 1000),
    default=12,
    show_default=True,
    help="Size: steps of the state machine in each; a step is one operation or some.",
)
@click.option(
    "--theme", type=click.Choice(THEMES), help="What they are about at first.  [default: each]"
)
@_machine
@click.option(
    "--revision",
    type=click.Choice(list(REVISIONS)),
    default=MAINLINE.name,
    show_default=True,
    help="Whose answers, and for whom they make sense.",
)
@click.option("--answers", is_flag=True, help="With the model's answers: traces, for `replay`.")
def histories(
    seed: int | None,
    count: int,
    output: Path,
    rules: int,
    theme: str | None,
    params: str | None,
    revision: str,
    answers: bool,
) -> None:
    """Histories of operations, one file each: a header line, then an operation a line."""
    number = _number(seed)
    model = REVISIONS[revision]
    wish = Wish(model, number, count, rules, theme, _params(params))
    with progress_bar("generate", count) as bar:
        made = make_histories(wish)
        for index, history in enumerate(made):
            name = f"history-{number}-{index:05}"
            text = history_text(name, number, history, model, answers=answers)
            _write(output, f"{name}.jsonl", text)
            draw(bar, index + 1)
    click.echo(f"{len(made)} histories in {output}, seed {number}")


@generate.command()
@_seed
@_count
@_output
@click.option(
    "--tasks",
    metavar="N",
    type=click.IntRange(1, MOST_TASKS),
    default=MOST_TASKS,
    show_default=True,
    help="Size: most tasks that race, beside one that may take the netns away.",
)
@click.option(
    "--theme",
    type=click.Choice(SCENARIO_THEMES),
    help="What one of the tasks does.  [default: any]",
)
@_machine
def scenarios(
    seed: int | None, count: int, output: Path, tasks: int, theme: str | None, params: str | None
) -> None:
    """Scenarios for `ipvs-est explore`, one file each."""
    number = _number(seed)
    machine = _params(params)
    if machine is not None and not machine.sysctl and theme == "sysctls":
        raise BadInputError("--theme sysctls: --params has none: sysctl is false")
    made = make_scenarios(number, count, machine, theme, tasks)
    for index, scenario in enumerate(made):
        _write(output, f"scenario-{number}-{index:05}.json", f"{scenario_text(scenario)}\n")
    click.echo(f"{len(made)} scenarios in {output}, seed {number}")


def _number(seed: int | None) -> int:
    return fresh_seed() if seed is None else seed


def _params(text: str | None) -> Params | None:
    if text is None:
        return None
    defaults = {
        name: parameter
        for name, parameter in params_to_json(Params()).items()
        if name not in _DERIVED
    }
    try:
        value = parse_object(text)
        check_unique_keys(text)
        return params_from_json({**defaults, **value})
    except InputError as error:
        where = f" {error.field}:" if error.field else ""
        raise BadInputError(f"--params:{where} {error.message}") from None


def _write(directory: Path, name: str, text: str) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_report_file(directory / name, text)
    except OSError as error:
        raise BadInputError(f"--output: {directory / name}: {error.strerror}") from None
