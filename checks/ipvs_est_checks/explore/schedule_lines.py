"""Lines of the oracle's process about schedules (SCHEMA.md, "Schedules").

What is heavy is imported when the first such line comes: most clients never ask for a schedule.
"""

import os
import pickle
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ipvs_est import Oracle
from ipvs_est.answers.snapshot import snapshot_to_json, take_snapshot
from ipvs_est.language.event_json import event_to_json
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import integer, type_name
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.operations import OperationError

if TYPE_CHECKING:
    from ipvs_est_checks.explore.engine.batch import Wanted
    from ipvs_est_checks.explore.engine.world import World
    from ipvs_est_checks.explore.scenarios.scenario import Actor

SCHEDULES_VERSION = 2
MAX_JIFFIES = 1_000_000
MAX_BUDGET = 1_000
MAX_NAME = 30
"""Characters of a task's name."""
DEFAULT_JIFFIES = 10
FIELD_NAMES = (
    *("chains", "cpustats", "enable", "est_calc_phase", "est_cpulist", "est_cpulist_valid"),
    *("est_genid", "est_kt_count", "est_max_threads", "est_nice", "est_row", "est_stopped"),
    *("est_temp_list", "kstats", "ktid", "list", "present", "run_estimation", "should_stop"),
    *("tick_len", "ticks"),
)
"""Of the fields at which the model can stop, as places name them."""
_PART = re.compile(r"(0|[1-9]\d{0,8})(?:x([1-9]\d{0,3}))?", re.ASCII)
_TASK = frozenset({"task", "operations"})
_SCHEDULE = frozenset({"schedule", "jiffies", "fields", "from", "budget", "states", "events"})

# Any in this file: parsed JSON from outside; whoever takes a value out checks its type.


@dataclass(slots=True)
class ScheduleLines:
    """An extension of the oracle's process."""

    gives: Mapping[str, int] = field(default_factory=lambda: {"schedules": SCHEDULES_VERSION})
    known_by: frozenset[str] = frozenset({"task", "schedule"})
    oracle: Oracle | None = None
    """The machine that has these tasks."""
    actors: "list[Actor]" = field(default_factory=list)
    known_states: set[object] = field(default_factory=set)
    """States that were told, by what any property reads of them."""

    def answer(self, oracle: Oracle, value: dict[str, Any]) -> dict[str, object]:
        """The answer to a line; raises InputError, OperationError."""
        if oracle is not self.oracle:
            self.oracle, self.actors, self.known_states = oracle, [], set()
        if oracle.ended:
            raise OperationError("cannot-answer", "", f"the history has ended: {oracle.ended}")
        known = _TASK if "task" in value else _SCHEDULE
        for name in sorted(value.keys() - known):
            raise InputError(name, "unknown field")
        if known is _TASK:
            self.actors.append(self._actor(value))
            return {"task": True}
        asked = _asked(value)
        if asked.events and oracle.machine.events is None:
            raise InputError("events", "the configuration does not watch them")
        outcome = _outcome(oracle, self.actors, asked, self.known_states)
        self.known_states |= outcome.new
        return outcome.answer

    def _actor(self, value: dict[str, Any]) -> "Actor":
        from ipvs_est_checks.explore.engine.bodies import CONCURRENT
        from ipvs_est_checks.explore.scenarios.scenario import Actor, is_name_of_task

        name = value["task"]
        if not isinstance(name, str) or len(name) > MAX_NAME:
            raise InputError("task", f"expected a name of at most {MAX_NAME} characters")
        if not is_name_of_task(name) or name in [actor.name for actor in self.actors]:
            raise InputError("task", f"{name!r} is no name for another task of control")
        given = value.get("operations")
        if not isinstance(given, list):
            raise InputError("operations", f"expected a list, found {type_name(given)}")
        operations = []
        for index, entry in enumerate(given):
            where = f"operations[{index}]"
            if not isinstance(entry, dict):
                raise InputError(where, f"expected an object, found {type_name(entry)}")
            try:
                operation = operation_from_json(entry)
            except InputError as error:
                raise InputError(join(where, error.field), error.message) from None
            if not isinstance(operation, CONCURRENT):
                raise InputError(f"{where}.op", f"a task cannot do {operation.op!r}")
            operations.append(operation)
        return Actor(name, tuple(operations))


def choices_of(word: str) -> list[int]:
    """The choices in a word such as 3.0x2.4; raises InputError."""
    from ipvs_est_checks.explore.engine.batch import MAX_STEPS

    choices: list[int] = []
    for part in word.split(".") if word else ():
        found = _PART.fullmatch(part)
        if found is None:
            raise InputError("schedule", f"{part[:40]!r} is no part of a schedule such as 3.0x2.4")
        choices += [int(found[1])] * int(found[2] or 1)
        if len(choices) > MAX_STEPS:
            raise InputError("schedule", f"has more than {MAX_STEPS} steps")
    return choices


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a line with `schedule` asks."""

    wanted: "Wanted"
    jiffies: int
    fields: bool | frozenset[str]
    states: bool
    events: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a schedule."""

    answer: dict[str, object]
    new: set[object]
    """States that are told for the first time."""


def _asked(value: dict[str, Any]) -> _Asked:
    from ipvs_est_checks.explore.engine.batch import MAX_STEPS, Wanted

    word = value["schedule"]
    if not isinstance(word, str):
        raise InputError("schedule", f"expected a string, found {type_name(word)}")
    start = integer(value["from"], "from", 0, MAX_STEPS) if "from" in value else None
    return _Asked(
        Wanted(choices_of(word), start, integer(value.get("budget", 0), "budget", 0, MAX_BUDGET)),
        integer(value.get("jiffies", DEFAULT_JIFFIES), "jiffies", 0, MAX_JIFFIES),
        _fields(value.get("fields", False)),
        _flag(value, "states"),
        _flag(value, "events"),
    )


def _flag(value: dict[str, Any], name: str) -> bool:
    found = value.get(name, False)
    if not isinstance(found, bool):
        raise InputError(name, f"expected a boolean, found {type_name(found)}")
    return found


def _fields(value: object) -> bool | frozenset[str]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        raise InputError("fields", f"expected a boolean or a list, found {type_name(value)}")
    for index, entry in enumerate(value):
        if entry not in FIELD_NAMES:
            raise InputError(f"fields[{index}]", f"expected one of {', '.join(FIELD_NAMES)}")
    return frozenset(value)


def _outcome(
    oracle: Oracle, actors: "list[Actor]", asked: _Asked, told_before: set[object]
) -> _Outcome:
    """Of a schedule that begins where the oracle stands.

    It goes on in a process of its own, forked from this one: suspended tasks cannot be copied
    otherwise, and the next schedule begins where this one did.
    """
    from ipvs_est_checks.explore.engine.world import world_of

    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(reader)
            oracle.machine.raise_violations = True
            world = world_of(oracle, actors, asked.jiffies)
            world.fields = asked.fields
            # In a record each step is told by itself.
            world.looks = asked.events
            shown = pickle.dumps(_run(world, asked, told_before))
            with open(writer, "wb") as sink:
                sink.write(shown)
            code = 0
        except KeyboardInterrupt:
            # The parent has been interrupted as well, and ends.
            pass
        except BaseException:
            # A forked child must not go on as its parent, whatever went wrong in it.
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    with open(reader, "rb") as source:
        text = source.read()
    _, status = os.waitpid(child, 0)
    if status:
        return _Outcome({"schedule": {"end": "crash", "word": "", "violations": []}}, set())
    # What our own child has written.
    outcome: _Outcome = pickle.loads(text)
    return outcome


def _run(world: "World", asked: _Asked, told_before: set[object]) -> _Outcome:
    from ipvs_est_checks.explore.engine.batch import run_batch
    from ipvs_est_checks.explore.engine.states.projection import projection

    machine = world.machine
    new: set[object] = set()
    states: list[object] = []

    def look(steps: int, settled: bool) -> None:
        # Which mutexes are free decides which properties have to hold.
        free = machine.service_mutex.owner is None, machine.netns.est_mutex.owner is None
        key = settled, free, projection(machine)
        if key not in told_before and key not in new:
            new.add(key)
            states.append([steps, settled, snapshot_to_json(take_snapshot(machine))])

    wanted = replace(asked.wanted, look=look) if asked.states else asked.wanted
    before = len(machine.events or ())
    outcome = run_batch(world, wanted)
    answer: dict[str, object] = {}
    if asked.states:
        answer["states"] = states
    if asked.events:
        answer["events"] = [event_to_json(event) for event in (machine.events or ())[before:]]
    return _Outcome({**answer, "schedule": outcome}, new)
