"""Where a suspended function stands, and which of its local variables still matter.

Both are the same on every Python: the place is that of the `yield` in the source, and a variable
matters if the function may read it before it writes it again. The iterator of a `for` loop is on
the interpreter's stack, out of reach. How far it has come shows in the variables that the loop
sets, and what it iterates over in the variables that its first line reads: inside of a loop both
kinds matter.
"""

import dis
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import CodeType

_ACCESS = re.compile(r"(LOAD|STORE|DELETE)_(?:FAST|DEREF|CLOSURE)")
_ENDS = frozenset(
    {
        "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT",
        "JUMP_FORWARD",
        "RAISE_VARARGS",
        "RERAISE",
        "RETURN_CONST",
        "RETURN_VALUE",
    }
)
"""Instructions after which the next one does not follow."""


@dataclass(frozen=True, slots=True)
class CodePlace:
    """Where a function is suspended."""

    line: int
    """Counted from the first line of the function's definition, which is 0."""
    column: int
    """In that line; the instruction's offset if the interpreter keeps no columns
    (-X no_debug_ranges), which tells two places apart as well."""
    live: tuple[str, ...]
    """Names of the local variables that still matter, sorted."""


# Carries the high bytes of the next instruction's argument. The two count as one instruction here,
# and a jump to this one as a jump to the next.
_PREFIX = "EXTENDED_ARG"

_Names = frozenset[str]
_NONE: _Names = frozenset()


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction, as far as variables are concerned."""

    reads: _Names
    """Variables that it reads before it writes them."""
    writes: _Names
    then: tuple[tuple[int, _Names], ...]
    """Index of each instruction that may follow, and the variables that matter on this way even
    if nothing after it reads them."""


@cache
def places(code: CodeType) -> dict[int, CodePlace]:
    """By the offset at which the function is suspended (`f_lasti`)."""
    instructions = [
        instruction for instruction in dis.get_instructions(code) if instruction.opname != _PREFIX
    ]
    live = _live_after(_steps(code, instructions))
    positions = [instruction.positions for instruction in instructions]
    found: dict[int, CodePlace] = {}
    for index, instruction in enumerate(instructions):
        at = positions[index]
        if at is None or at.lineno is None:
            continue
        column = instruction.offset if at.col_offset is None else at.col_offset
        names = tuple(sorted(live[index]))
        found[instruction.offset] = CodePlace(at.lineno - code.co_firstlineno, column, names)
    return found


def _steps(code: CodeType, instructions: Sequence[dis.Instruction]) -> list[_Step]:
    offsets = [instruction.offset for instruction in instructions]
    loops = dict(_loop_variables(instructions))
    handlers = list(_handlers(code.co_exceptiontable))
    jumps = frozenset((*dis.hasjrel, *dis.hasjabs))
    steps: list[_Step] = []
    for index, instruction in enumerate(instructions):
        then: list[tuple[int, _Names]] = []
        if instruction.opname not in _ENDS:
            then.append((index + 1, _NONE))
        if instruction.opcode in jumps:
            target = bisect_left(offsets, instruction.argval)
            again = target <= index
            then.append((target, loops.get(target, _NONE) if again else _NONE))
        for start, end, handler in handlers:
            if start <= instruction.offset < end:
                then.append((bisect_left(offsets, handler), _NONE))
        reads: set[str] = set()
        writes: set[str] = set()
        for verb, name in _accesses(instruction):
            if verb != "LOAD":
                writes.add(name)
            elif name not in writes:
                reads.add(name)
        steps.append(_Step(frozenset(reads), frozenset(writes), tuple(then)))
    return steps


def _accesses(instruction: dis.Instruction) -> Iterator[tuple[str, str]]:
    """What it does to variables, one after the other: newer Pythons join two into one."""
    verbs = _ACCESS.findall(instruction.opname)
    if verbs:
        value = instruction.argval
        yield from zip(verbs, value if isinstance(value, tuple) else (value,), strict=True)


def _loop_variables(instructions: Sequence[dis.Instruction]) -> Iterator[tuple[int, _Names]]:
    """For each instruction that takes a loop's next item, by index: the variables that show what
    the loop iterates over and how far it has come."""
    for index, instruction in enumerate(instructions):
        if instruction.opname != "FOR_ITER":
            continue
        names: set[str] = set()
        # What the loop iterates over is computed in the line of its `for`; a test refuses code
        # of the model that spreads it over several lines.
        head = _line(instructions[index - 1])
        for other in instructions[:index]:
            if _line(other) == head:
                names.update(name for verb, name in _accesses(other) if verb == "LOAD")
        for other in instructions[index + 1 :]:
            stores = [name for verb, name in _accesses(other) if verb == "STORE"]
            names.update(stores)
            if not stores and not other.opname.startswith("UNPACK"):
                break
        yield index, frozenset(names)


def _line(instruction: dis.Instruction) -> int | None:
    return None if instruction.positions is None else instruction.positions.lineno


def _handlers(table: bytes) -> Iterator[tuple[int, int, int]]:
    """First offset, the offset after the last, and where an exception between them leads.

    The table has four numbers an entry, six bits a byte, the highest first; bit 6 of a byte says
    that more of the number follow. They count instructions of two bytes.
    """
    numbers: list[int] = []
    value = 0
    for byte in table:
        value = value << 6 | byte & 0x3F
        if not byte & 0x40:
            numbers.append(value)
            value = 0
    for start, length, target, _ in zip(*[iter(numbers)] * 4, strict=True):
        yield 2 * start, 2 * (start + length), 2 * target


def _live_after(steps: Sequence[_Step]) -> list[_Names]:
    """For each instruction: what matters once it is done."""
    before: list[_Names] = [_NONE] * len(steps)
    after: list[_Names] = [_NONE] * len(steps)
    changed = True
    while changed:
        changed = False
        for index in range(len(steps) - 1, -1, -1):
            step = steps[index]
            live = _NONE.union(*(before[to] | always for to, always in step.then))
            needed = step.reads | live - step.writes
            if live != after[index] or needed != before[index]:
                after[index], before[index] = live, needed
                changed = True
    return after
