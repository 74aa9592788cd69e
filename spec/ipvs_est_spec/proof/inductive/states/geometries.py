"""The geometries for which the induction is done: both that the kernel can be built with."""

from collections.abc import Mapping

from ipvs_est.language.params import Params

FULL = "48 chains"
PREEMPT = "1 chain"

GEOMETRIES: Mapping[str, Params] = {FULL: Params(), PREEMPT: Params(preempt_rcu=True)}
"""Name -> 50 rows of so many chains; with preemptible RCU there is one, 48 times as long."""

SCOPE = (
    "any number of estimators, kthreads and slots, any chain_max >= 1; 50 rows of 48 chains, and "
    "of 1 chain (preemptible RCU)"
)
