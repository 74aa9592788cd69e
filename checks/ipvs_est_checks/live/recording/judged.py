"""A live log under the properties of records: with a tolerance for wake-ups that come late."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est.language.events import Estimated, Event, TaskStarted
from ipvs_est_checks.broken_properties import record_properties
from ipvs_est_checks.known.registry import findings_of
from ipvs_est_checks.live.recording.live_log import LiveLog
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.case_words import named_numbers
from ipvs_est_spec.property import Case, RecordProperty

TOLERANCE = 2
"""Jiffies."""
_TIMED = frozenset({"delay.closest", "delay.period", "delay.longest"})
"""The first number of their cases is a time that a late wake-up changes."""
_STEADY = "delay.period"
"""Is about tasks that have run for two revolutions."""
JUDGED = _TIMED | {"tasks.enabled"}
"""What the events of a live log are enough for. The others need what no probe sees: places being
chosen, limits being measured, locks, counters."""

_ALGEBRA = PythonAlgebra()


@dataclass(frozen=True, slots=True)
class JudgedRecord:
    """What a live log says of one property."""

    property: RecordProperty
    verdict: Verdict
    cases: int
    failing: int
    reason: str = ""
    worst: str = ""
    """The case that fails most often, in words."""
    findings: tuple[str, ...] = ()
    mean: float = 0.0
    """Of one about times: jiffies, over all its cases."""


def judge_live_log(log: LiveLog, tolerance: int) -> Iterator[JudgedRecord]:
    """Each property of records, in the order of the catalogue."""
    for prop in record_properties(None):
        if prop.id not in JUDGED:
            reason = "no probe of a live log tells what it is about"
            yield JudgedRecord(prop, Verdict.NOT_JUDGED, 0, 0, reason)
            continue
        if log.lost:
            reason = f"{log.lost} events are lost"
            yield JudgedRecord(prop, Verdict.NOT_JUDGED, 0, 0, reason)
            continue
        counts = Counter(prop.cases(log.params, _events(prop, log)))
        failing = Counter(
            {case: count for case, count in counts.items() if not _holds(prop, case, tolerance)}
        )
        if not counts:
            yield JudgedRecord(prop, Verdict.NOT_JUDGED, 0, 0, "there was no case of it")
        elif failing:
            ((case, _),) = failing.most_common(1)
            yield JudgedRecord(
                prop,
                Verdict.FAIL,
                counts.total(),
                failing.total(),
                worst=named_numbers(prop.id, case),
                findings=findings_of(log.revision, prop.id),
                mean=_mean(counts) if prop.id in _TIMED else 0.0,
            )
        else:
            yield JudgedRecord(prop, Verdict.PASS, counts.total(), 0)


def _mean(counts: Counter[Case]) -> float:
    return sum(case[0] * count for case, count in counts.items()) / counts.total()


def _events(judged: RecordProperty, log: LiveLog) -> Sequence[Event]:
    """Those of the log; a kthread that ran before it has run at least since its beginning."""
    if judged.id != _STEADY or not log.events:
        return log.events
    began = log.events[0].jiffies
    ktids = sorted({event.ktid for event in log.events if isinstance(event, Estimated)})
    return [*[TaskStarted(began, ktid, True) for ktid in ktids], *log.events]


def _holds(judged: RecordProperty, case: Case, tolerance: int) -> bool:
    """Whether it holds, or would if the time were so little shorter or longer."""
    if judged.id not in _TIMED:
        return judged.predicate(_ALGEBRA, case)
    return any(
        judged.predicate(_ALGEBRA, (case[0] + by, *case[1:]))
        for by in range(-tolerance, tolerance + 1)
    )
