"""Geometry and configuration of the modelled machine (semantics section 2)."""

from dataclasses import dataclass, fields

IPVS_EST_NTICKS = 50
IPVS_EST_LOAD_DIVISOR = 8
IPVS_EST_CHAIN_FACTOR = 48

# One chain's time goal; 100 us is the ceiling, 95 us leaves room for the measurement.
CHAIN_GOAL_NS = 95_000

# The largest NR_CPUS: 4 kthreads on each of its CPUs still fit the 16-bit ktid.
MAX_POSSIBLE_CPUS = 8192
MAX_TICKS = 64
MAX_CHAINS = 64
MAX_STEPS_PER_BREAK = 1_000_000


class ParamsError(ValueError):
    """A configuration that the model does not have; `.field` names the culprit."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Makes the error pass between processes.
        return type(self), (self.field, self.message)


@dataclass(frozen=True, slots=True)
class Params:
    """One build and one machine.

    Raises `ParamsError` when a value is outside what the model covers.
    Source: semantics section 2, docs/reference/recordings.md (params).
    """

    hz: int = 250
    """Jiffies per second."""
    nticks: int = IPVS_EST_NTICKS
    """Ticks (rows) in a 2-second revolution, 1 to 64."""
    chain_factor: int = IPVS_EST_CHAIN_FACTOR
    """Chains per tick, and the factor on `chain_max` when there is only one chain, 1 to 64."""
    preempt_rcu: bool = False
    """Preemptible RCU: one chain per tick."""
    load_divisor: int = IPVS_EST_LOAD_DIVISOR
    """A kthread may use 1/load_divisor of a CPU; load_divisor/2 kthreads are allowed per CPU."""
    word_bits: int = 64
    """32 or 64: width of `unsigned long`, so of jiffies."""
    possible_cpus: int = 1
    """CPUs 0 .. possible_cpus-1 are possible."""
    housekeeping_cpus: frozenset[int] | None = None
    """CPUs for kthreads while no cpulist is set; None: all possible ones."""
    sysctl: bool = True
    """Built with sysctl support: there are sysctls and a total's estimator."""
    est_cost_ns: int = 1000
    """Nanoseconds that estimating one estimator takes at the start of a history."""
    initial_jiffies: int = 1000
    """Jiffies at the start of a history."""
    steps_per_break: int = 0
    """Visits to a chain's head between two breaks of the calc phase, for small worlds; 0: as in
    the kernel, 64."""

    def __post_init__(self) -> None:
        _check_types(self)
        bounds = (
            ("hz", self.hz, 1, 100_000),
            ("nticks", self.nticks, 1, MAX_TICKS),
            ("chain_factor", self.chain_factor, 1, MAX_CHAINS),
            ("load_divisor", self.load_divisor, 2, 64),
            ("possible_cpus", self.possible_cpus, 1, MAX_POSSIBLE_CPUS),
            ("est_cost_ns", self.est_cost_ns, 0, MAX_COST_NS),
            ("steps_per_break", self.steps_per_break, 0, MAX_STEPS_PER_BREAK),
        )
        for name, value, low, high in bounds:
            if not low <= value <= high:
                raise ParamsError(name, f"{value} is not in {low}..{high}")
        if self.word_bits not in (32, 64):
            raise ParamsError("word_bits", f"{self.word_bits} is neither 32 nor 64")
        if not 0 <= self.initial_jiffies < 1 << self.word_bits:
            raise ParamsError("initial_jiffies", f"does not fit {self.word_bits} bits")
        if self.tick_jiffies < 1:
            raise ParamsError("hz", f"a tick of 2*{self.hz}/{self.nticks} jiffies would be 0")
        if self.housekeeping_cpus is not None and not self.housekeeping_cpus:
            raise ParamsError("housekeeping_cpus", "at least one CPU must do housekeeping")
        for cpu in sorted(self.housekeeping_cpus or ()):
            if not 0 <= cpu < self.possible_cpus:
                raise ParamsError("housekeeping_cpus", f"CPU {cpu} is not possible")

    @property
    def tick_jiffies(self) -> int:
        """`IPVS_EST_TICK`: jiffies per tick, rounded down."""
        return 2 * self.hz // self.nticks

    @property
    def tick_chains(self) -> int:
        """`IPVS_EST_TICK_CHAINS`: chains in one tick."""
        return 1 if self.preempt_rcu else self.chain_factor

    @property
    def cpu_kthreads(self) -> int:
        """`IPVS_EST_CPU_KTHREADS`: kthreads allowed for each CPU."""
        return self.load_divisor // 2

    @property
    def kthread_cpus(self) -> frozenset[int]:
        """CPUs for kthreads while no cpulist is set."""
        if self.housekeeping_cpus is None:
            return frozenset(range(self.possible_cpus))
        return self.housekeeping_cpus

    @property
    def jiffies_mask(self) -> int:
        """All bits of an `unsigned long`."""
        return (1 << self.word_bits) - 1


MAX_COST_NS = 10**15
_FLAGS = frozenset({"preempt_rcu", "sysctl"})


def _check_types(params: Params) -> None:
    """Callers without a type checker get a clear error, too."""
    for field in fields(params):
        value = getattr(params, field.name)
        wanted: type = bool if field.name in _FLAGS else int
        values = (value,)
        if field.name == "housekeeping_cpus":
            if value is not None and not isinstance(value, frozenset):
                raise ParamsError(field.name, "expected a frozenset of CPUs or None")
            values = tuple(value or ())
        for item in values:
            if type(item) is not wanted:
                name = type(item).__name__
                raise ParamsError(field.name, f"expected {wanted.__name__}, found {name}")
