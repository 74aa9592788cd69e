"""What a run on subjects says of itself: its headline, its causes, what it could not judge."""

import pickle
import sys
from dataclasses import replace

import pytest

from command_line import CHECKOUT, environment
from ipvs_est import MAINLINE, REVISIONS
from ipvs_est_checks.conformance.recordings import recordings
from ipvs_est_checks.engines import subject as engine
from ipvs_est_checks.engines.subject import Asked, engines_of
from ipvs_est_checks.history.subject_failure import ANSWER, RECORDED
from ipvs_est_checks.report.causes import causes
from ipvs_est_checks.report.conclusion import conclusion, remarks
from ipvs_est_checks.report.rows import Problem, Request, Row
from ipvs_est_checks.report.table import stage_line
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.subjects.keeper import Keeper, stop

ODD = CHECKOUT / "tests" / "helpers" / "faults" / "odd_subject.py"
NOTHING = Row("place.total", "", "subject", Verdict.NOT_JUDGED, "sampled", 0, 0.0)
COMPARED = Row(ANSWER, "It answers the same.", "subject", Verdict.PASS, "compared", 900, 0.0)
TRACES = Row(RECORDED, "It answers what was recorded.", "subject", Verdict.PASS, "recorded", 56, 0)


def said(*rows: Row, subjects: tuple[str, ...] = ("subject",), complete: bool = True) -> str:
    return conclusion(rows, subjects, causes(rows), complete=complete).partition(" (")[0]


def test_the_headline_says_how_much_is_behind_it() -> None:
    assert said(COMPARED, TRACES, NOTHING) == (
        "nothing wrong is found: 900 answers compared, 56 recordings,"
        " 0 of 68 properties judged on 1 subject"
    )
    judged = replace(NOTHING, verdict=Verdict.PASS)
    other = replace(judged, revision="subject-2")
    assert said(judged, other, subjects=("subject", "subject-2")) == (
        "nothing wrong is found: 1 of 68 properties judged on 2 subjects"
    )
    assert said(COMPARED, complete=False).startswith(
        "interrupted: so far as it went, nothing wrong is found: 900 answers compared"
    )
    shown = replace(judged, verdict=Verdict.FINDING, findings=("F12",))
    assert said(shown).endswith("1 of 68 properties judged, it shows F12 on 1 subject")


def test_what_is_not_judged_is_no_incomplete_check_and_has_its_reason() -> None:
    assert stage_line([NOTHING], 0.0) == "sampled: 1 checks, 0 cases, none judged, 0.0 s"
    assert list(remarks([NOTHING])) == ["not judged: place.total: nothing tells of it"]


def failing(subject: str, detail: str, *operations: str) -> Row:
    problem = Problem(ANSWER, subject, detail, operations, None, "", header="{}")
    return replace(COMPARED, revision=subject, verdict=Verdict.FAIL, problems=(problem,))


def test_subjects_that_fail_otherwise_have_causes_of_their_own() -> None:
    one = failing("subject-1", "ret: 1, not 0", '{"op": "tot"}')
    other = failing("subject-2", "ret: 2, not 0", '{"op": "tot"}')
    found = causes([one, other])
    assert [(shared_cause.revisions, shared_cause.problem.detail) for shared_cause in found] == [
        (("subject-1",), "ret: 1, not 0"),
        (("subject-2",), "ret: 2, not 0"),
    ]
    several = replace(one, problems=tuple(replace(one.problems[0], detail=f"{n}") for n in "12"))
    (together,) = causes([several])
    assert (together.revisions, together.problems) == (("subject-1",), 2)
    (alike,) = causes([one, failing("subject-2", "ret: 1, not 0", '{"op": "tot"}')])
    assert alike.revisions == ("subject-1", "subject-2")


def test_recordings_are_asked_also_where_the_revision_came_from_another_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    some = [recording for recording in recordings() if recording.name == "early-3019.jsonl"]
    monkeypatch.setattr(engine, "recordings", lambda: some)
    copied = pickle.loads(pickle.dumps(MAINLINE))
    assert copied is not MAINLINE
    keeper = Keeper(f"'{sys.executable}' '{ODD}' none 0", 60)
    try:
        _, recorded, _ = engines_of(Asked(keeper, copied))
        (row,) = recorded(Request(tuple(REVISIONS.values()), "quick", None, 1, 1, None))
    finally:
        stop(keeper)
    assert (row.verdict, row.cases, row.remark) == (Verdict.PASS, 1, "")
