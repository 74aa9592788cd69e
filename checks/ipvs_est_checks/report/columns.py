"""Tables as aligned text, the one way in which commands write them."""

from collections.abc import Collection, Iterator, Sequence


def aligned(lines: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Lines of equally many cells, two blanks between columns; no blanks at the end of a line.

    `right`: columns of numbers, by index from 0, which stand at the right edge of theirs.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
