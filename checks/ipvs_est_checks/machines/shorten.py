"""Shorter histories with the same failure: by leaving out, by joining, by lowering numbers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

from ipvs_est import Oracle, Params, Revision
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    Export,
    InitNetns,
    Operation,
    Packet,
    Read,
    StartDest,
    StartService,
    StartTotal,
    Traffic,
)
from ipvs_est_checks.history.monitor import NewOracle
from ipvs_est_checks.machines.netns.history import failures_of

History = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shortened:
    """The shortest history found."""

    operations: History
    sentence: str
    """What failed in it; '' if the history given did not fail."""
    attempts: int


def shorten(
    params: Params,
    revision: Revision,
    operations: Sequence[Operation],
    property_id: str,
    attempts: int,
    new_oracle: NewOracle = Oracle,
) -> Shortened:
    """Try at most `attempts` histories; a number, not a time, so that equal runs end alike."""

    def failure(candidate: History) -> str:
        failures = failures_of(params, revision, candidate, new_oracle, frozenset({property_id}))
        return failures.get(property_id, "")

    return shortest(tuple(operations), failure, attempts)


def shortest(operations: History, failure: Callable[[History], str], attempts: int) -> Shortened:
    """As `shorten`, for any test of a history that answers what failed."""
    found = Shortened(operations, failure(operations), 1)
    progress = bool(found.sentence)
    while progress and found.attempts < attempts:
        before = found.operations
        found = _left_out(found, failure, attempts)
        for simpler in (_joined, _one_object_less, _plainer):
            found = _first_that_fails(found, simpler, failure, attempts)
        # Numbers are lowered when nothing else helps any more: they are many.
        if found.operations == before:
            found = _lowered(found, failure, attempts)
        progress = found.operations != before
    return found


def _left_out(found: Shortened, failure: Callable[[History], str], attempts: int) -> Shortened:
    """Without some that follow each other: half of them at first, at last single ones."""
    length = max(1, len(found.operations) // 2)
    while length:
        # From the end, so that what was left out does not move what is tried next.
        for start in range(len(found.operations) - length, -1, -length):
            best = found.operations
            found = _tried(found, best[:start] + best[start + length :], failure, attempts)
        length //= 2
    return found


def _first_that_fails(
    found: Shortened,
    simpler: Callable[[History], Iterator[History]],
    failure: Callable[[History], str],
    attempts: int,
) -> Shortened:
    """The first of the simpler histories that fails, and the same with it, as long as one does."""
    progress = True
    while progress:
        before = found.operations
        for candidate in simpler(before):
            found = _tried(found, candidate, failure, attempts)
            if found.operations != before:
                break
        progress = found.operations != before
    return found


def _joined(operations: History) -> Iterator[History]:
    """One wait less: the next, or else the one before, takes as much longer."""
    waits = [index for index, operation in enumerate(operations) if isinstance(operation, Advance)]
    for place, index in enumerate(waits):
        for other in (*waits[place + 1 : place + 2], *waits[max(0, place - 1) : place]):
            first, second = operations[index], operations[other]
            assert isinstance(first, Advance)
            assert isinstance(second, Advance)
            longer = _with(operations, other, Advance(first.n + second.n))
            yield longer[:index] + longer[index + 1 :]


_COMES_OR_GOES = (StartService, StartDest, AddService, AddDest, Delete, DeleteService, DeleteDest)


def _one_object_less(operations: History) -> Iterator[History]:
    """One object does what two did: what starts and ends the other is left out."""
    ids = dict.fromkeys(
        operation.id for operation in operations if isinstance(operation, _COMES_OR_GOES)
    )
    if any(isinstance(operation, StartTotal | InitNetns) for operation in operations):
        ids = {0: None, **ids}
    for gone in ids:
        rest = [operation for operation in operations if not _starts_or_ends(operation, gone)]
        for stays in ids:
            if stays != gone:
                yield tuple(_renamed(operation, {gone: stays}) for operation in rest)


def _starts_or_ends(operation: Operation, object_id: int) -> bool:
    if isinstance(operation, StartTotal | InitNetns):
        return object_id == 0
    return isinstance(operation, _COMES_OR_GOES) and operation.id == object_id


def _plainer(operations: History) -> Iterator[History]:
    """One operation is replaced by one that does less; at last, ids count from 1."""
    for index, operation in enumerate(operations):
        plain: Operation | None = None
        match operation:
            case AddService(id_):
                plain = StartService(id_)
            case AddDest(id_, _):
                plain = StartDest(id_)
            case DeleteService(id_) | DeleteDest(id_):
                plain = Delete(id_)
            case InitNetns():
                plain = StartTotal()
            case Export(id_):
                plain = Read(id_)
            case Packet(id_, cpu):
                counted = (getattr(operation, field.name) for field in fields(operation)[2:])
                plain = Traffic(id_, cpu, *counted)
            case _:
                pass
        if plain is not None:
            yield _with(operations, index, plain)
    ids = dict.fromkeys(
        operation.id for operation in operations if isinstance(operation, _COMES_OR_GOES)
    )
    names = {old: new for new, old in enumerate(ids, 1)}
    if names != dict(zip(ids, ids, strict=True)):
        yield tuple(_renamed(operation, names) for operation in operations)


def _renamed(operation: Operation, names: dict[int, int]) -> Operation:
    old = {name: getattr(operation, name, None) for name in ("id", "service")}
    return _changed(operation, {name: names[id_] for name, id_ in old.items() if id_ in names})


_LOWER: tuple[Callable[[int], int], ...] = (
    lambda n: 1,
    lambda n: n // 4,
    lambda n: n // 2,
    lambda n: n * 7 // 8,
    lambda n: n - 1,
)
"""How a wait is shortened."""
_LOWER_OTHERS: tuple[Callable[[int], int], ...] = (
    lambda n: 0,
    lambda n: 1,
    lambda n: n >> n.bit_length() // 2,
    lambda n: n // 2,
    lambda n: n - 1,
)
"""How any other number is lowered, of which the sign stays."""
_NAMES = ("id", "service", "nth")
"""Numbers that mean no amount."""


def _lowered(found: Shortened, failure: Callable[[History], str], attempts: int) -> Shortened:
    for index in range(len(found.operations)):
        operation = found.operations[index]
        wait = isinstance(operation, Advance)
        for field in fields(operation):
            if field.name in _NAMES or type(getattr(operation, field.name)) is not int:
                continue
            for lower in _LOWER if wait else _LOWER_OTHERS:
                found = _lower(found, index, field.name, lower, failure, attempts)
    return found


def _lower(
    found: Shortened,
    index: int,
    name: str,
    lower: Callable[[int], int],
    failure: Callable[[History], str],
    attempts: int,
) -> Shortened:
    """Lower one number in one way as long as that fails; by one, only once."""
    while True:
        operation = found.operations[index]
        number = getattr(operation, name)
        size = abs(number)
        less = lower(size)
        # To advance by nothing would be another operation.
        least = 1 if isinstance(operation, Advance) else 0
        if not least <= less < size:
            return found
        simpler = _changed(operation, {name: less if number > 0 else -less})
        before = found.operations
        found = _tried(found, _with(before, index, simpler), failure, attempts)
        if found.operations == before or less == size - 1:
            return found


def _with(operations: History, index: int, operation: Operation) -> History:
    return (*operations[:index], operation, *operations[index + 1 :])


def _changed(operation: Operation, changes: dict[str, int]) -> Operation:
    # The names are those of its own fields, which no type can say.
    return replace(operation, **changes)  # type: ignore[arg-type]


def _tried(
    found: Shortened, candidate: History, failure: Callable[[History], str], attempts: int
) -> Shortened:
    if found.attempts >= attempts:
        return found
    sentence = failure(candidate)
    if sentence:
        return Shortened(candidate, sentence, found.attempts + 1)
    return replace(found, attempts=found.attempts + 1)
