"""One kthread's rows and chains as lists of lists; every choice is made by looking at all."""

from dataclasses import dataclass


@dataclass(slots=True)
class NaiveContext:
    """Ids of the estimators in each chain of each row, head first."""

    chains: list[list[list[int]]]
    """By row and chain."""
    chain_max: int
    est_row: int = 0
    add_row: int = 0


def empty(rows: int, chains: int, chain_max: int) -> NaiveContext:
    """Nothing in it."""
    return NaiveContext([[[] for _ in range(chains)] for _ in range(rows)], chain_max)


def members(context: NaiveContext) -> list[int]:
    """All estimators."""
    return [number for row in context.chains for chain in row for number in chain]


def tick_max(context: NaiveContext) -> int:
    """What a row holds."""
    return len(context.chains[0]) * context.chain_max


def has_space(context: NaiveContext, row: int) -> bool:
    """Some chain of the row takes one more."""
    return any(len(chain) < context.chain_max for chain in context.chains[row])


def rows_with_space(context: NaiveContext) -> list[int]:
    """Those rows, ascending."""
    return [row for row in range(len(context.chains)) if has_space(context, row)]


def enqueue(context: NaiveContext, est: int, delay: int) -> tuple[int, int]:
    """Put it where section 5 says; answers row and chain. There is space."""
    rows = len(context.chains)
    new = delay == rows - 1
    sparse = len(members(context)) < 2 * tick_max(context)
    wanted = ((context.add_row if new and sparse else context.est_row) + delay) % rows
    free = rows_with_space(context)
    if new:
        # Not later than wanted, as late as possible; else the latest of all.
        row = max([number for number in free if number <= wanted] or free)
    else:
        row = min([number for number in free if number >= wanted] or free)
    cid = next(
        index for index, chain in enumerate(context.chains[row]) if len(chain) < context.chain_max
    )
    context.chains[row][cid].insert(0, est)
    return row, cid


def remove(context: NaiveContext, est: int) -> None:
    """Take it out of its chain."""
    for row in context.chains:
        for chain in row:
            if est in chain:
                chain.remove(est)


def place_of(context: NaiveContext, est: int) -> tuple[int, int] | None:
    """Row and chain."""
    for row, chains in enumerate(context.chains):
        for cid, chain in enumerate(chains):
            if est in chain:
                return row, cid
    return None
