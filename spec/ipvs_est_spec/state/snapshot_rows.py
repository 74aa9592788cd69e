"""Which rows and chains of a kthread context look the same.

A full kthread has 50 rows of 48 chains, and nearly all of them give the same answers. One of
each kind stands for all, with their number.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

Kinds = tuple[tuple[int, int], ...]
"""A representative and how many it stands for, of each kind."""


@dataclass(slots=True)
class TickRow:
    """What a snapshot says of one row; as it stands, of a row without a tick."""

    tick: bool = False
    """There is a tick."""
    present: int = 0
    full: int = 0
    chain_len: tuple[int, ...] = ()
    """By chain id."""
    true_length: dict[int, int] = field(default_factory=dict)
    """By chain id; 0 if missing."""


@dataclass(frozen=True, slots=True)
class RowKinds:
    """The kinds of one kd's rows and chains."""

    rows: Kinds
    chains: dict[int, Kinds]
    """By row that represents others."""


def kinds_of_rows(
    rows: Mapping[int, TickRow], avail: int, tick_len: tuple[int, ...], nticks: int, chains: int
) -> RowKinds:
    """The kinds of rows and chains of a kd of that geometry; rows without a tick are missing."""
    representatives: dict[tuple[object, ...], int] = {}
    number: Counter[int] = Counter()
    kinds: dict[int, Kinds] = {}
    known = len(tick_len)
    empty: Kinds = ((0, chains),)
    for index in range(nticks):
        row = rows.get(index)
        looks: frozenset[tuple[_Look, int]] | None = None
        chains_of_row = empty
        if row is not None:
            looks, chains_of_row = _kinds_of_chains(row, chains)
        signature = (
            avail >> index & 1,
            tick_len[index] if index < known else 0,
            row is not None and row.tick,
            looks,
        )
        representative = representatives.setdefault(signature, index)
        number[representative] += 1
        if representative == index:
            kinds[index] = chains_of_row
    return RowKinds(tuple(number.items()), kinds)


_Look = tuple[int, int, int, int]
"""Bit in `present`, bit in `full`, `chain_len`, true length."""


def _kinds_of_chains(row: TickRow, chains: int) -> tuple[frozenset[tuple[_Look, int]], Kinds]:
    present, full, chain_len, true_length = row.present, row.full, row.chain_len, row.true_length
    known = len(chain_len)
    representatives: dict[_Look, int] = {}
    number: dict[_Look, int] = {}
    for cid in range(chains):
        look = (
            present >> cid & 1,
            full >> cid & 1,
            chain_len[cid] if cid < known else 0,
            true_length.get(cid, 0),
        )
        if look in number:
            number[look] += 1
        else:
            number[look] = 1
            representatives[look] = cid
    return (
        frozenset(number.items()),
        tuple([(cid, number[look]) for look, cid in representatives.items()]),
    )


def all_rows(nticks: int, chains: int) -> RowKinds:
    """Every row and chain for itself."""
    one = tuple([(cid, 1) for cid in range(chains)])
    return RowKinds(tuple([(row, 1) for row in range(nticks)]), dict.fromkeys(range(nticks), one))
