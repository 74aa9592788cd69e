"""Theorems on how long a revolution is for which HZ (semantics section 2)."""

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.timer import terms
from ipvs_est_spec.proof.timer.terms import NTICKS

_GROUP = "timer"
_SCOPE = "every HZ from 25 to 100000"
_KERNEL_HZ = (100, 250, 300, 1000)

_hz = z3.Int("hz")
_tick = terms.tick_of(_hz)
_revolution = NTICKS * _tick
_SHOWN = (("hz", _hz), ("tick", _tick), ("revolution", _revolution))


def _from_25() -> Assumption:
    return Assumption("hz", "HZ is at least 25.", _hz >= 25)


def _length(step: int = 25) -> Goal:
    conclusion = z3.And(
        _tick >= 1,
        (_revolution == 2 * _hz) == (_hz % step == 0),
        2 * _hz - _revolution == 2 * (_hz % 25),
    )
    return Goal("", (_from_25(),), conclusion, (_hz >= 1, _hz <= 100_000), _SHOWN)


def _kernels() -> tuple[Goal, ...]:
    return tuple(_exact_at(number) for number in _KERNEL_HZ)


def _exact_at(hz: int) -> Goal:
    return Goal(f"HZ {hz}", (), _revolution == 2 * _hz, (_hz == hz,), _SHOWN)


def _at_least(hz: int, part: tuple[int, int]) -> Goal:
    """A revolution is at least that part of 2 seconds, and so are the rates."""
    least, whole = part
    from_hz = Assumption("from", f"HZ is at least {hz}.", _hz >= hz)
    conclusion = whole * _revolution >= least * 2 * _hz
    name = f"HZ from {hz}"
    return Goal(name, (from_hz,), conclusion, (_hz >= 1, _hz <= 100_000), _SHOWN)


def _counted(scaled: int = 2) -> Goal:
    """A load that is the same in each jiffy, so many in a revolution, as a rate over 2 s."""
    per_jiffy, read = z3.Int("per_jiffy"), z3.Int("read")
    counted = per_jiffy * _revolution
    true = per_jiffy * _hz
    # read = counted / 2, as the fixed shift of the scaled rate has it, rounded down.
    definitions = (
        _hz >= 25,
        _hz <= 100_000,
        per_jiffy >= 1,
        scaled * read <= counted,
        counted < scaled * read + scaled,
    )
    conclusion = z3.And(
        read == true - per_jiffy * (_hz % 25),
        (read == true) == (_hz % 25 == 0),
    )
    shown = (*_SHOWN, ("per_jiffy", per_jiffy), ("read", read))
    return Goal("", (), conclusion, definitions, shown)


THEOREMS = (
    Theorem(
        "timer.hz",
        _GROUP,
        "A revolution is 2 s exactly if HZ is a multiple of 25, and else 2 * (HZ modulo 25) jiffies"
        " shorter, so 48 at most.",
        _SCOPE,
        "2",
        lambda: (_length(),),
        Twin("Exactly if HZ is a multiple of 50.", lambda: _length(50)),
        second_solver=True,
    ),
    Theorem(
        "timer.kernel-hz",
        _GROUP,
        "With HZ 100, 250, 300 and 1000 a revolution is exactly 2 s.",
        "these four",
        "2",
        _kernels,
        Twin("With HZ 1024.", lambda: _exact_at(1024)),
        second_solver=True,
    ),
    Theorem(
        "timer.short-revolution",
        _GROUP,
        "A revolution is at least 25/49 of 2 s for every HZ from 25 (at 49: 51%), 250/274 from 250"
        " (91%), and 1000/1024 from 1000 (98%).",
        _SCOPE,
        "2",
        lambda: (
            _at_least(25, (25, 49)),
            _at_least(250, (250, 274)),
            _at_least(1000, (1000, 1024)),
        ),
        Twin("At least 250/273 from 250.", lambda: _at_least(250, (250, 273))),
        second_solver=True,
    ),
    Theorem(
        "timer.bias",
        _GROUP,
        "A rate is computed as if a revolution took 2 s: of a steady load HZ modulo 25 jiffies'"
        " worth is missing in each second that is read.",
        f"{_SCOPE}; every load",
        "2, 3",
        lambda: (_counted(),),
        Twin("A rate is what is counted in a revolution.", lambda: _counted(1)),
        second_solver=False,
    ),
)
