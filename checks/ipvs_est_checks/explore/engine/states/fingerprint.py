"""A fingerprint of a world: equal for states from which the same can follow.

It covers all that the machine holds and where each thread stands, with the local variables that
still matter of each of its suspended functions. It does not depend on what the interpreter does
(which equal objects are one, where code lies, what a frame keeps), nor on the order in which
things were made, nor on threads that have ended: see `image.py`, `suspended.py`, and how threads
are numbered in `world.py`.

Of what happened before it covers what `progress.not-lost` asks for when the calc phase ends.
"""

from hashlib import blake2b

from ipvs_est.language.events import CalcPhaseBegun, CalcPhaseRequested
from ipvs_est.machine.points import Sleep
from ipvs_est.machine.tasks import TaskState
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.states.image import Image
from ipvs_est_checks.explore.engine.world import Thread, World

_TOLD = (CalcPhaseBegun, CalcPhaseRequested)


def fingerprint(world: World) -> bytes:
    """16 bytes; equal ones are taken for equal states."""
    image = Image()
    image.add(world.machine, world.quiet_since, _requested_meanwhile(world))
    alive = [thread for thread in world.threads if thread.task.state is not TaskState.EXITED]
    alive.sort(key=_index)
    now = world.machine.now
    for thread in alive:
        point = thread.point
        # Once a sleep has ended it does not matter when it was to end.
        until = thread.wake_at if isinstance(point, Sleep) and thread.wake_at > now else 0
        image.add(thread.index, until, thread.task, point, thread.opens_section, thread.body)
        if thread.buffer:
            image.add(tuple(thread.buffer))
    reading = {(thread.index, thread.reading) for thread in alive if thread.reading}
    image.add(tuple(sorted([index for index, _ in reading])))
    for callback, before in world.callbacks:
        image.add(callback, tuple(sorted([index for index, _ in before & reading])))
    return blake2b(image.digestible(), digest_size=16).digest()


def _index(thread: Thread) -> int:
    return thread.index


def _requested_meanwhile(world: World) -> bool:
    """Whether a recalculation was requested since the calc phase began that may clear the flag.

    As a rule est_genid tells; not where a mutant counts two requests as one.
    """
    machine = world.machine
    late = world.order is not MemoryOrder.SC and any(thread.buffer for thread in world.threads)
    if machine.netns.est_calc_phase or late:
        for event in reversed(machine.events or ()):
            if isinstance(event, _TOLD):
                return isinstance(event, CalcPhaseRequested)
    return False
