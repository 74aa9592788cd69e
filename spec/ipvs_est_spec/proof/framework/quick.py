"""Which theorems a quick run decides; the others are begun first."""

QUICK = frozenset(
    {
        "averaging.converges",
        "averaging.error",
        "averaging.export",
        "averaging.export-counters",
        "averaging.falls",
        "averaging.final",
        "averaging.gap",
        "averaging.monotone",
        "averaging.range",
        "averaging.reading",
        "averaging.rest",
        "averaging.settles",
        "averaging.sign",
        "averaging.sign-exact",
        "averaging.wrap",
        "averaging.zero-read",
        "calc.breaks",
        "calc.chain",
        "calc.default",
        "calc.invariant",
        "calc.kthread-ids",
        "calc.kthread-limits",
        "calc.loops",
        "calc.no-overflow",
        "calc.room",
        "calc.zero",
        "calc.zero-clock",
        "protocol.deadlock-d",
        "rows.chain",
        "rows.first-delay",
        "rows.in-range",
        "rows.new",
        "rows.new-room",
        "rows.relinked",
        "rows.relinked-interval",
        "sums.bounded",
        "sums.change",
        "sums.nothing",
        "sums.parts",
        "sums.reached",
        "timer.bias",
        "timer.catch-up",
        "timer.classes",
        "timer.closest",
        "timer.closest-one",
        "timer.hz",
        "timer.kernel-hz",
        "timer.longest",
        "timer.short-revolution",
        "timer.shortest",
        "timer.shortest-repaired",
        "timer.steady",
        "timer.true-times",
    }
)
"""Those that take z3 half a second at most. Being declared, they are the same on every machine; a
theorem that is not among them is none."""


def is_quick(theorem: str) -> bool:
    """Whether a quick run decides it."""
    return theorem in QUICK
