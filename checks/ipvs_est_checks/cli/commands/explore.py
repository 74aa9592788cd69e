"""`ipvs-est explore`."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic

import click

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.input_error import InputError
from ipvs_est_checks.cli.commands.explore_compare import COMPARE, compare_all
from ipvs_est_checks.cli.commands.explore_subject import (
    SearchedScenario,
    explore_on,
    explored_subject,
    replay_on,
)
from ipvs_est_checks.cli.options.amount import AmountType
from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.preemptions import UNBOUNDED, PreemptionsType
from ipvs_est_checks.cli.options.report import (
    check_targets,
    json_option,
    junit_option,
    reports_at_end,
    write_target,
)
from ipvs_est_checks.cli.options.subject import seconds_option, subject_option, tree_option
from ipvs_est_checks.explore.engine.beginning import fit
from ipvs_est_checks.explore.engine.job import Job, JobKind, JobResult, Settings
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.report import (
    SearchRow,
    caption,
    replay_caption,
    replay_lines,
    row_lines,
    summary,
    tell,
)
from ipvs_est_checks.explore.failures.report_files import json_report, junit_report, worst
from ipvs_est_checks.explore.failures.token import (
    fit_text,
    is_token,
    replay_token,
    token_from_text,
)
from ipvs_est_checks.explore.large.any_search import do_searches
from ipvs_est_checks.explore.large.checkpoint import read_checkpoint
from ipvs_est_checks.explore.large.kept import Kept
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, load
from ipvs_est_checks.explore.scenarios.setup_check import check_setup
from ipvs_est_checks.explore.schedulers.exhaustive import Reduction
from ipvs_est_checks.explore.schedulers.pct import DEFAULT_DEPTH
from ipvs_est_checks.explore.timeline.picture import timeline_svg
from ipvs_est_checks.explore.timeline.steps import Timeline
from ipvs_est_checks.known.failures import ALREADY_KNOWN
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.report.verdict import exit_code
from ipvs_est_checks.subjects.judged_schedules import JUDGED
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import Bar, draw, hide, progress_bar
from ipvs_est_checks.terminal.suggest import check_names, no_such


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--revision", "revisions", multiple=True, type=click.Choice(list(REVISIONS)), help="Only that."
)
@click.option(
    "--scheduler",
    type=click.Choice([job_kind.value for job_kind in JobKind]),
    default=JobKind.DFS.value,
    show_default=True,
    help="dfs searches all schedules within its bound; the others draw schedules: pct by"
    " priorities, random any, pos and surw by which accesses race.",
)
@click.option(
    "--preemptions",
    metavar="N",
    type=PreemptionsType(0, 20),
    default=2,
    show_default=True,
    help="Bound of dfs, or 'none': every schedule.",
)
@click.option(
    "--reduction",
    type=click.Choice([*(reduction.value for reduction in Reduction), COMPARE]),
    help="With --preemptions none: leave out schedules that do the same in another order (sleep),"
    " or nothing (none), or search both ways and tell whether both"
    " come to the same (compare).  [default: sleep]",
)
@click.option(
    "--memory",
    type=click.Choice([memory_order.value for memory_order in MemoryOrder]),
    default=MemoryOrder.SC.value,
    show_default=True,
    help="When a store reaches the other tasks: sc at once, tso later and in order, as on x86,"
    " relaxed later and in any order but for barriers and releases. That it does takes no"
    " preemption.",
)
@click.option(
    "--depth",
    metavar="N",
    type=click.IntRange(1, 20),
    default=DEFAULT_DEPTH,
    show_default=True,
    help="Of the bugs that pct looks for: ordering constraints that make them happen.",
)
@click.option(
    "--iterations",
    metavar="N",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Schedules of one scenario on one revision.",
)
@click.option(
    "--minutes",
    metavar="N",
    type=AmountType(0, min_open=True),
    help="End all searches after so long, with what they have found.",
)
@click.option(
    "--minutes-each",
    metavar="N",
    type=AmountType(0, min_open=True),
    help="End each search after so long.",
)
@click.option(
    "--steps",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    default=5_000,
    show_default=True,
    help="Longest schedule.",
)
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Of all but dfs.")
@click.option(
    "-k", "--keep-going", is_flag=True, help="Search on after a failure; list the distinct ones."
)
@click.option(
    "--property",
    "properties",
    metavar="ID",
    multiple=True,
    help="Watch that property, or 'all', or 'none'.  [default: all but those that a recorded"
    " finding breaks on the revision without concurrency]",
)
@click.option(
    "--only-new/--all",
    default=None,
    help="Pass over failures that a recorded finding or a listed defect explains, or tell them"
    " as well.  [default: all of a SCENARIO that is named, else only new ones]",
)
@click.option("--as-found", is_flag=True, help="Do not reduce failures.")
@jobs_option()
@json_option()
@junit_option()
@click.option("--svg", "svg_file", metavar="FILE", help="Draw the first failure's timeline.")
@click.option("--replay", "token", help="Tell the schedule of a token instead.")
@click.option(
    "--continue",
    "continued",
    metavar="TOKEN",
    help="Begin each schedule as this token does, as far as that can be followed.",
)
@click.option(
    "--checkpoint",
    metavar="FILE",
    help="Write the search of one SCENARIO on one --revision there, now and then and at its end.",
)
@click.option(
    "--resume",
    metavar="FILE",
    help="Go on with the search in that file, and write it there again unless --checkpoint names"
    " another.",
)
@subject_option(
    "On this program, or unix:PATH, a socket: any subject that gives schedules. Memory errors,"
    " deadlocks, tasks that wait for ever."
)
@seconds_option()
@tree_option("On the code of this Linux tree: short for a --subject of its points.")
@click.option(
    "--conflicts",
    is_flag=True,
    help="With --tree: list accesses of two tasks to one field that no common lock orders.",
)
@click.option(
    "--base",
    metavar="TREE",
    type=NamedPath(),
    help="With --conflicts: only those that this tree has not; fails if there is one.",
)
@click.pass_context
def explore(
    context: click.Context,
    scenarios: tuple[str, ...],
    revisions: tuple[str, ...],
    scheduler: str,
    preemptions: int,
    reduction: str | None,
    memory: str,
    depth: int,
    iterations: int,
    minutes: float | None,
    minutes_each: float | None,
    steps: int,
    seed: int | None,
    keep_going: bool,
    properties: tuple[str, ...],
    only_new: bool | None,
    as_found: bool,
    jobs: int,
    json_file: str | None,
    junit_file: str | None,
    svg_file: str | None,
    token: str | None,
    continued: str | None,
    checkpoint: str | None,
    resume: str | None,
    subject: str | None,
    seconds: float,
    tree: Path | None,
    conflicts: bool,
    base: Path | None,
) -> None:
    """Run SCENARIO, of the library or in a file, under many schedules; default: all of the library.

    Looks for memory errors, deadlocks, livelocks, and broken properties at every point in their
    scope. Each failure is reduced to the fewest context switches and told as a timeline with a
    column for each task, with a token that replays it, and named as the recorded finding or the
    listed defect that it is, or as new. Without a SCENARIO only new ones are told. Exit code 1 if
    there is a failure, 3 if schedules within the bound of dfs are left over. That none of some
    drawn schedules failed is a sample, no pass, and exit code 0.
    """
    checkpoint = checkpoint if resume is None else checkpoint or resume
    targets = {
        "--json": json_file,
        "--junit": junit_file,
        "--svg": svg_file,
        "--checkpoint": checkpoint,
    }
    check_targets(targets)
    if tree is not None or subject is not None:
        option = "--tree" if subject is None else "--subject"
        if tree is not None and subject is not None:
            raise click.UsageError("--subject and --tree exclude each other")
        unfit = any(targets.values()) or minutes is not None or continued is not None
        unfit = unfit or minutes_each is not None
        unfit = unfit or preemptions == UNBOUNDED or reduction is not None
        if tree is not None and revisions:
            raise click.UsageError("--tree and --revision exclude each other")
        if len(revisions) > 1:
            raise click.UsageError("--subject: takes one --revision at most")
        unfit = unfit or memory != MemoryOrder.SC.value
        if unfit or scheduler != JobKind.DFS.value:
            raise click.UsageError(
                f"{option}: goes with SCENARIO, --preemptions, --iterations, --property, -k,"
                " --replay, and --revision with a --subject"
            )
        check_names("property that is judged so", properties, sorted(JUDGED), "see `ipvs-est list`")
        if conflicts and tree is not None:
            context.exit(_conflicts(tree, scenarios, iterations, base))
    within = max(preemptions, 0)
    bounds = Bounds(within, schedules=iterations)
    if subject is not None and not conflicts:
        revision = revisions[0] if revisions else ""
        with explored_subject(subject, seconds, revision) as explored:
            context.exit(_on(explored, scenarios, bounds, frozenset(properties), keep_going, token))
    if tree is not None:
        # Imported here: only who has a tree needs it.
        from ipvs_est_checks.cli.commands.explore_tree import (
            explored_tree,
            replay_of_code,
            replay_of_model,
        )

        if token is not None and is_token(token):
            context.exit(replay_of_model(tree, _of_token(token, scenarios), token))
        explored = explored_tree(tree)
        code = _on(explored, scenarios, bounds, frozenset(properties), keep_going, token)
        if token is not None:
            replay_of_code(tree, load_scenario(scenarios[0], ()), token)
        context.exit(code)
    if conflicts or base is not None:
        raise click.UsageError("--conflicts, and --base with it, are for a --tree")
    if token is not None:
        if len(scenarios) > 1:
            raise click.UsageError("--replay: takes one SCENARIO at most")
        if json_file is not None or junit_file is not None:
            raise click.UsageError("--replay: has no report but --svg")
        context.exit(_replay(token, scenarios, svg_file))
    beginning: tuple[int, ...] = ()
    order = MemoryOrder(memory)
    if order is not MemoryOrder.SC and preemptions == UNBOUNDED:
        # What a step touches is declared for memory without store buffers.
        raise click.UsageError(f"--memory {memory}: takes a bound on --preemptions")
    if continued is not None:
        scenarios, revisions, beginning = _continued(continued, scenarios, revisions, order)
    kind = JobKind(scheduler)
    reduced = _reduction(kind, preemptions, reduction)
    if kind is not JobKind.DFS and seed is None:
        seed = fresh_seed()
    settings = Settings(
        kind,
        Bounds(within, steps, iterations),
        depth,
        seed or 0,
        keep_going,
        not scenarios if only_new is None else only_new,
        not as_found,
        minutes,
        reduced,
        minutes_each,
        order,
    )
    until = inf if minutes is None else monotonic() + 60 * minutes
    todo = [
        Job(
            source,
            scenario,
            REVISIONS[name],
            settings,
            _watched(properties, REVISIONS[name]),
            until,
            beginning,
        )
        for source, scenario in [
            (scenario, load_scenario(scenario, revisions)) for scenario in scenarios or library()
        ]
        for name in revisions or REVISIONS
    ]
    if reduction == COMPARE:
        context.exit(compare_all(todo, minutes_each))
    if kind is not JobKind.DFS:
        click.echo(f"seed {seed}")
    kept: Kept | None = None
    if checkpoint is not None:
        kept = _kept(todo, checkpoint, resume)
    with progress_bar("explore", len(todo)) as bar:
        board = _Board(todo, bar)
        with reports_at_end(
            ("--json", json_file, lambda: json_report(_rows(board), complete=board.complete)),
            ("--junit", junit_file, lambda: junit_report(_rows(board), complete=board.complete)),
        ):
            _search(board, jobs, kept)
            rows = _rows(board)
            if len(todo) > 1 or not board.complete:
                click.echo(summary(rows))
            if not board.complete:
                begun = len(board.results)
                click.echo(f"interrupted: {len(todo) - begun} searches were not begun", err=True)
    if svg_file is not None:
        _draw_first(svg_file, rows)
    if not board.complete:
        context.exit(exit_codes.INTERRUPTED)
    context.exit(exit_code(worst(rows, complete=True)))


def _reduction(kind: JobKind, preemptions: int, reduction: str | None) -> Reduction | None:
    if preemptions != UNBOUNDED:
        if reduction is not None:
            raise click.UsageError("--reduction: goes with --preemptions none")
        return None
    if kind is not JobKind.DFS:
        raise click.UsageError(f"--preemptions none: --scheduler {kind.value} draws schedules")
    return Reduction.SLEEP if reduction in (None, COMPARE) else Reduction(reduction)


def _on(
    explored: SearchedScenario,
    names: tuple[str, ...],
    bounds: Bounds,
    properties: frozenset[str],
    keep_going: bool,
    token: str | None,
) -> int:
    wanted = [load_scenario(name, ()) for name in names or library()]
    if token is None:
        return explore_on(explored, wanted, bounds, properties, keep_going=keep_going)
    if len(wanted) != 1:
        raise click.UsageError("--replay: takes one SCENARIO")
    return replay_on(explored, wanted[0], token, properties)


def _conflicts(tree: Path, names: tuple[str, ...], iterations: int, base: Path | None) -> int:
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.cli.commands.explore_tree import conflicts_on_tree

    return conflicts_on_tree(
        tree, [load_scenario(name, ()) for name in names or library()], iterations, base
    )


def _watched(properties: tuple[str, ...], revision: Revision) -> frozenset[str]:
    known = [*sorted(WATCHED), "all", "none"]
    check_names("property that is watched", properties, known, "see `ipvs-est list`")
    for prop in properties:
        if prop in ("all", "none") and len(properties) > 1:
            raise click.UsageError(f"--property {prop}: stands alone")
    match properties:
        case ():
            return ALREADY_KNOWN.watched_by_default(revision)
        case ("all",):
            return WATCHED
        case ("none",):
            return frozenset()
        case _:
            return frozenset(properties)


@dataclass(slots=True)
class _Board:
    """What is known of each job while they go on; lines come in the order of the jobs."""

    jobs: Sequence[Job]
    bar: Bar
    results: dict[int, JobResult] = field(default_factory=dict)
    printed: int = 0
    complete: bool = False
    """Not interrupted."""


def _rows(board: _Board) -> list[SearchRow]:
    return [_row(board, index) for index in sorted(board.results)]


def _row(board: _Board, index: int) -> SearchRow:
    return SearchRow(board.jobs[index], board.results[index], ALREADY_KNOWN)


def _kept(jobs: Sequence[Job], checkpoint: str, resume: str | None) -> Kept:
    option = "--checkpoint" if resume is None else "--resume"
    if len(jobs) != 1 or jobs[0].settings.kind is not JobKind.DFS:
        raise click.UsageError(f"{option}: is for one SCENARIO on one --revision, by dfs")
    if jobs[0].settings.reduction is not None:
        raise click.UsageError(f"{option}: is for a search with a bound on preemptions")
    if resume is None:
        return Kept(Path(checkpoint))
    name = printable(resume)
    try:
        return Kept(Path(checkpoint), read_checkpoint(Path(resume), jobs[0]))
    except InputError as error:
        raise BadInputError(f"{name}: {error.field}: {error.message}") from None
    except OSError as error:
        raise BadInputError(f"{name}: {error.strerror}") from None


def _search(board: _Board, processes: int, kept: Kept | None) -> None:
    """Do the jobs and print their lines."""

    def report(index: int, result: JobResult) -> None:
        _note(board, index, result)

    name = "" if kept is None else printable(str(kept.file))
    try:
        with suppress(KeyboardInterrupt):
            do_searches(board.jobs, processes, report, ALREADY_KNOWN, kept)
            board.complete = True
    except OSError as error:
        if kept is None:
            raise
        raise BadInputError(f"--checkpoint {name}: {error.strerror}") from None
    if kept is not None and kept.written and not _has_ended(board):
        click.echo(f"{name}: goes on with --resume", err=True)
    hide(board.bar)
    for index in range(board.printed, len(board.jobs)):
        if index in board.results:
            _print(board, index)


def _has_ended(board: _Board) -> bool:
    outcomes = [result.outcome for result in board.results.values()]
    return any(outcome.figures.exhausted or outcome.failures for outcome in outcomes)


def _note(board: _Board, index: int, result: JobResult) -> None:
    board.results[index] = result
    if _is_over(result):
        while (done := board.results.get(board.printed)) is not None and _is_over(done):
            hide(board.bar)
            _print(board, board.printed)
            board.printed += 1
    ended = sum(_is_over(result) for result in board.results.values())
    if ended == len(board.jobs):
        return
    job, figures = board.jobs[index], result.outcome.figures
    draw(
        board.bar,
        ended,
        f"{job.source} on {job.revision.name}: {figures.schedules} schedules,"
        f" {figures.states} states",
    )


def _is_over(result: JobResult) -> bool:
    return result.ended or bool(result.lost)


def _print(board: _Board, index: int) -> None:
    for line in row_lines(_row(board, index)):
        click.echo(line)


def load_scenario(name: str, revisions: Sequence[str]) -> Scenario:
    """The scenario of that name or file, set up on these revisions; raises UsageError."""
    if not name:
        raise click.UsageError("SCENARIO: an empty text names no file")
    try:
        scenario = load(name)
        for revision in revisions or REVISIONS:
            check_setup(scenario, REVISIONS[revision])
        return scenario
    except InputError as error:
        where = f"{error.field}: " if error.field else ""
        raise click.UsageError(f"{name}: {where}{error.message}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and "/" not in name and not name.endswith(".json"):
            known = list(library())
            otherwise = f"the library has {', '.join(known)}"
            raise click.UsageError(no_such("scenario", name, known, otherwise)) from None
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise click.UsageError(f"{name}: {reason}") from None


def _continued(
    text: str, scenarios: tuple[str, ...], revisions: tuple[str, ...], order: MemoryOrder
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    """The scenario and the revision of a token, or those that are named instead, and its steps as
    far as they can be made there."""
    if len(scenarios) > 1 or len(revisions) > 1:
        raise click.UsageError("--continue: takes one SCENARIO and one --revision at most")
    try:
        token = token_from_text(text)
        source = scenarios[0] if scenarios else token.scenario
        revision = REVISIONS[revisions[0]] if revisions else token.revision
        found = fit(load_scenario(source, (revision.name,)), revision, token.choices, order)
    except InputError as error:
        raise click.UsageError(f"--continue: {error.field} {error.message}") from None
    click.echo(f"the token: {fit_text(found, len(token.choices))}")
    return (source,), (revision.name,), found.choices


def _draw_first(svg_file: str, rows: Sequence[SearchRow]) -> None:
    for row in rows:
        for story in tell(row):
            lines = caption(story, row.job.revision)
            _draw(svg_file, row.job.scenario, row.job.revision, story.timeline, lines)
            return
    click.echo(f"{svg_file} is not written: there is no failure to draw", err=True)


def _draw(
    svg_file: str, scenario: Scenario, revision: Revision, timeline: Timeline, lines: Sequence[str]
) -> None:
    title = f"{scenario.name} on {revision.name}"
    write_target("--svg", svg_file, timeline_svg(timeline, title, scenario.about, lines))


def _of_token(text: str, scenarios: Sequence[str]) -> Scenario:
    try:
        token = token_from_text(text)
    except InputError as error:
        raise click.UsageError(f"--replay: {error.field} {error.message}") from None
    return load_scenario(scenarios[0] if scenarios else token.scenario, (token.revision.name,))


def _replay(text: str, scenarios: Sequence[str], svg_file: str | None) -> int:
    try:
        token = token_from_text(text)
        scenario = load_scenario(
            scenarios[0] if scenarios else token.scenario, (token.revision.name,)
        )
        replayed = replay_token(scenario, token)
    except InputError as error:
        raise click.UsageError(f"--replay: {error.field} {error.message}") from None
    lines = replay_caption(
        scenario, token.revision, token.choices, replayed, ALREADY_KNOWN, token.order
    )
    for line in replay_lines(scenario, token.revision, replayed, lines):
        click.echo(line)
    if svg_file is not None:
        _draw(svg_file, scenario, token.revision, replayed, (*lines, f"token: {text}"))
    return exit_codes.PASS if replayed.violation is None else exit_codes.FAIL
