"""A schedule that was found on the code of a tree, followed by the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ipvs_est.language.revision import Revision
from ipvs_est.machine.points import Sleep
from ipvs_est.machine.tasks import TaskState
from ipvs_est_checks.explore.engine.world import RCU, TIME, Thread, World, start
from ipvs_est_checks.explore.failures.token import token_text
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.harness.steps.code_side import in_order_of_table, why_not
from ipvs_est_checks.harness.steps.compare import Compared, Pair, compare_run
from ipvs_est_checks.harness.steps.model_side import ModelRun, run_model
from ipvs_est_checks.harness.steps.model_side import ModelTurn as ModelStep
from ipvs_est_checks.harness.steps.points import EXITED, SHOULD_STOP, WAITS
from ipvs_est_checks.harness.steps.timeline import parting_lines
from ipvs_est_checks.subjects.schedules import MAX_STEPS, Fields, RunStep, ScheduleOutcome, prepare
from ipvs_est_checks.subjects.schedules import TIME as JIFFY
from ipvs_est_checks.terminal.bad_input import BadInputError

_COMMON = ("lock ", "stop ", "queue_work ", "cancel_work ")
"""How places begin at which both stop, always."""
_JOINS = ("stop ", "cancel_work ")
"""Of a task that waits for another's end the code still tells the place before."""


@dataclass(frozen=True, slots=True)
class OnModel:
    """What came of a schedule of the code on the model."""

    lines: tuple[str, ...]
    """In words."""
    token: str = ""
    """The model's, if it goes the code's way."""


@dataclass(slots=True)
class _Standing:
    """Where a task of the code has still to come to, to stand where the model's does."""

    place: str = ""
    unlocks: int = 0
    others: int = 0
    reached: bool = True
    last: str = ""
    """The place of its step before."""


class _PartError(Exception):
    """The model cannot go the code's way any further; the text says why."""


@dataclass(slots=True)
class _Follower:
    """Chooses for the model what the code has done."""

    world: World
    steps: Sequence[RunStep]
    """Of the code."""
    fields: Fields
    """Where it stops besides."""
    at: int = 0
    """How many of them the model has come to."""
    now: int = 0
    """Jiffies of the code that have passed."""
    began: int = 0
    """The model's clock at the start."""
    standing: dict[int, _Standing] = field(default_factory=dict)
    """By the code's number of the task."""
    went_on: int | None = None
    """The code's number of the task that the model has let go on last."""
    parted: str = ""

    def __call__(
        self, made: Sequence[int], able: Sequence[int], steps: Sequence[ModelStep]
    ) -> int | None:
        """The next choice; None at the end, or where the two part."""
        if self.went_on is not None:
            last, standing = steps[-1], self.standing[self.went_on]
            before = 0 if standing.reached else standing.unlocks
            standing.place, standing.others = last.place, last.others
            standing.unlocks, standing.reached = before + last.unlocks, False
            if not standing.unlocks and not self._code_stops_at(last.place):
                return next(number for number in reversed(made) if number >= 0)
            self.went_on = None
        try:
            while self.at < len(self.steps):
                choice = self._choice(able)
                if choice is not None:
                    return choice
        except _PartError as error:
            self.parted = f"step {self.at + 1} of the code's schedule: {error}"
        return None

    def _code_stops_at(self, place: str) -> bool:
        word, _, thing = place.partition(" ")
        if word not in ("read", "write") or self.fields is True:
            return True
        if self.fields is False:
            return False
        return place == SHOULD_STOP or thing.split()[-1] in self.fields

    def _choice(self, able: Sequence[int]) -> int | None:
        """What the code's next step is to the model; None: nothing."""
        step = self.steps[self.at]
        if step.chosen == JIFFY:
            return self._time(able)
        standing = self.standing.setdefault(step.chosen, _Standing())
        if standing.place == EXITED:
            # The code comes to its end in several steps.
            self.at += 1
            return None
        thread = self._thread(step)
        if thread is None:
            raise _PartError(f"{step.name} goes on, which the model does not have")
        stands = self._has_reached(standing, step.place)
        if not self._code_stops_at(standing.place):
            # It goes through there in the step that leaves its last mutex behind.
            stands = not standing.unlocks
        standing.last = step.place
        if stands and thread.index in able:
            self.at += 1
            self.went_on = step.chosen
            return thread.index
        if stands and not self._begins_to_wait(step):
            raise _PartError(
                f"{step.name} goes on from {step.place or 'its start'!r}, and in the model it waits"
            )
        self.at += 1
        return None

    def _has_reached(self, standing: _Standing, place: str) -> bool:
        """Whether the code's task, which is at that place, stands where the model's does."""
        if standing.reached:
            return True
        if place.startswith("unlocked ") and standing.unlocks:
            standing.unlocks -= 1
        joins = standing.place == "join" and place.startswith(_JOINS)
        waits = standing.place == WAITS
        if not standing.unlocks and (place == standing.place or joins or waits):
            if not standing.others:
                standing.reached = True
                return True
            standing.others -= 1
            return False
        if place.startswith(_COMMON) and place != standing.last:
            raise _PartError(f"the code stands at {place!r}, the model at {standing.place!r}")
        return False

    def _begins_to_wait(self, step: RunStep) -> bool:
        """Whether the step only brought its task to wait, which is no step of the model."""
        if self.at + 1 == len(self.steps):
            return True
        return step.chosen not in self.steps[self.at + 1].choices

    def _thread(self, step: RunStep) -> Thread | None:
        """The model's task: of those of its name, the one with as many older ones."""
        later = {
            run_step.chosen for run_step in self.steps[self.at :] if run_step.name == step.name
        }
        older = sum(number < step.chosen for number in later)
        living = [
            thread
            for thread in self.world.threads
            if thread.task.name == step.name and thread.task.state is not TaskState.EXITED
        ]
        return living[older] if older < len(living) else None

    def _time(self, able: Sequence[int]) -> int | None:
        """A jiffy of the code: RCU callbacks run, and the model's time passes if something is due.

        The model lets time pass only until something is due, and all of it at once.
        """
        if RCU in able:
            return RCU
        due = self._due()
        passed = self.world.machine.now - self.began
        if due is not None and due - self.began == self.now + 1 and due - self.began > passed:
            if TIME not in able:
                raise _PartError("a jiffy passes, and the model's time is over")
            self.now += 1
            self.at += 1
            return TIME
        self.now += 1
        self.at += 1
        return None

    def _due(self) -> int | None:
        """The jiffy at which anything is due in the model."""
        now, work = self.world.machine.now, self.world.machine.netns.reload_work
        times = [
            thread.wake_at
            for thread in self.world.threads
            if isinstance(thread.point, Sleep)
            and thread.wake_at > now
            and thread.task.state is not TaskState.EXITED
        ]
        if work.pending and work.due > now:
            times.append(work.due)
        return min(times, default=None)


def schedule_on_model(
    tree: Tree, scenario: Scenario, revision: Revision, run: ScheduleOutcome, fields: Fields
) -> OnModel:
    """Follow a run of the code on the model, and its end there.

    Raises BadInputError if the code cannot be compared in this scenario.
    """
    why = why_not(scenario)
    if why:
        raise BadInputError(why)
    executable = build(tree, options_for(scenario.params, Variant.POINTS))
    with running(executable) as program:
        ask = asking(program)
        ready = in_order_of_table(ask, scenario)
        prepare(ask, ready)
        model, parted = _followed(ready, revision, run, fields)
        done = Compared()
        parting = compare_run(Pair(ready, revision, ask), model, done)
        if parting is not None:
            return OnModel(("they part", *parting_lines(parting, ask, executable)))
    if parted:
        return OnModel((f"the two part at {parted}", f"{done.points} common points before, equal"))
    lines = [f"the model goes the same way: {done.points} common points, equal"]
    expected, found = _end(run), "" if model.violation is None else model.violation.kind
    if expected != found:
        lines.append(f"they end apart: the code {_ends(expected)}, the model {_ends(found)}")
        return OnModel(tuple(lines))
    if found:
        lines.append(f"both fail: {found}")
    token = token_text(scenario, revision, model.choices)
    return OnModel((*lines, f"as a token of the model: {token}"), token)


def _followed(
    scenario: Scenario, revision: Revision, run: ScheduleOutcome, fields: Fields
) -> tuple[ModelRun, str]:
    world = start(scenario, revision)
    follower = _Follower(world, run.steps, fields, began=world.machine.now)
    model = run_model(world, follower, most=MAX_STEPS, snapshots=True)
    return model, follower.parted


def _end(run: ScheduleOutcome) -> str:
    """The kind of failure; '' if there is none."""
    if run.end in ("violation", "crash"):
        return str(run.violations[0]["kind"])
    return run.end if run.end in ("deadlock", "stuck") else ""


def _ends(kind: str) -> str:
    return f"fails: {kind}" if kind else "does not fail"
