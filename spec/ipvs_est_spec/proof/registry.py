"""All theorems, in the order in which they are listed."""

from ipvs_est_spec.proof import row_choice, row_delays
from ipvs_est_spec.proof.theorem import Theorem

THEOREMS: tuple[Theorem, ...] = (
    *row_choice.THEOREMS,
    *row_delays.THEOREMS,
)

BY_ID = {each.id: each for each in THEOREMS}
"""Id -> theorem."""

GROUPS = tuple(dict.fromkeys(each.group for each in THEOREMS))
