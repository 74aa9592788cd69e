"""What a harness is built for."""

from dataclasses import dataclass
from enum import Enum

from ipvs_est.language.params import MAX_POSSIBLE_CPUS, Params


class Variant(Enum):
    """How the kernel's files are compiled."""

    PLAIN = "plain"
    """As recorded: freed memory keeps its values."""
    SANITISED = "sanitised"
    """Under AddressSanitizer and UndefinedBehaviorSanitizer."""
    POINTS = "points"
    """Each access calls the runtime: it sees uses of freed memory, and tasks switch there."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """One configuration of the kernel. None: what the tree itself has."""

    hz: int = 250
    """CONFIG_HZ."""
    nticks: int | None = None
    """IPVS_EST_NTICKS."""
    chain_factor: int | None = None
    """IPVS_EST_CHAIN_FACTOR."""
    load_divisor: int | None = None
    """IPVS_EST_LOAD_DIVISOR."""
    preempt_rcu: bool = False
    """CONFIG_PREEMPT_RCU."""
    sysctl: bool = True
    """CONFIG_SYSCTL."""
    word_bits: int = 64
    """32 or 64: width of `unsigned long`."""
    many_cpus: bool = False
    """Whether there may be more CPUs than a word has bits. If not, a mask is one word, in which
    the recordings set CPUs that are not possible."""
    variant: Variant = Variant.PLAIN


def max_cpus(options: BuildOptions) -> int:
    """CONFIG_NR_CPUS."""
    return MAX_POSSIBLE_CPUS if options.many_cpus else options.word_bits


def options_for(params: Params, variant: Variant = Variant.PLAIN) -> BuildOptions:
    """The build on which a history with these parameters runs."""
    return BuildOptions(
        hz=params.hz,
        nticks=params.nticks,
        chain_factor=params.chain_factor,
        load_divisor=params.load_divisor,
        preempt_rcu=params.preempt_rcu,
        sysctl=params.sysctl,
        word_bits=params.word_bits,
        many_cpus=params.possible_cpus > params.word_bits,
        variant=variant,
    )
