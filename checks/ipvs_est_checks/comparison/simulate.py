"""Both designs at the same load: how long each keeps a CPU, and how it spreads its work.

The kthreads' numbers come from a run of the model: its limits, its State, and the estimations
that its event record shows. No work takes virtual time in the model, so a kthread
that could not keep up with its ticks still meets them here; compare `Kthread.max_tick_ns`
with `Simulation.tick_ns`.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import groupby
from operator import attrgetter

from ipvs_est.answers.state import KthreadState, State, take_state
from ipvs_est.control.estimator_objects import start_object
from ipvs_est.control.netns_life import init_netns
from ipvs_est.control.sysctl import set_cpulist
from ipvs_est.estimator.calc_limits import CACHE_FACTOR
from ipvs_est.language.events import Estimated
from ipvs_est.language.params import Params, ParamsError
from ipvs_est.language.revision import MAINLINE, Revision
from ipvs_est.sequential import Sequential, advance, call
from ipvs_est.state.machine import PS_PER_NS, boot
from ipvs_est.state.stats import StatsObject
from ipvs_est.timer_design import PERIOD_SECONDS, run_until, start, start_timer
from ipvs_est_checks.report.json_text import json_text

REPORT_VERSION = 2
MAX_ESTIMATORS = 1_000_000
MAX_ARRIVAL_SECONDS = 3600
MAX_CACHE_FACTOR = 1000

# The ceiling of one chain; the limits test aims at 95 us of it.
CHAIN_LIMIT_NS = 100_000
NS_PER_SECOND = 10**9

# Upper edges of the histogram's bins, in quarters of what one tick of one kthread may take.
BIN_QUARTERS = (0, 1, 2, 3, 4)

_FIELD_OF_PARAM = {"possible_cpus": "cpus", "est_cost_ns": "cost_ps"}
_REPORT_EVERY = 2000

Progress = Callable[[str, float], None]
"""Is told the stage and the share of it that is done, 0 to 1."""


class ScenarioError(ValueError):
    """A load that cannot be simulated; `.field` names the culprit."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class SimulatedLoad:
    """One load on one machine, in the default geometry.

    Raises `ScenarioError` for a value outside what the model covers.
    """

    estimators: int
    """Of services and destinations; the total's comes on top."""
    cpus: int = 64
    """Possible CPUs."""
    cost_ps: int = 50_000
    """Picoseconds for one CPU's counters of one estimator, as the limits test finds them:
    with a warm cache."""
    cache_factor: Fraction = Fraction(CACHE_FACTOR)
    """How many estimations with a warm cache one with a cold cache costs in truth; the limits
    test takes it for 4."""
    arrival_seconds: int = 0
    """They are added evenly over that time; 0: all at once."""
    hz: int = 250
    preempt_rcu: bool = False
    revision: Revision = MAINLINE
    cpulist: frozenset[int] | None = None
    """Written to est_cpulist before the first service; None: all CPUs, none written."""

    def __post_init__(self) -> None:
        if not 1 <= self.estimators <= MAX_ESTIMATORS:
            raise ScenarioError("estimators", f"{self.estimators} is not in 1..{MAX_ESTIMATORS}")
        if self.cost_ps < 1:
            raise ScenarioError("cost_ps", "is not a picosecond or more")
        if not 1 <= self.cache_factor <= MAX_CACHE_FACTOR:
            detail = f"{float(self.cache_factor):g} is not in 1..{MAX_CACHE_FACTOR}"
            raise ScenarioError("cache_factor", detail)
        if not 0 <= self.arrival_seconds <= MAX_ARRIVAL_SECONDS:
            detail = f"{self.arrival_seconds} is not in 0..{MAX_ARRIVAL_SECONDS}"
            raise ScenarioError("arrival_seconds", detail)
        try:
            model_params(self)
        except ParamsError as error:
            field = _FIELD_OF_PARAM.get(error.field, error.field)
            detail = str(error).removeprefix(f"{error.field}: ")
            if field == "cost_ps":
                detail = f"{self.cost_ns:g} ns on each of {self.cpus} CPUs: {detail}"
            raise ScenarioError(field, detail) from None
        if self.cpulist is not None:
            if not self.cpulist:
                raise ScenarioError("cpulist", "names no CPU, which would stop the kthreads")
            if not self.cpulist <= frozenset(range(self.cpus)):
                raise ScenarioError("cpulist", f"names a CPU beyond the last one, {self.cpus - 1}")

    @property
    def cost_ns(self) -> float:
        """`cost_ps` in nanoseconds."""
        return self.cost_ps / PS_PER_NS

    @property
    def est_cost_ps(self) -> int:
        """Picoseconds to estimate one estimator: its counters on every possible CPU are read."""
        return self.cost_ps * self.cpus

    def work_ns(self, estimations: int) -> int:
        """What so many estimations take, rounded down."""
        return estimations * self.est_cost_ps // PS_PER_NS

    @property
    def kthread_cpus(self) -> tuple[int, ...]:
        """CPUs for kthreads, ascending."""
        return tuple(range(self.cpus)) if self.cpulist is None else tuple(sorted(self.cpulist))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the calc phase computed, and the thread limit (semantics sections 2, 9, 12)."""

    est_chain_max: int
    chain_max: int
    """Estimators in one chain."""
    tick_max: int
    """Estimators in one tick of one kthread."""
    est_max_count: int
    """Estimators in one kthread."""
    est_max_threads: int

    @property
    def room(self) -> int:
        """Estimators that all allowed kthreads hold."""
        return self.est_max_threads * self.est_max_count


@dataclass(frozen=True, slots=True)
class Kthread:
    """What one kthread did in a revolution."""

    id: int
    cpu: int
    """Kthreads are dealt to the allowed CPUs in turn; a scheduler decides for itself."""
    est_count: int
    longest_chain_ns: int
    """Longest walk between two cond_resched_rcu."""
    ticks_ns: tuple[int, ...]
    """Work in each tick of the revolution; the first tick is the one that begins with it."""

    @property
    def work_ns(self) -> int:
        """Work in the whole revolution."""
        return sum(self.ticks_ns)

    @property
    def max_tick_ns(self) -> int:
        """Work in the busiest tick."""
        return max(self.ticks_ns)


@dataclass(frozen=True, slots=True)
class CpuLoad:
    """What estimating costs one CPU."""

    cpu: int
    kthreads: int
    """Kthreads dealt to it."""
    work_ns: int
    """In one revolution."""
    share: float
    """Of the CPU's time; above 1 it cannot keep up."""


@dataclass(frozen=True, slots=True)
class Design:
    """One design at this load, in the numbers that both have."""

    estimations: int
    """In one revolution."""
    longest_ns: int
    """Longest time that a CPU is kept without a chance to reschedule."""
    ticks_ns: tuple[int, ...]
    """Work of the whole machine in each tick of the revolution."""
    cpus: tuple[CpuLoad, ...]
    """All possible CPUs."""
    waiting: int
    """Estimators that found no room and are not estimated."""

    @property
    def min_tick_ns(self) -> int:
        """Work in the idlest tick."""
        return min(self.ticks_ns)

    @property
    def mean_tick_ns(self) -> float:
        """Work in a tick, on average."""
        return sum(self.ticks_ns) / len(self.ticks_ns)

    @property
    def max_tick_ns(self) -> int:
        """Work in the busiest tick."""
        return max(self.ticks_ns)

    @property
    def busiest_cpu(self) -> CpuLoad:
        """The CPU with the most work, the first of them."""
        return max(self.cpus, key=attrgetter("work_ns"))


@dataclass(frozen=True, slots=True)
class ChainGoal:
    """A bound that the kthreads are designed to keep (semantics section 2)."""

    name: str
    limit_ns: int
    worst_ns: int
    """The worst that the run shows, at the cost given."""
    worst_uncached_ns: int
    """The same if no estimation finds its counters in the cache (section 11: cache factor)."""

    @property
    def met(self) -> bool:
        return self.worst_ns <= self.limit_ns

    @property
    def met_uncached(self) -> bool:
        return self.worst_uncached_ns <= self.limit_ns


@dataclass(frozen=True, slots=True)
class Bin:
    """How many ticks of single kthreads took more than the bin before allows and at most this."""

    up_to_ns: int | None
    """None: no bound."""
    ticks: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Both designs at one load."""

    scenario: SimulatedLoad
    tick_ns: int
    """Length of a tick, rounded down."""
    revolution_ns: int
    """Length of the kthreads' revolution, rounded down."""
    limits: Limits
    timer: Design
    """The design with one timer. Its only expiry of the revolution is put into the first tick
    and on CPU 0; it may come on any."""
    kthreads: Design
    kthread_list: tuple[Kthread, ...]
    goals: tuple[ChainGoal, ...]
    histogram: tuple[Bin, ...]
    steady: bool
    """The two revolutions that were recorded are alike; the second is the one shown."""


@dataclass(frozen=True, slots=True)
class _Revolution:
    """One revolution as the event record shows it."""

    estimations: int
    ticks_ns: dict[int, list[int]]
    """Work per tick, by kthread."""
    longest_chain_ns: dict[int, int]
    """By kthread."""


def simulate(scenario: SimulatedLoad, progress: Progress | None = None) -> Simulation:
    """Run both designs and measure one revolution of each.

    Raises `ipvs_est.violations.ViolationError` if the run violates the model's rules.
    """
    say = progress or _silent
    params = model_params(scenario)
    timer = _run_timer(scenario, params, say)
    machine = boot(params, scenario.revision)
    machine.raise_violations = True
    machine.est_cost_ps = scenario.est_cost_ps
    driver = Sequential(machine)
    _add_estimators(driver, scenario, say)
    _compute_limits(driver, say)
    state = take_state(machine)
    kds = [kd for kd in state.kthreads if kd is not None]
    first = _record_revolution(driver, scenario, kds)
    say("second revolution", 0.5)
    second = _record_revolution(driver, scenario, kds)
    kthread_list = _kthreads(scenario, kds, second)
    tick_ns = params.tick_jiffies * NS_PER_SECOND // params.hz
    revolution_ns = params.nticks * params.tick_jiffies * NS_PER_SECOND // params.hz
    kthreads = _kthread_design(scenario, params, state, kthread_list, second.estimations)
    return Simulation(
        scenario=scenario,
        tick_ns=tick_ns,
        revolution_ns=revolution_ns,
        limits=_limits(state, kds[0]),
        timer=timer,
        kthreads=kthreads,
        kthread_list=kthread_list,
        goals=_goals(scenario, params, kthreads, kthread_list, revolution_ns),
        histogram=_histogram(params, kthread_list),
        steady=first == second,
    )


def model_params(scenario: SimulatedLoad) -> Params:
    """The model's configuration for a scenario. Raises `ParamsError`."""
    return Params(
        hz=scenario.hz,
        preempt_rcu=scenario.preempt_rcu,
        possible_cpus=scenario.cpus,
        est_cost_ns=scenario.est_cost_ps // PS_PER_NS,
    )


def _silent(stage: str, share: float) -> None:
    pass


def _run_timer(scenario: SimulatedLoad, params: Params, say: Progress) -> Design:
    """The old design: everything, the total's estimator included, in one expiry."""
    now = params.initial_jiffies
    design = start_timer(params.hz, params.est_cost_ns, now)
    for number in range(scenario.estimators + 1):
        start(design, StatsObject(id=number).est)
        if number % _REPORT_EVERY == 0:
            say("timer design", number / scenario.estimators)
    (expiry,) = run_until(design, now + PERIOD_SECONDS * params.hz)
    period_ns = PERIOD_SECONDS * NS_PER_SECOND
    # The design's own cost is one of whole nanoseconds.
    softirq_ns = scenario.work_ns(expiry.estimations)
    return Design(
        estimations=expiry.estimations,
        longest_ns=softirq_ns,
        ticks_ns=(softirq_ns,) + (0,) * (params.nticks - 1),
        cpus=tuple(
            CpuLoad(cpu, 0, work, work / period_ns)
            for cpu, work in enumerate((softirq_ns,) + (0,) * (scenario.cpus - 1))
        ),
        waiting=0,
    )


def _add_estimators(driver: Sequential, scenario: SimulatedLoad, say: Progress) -> None:
    """Netns init, the cpulist, one service and its destinations, evenly over the time."""
    machine = driver.machine
    call(driver, init_netns(machine))
    if scenario.cpulist is not None:
        call(driver, set_cpulist(machine, scenario.cpulist))
    call(driver, start_object(machine, 1, "service"))
    begun = machine.now
    jiffies = scenario.arrival_seconds * scenario.hz
    for number in range(2, scenario.estimators + 1):
        due = begun + (number - 1) * jiffies // scenario.estimators
        if due > machine.now:
            advance(driver, due - machine.now)
        call(driver, start_object(machine, number, "dest"))
        if number % _REPORT_EVERY == 0:
            say("adding estimators", number / scenario.estimators)


def _compute_limits(driver: Sequential, say: Progress) -> None:
    """The calc phase and the drain, then a revolution in which no kthread is late any more."""
    machine = driver.machine
    revolution = machine.params.nticks * machine.params.tick_jiffies
    say("calc phase and drain", 0.0)
    # The phase sleeps three times, 60 ms together, or 3 jiffies if HZ is below 50.
    advance(driver, revolution)
    if not machine.netns.est_chain_max or machine.netns.est_calc_phase:
        raise RuntimeError("the calc phase did not end within a revolution")
    say("first revolution", 0.5)
    advance(driver, revolution)


def _record_revolution(
    driver: Sequential, scenario: SimulatedLoad, kds: list[KthreadState]
) -> _Revolution:
    """Let a revolution pass and add up its estimations by kthread, tick and chain."""
    machine = driver.machine
    params = machine.params
    start_jiffies = machine.now
    machine.events = []
    advance(driver, params.nticks * params.tick_jiffies)
    events = [event for event in machine.events if isinstance(event, Estimated)]
    machine.events = None

    cid_of = {
        identity: cid
        for kd in kds
        for tick in kd.ticks
        for cid, ids in tick.chains
        for identity in ids
    }
    in_tick = {kd.id: [0] * params.nticks for kd in kds}
    longest_chain = {kd.id: 0 for kd in kds}

    def walk(event: Estimated) -> tuple[int, int, int, int]:
        return event.jiffies, event.ktid, event.row, cid_of[event.id]

    # A kthread gives way after each chain: what follows another in the same chain did not.
    for (jiffies, ktid, _, _), chain in groupby(events, walk):
        length = sum(1 for _ in chain)
        # `advance` lets the jiffies after the present one pass.
        in_tick[ktid][(jiffies - start_jiffies - 1) // params.tick_jiffies] += length
        longest_chain[ktid] = max(longest_chain[ktid], length)
    ns = scenario.work_ns
    return _Revolution(
        len(events),
        {ktid: [ns(length) for length in lengths] for ktid, lengths in in_tick.items()},
        {ktid: ns(number) for ktid, number in longest_chain.items()},
    )


def _kthreads(
    scenario: SimulatedLoad, kds: list[KthreadState], revolution: _Revolution
) -> tuple[Kthread, ...]:
    allowed = scenario.kthread_cpus
    return tuple(
        Kthread(
            id=kd.id,
            cpu=allowed[kd.id % len(allowed)],
            est_count=kd.est_count,
            longest_chain_ns=revolution.longest_chain_ns[kd.id],
            ticks_ns=tuple(revolution.ticks_ns[kd.id]),
        )
        for kd in kds
    )


def _kthread_design(
    scenario: SimulatedLoad,
    params: Params,
    state: State,
    kthread_list: tuple[Kthread, ...],
    estimations: int,
) -> Design:
    count = [0] * scenario.cpus
    work = [0] * scenario.cpus
    for kthread in kthread_list:
        count[kthread.cpu] += 1
        work[kthread.cpu] += kthread.work_ns
    # hz may not divide a tick's nanoseconds: shares are taken of the exact length.
    revolution_jiffies = params.nticks * params.tick_jiffies
    return Design(
        estimations=estimations,
        longest_ns=max(kthread.longest_chain_ns for kthread in kthread_list),
        ticks_ns=tuple(map(sum, zip(*(kthread.ticks_ns for kthread in kthread_list), strict=True))),
        cpus=tuple(
            CpuLoad(cpu, count[cpu], ns, ns * params.hz / (revolution_jiffies * NS_PER_SECOND))
            for cpu, ns in enumerate(work)
        ),
        waiting=len(state.temp),
    )


def _limits(state: State, kd0: KthreadState) -> Limits:
    return Limits(
        est_chain_max=state.chain_max,
        chain_max=kd0.chain_max,
        tick_max=kd0.tick_max,
        est_max_count=kd0.est_max_count,
        est_max_threads=state.max_threads,
    )


def _goals(
    scenario: SimulatedLoad,
    params: Params,
    kthreads: Design,
    kthread_list: tuple[Kthread, ...],
    revolution_ns: int,
) -> tuple[ChainGoal, ...]:
    def goal(name: str, limit_ns: int, worst_ns: int) -> ChainGoal:
        return ChainGoal(name, limit_ns, worst_ns, int(scenario.cache_factor * worst_ns))

    kthread_limit = revolution_ns // params.load_divisor
    goals = [
        goal("tick of a kthread", tick_limit_ns(params), max(k.max_tick_ns for k in kthread_list)),
        goal("kthread in a revolution", kthread_limit, max(k.work_ns for k in kthread_list)),
        goal(
            "CPU in a revolution",
            revolution_ns * params.cpu_kthreads // params.load_divisor,
            kthreads.busiest_cpu.work_ns,
        ),
    ]
    # With preemptible RCU a tick is one chain, which the tick's bound is for.
    if not params.preempt_rcu:
        goals.insert(0, goal("chain", CHAIN_LIMIT_NS, kthreads.longest_ns))
    return tuple(goals)


def tick_limit_ns(params: Params) -> int:
    """What one kthread's work in one tick may take: 4.8 ms in the default geometry."""
    return params.chain_factor * CHAIN_LIMIT_NS


def _histogram(params: Params, kthread_list: Iterable[Kthread]) -> tuple[Bin, ...]:
    edges = [tick_limit_ns(params) * quarters // 4 for quarters in BIN_QUARTERS]
    counts = [0] * (len(edges) + 1)
    for kthread in kthread_list:
        for ns in kthread.ticks_ns:
            counts[sum(ns > edge for edge in edges)] += 1
    return tuple(Bin(edge, ticks) for edge, ticks in zip([*edges, None], counts, strict=True))


def json_report(simulation: Simulation) -> str:
    """The whole result; times in ns, shares of a CPU as fractions."""
    scenario = simulation.scenario
    body = {
        "scenario": {
            "estimators": scenario.estimators,
            "cpus": scenario.cpus,
            "cost_ps": scenario.cost_ps,
            "est_cost_ps": scenario.est_cost_ps,
            "cache_factor": float(scenario.cache_factor),
            "arrival_seconds": scenario.arrival_seconds,
            "hz": scenario.hz,
            "preempt_rcu": scenario.preempt_rcu,
            "revision": scenario.revision.name,
            "kthread_cpus": list(scenario.kthread_cpus),
        },
        "tick_ns": simulation.tick_ns,
        "revolution_ns": simulation.revolution_ns,
        "limits": {**asdict(simulation.limits), "room": simulation.limits.room},
        "timer": _design_to_json(simulation.timer),
        "kthreads": _design_to_json(simulation.kthreads),
        "kthread_list": [
            {**asdict(kthread), "ticks_ns": list(kthread.ticks_ns), "work_ns": kthread.work_ns}
            for kthread in simulation.kthread_list
        ],
        "goals": [
            {
                **asdict(goal),
                "met": goal.met,
                "met_uncached": goal.met_uncached,
            }
            for goal in simulation.goals
        ],
        "histogram": [asdict(bin_) for bin_ in simulation.histogram],
        "steady": simulation.steady,
    }
    return json_text("ipvs-est simulate", REPORT_VERSION, body)


def _design_to_json(design: Design) -> dict[str, object]:
    return {
        "estimations": design.estimations,
        "waiting": design.waiting,
        "longest_ns": design.longest_ns,
        "min_tick_ns": design.min_tick_ns,
        "mean_tick_ns": design.mean_tick_ns,
        "max_tick_ns": design.max_tick_ns,
        "ticks_ns": list(design.ticks_ns),
        "cpus": [asdict(cpu) for cpu in design.cpus],
    }
