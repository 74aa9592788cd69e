"""Fixed-width integers, for where the kernel's arithmetic wraps (semantics sections 3, 8, 9)."""

U32_MASK = (1 << 32) - 1
U64_MASK = (1 << 64) - 1
U64_SIGN = 1 << 63
U64_SPAN = 1 << 64


def signed(value: int, bits: int) -> int:
    """Read the low `bits` bits of `value` as a two's-complement number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
