"""A simulation as text: tables on a terminal, aligned columns everywhere else."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from ipvs_est.estimator.calc_limits import CACHE_FACTOR
from ipvs_est.language.cpulist import format_cpulist
from ipvs_est.state.machine import PS_PER_NS
from ipvs_est_checks.comparison.simulate import (
    Bin,
    CpuLoad,
    Design,
    Kthread,
    SimulatedLoad,
    Simulation,
)

# Groups of like CPUs or kthreads that are listed; there are few unless the load is odd.
MAX_GROUPS = 12
MAX_LIST_CHARACTERS = 24

ASCII_RAMP = "0123456789"
BLOCK_RAMP = "▁▂▃▄▅▆▇█"
IDLE_TICK = "."

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"))
# From here on, 10^6 s, digits would be all that a column shows.
_LONG_NS = 10**15
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the report; the first column is text, the others are numbers."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def print_report(simulation: Simulation, console: Console) -> None:
    """Write the report: with rich tables to a terminal, else as plain text."""
    if not console.is_terminal:
        console.file.write(plain_report(simulation))
        return
    ramp = BLOCK_RAMP if console.encoding.lower().startswith("utf") else ASCII_RAMP
    console.print(headline(simulation), markup=False, highlight=False)
    console.print()
    # This kind of box leaves a blank line below each table.
    for table in tables(simulation):
        console.print(table.title, style="bold", markup=False, highlight=False)
        console.print(_rich(table))
    for line in [*spread_lines(simulation, ramp), "", *notes(simulation)]:
        console.print(line, markup=False, highlight=False)


def plain_report(simulation: Simulation) -> str:
    """The report in ASCII, without escapes; the same bytes for the same simulation."""
    parts = [headline(simulation)]
    parts += ["\n".join(_aligned(table)) for table in tables(simulation)]
    parts += ["\n".join(spread_lines(simulation, ASCII_RAMP)), "\n".join(notes(simulation))]
    return "\n\n".join(parts) + "\n"


def duration(ns: float) -> str:
    """Nanoseconds as three digits and a unit, such as 23.6 us; below 1 us as they are."""
    if ns >= _LONG_NS:
        return f"{ns / 1e9:.2e} s"
    for scale, unit in _UNITS:
        # 999.5 of the next smaller unit would be printed as 1000 of them.
        if ns >= scale * 0.9995:
            return f"{_three_digits(ns / scale)} {unit}"
    return f"{ns:.0f} ns" if ns == int(ns) else f"{ns:.1f} ns"


def percent(share: float) -> str:
    """A share of 1 as three digits of a percentage, but not below a ten-thousandth."""
    if 0 < share < 0.0001:
        return "<0.01 %"
    return f"{_three_digits(100 * share)} %"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def count(number: int) -> str:
    """A number with its thousands marked."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def short_list(numbers: Collection[int]) -> str:
    """Numbers as ranges, cut short when there are too many of them."""
    text = format_cpulist(numbers)
    if len(text) <= MAX_LIST_CHARACTERS:
        return text
    return f"{text[:MAX_LIST_CHARACTERS].rpartition(',')[0]},... ({count(len(numbers))})"


def headline(simulation: Simulation) -> str:
    """What was simulated, in one paragraph."""
    scenario = simulation.scenario
    rcu = "preemptible" if scenario.preempt_rcu else "not preemptible"
    return (
        f"{plural(scenario.estimators, 'estimator')} and the total's, "
        f"{plural(scenario.cpus, 'possible CPU')}, "
        f"{duration(scenario.est_cost_ps / PS_PER_NS)} each ({scenario.cost_ns:g} ns per CPU), "
        f"{arrival(scenario)}\n"
        f"HZ {scenario.hz}, RCU {rcu}, kthreads on CPUs "
        f"{short_list(scenario.kthread_cpus)}, revision {scenario.revision.name}"
    )


def arrival(scenario: SimulatedLoad) -> str:
    """How they come."""
    seconds = scenario.arrival_seconds
    return f"added over {plural(seconds, 'second')}" if seconds else "added at once"


def factor(scenario: SimulatedLoad) -> str:
    """That of a cold cache."""
    return f"x{float(scenario.cache_factor):g}"


def tables(simulation: Simulation) -> tuple[Table, ...]:
    """The report's tables in their order."""
    return (
        _comparison(simulation),
        _goals(simulation),
        _limits(simulation),
        _kthreads(simulation),
        _cpus(simulation),
        _histogram(simulation),
    )


def _comparison(simulation: Simulation) -> Table:
    timer, kthreads = simulation.timer, simulation.kthreads
    cold = float(simulation.scenario.cache_factor)

    def row(name: str, old: str, new: str) -> tuple[str, str, str]:
        return name, old, new

    def ns(name: str, old: float, new: float) -> tuple[str, str, str]:
        return row(name, duration(old), duration(new))

    return Table(
        "Both designs, in one revolution of 2 seconds",
        ("", "one timer", "kthreads"),
        (
            ns(
                "longest time without a chance to reschedule",
                timer.longest_ns,
                kthreads.longest_ns,
            ),
            ns(
                f"the same with a cold cache ({factor(simulation.scenario)})",
                cold * timer.longest_ns,
                cold * kthreads.longest_ns,
            ),
            ns("work in the busiest tick", timer.max_tick_ns, kthreads.max_tick_ns),
            ns("work in a tick, mean", timer.mean_tick_ns, kthreads.mean_tick_ns),
            ns("work in the idlest tick", timer.min_tick_ns, kthreads.min_tick_ns),
            row("ticks with work", _busy_ticks(timer), _busy_ticks(kthreads)),
            row("load of the busiest CPU", _top_load(timer), _top_load(kthreads)),
            row("CPUs with work", _busy_cpus(timer), _busy_cpus(kthreads)),
            row("estimations", count(timer.estimations), count(kthreads.estimations)),
            row("estimators without room", count(timer.waiting), count(kthreads.waiting)),
        ),
    )


def _busy_ticks(design: Design) -> str:
    return f"{sum(ns > 0 for ns in design.ticks_ns)} of {len(design.ticks_ns)}"


def _busy_cpus(design: Design) -> str:
    return f"{sum(cpu.work_ns > 0 for cpu in design.cpus)} of {len(design.cpus)}"


def _top_load(design: Design) -> str:
    return percent(design.busiest_cpu.share)


def _goals(simulation: Simulation) -> Table:
    cold = f"cold cache, {factor(simulation.scenario)}"
    return Table(
        "Goals of the kthreads: the worst of this run",
        ("goal", "limit", "at this cost", "met", cold, "met"),
        tuple(
            (
                goal.name,
                duration(goal.limit_ns),
                duration(goal.worst_ns),
                _yes(goal.met),
                duration(goal.worst_uncached_ns),
                _yes(goal.met_uncached),
            )
            for goal in simulation.goals
        ),
    )


def _yes(value: bool) -> str:
    return "yes" if value else "NO"


def _limits(simulation: Simulation) -> Table:
    limits = simulation.limits
    return Table(
        "Limits, in estimators",
        ("chain_max", "tick_max", "est_max_count", "est_max_threads", "room", "kthreads"),
        (
            (
                count(limits.chain_max),
                count(limits.tick_max),
                count(limits.est_max_count),
                count(limits.est_max_threads),
                count(limits.room),
                count(len(simulation.kthread_list)),
            ),
        ),
    )


def _kthreads(simulation: Simulation) -> Table:
    def alike(kthread: Kthread) -> tuple[int, int, int, int]:
        return (
            kthread.work_ns,
            kthread.est_count,
            kthread.longest_chain_ns,
            kthread.max_tick_ns,
        )

    rows: list[tuple[str, ...]] = []
    for key, group in groupby(sorted(simulation.kthread_list, key=alike, reverse=True), alike):
        work, est_count, chain, tick = key
        ids = sorted(kthread.id for kthread in group)
        rows.append(
            (
                short_list(ids),
                count(est_count),
                duration(chain),
                duration(tick),
                duration(work),
                percent(work / simulation.revolution_ns),
            )
        )
    headers = ("kthread", "est_count", "longest chain", "busiest tick", "work in 2 s", "of a CPU")
    return Table("Each kthread", headers, _shortened(rows))


def _cpus(simulation: Simulation) -> Table:
    rows = [
        *(("one timer", *row) for row in _cpu_groups(simulation.timer)),
        *(("kthreads", *row) for row in _cpu_groups(simulation.kthreads)),
    ]
    headers = ("design", "CPUs", "kthreads on each", "work in 2 s", "load")
    return Table("Load of each CPU", headers, tuple(rows))


def _cpu_groups(design: Design) -> tuple[tuple[str, ...], ...]:
    def alike(cpu: CpuLoad) -> tuple[int, int]:
        return cpu.work_ns, cpu.kthreads

    rows: list[tuple[str, ...]] = []
    for (work, kthreads), group in groupby(sorted(design.cpus, key=alike, reverse=True), alike):
        members = list(group)
        cpus = short_list([member.cpu for member in members])
        rows.append((cpus, count(kthreads), duration(work), percent(members[0].share)))
    return _shortened(rows)


def _shortened(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    if len(rows) <= MAX_GROUPS:
        return tuple(rows)
    rest = len(rows) - MAX_GROUPS
    blank = ("",) * (len(rows[0]) - 1)
    return (*rows[:MAX_GROUPS], (f"and {rest} more", *blank))


def _histogram(simulation: Simulation) -> Table:
    bins = simulation.histogram
    return Table(
        "Ticks of single kthreads, by work",
        ("work", "ticks"),
        tuple((_bin_name(bin_, bins), count(bin_.ticks)) for bin_ in bins),
    )


def _bin_name(bin_: Bin, bins: Sequence[Bin]) -> str:
    if bin_.up_to_ns == 0:
        return "none"
    if bin_.up_to_ns is None:
        edge = bins[-2].up_to_ns
        assert edge is not None  # only the last bin has no bound
        return f"more than {duration(edge)}"
    return f"up to {duration(bin_.up_to_ns)}"


def spread_lines(simulation: Simulation, ramp: str) -> list[str]:
    """Each design's work over the ticks, one character a tick, on a scale of its own."""
    return [
        f"Work in each tick of {duration(simulation.tick_ns)} ({IDLE_TICK} = none)",
        f"{_GAP}one timer{_GAP}{_sparkline(simulation.timer, ramp)}",
        f"{_GAP}kthreads {_GAP}{_sparkline(simulation.kthreads, ramp)}",
    ]


def _sparkline(design: Design, ramp: str) -> str:
    steps = len(ramp)
    most = design.max_tick_ns
    line = "".join(
        ramp[min(steps - 1, ns * steps // most)] if ns else IDLE_TICK for ns in design.ticks_ns
    )
    return f"{line}{_GAP}{ramp[-1]} = {duration(most)}"


def notes(simulation: Simulation) -> list[str]:
    """What the numbers rest on."""
    scenario = simulation.scenario
    lines = [
        "Estimators that come over a time are spread over the rows of a kthread with two ticks of"
        " them."
        if scenario.arrival_seconds
        else "All estimators were added at once, so the kthreads' rows fill up one after another.",
        "Kthreads are dealt to the allowed CPUs in turn; the scheduler decides in truth.",
        "The timer's softirq is put on CPU 0 and into the first tick; it may be any.",
    ]
    if scenario.preempt_rcu:
        lines.append(
            "With preemptible RCU a tick is one chain. A kthread can be preempted within it; the "
            "longest\ntime shown is that between two explicit chances."
        )
    if simulation.kthreads.waiting:
        lines.append(
            f"{plural(simulation.kthreads.waiting, 'estimator')} found no room at the limit of "
            f"{plural(simulation.limits.est_max_threads, 'kthread')}: not estimated."
        )
    late = sum(kthread.max_tick_ns > simulation.tick_ns for kthread in simulation.kthread_list)
    if late:
        lines.append(
            f"{plural(late, 'kthread')} cannot do a tick's work within a tick and would run late; "
            "here work takes no virtual time."
        )
    if scenario.cache_factor != CACHE_FACTOR:
        lines.append(
            f"The limits test takes a cold cache to cost {CACHE_FACTOR} times a warm one; here it "
            f"costs {float(scenario.cache_factor):g} times as much."
        )
    if simulation.timer.busiest_cpu.share > 1:
        lines.append("The timer's walk takes longer than its period: the softirq never ends.")
    if not simulation.steady:
        lines.append("The two recorded revolutions differ; the second is shown.")
    return lines


def _aligned(table: Table) -> list[str]:
    cells = [table.headers, *table.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [table.title]
    for row in cells:
        first, *rest = zip(row, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        lines.append(_GAP + _GAP.join(padded).rstrip())
    return lines


def _rich(table: Table) -> RichTable:
    rich = RichTable(box=SIMPLE_HEAD, pad_edge=False)
    for number, header in enumerate(table.headers):
        rich.add_column(escape(header), justify="left" if number == 0 else "right")
    for row in table.rows:
        rich.add_row(*(escape(cell) for cell in row))
    return rich
