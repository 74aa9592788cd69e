"""The machines on which histories play."""

from ipvs_est import Params

SMALL: tuple[Params, ...] = (
    Params(hz=100, nticks=4, chain_factor=2, load_divisor=6, est_cost_ns=23750),
    Params(hz=100, nticks=5, chain_factor=3, possible_cpus=2, load_divisor=4, est_cost_ns=11875),
    Params(
        hz=250,
        nticks=5,
        chain_factor=2,
        possible_cpus=2,
        word_bits=32,
        initial_jiffies=2**32 - 700,
        est_cost_ns=23750,
    ),
    Params(
        hz=1000,
        nticks=4,
        chain_factor=2,
        possible_cpus=3,
        preempt_rcu=True,
        est_cost_ns=11875,
        initial_jiffies=2**64 - 2500,
    ),
    Params(
        hz=300,
        nticks=5,
        chain_factor=2,
        possible_cpus=4,
        housekeeping_cpus=frozenset({0}),
        est_cost_ns=11875,
        initial_jiffies=2**64 - 400,
    ),
    Params(
        hz=100,
        nticks=3,
        chain_factor=2,
        word_bits=32,
        preempt_rcu=True,
        load_divisor=6,
        est_cost_ns=23750,
        initial_jiffies=2**32 - 150,
    ),
    Params(hz=1000, nticks=6, chain_factor=2, load_divisor=6, est_cost_ns=7916),
    Params(hz=100, nticks=4, chain_factor=2, possible_cpus=2, sysctl=False, est_cost_ns=11875),
    Params(
        hz=24,
        nticks=4,
        chain_factor=2,
        possible_cpus=2,
        word_bits=32,
        est_cost_ns=23750,
        initial_jiffies=2**32 - 60,
    ),
)
"""Few rows and chains, so that kthreads fill and the thread limit is near; both RCU flavours and
word sizes, several HZ, jiffies about to wrap. Never a single chain of a single estimator: no
kernel has a tick that one estimator fills."""

DEFAULT: tuple[Params, ...] = (
    Params(possible_cpus=4, est_cost_ns=11875, initial_jiffies=2**64 - 900),
    Params(hz=1000, possible_cpus=2, word_bits=32, preempt_rcu=True, est_cost_ns=900),
)
"""The kernel's own geometry."""

CHOICES: tuple[Params, ...] = (*SMALL * 5, *DEFAULT)
"""Default ones are rare: a step costs twenty times as much there."""
