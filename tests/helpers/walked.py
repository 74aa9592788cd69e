"""The walk of the calc phase in the model, followed step by step by that of the proofs.

The model's functions are wrapped while something runs. Before each visit to a chain, in each break
and at the end the proofs' walk has to be where the model's is, and what is proved has to hold.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import GeneratorType

import pytest

from ipvs_est.estimator import calc_phase
from ipvs_est.machine.hlist import ListHead, first
from ipvs_est.machine.points import Body, Point
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext, Tick
from ipvs_est.state.machine import Machine
from ipvs_est.state.stats import Estimator
from ipvs_est_spec.proof.inductive import steps
from ipvs_est_spec.proof.inductive.steps import Inputs
from ipvs_est_spec.proof.inductive.walk import steps as walk
from ipvs_est_spec.proof.inductive.walk.goals import WALK_INVARIANTS
from ipvs_est_spec.proof.inductive.walk.steps import Stride, Walking
from projected import Known, PythonState, differences, projected

PythonWalking = Walking[bool, int]
PythonStride = Stride[bool, int]

_MOST = 10_000
_SYSCTL = (
    *("enable", "est_stopped", "est_calc_phase", "run_estimation"),
    *("cpulist_valid", "est_max_threads", "kthread_cpus"),
)
"""What changes without the service mutex."""


@dataclass(slots=True)
class Followed:
    """What was seen."""

    seen: Counter[str] = field(default_factory=Counter)
    """Steps, by step and case."""
    wrong: list[str] = field(default_factory=list)
    """Where the model's walk is elsewhere."""
    broken: Counter[str] = field(default_factory=Counter)
    """What is proved of the walk and does not hold, by its id."""
    changed_in_breaks: Counter[str] = field(default_factory=Counter)
    """What others had done when the service mutex was taken again."""
    complete: int = 0
    in_break: bool = False
    """Now, of the walk that is under way."""
    known: Known = field(default_factory=Known)


class LostError(Exception):
    """The model's walk is elsewhere."""


@dataclass(slots=True)
class _Follower:
    followed: Followed
    machine: Machine
    now: PythonWalking
    visited: bool = False
    """The chain that is visited has an estimator, and it was not relinked yet."""

    def state(self) -> PythonState:
        return projected(self.machine, self.followed.known, frozenset(self.machine.objects))

    def take(self, step: str, strides: Mapping[str, PythonStride]) -> None:
        """The only step that is possible."""
        possible = {case: stride for case, stride in strides.items() if stride.premise}
        if len(possible) != 1:
            raise LostError(f"{step}: {sorted(possible)} are possible in {self.now.walk}")
        ((case, stride),) = possible.items()
        self.done(step, case, stride.after)

    def done(self, step: str, case: str, after: PythonWalking) -> None:
        strictly = walk.moves_on(step, case)
        if not walk.nearer_to_its_end(self.now, after, strictly=strictly):
            raise LostError(f"{step}, {case} does not bring it nearer to its end")
        self.followed.seen[f"{step}: {case}"] += 1
        self.followed.in_break = after.walk.in_break
        self.now = after
        self.check()

    def check(self) -> None:
        for invariant in WALK_INVARIANTS.values():
            self.followed.broken[invariant.id] += not invariant.predicate(self.now)

    def inputs(self, est: int, after: PythonState) -> Inputs[bool, int]:
        f = after
        return Inputs(
            est=est,
            total=f.is_total(est),
            slot=f.est_add_ktid,
            row=f.ktrow(est),
            cid=f.ktcid(est),
            add_ktid=f.est_add_ktid,
            kt_count=f.est_kt_count,
            delay=self.now.walk.delay,
            chain_max=f.est_chain_max,
            cpus=f.kthread_cpus,
            flag=False,
        )


@contextmanager
def following(followed: Followed) -> Iterator[None]:
    """While the block runs, each walk of any machine is followed."""
    followers: list[_Follower] = []
    relink_all, relink_row, relink = (
        calc_phase._relink_all,
        calc_phase._relink_row,
        calc_phase._relink,
    )

    def all_relinked(machine: Machine, task: Task) -> Generator[Point, None, bool]:
        state = projected(machine, followed.known, frozenset(machine.objects))
        begun = walk.begun(state)
        follower = _Follower(followed, machine, begun.after)
        followers[:] = [follower]
        if not begun.premise:
            followed.wrong.append("it begins without kd 0")
        follower.check()
        done = yield from relink_all(machine, task)
        if done:
            follower.now = replace(follower.now, state=follower.state())
            if follower.now.walk.delay >= 0:
                _go_on(follower, -1, 0)
            if not steps.relinked(follower.now.state):
                followed.broken["walk.complete"] += 1
            followed.complete += 1
        return done

    def row_relinked(
        machine: Machine, task: Task, place: calc_phase._Walk, kd: KthreadContext
    ) -> Generator[Point, None, calc_phase._Next]:
        (follower,) = followers
        delay, slot = place.delay, place.id
        follower.now = replace(follower.now, state=follower.state())
        _go_on(follower, delay, slot)
        row = follower.now.walk.row
        td = kd.ticks[row] if follower.now.walk.in_row else None
        inner = relink_row(machine, task, place, kd)
        assert isinstance(inner, GeneratorType)
        while True:
            try:
                point = next(inner)
            except StopIteration as end:
                then: calc_phase._Next = end.value
                _left(follower, then, delay, slot)
                return then
            own = inner.gi_yieldfrom is None
            if own and point == machine.unlock_service:
                follower.done("break", "", walk.broken_off(follower.now).after)
            try:
                yield point
            except BaseException:
                inner.close()
                raise
            if own and point == machine.lock_service:
                _take_up(follower, kd, td)

    def looked_at(chain: ListHead[Estimator]) -> Estimator | None:
        (follower,) = followers
        follower.now = replace(follower.now, state=follower.state())
        where = follower.now.walk
        kd = follower.machine.netns.est_kt_arr[where.id]
        td = None if kd is None else kd.ticks[where.row]
        if not where.in_row or where.in_break or td is None or td.chains[where.cid] is not chain:
            raise LostError(f"another chain is visited than in {where}")
        follower.check()
        est = first(chain)
        if est is None:
            _visit_without_relinking(follower)
        else:
            follower.visited = True
        return est

    def relinked(machine: Machine, kd: KthreadContext, est: Estimator, delay: int) -> Body:
        (follower,) = followers
        before = follower.now
        yield from relink(machine, kd, est, delay)
        after = follower.state()
        inputs = follower.inputs(est.stats.id, after)
        wrong: list[str] = []
        # Sysctls may be written while a kd is freed.
        f, g = before.state, after
        written = {name: getattr(g, name) for name in _SYSCTL}
        begun = replace(before, state=replace(f, **written))
        for case, stride in walk.visited(begun, machine.revision, inputs).items():
            if case.startswith("relinked") and stride.premise:
                found = list(differences(stride.after.state, after, followed.known))
                if not found:
                    follower.visited = False
                    follower.done("visit", case, replace(stride.after, state=after))
                    return
                wrong += found[:4]
        raise LostError(f"relinking {est.stats.id} is no step from {before.walk}: {wrong}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calc_phase, "_relink_all", all_relinked)
        patch.setattr(calc_phase, "_relink_row", row_relinked)
        patch.setattr(calc_phase, "_relink", relinked)
        patch.setattr(calc_phase, "first", looked_at)
        yield


def _go_on(follower: _Follower, delay: int, slot: int) -> None:
    """To that slot's row, whether it has a tick or not; to the end, if the delay is -1."""
    for _ in range(_MOST):
        follower.take("go on", walk.gone_on(follower.now))
        where = follower.now.walk
        if where.delay == delay and (delay < 0 or where.id == slot):
            return
    raise LostError(f"delay {delay}, slot {slot} is not reached")


def _visit_without_relinking(follower: _Follower) -> None:
    given = follower.inputs(0, follower.now.state)
    found = walk.visited(follower.now, follower.machine.revision, given)
    (case,) = (name for name in found if not name.startswith("relinked"))
    follower.take("visit", {case: found[case]})


def _take_up(follower: _Follower, kd: KthreadContext, td: Tick | None) -> None:
    where, array = follower.now.walk, follower.machine.netns.est_kt_arr
    before = follower.now.state
    there = array[where.id] if where.id < len(array) else None
    moved = replace(where, same_kd=there is kd, same_tick=there is kd and kd.ticks[where.row] is td)
    after = follower.state()
    changed = any(True for _ in differences(before, after, follower.followed.known))
    what = "a kd" if there is not kd else "" if kd.ticks[where.row] is td else "a tick"
    follower.followed.changed_in_breaks[what or ("something" if changed else "nothing")] += 1
    follower.now = Walking(after, moved)
    follower.check()
    follower.take("take up", walk.taken_up(follower.now))


def _left(follower: _Follower, then: calc_phase._Next, delay: int, slot: int) -> None:
    """The row is left, by the model; so it has to be in the proofs."""
    if then is calc_phase._Next.GIVE_UP:
        return
    if follower.visited:
        follower.visited = False
        _visit_without_relinking(follower)
    where, count = follower.now.walk, follower.now.state.est_kt_count
    wanted = {
        calc_phase._Next.KD: (delay, slot),
        calc_phase._Next.DELAY: (delay - 1, count),
        calc_phase._Next.LAST_KD: (delay, count),
    }
    if where.in_row or (where.delay, where.id) != wanted[then]:
        raise LostError(f"{then} from delay {delay}, slot {slot} is not {where}")
