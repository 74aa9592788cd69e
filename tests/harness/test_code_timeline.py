"""A schedule of code as a timeline: who did what, in which line of the source."""

from pathlib import Path
from typing import Any

import pytest

from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.schedules import timeline
from ipvs_est_checks.harness.schedules.timeline import code_lines
from ipvs_est_checks.subjects.schedules import RunStep, ScheduleOutcome

PLACES = {
    7: "ip_vs_stop_estimator (net/netfilter/ipvs/ip_vs_est.c:521)",
    8: "ip_vs_stop_estimator (net/netfilter/ipvs/ip_vs_est.c:530)",
    9: "",
}


def test_steps_stand_in_the_column_of_their_task_with_their_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = (
        RunStep(4, (4, 3), False, "CTL", ""),
        RunStep(4, (4, 3), True, "CTL", "lock est_mutex"),
        RunStep(3, (4, 3), True, "ipvs-e:0", "read genid"),
        RunStep(0, (4, 0), False, "time", ""),
        RunStep(0, (4, 0), False, "time", ""),
        RunStep(4, (4,), False, "CTL", "unlocked est_mutex"),
    )
    asked: list[dict[str, object]] = []

    def ask(line: dict[str, object]) -> dict[str, Any]:
        asked.append(line)
        return {"schedule": {"frames": [[], [9, 7], [9], [], [], [8]]}}

    monkeypatch.setattr(timeline, "source_places", lambda _, wanted: {e: PLACES[e] for e in wanted})
    run = ScheduleOutcome("done", steps, (), (), None)
    lines = list(code_lines(ask, Path("x"), load("last-estimator-goes"), run, fields=False))
    assert asked[0]["frames"] is True
    assert [" ".join(line.split()) for line in lines] == [
        "CTL ipvs-e:0 time",
        "1 begins",
        "[ip_vs_stop_estimator, ip_vs_est.c]",
        "2 lock est_mutex :521",
        "3 !reads genid",
        "4 2 jiffies pass",
        "5 unlocked est_mutex :530",
        "!: takes the processor from a task that could go on, or lets time pass meanwhile",
    ]
