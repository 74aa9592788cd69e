"""The wrong steps of the calc phase's walk, as edits of the model, and what they lead to there.

The model's walk is the frames of a generator, in which no state can be loaded. So each mistake
is made in a run of the model: one recalculation, in which nobody interferes or a control
process deletes in a break whoever is in the tick that the walk is in.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import GeneratorType

from ipvs_est import REPAIRED
from ipvs_est.language.operations import (
    AddService,
    Advance,
    DeleteService,
    InitNetns,
    Operation,
    WriteCpulist,
)
from ipvs_est.language.params import Params
from ipvs_est.language.violations import UseAfterFree, ViolationError
from ipvs_est.machine.points import GiveWay
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine.world import RCU, TIME, Thread, World, enabled, start, step
from ipvs_est_checks.explore.scenarios.scenario import Actor, Scenario
from ipvs_est_checks.text_edits import Edit, applied

_PARAMS = Params(hz=100, nticks=3, chain_factor=2, est_cost_ns=10_000, steps_per_break=1)
"""chain_max is 2: a kd has room for 12 estimators."""
_SERVICES = 16
_MOST = 3000

_RELINK = "estimator.calc_phase:_relink_all"
_ROW = "estimator.calc_phase:_relink_row"


@dataclass(frozen=True, slots=True)
class WalkPlace:
    """Where the walk is, in a break."""

    delay: int
    id: int
    row: int


def _scenario(deleted: tuple[int, ...]) -> Scenario:
    """After the first calc phase, when a second one begins."""
    setup: tuple[Operation, ...] = (
        InitNetns(),
        *(AddService(number) for number in range(1, _SERVICES + 1)),
        Advance(250),
        WriteCpulist("0"),
        Advance(4),
    )
    control: tuple[Operation, ...] = tuple(DeleteService(number) for number in deleted)
    return Scenario("", "", _PARAMS, setup, (Actor("CTL", control),), 400)


def _kthread0(world: World) -> Thread:
    alive = (thread for thread in reversed(world.threads) if thread.task.kd is not None)
    return next(thread for thread in alive if thread.task.kd is not None and thread.task.kd.id == 0)


def _frame(thread: Thread, function: str) -> dict[str, object]:
    """Local variables of a function in which the thread is; {} if it is not."""
    body: object = thread.body
    while isinstance(body, GeneratorType) and body.gi_frame is not None:
        if body.gi_code.co_name == function:
            return dict(body.gi_frame.f_locals)
        body = body.gi_yieldfrom
    return {}


def _place(world: World) -> WalkPlace | None:
    """Where the walk is, if it is in a row."""
    here = _frame(_kthread0(world), "_relink_row")
    walk, row = here.get("walk"), here.get("row")
    delay, id_ = getattr(walk, "delay", None), getattr(walk, "id", None)
    if isinstance(delay, int) and isinstance(id_, int) and isinstance(row, int):
        return WalkPlace(delay, id_, row)
    return None


def _in_break(world: World) -> bool:
    return isinstance(_kthread0(world).point, GiveWay)


def _breaks(world: World) -> Iterator[WalkPlace]:
    """Kthread 0 runs alone; stops at each break of its walk."""
    for _ in range(_MOST):
        thread = _kthread0(world)
        choices = enabled(world)
        if not choices:
            return
        step(world, thread.index if thread.index in choices else TIME)
        place = _place(world)
        if place is not None and _in_break(world):
            yield place
        if _frame(_kthread0(world), "_finish"):
            return


def _left_at_the_end() -> list[int]:
    """`est_count` of each kd when the walk says that it is complete."""
    world = start(_scenario(()), REPAIRED)
    for _ in _breaks(world):
        pass
    if not _frame(_kthread0(world), "_finish"):
        return []
    return [0 if kd is None else kd.est_count for kd in world.machine.netns.est_kt_arr]


def _something_is_left() -> bool:
    """More than one estimator in kd 0, or one elsewhere: what new limits do not presume."""
    counts = _left_at_the_end()
    return bool(counts) and (counts[0] > 1 or any(counts[1:]))


def _kd(machine: Machine, place: WalkPlace) -> KthreadContext | None:
    array = machine.netns.est_kt_arr
    return array[place.id] if place.id < len(array) else None


def _tick_of_several() -> tuple[int, WalkPlace, tuple[int, ...]] | None:
    """A break in a row above kd 0 whose kd has more: its number, the place, who is there."""
    world = start(_scenario(()), REPAIRED)
    for number, place in enumerate(_breaks(world)):
        kd = _kd(world.machine, place)
        if place.id and kd is not None and kd.tick_len[place.row] < kd.est_count:
            there = (
                stats_object.id
                for stats_object in world.machine.objects.values()
                if (stats_object.est.ktid, stats_object.est.ktrow) == (place.id, place.row)
            )
            return number, place, tuple(there)
    return None


def _deleted_in_the_break() -> tuple[World, WalkPlace] | None:
    """They are deleted in that break, and the tick is freed."""
    found = _tick_of_several()
    if found is None:
        return None
    number, place, services = found
    world = start(_scenario(services), REPAIRED)
    for index, _ in enumerate(_breaks(world)):
        if index == number:
            break
    control = world.threads[0].index
    while control in enabled(world):
        step(world, control)
    while RCU in enabled(world):
        step(world, RCU)
    return world, place


def _freed_tick_is_visited() -> bool:
    found = _deleted_in_the_break()
    if found is None:
        return False
    world, _ = found
    try:
        for _ in range(10):
            step(world, _kthread0(world).index)
    except ViolationError as error:
        return isinstance(error.violation, UseAfterFree) and "tick" in error.violation.thing
    return False


def _walk_goes_back() -> bool:
    """After the break, when the row is left, the walk is again at the slot of that row, with the
    same delay."""
    found = _deleted_in_the_break()
    if found is None:
        return False
    world, before = found
    for _ in range(40):
        step(world, _kthread0(world).index)
        walk = _frame(_kthread0(world), "_relink_all").get("walk")
        delay, id_ = getattr(walk, "delay", None), getattr(walk, "id", None)
        if delay != before.delay:
            return False
        if _place(world) is None and isinstance(id_, int):
            return id_ >= before.id
    return False


@dataclass(frozen=True, slots=True)
class WalkReplay:
    """One mistake in the model's walk."""

    edits: tuple[Edit, ...]
    shows: Callable[[], bool]
    symptom: str


_SAME_TICK = "            if kd.ticks[row] is not td:\n                return _Next.KD\n"
_LEFT = "estimators are left when the walk says that it is complete"

REPLAYS: Mapping[str, WalkReplay] = {
    "walk.rows": WalkReplay(
        (
            Edit(_RELINK, "kd.est_count <= 1", "kd.est_count <= 2"),
            Edit(_ROW, "if walk.id == 0 and last:", "if walk.id == 0 and kd.est_count <= 2:"),
        ),
        _something_is_left,
        _LEFT,
    ),
    "walk.chains": WalkReplay(
        (
            Edit(
                _ROW,
                "        if last or last_in_tick:\n            return _Next.KD\n",
                "        cid += 1\n"
                "        if last or last_in_tick or cid >= machine.params.tick_chains:\n"
                "            return _Next.KD\n",
            ),
        ),
        _something_is_left,
        _LEFT,
    ),
    "walk.complete": WalkReplay(
        (Edit(_RELINK, "if walk.delay < 0:", "if walk.delay < 1:"),), _something_is_left, _LEFT
    ),
    "walk.place": WalkReplay(
        (
            Edit(
                _ROW,
                "            if kd.ticks[row] is not td:\n                return _Next.KD\n",
                "",
            ),
        ),
        _freed_tick_is_visited,
        "a tick that was freed in the break is visited",
    ),
    "walk.ends": WalkReplay(
        (
            Edit(
                _ROW,
                _SAME_TICK,
                "            if kd.ticks[row] is not td:\n                return _Next.LAST_KD\n",
            ),
        ),
        _walk_goes_back,
        "after a break the walk is once more at the slot of the row that it has left",
    ),
}
"""By theorem: of its twin."""


def walk_shows(replay: WalkReplay) -> bool:
    """The mistake shows in the model, and nothing does without it."""
    with applied(replay.edits):
        wrong = replay.shows()
    return wrong and not replay.shows()
