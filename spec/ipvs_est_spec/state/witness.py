"""Where and why a property fails in a state: the answers that its formula got there."""

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar

from ipvs_est.answers.snapshot import Snapshot
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.property import StateProperty
from ipvs_est_spec.state.abstract_state import AbstractState
from ipvs_est_spec.state.snapshot_state import SnapshotState

P = ParamSpec("P")
T = TypeVar("T")

_QUANTIFIERS = ("every_slot", "every_row", "every_chain", "every_estimator", "every_counter")
_SUMS = ("sum_slots", "sum_rows", "sum_chains")
_NO_ANSWERS = ("algebra", "params", *_QUANTIFIERS, *_SUMS)
_QUESTIONS = tuple(
    name for name in vars(AbstractState) if name[0] != "_" and name not in _NO_ANSWERS
)
"""What the netns, a slot, a row, a chain or an estimator is asked for."""
_OF_ESTIMATORS = ("is_object", "is_total", "ktid", "ktrow", "ktcid", "times_listed", "on_temp_list")
_MOST = 8
"""Places told; a place that does not hold is told first."""


class _Read(NamedTuple):
    """One answer."""

    question: str
    of: tuple[int, ...]
    answer: int


class _ReadState(SnapshotState[bool, int]):
    """A snapshot that notes what it is asked, but not by what holds for the thing in hand."""

    def __init__(self, params: Params, snapshot: Snapshot) -> None:
        super().__init__(PythonAlgebra(), params, snapshot, each_kind_once=False)
        self.reads: list[_Read] = []

    def forgetting(self, body: Callable[P, bool]) -> Callable[P, bool]:
        """The body of a quantifier: where it holds, nothing of it is worth telling."""

        def judged(*args: P.args, **kwargs: P.kwargs) -> bool:
            known = len(self.reads)
            holds = body(*args, **kwargs)
            if holds:
                del self.reads[known:]
            return holds

        return judged


def _noting(question: str) -> Callable[..., int]:
    ask = getattr(SnapshotState, question)

    @wraps(ask)
    def noted(self: _ReadState, *of: int) -> int:
        answer: int = ask(self, *of)
        self.reads.append(_Read(question, of, int(answer)))
        return answer

    return noted


def _judging(quantifier: str) -> Callable[..., bool]:
    decide = getattr(SnapshotState, quantifier)

    @wraps(decide)
    def judged(self: _ReadState, *arguments: object) -> bool:
        *of, body = arguments
        assert callable(body)
        holds: bool = decide(self, *of, self.forgetting(body))
        return holds

    return judged


for _name in _QUESTIONS:
    setattr(_ReadState, _name, _noting(_name))
for _name in _QUANTIFIERS:
    setattr(_ReadState, _name, _judging(_name))


def witness(failed: StateProperty, params: Params, snapshot: Snapshot) -> str:
    """The answers on which the property fails in that state, place by place; '' if it holds.

    Such as `kd 0 row 0 chain 1: tick_exists 1, full 1, chain_max 2, true_length 1`.
    """
    state = _ReadState(params, snapshot)
    if failed.predicate(state):
        return ""
    places: dict[str, dict[str, int]] = {}
    for read in state.reads:
        places.setdefault(_place(read), {})[_word(read)] = read.answer
    for place in [*places]:
        _join_kd(places, place)
    told = [
        ": ".join(filter(None, (place, ", ".join(f"{k} {v}" for k, v in answers.items()))))
        for place, answers in places.items()
    ]
    return "; ".join(told[:_MOST]) + ("; ..." if len(told) > _MOST else "")


def _join_kd(places: dict[str, dict[str, int]], place: str) -> None:
    """What is known of a kd as a whole is told with its only row or chain."""
    inner = [each for each in places if each.startswith(f"{place} ")]
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
