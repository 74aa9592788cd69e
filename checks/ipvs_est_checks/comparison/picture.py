"""A simulation as a picture: one SVG file that needs nothing else, the same bytes each time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from ipvs_est.estimator.calc_limits import CACHE_FACTOR
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

# Loads below this do not matter, nor how they compare.
LEAST_LOAD = 0.001

# A bar lower than this share of the axis cannot be read off a linear one.
LINEAR_SHARE = 0.03
MAX_CPUS = 32

_TICKS_TOP = (146, 340)
_TICKS_HEIGHT = 150
_LONGEST_TOP = 622
_CPUS_TOP = 806
_CPUS_HEIGHT = 150


@dataclass(frozen=True, slots=True)
class _Scale:
    """A value axis from `low` to `high`, linear from 0 or logarithmic over whole decades."""

    low: float
    high: float
    ticks: tuple[float, ...]
    """Values to label."""
    logarithmic: bool

    def position(self, value: float) -> float:
        """Where a value lies on the axis: 0 at its low end, 1 at its high end."""
        if self.logarithmic:
            return math.log10(value / self.low) / math.log10(self.high / self.low)
        return value / self.high


def _linear_scale(most: float) -> _Scale:
    """From 0 to at least `most`, which is positive, in 2 to 5 steps of 1, 2 or 5 times 10^k."""
    decade = 10.0 ** math.floor(math.log10(most))
    step = next(size * decade for size in (0.2, 0.5, 1, 2) if most <= 5 * size * decade)
    # A quotient of floats: what is a hair above a whole number is that number.
    steps = math.ceil(most / step - 1e-9)
    return _Scale(0, steps * step, tuple(step * each for each in range(steps + 1)), False)


def _log_scale(least: float, most: float) -> _Scale:
    """The whole decades around `least` to `most`, which are positive."""
    first = math.floor(math.log10(least))
    # A value just above a power of ten would get no length on an axis that begins there.
    if least < 2 * 10.0**first:
        first -= 1
    last = max(math.ceil(math.log10(most)), first + 1)
    ticks = tuple(10.0**power for power in range(first, last + 1))
    return _Scale(ticks[0], ticks[-1], ticks, True)


def _readable_scale(values: Sequence[float]) -> tuple[_Scale, str]:
    """A linear scale for positive values, unless the least could not be seen on it; its name."""
    if min(values) >= LINEAR_SHARE * max(values):
        return _linear_scale(max(values)), ""
    return _log_scale(min(values), max(values)), ", logarithmic"


@dataclass(frozen=True, slots=True)
class _Plot:
    """A rectangle to draw in, with its value axis pointing up."""

    top: float
    height: float
    scale: _Scale

    def y(self, value: float) -> float:
        """Where a value lies, in the picture's units from its top; not below the axis."""
        if value <= self.scale.low:
            return self.bottom
        return self.top + self.height * (1 - self.scale.position(value))

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
        max(each.ticks_ns[tick] for each in simulation.kthread_list)
        for tick in range(len(kthreads.ticks_ns))
    ]
    goal = tick_limit_ns(model_params(simulation.scenario))
    scale, kind = _readable_scale((timer.max_tick_ns, kthreads.max_tick_ns, max(busiest)))
    title = f"Work in each tick of {duration(simulation.tick_ns)}, over one revolution{kind}"
    _title(root, _TICKS_TOP[0] - 32, title)
    upper, lower = (_Plot(top, _TICKS_HEIGHT, scale) for top in _TICKS_TOP)
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
    if scale.low < goal <= scale.high:
        svg.line(root, LEFT, lower.y(goal), RIGHT, lower.y(goal), GOAL_COLOUR, dashed=True)
        note = f"- - goal of one kthread: {duration(goal)}"
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
    timer, kthreads = simulation.timer.longest_ns, simulation.kthreads.longest_ns
    title = "Longest time that a CPU is kept without a chance to reschedule, logarithmic"
    _title(root, _LONGEST_TOP - 38, title)
    shows_goal = not simulation.scenario.preempt_rcu
    values = [timer, kthreads, *([CHAIN_LIMIT_NS] if shows_goal else [])]
    scale = _log_scale(min(values), CACHE_FACTOR * max(values))
    top, height, gap = _LONGEST_TOP, 30, 14
    bottom = top + 2 * height + gap + 10

    # The labels at the right end need room beyond the longest bar.
    right = RIGHT - 210

    def x(value: float) -> float:
        return LEFT + (right - LEFT) * scale.position(value)

    for value in scale.ticks:
        svg.line(root, x(value), top - 6, x(value), bottom, GRID_COLOUR)
        label = duration(value)
        svg.text(root, x(value), bottom + 18, label, anchor="middle", colour=svg.FAINT, size=12)
    rows = (("one timer", timer, TIMER_COLOUR), ("kthreads", kthreads, KTHREAD_COLOUR))
    for row, (name, ns, colour) in enumerate(rows):
        y = top + row * (height + gap)
        cold = CACHE_FACTOR * ns
        svg.rect(root, LEFT, y, x(ns) - LEFT, height, colour)
        svg.rect(root, x(ns), y + height / 4, x(cold) - x(ns), height / 2, colour, opacity=0.35)
        svg.text(root, LEFT - 10, y + height / 2 + 4.5, name, anchor="end")
    if shows_goal:
        limit = x(CHAIN_LIMIT_NS)
        svg.line(root, limit, top - 8, limit, bottom, GOAL_COLOUR, dashed=True)
        note = f"goal of a chain: {duration(CHAIN_LIMIT_NS)}"
        svg.text(root, limit, top - 13, note, anchor="middle", colour=GOAL_COLOUR, size=12)
    # A label keeps off the goal's line, and stands over the grid.
    for row, (_, ns, _) in enumerate(rows):
        cold = CACHE_FACTOR * ns
        label = f"{duration(ns)}; cold cache {duration(cold)}"
        start = x(cold) + 10
        if shows_goal and start < x(CHAIN_LIMIT_NS) + 8 < start + 190:
            start = x(CHAIN_LIMIT_NS) + 8
        start = min(start, WIDTH - 8 - CHARACTER_WIDTH * len(label))
        _halo(svg.text(root, start, top + row * (height + gap) + height / 2 + 4.5, label))


def _draw_cpus(root: Element, simulation: Simulation) -> None:
    timer, kthreads = simulation.timer.cpus, simulation.kthreads.cpus
    busy = [cpu for cpu in range(len(timer)) if timer[cpu].work_ns or kthreads[cpu].work_ns]
    shown = busy[:MAX_CPUS]
    loads = [max(each.share for each in design) for design in (timer, kthreads)]
    scale, kind = _readable_scale([max(load, LEAST_LOAD) for load in loads])
    title = f"Load of each CPU that estimates{kind}"
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
