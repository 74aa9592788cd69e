"""The image of a graph of objects: plain data, equal for graphs that are equal.

Objects that can change are numbered in the order in which the fields lead to them, so that it
matters which of two an attribute holds, and not when they were made or where they lie in memory.
All else counts by its value: whether two equal ones are one object makes no difference.
"""

import marshal
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import attrgetter
from typing import Literal, get_args, get_origin

from ipvs_est.language.params import Params
from ipvs_est.language.revision import Revision
from ipvs_est.machine.memory import HeapObject, Memory
from ipvs_est.machine.points import Sleep
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine.states.suspended import places

Plain = object
"""Numbers, strings, None, and lists and tuples of them."""

_LEFT_OUT: dict[type, frozenset[str]] = {
    Machine: frozenset({"events", "tasks_created", "violations", "revision", "params"}),
    Memory: frozenset({"allocations", "fail_first", "fail_last", "serials", "live"}),
    Sleep: frozenset({"jiffies"}),
    Task: frozenset(
        {"serial", "age", "rank", "body", "state", "wake_at", "sleep_ticket", "waits_for"}
    ),
}
_NUMBERING = frozenset({"serial"})
_ATOMS = frozenset({int, str, bool, types.NoneType})
# Never change during a search, so they need not be compared.
_CONSTANT = frozenset({Params, Revision})


class UnknownTypeError(Exception):
    """An object of a type for which nothing says when two of them are equal."""


class Image:
    """Takes in what can be reached from what it is given."""

    __slots__ = ("_data", "_numbers", "_todo")

    def __init__(self) -> None:
        self._numbers: dict[int, tuple[int]] = {}
        """Number of each object by its identity, in a tuple so that it is not taken for a value."""
        self._data: list[Plain] = []
        self._todo: list[object] = []
        """Objects whose fields are not taken in yet; those before have been."""

    def add(self, *values: object) -> None:
        """Take in values, and all that they lead to."""
        data, todo, plain = self._data, self._todo, self.plain
        data.extend([plain(value) for value in values])
        while todo:
            thing = todo.pop()
            if isinstance(thing, types.GeneratorType):
                self._add_suspended(thing)
                continue
            reader = _READERS[type(thing)]
            data.append(reader.name)
            data.append(reader.values(thing))
            for name in reader.others:
                data.append(plain(getattr(thing, name)))

    def plain(self, value: object) -> Plain:
        """The value itself, or the number of an object whose fields are taken in later."""
        kind = type(value)
        if kind in _ATOMS:
            return value
        number = self._numbers.get(id(value))
        if number is not None:
            return number
        reader = _READERS.get(kind)
        if reader is None and kind not in _BY_CONTENT:
            reader = _reader(kind)
        if reader is not None:
            if reader.frozen:
                plain = self.plain
                others = [plain(getattr(value, name)) for name in reader.others]
                return [reader.name, reader.values(value), others]
            self._todo.append(value)
            return self._number(value)
        return _BY_CONTENT[kind](self, value)

    def digestible(self) -> bytes:
        """The image in bytes."""
        # Version 2 of the format writes each value in full, whether or not it is shared; sets
        # are sorted.
        return marshal.dumps(self._data, 2)

    def _number(self, value: object) -> tuple[int]:
        number = self._numbers[id(value)] = (len(self._numbers),)
        return number

    def _add_suspended(self, body: "types.GeneratorType[object, object, object]") -> None:
        frame = body.gi_frame
        self._data.append(body.gi_code.co_qualname)
        if frame is None:
            return
        place = places(body.gi_code)[frame.f_lasti]
        variables = frame.f_locals
        plain = self.plain
        live = [name for name in place.live if name in variables]
        values = [plain(variables[name]) for name in live]
        self._data.append([place.line, place.column, live, values, plain(body.gi_yieldfrom)])


def _of_list(image: Image, value: object) -> Plain:
    assert isinstance(value, list)
    # The object can change, so it matters whether two places hold the same one.
    number = image._number(value)
    plain = image.plain
    return [number, [entry if type(entry) is int else plain(entry) for entry in value]]


def _of_dict(image: Image, value: object) -> Plain:
    assert isinstance(value, dict)
    number = image._number(value)
    plain = image.plain
    # The order does not matter: the model sorts the keys before it goes through them.
    return [number, [[key, plain(value[key])] for key in sorted(value)]]


def _of_tuple(image: Image, value: object) -> Plain:
    assert isinstance(value, tuple)
    return [image.plain(entry) for entry in value]


def _of_frozenset(image: Image, value: object) -> Plain:
    del image
    assert isinstance(value, frozenset)
    return sorted(value)


def _of_function(image: Image, value: object) -> Plain:
    assert isinstance(value, types.FunctionType)
    cells = dict(zip(value.__code__.co_freevars, value.__closure__ or (), strict=True))
    inside = [[name, image.plain(cells[name].cell_contents)] for name in sorted(cells)]
    return [value.__qualname__, inside]


def _of_generator(image: Image, value: object) -> Plain:
    image._todo.append(value)
    return image._number(value)


_BY_CONTENT: dict[type, Callable[[Image, object], Plain]] = {
    dict: _of_dict,
    frozenset: _of_frozenset,
    list: _of_list,
    tuple: _of_tuple,
    types.FunctionType: _of_function,
    types.GeneratorType: _of_generator,
}


class _Reader:
    """Reads what counts of the objects of a type."""

    __slots__ = ("frozen", "name", "others", "values")

    def __init__(self, kind: type) -> None:
        left_out = _LEFT_OUT.get(kind, _NUMBERING if issubclass(kind, HeapObject) else frozenset())
        members = [field for field in fields(kind) if field.name not in left_out]
        self.name = kind.__name__
        # Dataclasses keep their parameters in an attribute that typeshed does not know.
        parameters = kind.__dataclass_params__  # type: ignore[attr-defined]
        self.frozen = bool(parameters.frozen)
        plain = [name for member in members if (name := _plain_name(member.name, member.type))]
        self.others = [
            member.name for member in members if not _plain_name(member.name, member.type)
        ]
        self.values: Callable[[object], Plain] = _NO_VALUES
        extra = _MORE.get(kind)
        if extra is not None:
            self.values = extra(attrgetter(*plain) if plain else _NO_VALUES)
        elif plain:
            self.values = attrgetter(*plain)


def _no_values(thing: object) -> Plain:
    del thing
    return None


_NO_VALUES: Callable[[object], Plain] = _no_values
_READERS: dict[type, _Reader] = {}


def _reader(kind: type) -> _Reader | None:
    if kind in _CONSTANT:
        _BY_CONTENT[kind] = lambda image, value: None
        return None
    if issubclass(kind, Enum):
        _BY_CONTENT[kind] = lambda image, value: str(value)
        return None
    if not is_dataclass(kind):
        raise UnknownTypeError(f"{kind.__module__}.{kind.__qualname__}")
    _READERS[kind] = _Reader(kind)
    return _READERS[kind]


def _plain_name(name: str, annotation: object) -> str:
    """How to read a field that by its type holds plain data; '' if it may hold objects."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"{name}._value_"
    return name if _is_plain(annotation) else ""


def _is_plain(annotation: object) -> bool:
    if annotation in (int, str, bool, None, types.NoneType, Ellipsis):
        return True
    if get_origin(annotation) is Literal:
        return True
    if get_origin(annotation) in (types.UnionType, tuple, frozenset):
        return all(map(_is_plain, get_args(annotation)))
    return False


def _of_memory(read: Callable[[object], Plain]) -> Callable[[object], Plain]:
    """Which allocations are still to fail, counted from the next one: those done do not matter."""

    def values(memory: object) -> Plain:
        assert isinstance(memory, Memory)
        done = memory.allocations
        if memory.fail_last <= done:
            return read(memory)
        return [read(memory), max(memory.fail_first - done, 1), memory.fail_last - done]

    return values


def _of_task(read: Callable[[object], Plain]) -> Callable[[object], Plain]:
    """Whether the task has begun and ended. What it waits for is part of its thread's image."""

    def values(task: object) -> Plain:
        assert isinstance(task, Task)
        state = task.state
        return [read(task), state is TaskState.NEW, state is TaskState.EXITED]

    return values


_MORE = {Memory: _of_memory, Task: _of_task}
"""By type: what counts beside its plain fields."""
