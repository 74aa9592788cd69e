"""How long theorems take: what is begun first, and what a quick run leaves out."""

from collections.abc import Mapping

COSTS: Mapping[str, float] = {
    "rows.chain": 0.1,
    "rows.first-delay": 0.2,
    "rows.in-range": 0.2,
    "rows.new": 0.3,
    "rows.new-add-row": 2.1,
    "rows.new-last-turn": 1.7,
    "rows.new-nearest": 0.9,
    "rows.new-property": 4.7,
    "rows.new-room": 0.4,
    "rows.only-row": 0.6,
    "rows.relinked": 0.3,
    "rows.relinked-interval": 0.3,
    "rows.relinked-next-turn": 18.5,
    "rows.relinked-property": 4.7,
    "rows.relinked-room": 0.5,
    "rows.relinked-shift": 11.0,
    "rows.relinked-wraps": 3.5,
}
"""Id -> CPU seconds, measured once. Only the order of magnitude matters, and no verdict depends
on it; being declared, it lets equal runs decide equal theorems on every machine."""

UNMEASURED = 10.0
"""Of a theorem that is not in the table: begun early, and not part of a quick run."""

QUICK = 0.5
"""What a theorem of a quick run costs at most."""


def cost(theorem: str) -> float:
    """CPU seconds, roughly."""
    return COSTS.get(theorem, UNMEASURED)


def is_quick(theorem: str) -> bool:
    """Whether a quick run decides it."""
    return cost(theorem) <= QUICK
