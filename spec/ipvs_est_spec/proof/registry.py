"""All theorems, in the order in which they are listed."""

from ipvs_est_spec.proof.calc import calc_limits
from ipvs_est_spec.proof.calc import load as calc_load
from ipvs_est_spec.proof.calc import sequence as calc_sequence
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.inductive import in_range
from ipvs_est_spec.proof.inductive import theorems as inductive
from ipvs_est_spec.proof.inductive.walk import theorems as walk_theorems
from ipvs_est_spec.proof.protocol import theorems as protocol
from ipvs_est_spec.proof.rates import counters as rate_counters
from ipvs_est_spec.proof.rates import sequences as rate_sequences
from ipvs_est_spec.proof.rates import words as rate_words
from ipvs_est_spec.proof.rows import choice as row_choice
from ipvs_est_spec.proof.rows import turns as row_turns
from ipvs_est_spec.proof.timer import hz as timer_hz
from ipvs_est_spec.proof.timer import revolutions as timer_revolutions
from ipvs_est_spec.proof.timer import words as timer_words

THEOREMS: tuple[Theorem, ...] = (
    *row_choice.THEOREMS,
    *row_turns.THEOREMS,
    *calc_limits.THEOREMS,
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

BY_ID = {theorem.id: theorem for theorem in THEOREMS}
"""Id -> theorem."""

GROUPS = tuple(dict.fromkeys(theorem.group for theorem in THEOREMS))
