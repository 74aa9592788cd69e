"""A fingerprint of a world: equal for states from which the same can follow.

It covers all that the machine holds and where each thread stands, with the local variables of
each of its suspended functions. Left out is what only numbers things in order of creation.
Of what happened before it covers what `progress.not-lost` asks for when the calc phase ends.
"""

import io
import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from operator import attrgetter
from types import FunctionType, GeneratorType

from ipvs_est.language.events import CalcPhaseBegun, CalcPhaseRequested
from ipvs_est.machine.memory import HeapObject, Memory
from ipvs_est.machine.tasks import Task
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine.world import Thread, World

_LEFT_OUT = {
    Machine: frozenset({"events", "tasks_created", "violations", "revision", "params"}),
    Memory: frozenset({"serials", "live"}),
    Task: frozenset(
        {"serial", "age", "rank", "body", "state", "wake_at", "sleep_ticket", "waits_for"}
    ),
}
_NUMBERING = frozenset({"serial"})


def fingerprint(world: World) -> bytes:
    """16 bytes; equal ones are taken for equal states."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, protocol=5)
    threads = [
        (
            each.task,
            each.task.state.value,
            each.point,
            bool(each.reading),
            each.opens_section,
            each.wake_at,
        )
        for each in world.threads
    ]
    sections = sorted(each.reading for each in world.threads if each.reading)
    callbacks = [
        (callback, sorted(index for index, number in before if number in sections))
        for callback, before in world.callbacks
    ]
    requested = _requested_meanwhile(world.machine)
    pickler.dump((world.machine, threads, callbacks, world.quiet_since, requested))
    pickler.dump([_standing(each) for each in world.threads])
    return blake2b(buffer.getbuffer(), digest_size=16).digest()


def _requested_meanwhile(machine: Machine) -> bool:
    """Whether a recalculation was requested since the calc phase began that may clear the flag.

    As a rule est_genid tells; not where a mutant counts two requests as one.
    """
    if machine.netns.est_calc_phase:
        for event in reversed(machine.events or ()):
            if isinstance(event, CalcPhaseBegun | CalcPhaseRequested):
                return isinstance(event, CalcPhaseRequested)
    return False


def _standing(thread: Thread) -> list[tuple[str, int, tuple[object, ...]]]:
    """Where each of the thread's suspended functions stands, with its local variables."""
    frames: list[tuple[str, int, tuple[object, ...]]] = []
    _add_frames(frames, thread.body)
    return frames


def _add_frames(frames: list[tuple[str, int, tuple[object, ...]]], body: object) -> None:
    """Those of a generator: it waits for another one, or drives one that it keeps in a variable."""
    while isinstance(body, GeneratorType):
        frame = body.gi_frame
        if frame is None:
            break
        kept: list[object] = []
        inner = body.gi_yieldfrom
        for each in frame.f_locals.values():
            if not isinstance(each, GeneratorType):
                kept.append(each)
            elif each is not inner:
                _add_frames(frames, each)
        frames.append((frame.f_code.co_qualname, frame.f_lasti, tuple(kept)))
        body = inner


def _blank(name: str) -> object:
    """Named in pickles, which are hashed and never loaded."""
    return name


_Reduced = tuple[Callable[[str], object], tuple[str], tuple[object, ...]]


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: object) -> _Reduced:
        kind = type(obj)
        if isinstance(obj, FunctionType) and obj.__closure__ is not None:
            cells = tuple(each.cell_contents for each in obj.__closure__)
            return _blank, (obj.__qualname__,), cells
        if kind in _READERS or isinstance(obj, HeapObject) or is_dataclass(kind):
            # Also where pickle could do it by itself: it is slow at slots.
            return _blank, (kind.__name__,), _state(obj)
        return NotImplemented  # type: ignore[no-any-return]  # pickle's way to decline


_Reader = Callable[[object], tuple[object, ...]]
_READERS: dict[type, _Reader] = {}
"""By type: reads the fields that count."""


def _state(obj: object) -> tuple[object, ...]:
    kind = type(obj)
    reader = _READERS.get(kind)
    if reader is None:
        reader = _READERS[kind] = _reader(obj)
    return reader(obj)


def _reader(obj: object) -> _Reader:
    kind = type(obj)
    left_out = _LEFT_OUT.get(kind, _NUMBERING if isinstance(obj, HeapObject) else frozenset())
    members = fields(obj)  # type: ignore[arg-type]  # dataclasses all, see the caller
    names = [each.name for each in members if each.name not in left_out]
    if len(names) > 1:
        # Answers a tuple, faster than anything else.
        return attrgetter(*names)
    return lambda obj: tuple([getattr(obj, name) for name in names])
