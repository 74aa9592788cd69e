"""All theorems, in the order in which they are listed."""

from ipvs_est_spec.proof import (
    calc_load,
    calc_sequence,
    calc_test,
    rate_counters,
    rate_sequences,
    rate_words,
    row_choice,
    row_delays,
    timer_hz,
    timer_revolutions,
    timer_words,
)
from ipvs_est_spec.proof.inductive import in_range, walk_theorems
from ipvs_est_spec.proof.inductive import theorems as inductive
from ipvs_est_spec.proof.protocol import theorems as protocol
from ipvs_est_spec.proof.theorem import Theorem

THEOREMS: tuple[Theorem, ...] = (
    *row_choice.THEOREMS,
    *row_delays.THEOREMS,
    *calc_test.THEOREMS,
    *calc_sequence.THEOREMS,
    *calc_load.THEOREMS,
    *rate_words.THEOREMS,
    *rate_counters.THEOREMS,
    *rate_sequences.THEOREMS,
    *timer_words.THEOREMS,
    *timer_revolutions.THEOREMS,
    *timer_hz.THEOREMS,
    *inductive.theorems(),
    *in_range.THEOREMS,
    *walk_theorems.THEOREMS,
    *protocol.THEOREMS,
)

BY_ID = {each.id: each for each in THEOREMS}
"""Id -> theorem."""

GROUPS = tuple(dict.fromkeys(each.group for each in THEOREMS))
