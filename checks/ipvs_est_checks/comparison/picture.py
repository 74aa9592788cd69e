"""A simulation as a picture: one SVG file that needs nothing else, the same bytes each time.

Drawn here, not by a chart library: those that draw bars bring an array library and fonts, some 100
MB, or a script for the reader's browser, and give other bytes with another version. This is
rectangles, lines and text on two kinds of axis.

A bar begins at 0, or at the bound that it is compared with.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from ipvs_est_checks.comparison.simulate import (
    CHAIN_LIMIT_NS,
    CpuLoad,
    Simulation,
    model_params,
    tick_limit_ns,
)
from ipvs_est_checks.comparison.text import count, duration, headline, percent, plural
from ipvs_est_checks.report import svg

WIDTH = 960
HEIGHT = 1066
# Of the common size of text; a wide font's average.
CHARACTER_WIDTH = 8.5
LEFT = 110
RIGHT = 930

TIMER_COLOUR = svg.ORANGE
KTHREAD_COLOUR = svg.BLUE
KTHREAD_LIGHT = "#8fc1d1"
GOAL_COLOUR = svg.PURPLE
GRID_COLOUR = "#dddddd"

LEAST_BAR = 1.5

# A bound is drawn where bars reach at least this share of it.
NEAR_BOUND = 0.1
MAX_CPUS = 32

_TICKS_TOP = (146, 340)
_TICKS_HEIGHT = 150
_LONGEST_TOP = 622
_CPUS_TOP = 806
_CPUS_HEIGHT = 150


@dataclass(frozen=True, slots=True)
class _Scale:
    """A linear value axis from 0."""

    high: float
    ticks: tuple[float, ...]
    """Values to label."""


def _scale(most: float) -> _Scale:
    """To at least `most`, which is positive, in 2 to 5 steps of 1, 2 or 5 times 10^k."""
    decade = 10.0 ** math.floor(math.log10(most))
    step = next(size * decade for size in (0.2, 0.5, 1, 2) if most <= 5 * size * decade)
    # A quotient of floats: what is a hair above a whole number is that number.
    steps = math.ceil(most / step - 1e-9)
    return _Scale(steps * step, tuple(step * number for number in range(steps + 1)))


@dataclass(frozen=True, slots=True)
class _Plot:
    """A rectangle to draw in, with its value axis pointing up."""

    top: float
    height: float
    scale: _Scale

    def y(self, value: float) -> float:
        """Where a value lies, in the picture's units from its top."""
        return self.top + self.height * (1 - value / self.scale.high)

    @property
    def bottom(self) -> float:
        return self.top + self.height


def simulation_svg(simulation: Simulation) -> str:
    """The picture as a complete SVG document, which ends in a newline."""
    title = "IPVS estimators: one timer or kthreads"
    root = svg.picture(WIDTH, HEIGHT, "ipvs-est", title, _description(simulation), 13)
    svg.text(root, 24, 36, title, size=20, bold=True)
    for number, line in enumerate(headline(simulation).splitlines()):
        svg.text(root, 24, 60 + 18 * number, line, colour=svg.FAINT)
    _draw_ticks(root, simulation)
    _draw_longest(root, simulation)
    _draw_cpus(root, simulation)
    return svg.document(root)


def _description(simulation: Simulation) -> str:
    timer, kthreads = simulation.timer, simulation.kthreads
    return (
        f"{', '.join(headline(simulation).splitlines())}. "
        "Longest time without a chance to reschedule: "
        f"{duration(timer.longest_ns)} with one timer, {duration(kthreads.longest_ns)} with "
        f"{plural(len(simulation.kthread_list), 'kthread')}. "
        f"Work in the busiest tick: {duration(timer.max_tick_ns)} and "
        f"{duration(kthreads.max_tick_ns)}. "
        f"Load of the busiest CPU: {percent(timer.busiest_cpu.share)} and "
        f"{percent(kthreads.busiest_cpu.share)}."
    )


def _draw_ticks(root: Element, simulation: Simulation) -> None:
    timer, kthreads = simulation.timer, simulation.kthreads
    several = len(simulation.kthread_list) > 1
    busiest = [
        max(kthread.ticks_ns[tick] for kthread in simulation.kthread_list)
        for tick in range(len(kthreads.ticks_ns))
    ]
    goal = tick_limit_ns(model_params(simulation.scenario))
    near = max(busiest) >= NEAR_BOUND * goal
    title = (
        f"Work in each tick of {duration(simulation.tick_ns)}, over one revolution; "
        "each design on its own scale"
    )
    _title(root, _TICKS_TOP[0] - 32, title)
    scales = (
        _scale(timer.max_tick_ns),
        _scale(max(kthreads.max_tick_ns, goal if near else 0)),
    )
    upper, lower = (
        _Plot(top, _TICKS_HEIGHT, scale) for top, scale in zip(_TICKS_TOP, scales, strict=True)
    )
    for plot in (upper, lower):
        _value_axis(root, plot, duration, "work in a tick")
    svg.text(root, LEFT, upper.top - 9, "one timer: one softirq", colour=TIMER_COLOUR, bold=True)
    label = plural(len(simulation.kthread_list), "kthread")
    if several:
        label += ": all together, and in dark the busiest one of each tick"
    svg.text(root, LEFT, lower.top - 9, label, colour=KTHREAD_COLOUR, bold=True)
    _tick_bars(root, upper, timer.ticks_ns, TIMER_COLOUR)
    _tick_bars(root, lower, kthreads.ticks_ns, KTHREAD_LIGHT if several else KTHREAD_COLOUR)
    if several:
        _tick_bars(root, lower, busiest, KTHREAD_COLOUR, width_share=0.4)
    note = f"goal of one kthread: {duration(goal)}"
    if near:
        svg.line(root, LEFT, lower.y(goal), RIGHT, lower.y(goal), GOAL_COLOUR, dashed=True)
        note = f"- - {note}"
    else:
        note += ", far above"
    svg.text(root, RIGHT, lower.top - 9, note, anchor="end", colour=GOAL_COLOUR)
    _time_axis(root, lower, simulation.revolution_ns)


def _tick_bars(
    root: Element, plot: _Plot, ticks_ns: Sequence[int], colour: str, width_share: float = 0.8
) -> None:
    step = (RIGHT - LEFT) / len(ticks_ns)
    for tick, ns in enumerate(ticks_ns):
        if ns:
            x = LEFT + step * (tick + (1 - width_share) / 2)
            bar = _bar(root, plot, x, step * width_share, ns, colour)
            SubElement(bar, "title").text = f"tick {tick}: {duration(ns)}"


def _time_axis(root: Element, plot: _Plot, revolution_ns: int) -> None:
    svg.line(root, LEFT, plot.bottom, RIGHT, plot.bottom, svg.FAINT)
    parts = 10
    for part in range(parts + 1):
        x = LEFT + (RIGHT - LEFT) * part / parts
        svg.line(root, x, plot.bottom, x, plot.bottom + 5, svg.FAINT)
        label = f"{revolution_ns * part / parts / 1_000_000:.0f}"
        svg.text(root, x, plot.bottom + 20, label, anchor="middle", colour=svg.FAINT, size=12)
    middle = (LEFT + RIGHT) / 2
    svg.text(root, middle, plot.bottom + 38, "time in the revolution, ms", anchor="middle")


def _draw_longest(root: Element, simulation: Simulation) -> None:
    """Times as bars from their goal: to the left what is below it, to the right what is above."""
    timer, kthreads = simulation.timer.longest_ns, simulation.kthreads.longest_ns
    cold = float(simulation.scenario.cache_factor)
    # With preemptible RCU a tick is one chain.
    of_chain = not simulation.scenario.preempt_rcu
    goal = CHAIN_LIMIT_NS if of_chain else tick_limit_ns(model_params(simulation.scenario))
    what = "chain" if of_chain else "tick"
    title = f"Longest time without a chance to reschedule, from the goal of a {what}, logarithmic"
    _title(root, _LONGEST_TOP - 38, title)
    values = [timer, kthreads, goal]
    first = math.floor(math.log10(min(values)))
    last = math.ceil(math.log10(max(*values, cold * timer, cold * kthreads)))
    last = max(last, first + 1)
    top, height, gap = _LONGEST_TOP, 30, 14
    bottom = top + 2 * height + gap + 10
    # The labels at the right end need room beyond the longest bar.
    right = RIGHT - 240

    def x(value: float) -> float:
        return LEFT + (right - LEFT) * (math.log10(value) - first) / (last - first)

    for power in range(first, last + 1):
        value = 10.0**power
        svg.line(root, x(value), top - 6, x(value), bottom, GRID_COLOUR)
        label = duration(value)
        svg.text(root, x(value), bottom + 18, label, anchor="middle", colour=svg.FAINT, size=12)
    rows = (("one timer", timer, TIMER_COLOUR), ("kthreads", kthreads, KTHREAD_COLOUR))
    for row, (name, ns, colour) in enumerate(rows):
        y = top + row * (height + gap)
        _bar_from(root, x(goal), x(ns), y, height, colour)
        # That of a cold cache as a thin line of its own, from the same base.
        _bar_from(root, x(goal), x(cold * ns), y + height + 2, 5, colour, opacity=0.45)
        svg.text(root, LEFT - 10, y + height / 2 + 4.5, name, anchor="end")
    svg.line(root, x(goal), top - 8, x(goal), bottom, GOAL_COLOUR, dashed=True)
    note = f"goal of a {what}: {duration(goal)}; thin: with a cold cache"
    side = "start" if x(goal) < (LEFT + right) / 2 else "end"
    svg.text(root, x(goal), top - 13, note, anchor=side, colour=GOAL_COLOUR, size=12)
    for row, (_, ns, _) in enumerate(rows):
        label = f"{duration(ns)} ({_times(ns / goal)}), cold {duration(cold * ns)}"
        start = max(x(goal), x(ns), x(cold * ns)) + 10
        start = min(start, WIDTH - 8 - CHARACTER_WIDTH * len(label))
        _halo(svg.text(root, start, top + row * (height + gap) + height / 2 + 4.5, label))


def _bar_from(
    root: Element,
    base: float,
    end: float,
    y: float,
    height: float,
    colour: str,
    opacity: float | None = None,
) -> None:
    """A bar from its base to either side; what is just at the base leaves a trace too."""
    width = max(abs(end - base), LEAST_BAR)
    svg.rect(root, min(base, end), y, width, height, colour, opacity=opacity)


def _times(share: float) -> str:
    """How many times a bound, with three digits at most below 100."""
    return f"{share:.3g} x" if share < 99.5 else f"{count(round(share))} x"


def _draw_cpus(root: Element, simulation: Simulation) -> None:
    timer, kthreads = simulation.timer.cpus, simulation.kthreads.cpus
    busy = [cpu for cpu in range(len(timer)) if timer[cpu].work_ns or kthreads[cpu].work_ns]
    shown = busy[:MAX_CPUS]
    scale = _scale(max(kthread.share for kthread in (*timer, *kthreads)))
    title = "Load of each CPU that estimates"
    rest = [
        f"{count(number)} {what}"
        for number, what in (
            (len(busy) - len(shown), "more not shown"),
            (len(timer) - len(busy), "idle"),
        )
        if number
    ]
    if rest:
        title += f" ({', '.join(rest)})"
    _title(root, _CPUS_TOP - 32, title)
    plot = _Plot(_CPUS_TOP, _CPUS_HEIGHT, scale)
    _value_axis(root, plot, percent, "share of the CPU")
    step = min(110.0, (RIGHT - LEFT) / len(shown))
    labelled = step >= 88
    for place, cpu in enumerate(shown):
        left = LEFT + step * place
        for offset, load, colour in (
            (0.08, timer[cpu], TIMER_COLOUR),
            (0.52, kthreads[cpu], KTHREAD_COLOUR),
        ):
            _cpu_bar(root, plot, left + step * offset, step * 0.4, load, colour, labelled)
        label = str(cpu)
        svg.text(root, left + step / 2, plot.bottom + 18, label, anchor="middle", size=12)
    svg.line(root, LEFT, plot.bottom, RIGHT, plot.bottom, svg.FAINT)
    svg.text(root, (LEFT + RIGHT) / 2, plot.bottom + 38, "CPU", anchor="middle")
    _legend(root, plot.bottom + 62, len(simulation.kthread_list))
    if waiting := simulation.kthreads.waiting:
        note = f"{plural(waiting, 'estimator')} found no room in the kthreads: not estimated"
        svg.text(root, LEFT, plot.bottom + 86, note, colour=KTHREAD_COLOUR, bold=True)


def _cpu_bar(
    root: Element,
    plot: _Plot,
    x: float,
    width: float,
    load: CpuLoad,
    colour: str,
    labelled: bool,
) -> None:
    if load.work_ns:
        bar = _bar(root, plot, x, width, load.share, colour)
        SubElement(bar, "title").text = f"CPU {load.cpu}: {percent(load.share)}"
        if labelled:
            label = percent(load.share).replace(" ", "")
            _halo(
                svg.text(
                    root, x + width / 2, plot.y(load.share) - 5, label, anchor="middle", size=11
                )
            )


def _bar(root: Element, plot: _Plot, x: float, width: float, value: float, colour: str) -> Element:
    """A bar from the axis up to the value; the least value leaves a trace too."""
    height = max(plot.bottom - plot.y(value), LEAST_BAR)
    return svg.rect(root, x, plot.bottom - height, width, height, colour)


def _legend(root: Element, y: float, kthreads: int) -> None:
    entries = (
        (LEFT, TIMER_COLOUR, "one timer (its softirq put on CPU 0)"),
        (LEFT + 290, KTHREAD_COLOUR, f"{plural(kthreads, 'kthread')}, dealt to the CPUs in turn"),
    )
    for x, colour, label in entries:
        svg.rect(root, x, y - 11, 13, 13, colour)
        svg.text(root, x + 20, y, label)


def _value_axis(root: Element, plot: _Plot, name_of: Callable[[float], str], label: str) -> None:
    for value in plot.scale.ticks:
        y = plot.y(value)
        svg.line(root, LEFT, y, RIGHT, y, GRID_COLOUR)
        text = name_of(value) if value else "0"
        svg.text(root, LEFT - 8, y + 4, text, anchor="end", colour=svg.FAINT, size=12)
    middle = plot.top + plot.height / 2
    axis = svg.text(root, 30, middle, label, anchor="middle")
    axis.set("transform", f"rotate(-90 30 {svg.number(middle)})")


def _title(root: Element, y: float, content: str) -> None:
    svg.text(root, 24, y, content, size=15, bold=True)


def _halo(text: Element) -> None:
    """Keep lines that cross a text from hiding it."""
    text.set("stroke", svg.WHITE)
    text.set("stroke-width", "4")
    text.set("paint-order", "stroke")
