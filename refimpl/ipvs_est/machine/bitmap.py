"""Bitmaps as integers, with the answers of the kernel's bit searches.

Bit i of the integer is bit i of the bitmap. A search that finds nothing answers
the bitmap's size, as `find_last_bit` and its relatives do (semantics section 5.3).
"""

from collections.abc import Iterator


def find_last_bit(bitmap: int, size: int) -> int:
    """The highest set bit below `size`, else `size`."""
    below = bitmap & ((1 << size) - 1)
    return below.bit_length() - 1 if below else size


def find_last_bit_upto(bitmap: int, size: int, last: int) -> int:
    """The highest set bit at or below `last`, else `size`."""
    below = bitmap & ((2 << last) - 1)
    return below.bit_length() - 1 if below else size


def find_next_bit(bitmap: int, size: int, offset: int) -> int:
    """The lowest set bit at or above `offset`, else `size`."""
    above = bitmap >> offset << offset & ((1 << size) - 1)
    return (above & -above).bit_length() - 1 if above else size


def find_first_bit(bitmap: int, size: int) -> int:
    """The lowest set bit, else `size`."""
    return find_next_bit(bitmap, size, 0)


def find_first_zero_bit(bitmap: int, size: int) -> int:
    """The lowest clear bit below `size`, else `size`."""
    return find_next_bit(~bitmap & ((1 << size) - 1), size, 0)


def bits(bitmap: int) -> Iterator[int]:
    """The set bits, ascending."""
    while bitmap:
        low = bitmap & -bitmap
        yield low.bit_length() - 1
        bitmap ^= low
