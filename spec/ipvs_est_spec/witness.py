"""Where and why a property fails in a state: the answers that its formula got there."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

from ipvs_est.answers.snapshot import Snapshot
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.property import StateProperty
from ipvs_est_spec.state.abstract_state import AbstractState
from ipvs_est_spec.state.snapshot_state import snapshot_state

_QUANTIFIERS = ("every_slot", "every_row", "every_chain", "every_estimator", "every_counter")
_NO_ANSWERS = ("algebra", "params")
_OF_ESTIMATORS = ("is_object", "is_total", "ktid", "ktrow", "ktcid", "times_listed", "on_temp_list")
_MOST = 8
"""Places told; a place that does not hold is told first."""


class _Read(NamedTuple):
    """One answer."""

    question: str
    of: tuple[int, ...]
    answer: int


class _Noted:
    """A state that notes what it is asked, but not by what holds for the thing in hand."""

    def __init__(self, state: AbstractState[bool, int]) -> None:
        self._state = state
        self.reads: list[_Read] = []

    def __getattr__(self, name: str) -> object:
        asked: object = getattr(self._state, name)
        if name in _NO_ANSWERS:
            return asked
        if not callable(asked):
            assert isinstance(asked, int)
            self.reads.append(_Read(name, (), int(asked)))
            return asked
        return partial(self._decide if name in _QUANTIFIERS else self._answer, name, asked)

    def _answer(self, question: str, ask: Callable[..., int], *of: int) -> int:
        answer = ask(*of)
        self.reads.append(_Read(question, of, int(answer)))
        return answer

    def _decide(self, _: str, decide: Callable[..., bool], *arguments: object) -> bool:
        *of, body = arguments
        assert callable(body)

        def judged(*element: int) -> bool:
            """Where the body holds, nothing of it is worth telling."""
            known = len(self.reads)
            holds = bool(body(*element))
            if holds:
                del self.reads[known:]
            return holds

        return decide(*of, judged)


def witness(failed: StateProperty, params: Params, snapshot: Snapshot) -> str:
    """The answers on which the property fails in that state, place by place; '' if it holds.

    Such as `kd 0 row 0 chain 1: tick_exists 1, full 1, chain_max 2, true_length 1`.
    """
    state = _Noted(snapshot_state(PythonAlgebra(), params, snapshot, each_kind_once=False))
    # It answers all that an abstract state is asked: `__getattr__` hands it on.
    if failed.predicate(cast("AbstractState[bool, int]", state)):
        return ""
    places: dict[str, dict[str, int]] = {}
    for read in state.reads:
        places.setdefault(_place(read), {})[_word(read)] = read.answer
    for place in [*places]:
        _join_kd(places, place)
    cases = [
        ": ".join(filter(None, (place, ", ".join(f"{k} {v}" for k, v in answers.items()))))
        for place, answers in places.items()
    ]
    return "; ".join(cases[:_MOST]) + ("; ..." if len(cases) > _MOST else "")


def _join_kd(places: dict[str, dict[str, int]], place: str) -> None:
    """What is known of a kd as a whole is told with its only row or chain."""
    inner = [name for name in places if name.startswith(f"{place} ")]
    if place.startswith("kd ") and len(inner) == 1:
        answers = places.pop(place)
        answers.pop("exists", None)
        places[inner[0]].update(answers)


def _place(read: _Read) -> str:
    if not read.of:
        return ""
    if read.question in _OF_ESTIMATORS or read.question == "on_chain":
        return f"estimator {read.of[0]}"
    names = ("kd", "row", "chain")
    return " ".join(f"{name} {of}" for name, of in zip(names, read.of, strict=False))


def _word(read: _Read) -> str:
    if read.question == "on_chain":
        return "on_chain({}, {}, {})".format(*read.of[1:])
    return read.question
