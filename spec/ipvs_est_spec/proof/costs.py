"""How long theorems take: what is begun first, and what a quick run leaves out."""

from collections.abc import Mapping

COSTS: Mapping[str, float] = {
    "averaging.converges": 0.1,
    "averaging.error": 0.1,
    "averaging.export": 0.1,
    "averaging.export-counters": 0.1,
    "averaging.falls": 0.1,
    "averaging.final": 0.1,
    "averaging.monotone": 0.1,
    "averaging.range": 0.4,
    "averaging.reading": 0.2,
    "averaging.rest": 0.1,
    "averaging.settles": 0.1,
    "averaging.sign": 0.2,
    "averaging.sign-exact": 0.1,
    "averaging.step": 1.7,
    "averaging.wrap": 0.1,
    "averaging.zero-read": 0.1,
    "calc.any-clock": 1.2,
    "calc.breaks": 0.5,
    "calc.chain": 0.5,
    "calc.cpus": 3.1,
    "calc.default": 0.2,
    "calc.fine-clock": 2.2,
    "calc.invariant": 0.4,
    "calc.kthread-ids": 0.1,
    "calc.kthread-limits": 0.2,
    "calc.loops": 0.1,
    "calc.minimum": 1.2,
    "calc.no-overflow": 0.1,
    "calc.range": 0.6,
    "calc.real-cost": 2.3,
    "calc.room": 0.1,
    "calc.sequence": 1.0,
    "calc.tick": 1.0,
    "calc.zero": 0.1,
    "calc.zero-clock": 0.1,
    "protocol.deadlock": 3.3,
    "protocol.deadlock-a": 0.8,
    "protocol.deadlock-b": 0.4,
    "protocol.deadlock-c": 0.7,
    "protocol.deadlock-d": 0.2,
    "protocol.deadlock-e": 1.0,
    "protocol.after-exit": 2.0,
    "protocol.memory": 1.6,
    "protocol.memory-relinking": 0.9,
    "protocol.relinking": 2.9,
    "protocol.request-remembered": 0.9,
    "protocol.request-served": 6.1,
    "protocol.start": 1.0,
    "protocol.start-unlocked": 1.0,
    "protocol.owners": 0.9,
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
    "timer.bias": 0.1,
    "timer.catch-up": 0.1,
    "timer.classes": 0.3,
    "timer.closest": 0.1,
    "timer.closest-one": 0.3,
    "timer.hz": 0.1,
    "timer.kernel-hz": 0.1,
    "timer.longest": 0.5,
    "timer.short-revolution": 0.1,
    "timer.shortest": 0.3,
    "timer.shortest-repaired": 0.1,
    "timer.start": 4.4,
    "timer.steady": 0.1,
    "timer.true-times": 0.5,
    "timer.wrap": 0.6,
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
