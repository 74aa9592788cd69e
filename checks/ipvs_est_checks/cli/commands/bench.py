"""`ipvs-est bench`."""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from ipvs_est.answers.trace import TraceError
from ipvs_est_checks.bench.explorer import (
    MEASURED,
    REVISION,
    SCENARIOS,
    ExploreBench,
    bench_explore,
)
from ipvs_est_checks.bench.model import (
    BENCH_VERSION,
    Load,
    RecordedBench,
    SyntheticBench,
    bench_recorded,
    bench_synthetic,
)
from ipvs_est_checks.bench.schedulers import (
    KINDS,
    MOST,
    SchedulerBench,
    bench_schedulers,
    rows_to_bench,
)
from ipvs_est_checks.bench.spin import SpinBench, SpinError, bench_spin, missing, questions
from ipvs_est_checks.bench.subject import SubjectBench, bench_subject
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.report import check_targets, json_option, reports_at_end
from ipvs_est_checks.report.columns import aligned
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.progress import Bar, draw, hide, progress_bar
from ipvs_est_checks.workers import Lost, Pool, usable_cpus

# Sizes of the synthetic load: the smaller ones show that one start or stop costs the same.
SIZES = (1_000, 10_000, 100_000)


@click.command()
@click.option(
    "--traces",
    type=NamedPath(exists=True, file_okay=False),
    help="Also time the recorded traces in this directory, by kind of operation.",
)
@click.option(
    "--repeat",
    metavar="N",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Best of N runs.",
)
@click.option(
    "--estimators",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    multiple=True,
    help=f"Sizes of the synthetic load.  [default: {', '.join(map(str, SIZES))}]",
)
@click.option(
    "--cpus",
    metavar="N",
    type=click.IntRange(1, 8192),
    default=256,
    show_default=True,
    help="Possible CPUs.",
)
@click.option(
    "--busy-cpus",
    metavar="N",
    type=click.IntRange(1, 8192),
    default=4,
    show_default=True,
    help="CPUs that count traffic for each estimator.",
)
@click.option(
    "--explore/--no-explore", default=True, show_default=True, help="Also time the explorer."
)
@click.option(
    "--subject/--no-subject",
    default=True,
    show_default=True,
    help="Also time the model as a subject, a process of its own.",
)
@click.option(
    "--schedulers",
    metavar="N",
    type=click.IntRange(0, 1_000),
    default=0,
    help="Also count, for each known defect, the schedules that each random scheduler needs until"
    " it shows: the median of N seeds. An hour for 100.",
)
@click.option(
    "--spin",
    is_flag=True,
    help="Also search the protocol's states with Spin, which has to be installed, and without.",
)
@json_option()
@click.pass_context
def bench(
    context: click.Context,
    traces: Path | None,
    repeat: int,
    estimators: tuple[int, ...],
    cpus: int,
    busy_cpus: int,
    explore: bool,
    subject: bool,
    schedulers: int,
    spin: bool,
    json_file: str | None,
) -> None:
    """Measure the model's speed on this machine.

    A synthetic load, each size in a process of its own so that its peak memory is its own; the
    explorer, with each of its schedulers; the model as a subject; with --traces the recorded set;
    and with --schedulers how soon random schedules show the known defects.
    """
    if busy_cpus > cpus:
        raise click.UsageError(f"--busy-cpus {busy_cpus} is more than --cpus {cpus}")
    if spin and missing():
        raise click.UsageError(f"--spin: needs {missing()[0]}, which is not installed")
    check_targets({"--json": json_file})
    results = _Results(repeat)
    with reports_at_end(("--json", json_file, lambda: _json(results))):
        if traces is not None:
            results.recorded = _recorded(traces, repeat)
            click.echo(_recorded_text(results.recorded))
        if explore:
            _explore(results)
        if subject:
            results.subject = bench_subject(repeat)
            click.echo(_subject_text(results.subject))
        sizes = estimators or SIZES
        with progress_bar("synthetic load", len(sizes) * repeat) as bar:
            for number, size in enumerate(sizes):
                best = _synthetic(Load(size, cpus, busy_cpus), repeat, bar, number * repeat)
                hide(bar)
                if isinstance(best, Lost):
                    results.lost.append(best)
                    click.echo(f"{best}: not measured")
                    continue
                results.synthetic.append(best)
                click.echo(_synthetic_text(best, header=len(results.synthetic) == 1))
        if schedulers:
            _schedulers(results, schedulers)
        if spin:
            _spin(results)
        results.complete = True
    if results.lost:
        context.exit(exit_codes.INCOMPLETE)


@dataclass(slots=True)
class _Results:
    repeat: int
    recorded: RecordedBench | None = None
    subject: SubjectBench | None = None
    explored: list[ExploreBench] = field(default_factory=list)
    synthetic: list[SyntheticBench] = field(default_factory=list)
    schedulers: list[SchedulerBench] = field(default_factory=list)
    spin: list[SpinBench] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    complete: bool = False
    """Not interrupted."""


def _recorded(traces: Path, repeat: int) -> RecordedBench:
    files = sorted(traces.glob("*.jsonl"))
    if not files:
        raise click.UsageError(f"{traces}: no *.jsonl file in this directory")
    try:
        return bench_recorded(files, repeat)
    except TraceError as error:
        raise click.UsageError(str(error)) from None


def _explore(results: _Results) -> None:
    with progress_bar("explorer", len(MEASURED)) as bar:
        for kind, watching in MEASURED:
            draw(bar, len(results.explored))
            results.explored.append(bench_explore(kind, results.repeat, watching=watching))
        hide(bar)
    click.echo(_explored_text(results.explored))


def _explored_text(found: list[ExploreBench]) -> str:
    lines = [
        f"explorer: {', '.join(SCENARIOS)} on {REVISION}, CPU seconds of one core",
        f"{'scheduler':<10}{'properties':>11}{'schedules':>10}{'steps':>9}{'states':>8}{'seconds':>9}"
        f"{'schedules/s':>13}{'steps/s':>10}{'states/s':>10}",
    ]
    lines += [
        f"{explore_bench.scheduler:<10}{explore_bench.properties:>11}{explore_bench.schedules:>10}{explore_bench.steps:>9}{explore_bench.states:>8}"
        f"{explore_bench.seconds:>9.2f}{explore_bench.schedules_per_second:>13,.0f}"
        f"{explore_bench.steps_per_second:>10,.0f}{explore_bench.states_per_second:>10,.0f}"
        for explore_bench in found
    ]
    return "\n".join([*lines, ""])


def _schedulers(results: _Results, seeds: int) -> None:
    rows = rows_to_bench()
    with progress_bar("schedulers", len(rows) * len(KINDS)) as bar:
        found = bench_schedulers(
            rows,
            seeds,
            usable_cpus(),
            waiting=lambda work: draw(bar, len(results.schedulers), work),
        )
        for scheduler_bench in found:
            if isinstance(scheduler_bench, Lost):
                results.lost.append(scheduler_bench)
            else:
                results.schedulers.append(scheduler_bench)
            draw(bar, len(results.schedulers))
        hide(bar)
    click.echo(_schedulers_text(results.schedulers, seeds))


def _schedulers_text(found: Sequence[SchedulerBench], seeds: int) -> str:
    kinds = [kind.value for kind in KINDS]
    head = ("defect", "revision", "scenario", *kinds)
    rows = [_defect_cells(row, found, kinds) for row in _defects(found)]
    title = f"schedules until a known defect shows, median of {seeds} seeds; -: more than {MOST:,}"
    return "\n".join([title, *aligned([head, *rows], range(3, len(head))), ""])


def _defects(found: Sequence[SchedulerBench]) -> list[SchedulerBench]:
    """One of each defect."""
    return list({scheduler_bench.defect: scheduler_bench for scheduler_bench in found}.values())


def _defect_cells(
    row: SchedulerBench, found: Sequence[SchedulerBench], kinds: Sequence[str]
) -> tuple[str, ...]:
    medians = {
        scheduler_bench.scheduler: scheduler_bench.median
        for scheduler_bench in found
        if scheduler_bench.defect == row.defect
    }
    shown = (medians.get(kind) for kind in kinds)
    return (
        row.defect,
        row.revision,
        row.scenario,
        *("-" if figure is None else f"{figure:g}" for figure in shown),
    )


def _spin(results: _Results) -> None:
    asked = questions()
    with progress_bar("spin", len(asked)) as bar:
        found = bench_spin()
        for number, what in enumerate(asked):
            draw(bar, number, f"spin: {what}")
            try:
                results.spin.append(next(found))
            except SpinError as error:
                # As a process that died: what was measured before is told.
                results.lost.append(Lost(f"spin: {what}", str(error)))
                click.echo(f"{results.lost[-1]}: not measured")
                break
        hide(bar)
    if results.spin:
        click.echo(_spin_text(results.spin))


def _spin_text(found: Sequence[SpinBench]) -> str:
    head = ("asked", "sysctls", "by Spin", "states", "CPU s", "here", "states", "CPU s")
    rows = [
        (
            spin_bench.what,
            "yes" if spin_bench.sysctl else "no",
            *(
                cell
                for walk in (spin_bench.spin, spin_bench.search)
                for cell in (
                    "found" if walk.found else "none" if spin_bench.what != "all states" else "all",
                    f"{walk.states:,}",
                    f"{walk.seconds:.1f}",
                )
            ),
        )
        for spin_bench in found
    ]
    title = "the protocol of stable: Spin depth first, the search here breadth first"
    return "\n".join([title, *aligned([head, *rows], (3, 4, 6, 7)), ""])


def _subject_text(bench: SubjectBench) -> str:
    return (
        f"subject: {bench.traces} recordings, {bench.operations} operations:"
        f" {bench.in_process_seconds:.2f} s in process, {bench.subject_seconds:.2f} s as a subject,"
        f" {bench.per_second:,.0f} operations a second, {bench.share:.0%} of the speed in process"
        f" (CPU seconds: {bench.own_cpu_seconds:.2f} of the checks,"
        f" {bench.subject_cpu_seconds:.2f} of the subject)\n"
    )


def _synthetic(load: Load, repeat: int, bar: Bar, done: int) -> SyntheticBench | Lost:
    """Best of `repeat` runs, by start and drain; each in a fresh process."""
    runs: list[SyntheticBench] = []
    with Pool(1, fresh=()) as pool:
        for run in range(repeat):
            draw(bar, done + run)
            task = pool.submit(f"{load.estimators} estimators", bench_synthetic, load)
            try:
                found = pool.outcome(task)
            except ValueError as error:
                raise click.UsageError(str(error)) from None
            if isinstance(found, Lost):
                return found
            runs.append(found)
    return min(runs, key=lambda run: run.start_seconds + run.drain_seconds)


def _recorded_text(bench: RecordedBench) -> str:
    lines = [
        f"recorded set: {bench.traces} traces, {bench.operations} operations,"
        f" {bench.seconds:.3f} s applying them",
        f"{'operation':<16}{'count':>9}{'seconds':>10}{'per second':>14}",
    ]
    lines += [
        f"{rate.op:<16}{rate.count:>9}{rate.seconds:>10.4f}{rate.per_second:>14,.0f}"
        for rate in bench.rates
    ]
    return "\n".join([*lines, ""])


_COLUMNS = (
    ("estimators", 11),
    ("kthreads", 9),
    ("start s", 9),
    ("drain s", 9),
    ("revolution s", 13),
    ("stop us", 9),
    ("start us", 9),
    ("peak MB", 9),
)


def _synthetic_text(bench: SyntheticBench, *, header: bool) -> str:
    cells = (
        f"{bench.load.estimators}",
        f"{bench.kthreads}",
        f"{bench.start_seconds:.3f}",
        f"{bench.drain_seconds:.3f}",
        f"{bench.revolution_seconds:.3f}",
        f"{bench.stop_microseconds:.1f}",
        f"{bench.restart_microseconds:.1f}",
        f"{bench.peak_megabytes:.0f}",
    )
    row = "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    if not header:
        return row
    load = bench.load
    return (
        f"synthetic load: {load.possible_cpus} possible CPUs, {load.busy_cpus} with traffic\n"
        + "".join(f"{name:>{width}}" for name, width in _COLUMNS)
        + f"\n{row}"
    )


def _json(results: _Results) -> str:
    body = {
        "complete": results.complete,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "repeat": results.repeat,
        "recorded": None if results.recorded is None else asdict(results.recorded),
        "subject": None if results.subject is None else asdict(results.subject),
        "explore": [asdict(explore_bench) for explore_bench in results.explored],
        "synthetic": [asdict(synthetic_bench) for synthetic_bench in results.synthetic],
        "schedulers": [asdict(scheduler) for scheduler in results.schedulers],
        "spin": [asdict(spin_bench) for spin_bench in results.spin],
        "lost": [str(lost) for lost in results.lost],
    }
    return json_text("ipvs-est bench", BENCH_VERSION, body)
