"""The judge of schedules on a subject: properties of states at each point, and of what happened."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ipvs_est import Params
from ipvs_est.answers.snapshot import snapshot_from_json
from ipvs_est.language.event_json import event_from_json
from ipvs_est.language.events import Event
from ipvs_est.language.input_error import InputError
from ipvs_est_checks.broken_properties import (
    broken_cases,
    broken_states,
    record_properties,
    scopes_of,
)
from ipvs_est_checks.history.subject_failure import FailureKind, SubjectError
from ipvs_est_checks.subjects.schedules import ScheduleVerdict
from ipvs_est_spec import case_words
from ipvs_est_spec.catalogue import RECORD_PROPERTIES, STATE_PROPERTIES

_NEEDS_PROMPT_TASKS = "delay"
"""The group of properties that hold if tasks get the processor in time: in a schedule they may
not."""
JUDGED = frozenset(
    [prop.id for prop in STATE_PROPERTIES]
    + [prop.id for prop in RECORD_PROPERTIES if prop.group != _NEEDS_PROMPT_TASKS]
)
"""Ids of all properties that can be judged so."""
CHAPTER_OF = {"states": "snapshot", "events": "events"}
"""What a schedule's line asks for, and the chapter of the contract that it is from."""
JUDGED_VERSIONS = (2,)
"""Of the chapter on schedules: those in which it can be asked for."""

# Any in this file: parsed JSON of a subject.


@dataclass(slots=True)
class PropertyJudge:
    """Judges some properties; each state is judged where it is told first."""

    params: Params
    properties: frozenset[str]
    """Ids, of `JUDGED`."""
    asks: dict[str, object] = field(default_factory=dict)
    checks: Counter[str] = field(default_factory=Counter)
    """Evaluations of each property."""
    setup: list[Event] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    """How many cases the setup has, by property of what happened: they are not counted."""

    def __post_init__(self) -> None:
        if any(prop.id in self.properties for prop in STATE_PROPERTIES):
            self.asks["states"] = True
        if record_properties(self.properties):
            self.asks["events"] = True

    def set_up(self, answers: Sequence[dict[str, Any]]) -> None:
        """Take what happened in the setup."""
        for answer in answers:
            self.setup += _events(answer.get("events", []))
        for judged in record_properties(self.properties):
            self.known[judged.id] = sum(1 for _ in judged.cases(self.params, self.setup))

    def verdict(self, answer: dict[str, Any]) -> ScheduleVerdict | None:
        """The first state that breaks a property, else the first that the record breaks."""
        for steps, settled, value in answer.get("states", []):
            try:
                snapshot = snapshot_from_json(value)
            except InputError as error:
                raise _no_answer(f"states: {error.field}", error.message) from None
            scopes = scopes_of(snapshot, settled=settled)
            for broken in broken_states(
                self.params, snapshot, scopes, self.properties, self.checks
            ):
                what = f"{broken.id} does not hold: {broken.sentence}"
                return ScheduleVerdict(what, broken.id, steps)
        events = self.setup + _events(answer.get("events", []))
        for judged in record_properties(self.properties):
            known = self.known.get(judged.id, 0)
            for case in broken_cases(judged, self.params, events, self.checks, known):
                numbers = case_words.named_numbers(judged.id, case)
                return ScheduleVerdict(f"{judged.id} does not hold: {numbers}", judged.id, None)
        return None


def _events(values: Any) -> list[Event]:
    try:
        return [event_from_json(value, f"events[{at}]") for at, value in enumerate(values)]
    except InputError as error:
        raise _no_answer(error.field, error.message) from None


def _no_answer(where: str, message: str) -> SubjectError:
    return SubjectError(FailureKind.NO_ANSWER, f"{where}: {message}")
