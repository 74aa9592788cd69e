"""generated/timeconst.h: factors between jiffies and other units, as kernel/time/timeconst.bc
computes them."""

from math import gcd

_UNITS = (("MSEC", 1000), ("USEC", 1_000_000))
_NSEC_PER_SEC = 1_000_000_000


def timeconst(hz: int) -> str:
    """The header for a clock of `hz` jiffies a second."""
    lines = []
    for unit, per_second in _UNITS:
        lines += _factors(f"HZ_TO_{unit}", per_second, hz)
        lines += _factors(f"{unit}_TO_HZ", hz, per_second)
    lines += _ratio("HZ_TO_NSEC", _NSEC_PER_SEC, hz)
    lines += _ratio("NSEC_TO_HZ", hz, _NSEC_PER_SEC)
    return "".join(f"#define {name} {value}\n" for name, value in lines)


def _factors(name: str, numerator: int, denominator: int) -> list[tuple[str, str]]:
    shift, factor = _rounded_up(numerator, denominator)
    return [
        (f"{name}_MUL32", f"U64_C(0x{factor:X})"),
        (f"{name}_ADJ32", f"U64_C(0x{_adjustment(shift, numerator, denominator):X})"),
        (f"{name}_SHR32", str(shift)),
        *_ratio(name, numerator, denominator),
    ]


def _rounded_up(numerator: int, denominator: int) -> tuple[int, int]:
    """The smallest shift at which the factor takes all of 32 bits, and that factor."""
    shift = 0
    while True:
        factor = -((-numerator << shift) // denominator)
        if factor >= 1 << 31:
            return shift, factor
        shift += 1


def _adjustment(shift: int, numerator: int, denominator: int) -> int:
    reduced = denominator // gcd(numerator, denominator)
    return ((reduced - 1) << shift) // reduced


def _ratio(name: str, numerator: int, denominator: int) -> list[tuple[str, str]]:
    divisor = gcd(numerator, denominator)
    return [
        (f"{name}_NUM", str(numerator // divisor)),
        (f"{name}_DEN", str(denominator // divisor)),
    ]
