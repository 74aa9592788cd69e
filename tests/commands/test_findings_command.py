"""`ipvs-est findings`: the list of all of them, and those told that need a schedule."""

import re
from pathlib import Path

import pytest

from command_line import here
from ipvs_est import MAINLINE, REPAIRED, V7
from ipvs_est.language.violations import BrokenProperty, Violation
from ipvs_est_checks.cli.commands import findings as cli_findings
from ipvs_est_checks.documents import sections
from ipvs_est_checks.explore.engine.run import Tally
from ipvs_est_checks.explore.failures.token import replay_token, token_from_text
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.timeline.steps import Timeline
from ipvs_est_checks.known.by_history import BY_HISTORY
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.schedule_story import search_finding
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

Capture = pytest.CaptureFixture[str]
CHECKOUT = Path(__file__).resolve().parents[2]

by_id = pytest.mark.parametrize("finding", BY_SCHEDULE, ids=lambda finding: finding.id)


def quietly(tally: Tally) -> None:
    """No progress."""
    del tally


def broken_by(violation: Violation | None) -> str:
    """The property that it breaks."""
    if isinstance(violation, BrokenProperty):
        return violation.property
    (broken,) = (prop for prop in VIOLATION_PROPERTIES if isinstance(violation, prop.kinds))
    return broken.id


def replayed(output: str) -> Timeline:
    """The schedule of the token that the output ends with."""
    command = output.splitlines()[-1]
    assert command.startswith("  again: ipvs-est explore --replay e3:")
    token = token_from_text(command.rpartition(" ")[2])
    return replay_token(load(token.scenario), token)


def test_a_history_is_told_in_words_and_with_the_command_that_replays_it(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CHECKOUT)
    lines = here(capsys, "findings", "F05").out.splitlines()
    assert lines[1] == (
        "breaks progress.room, on v7 (since 6.2), v7-unwind (6.12.95), stable (6.12.117), mainline"
        " (7.3.4); `ipvs-est show F05` explains it"
    )
    assert lines[2] == (
        "HZ 100, IPVS_EST_NTICKS 1 (in the kernel 50), IPVS_EST_TICK_CHAINS 2 (in the kernel 48),"
        " 1 possible CPU, 23750 ns to estimate one estimator"
    )
    assert ' 10  {"op": "del", "id": 6}  # the estimator of 6 stops' in lines
    file = "checks/ipvs_est_checks/known/histories/F05.jsonl"
    assert lines[-1] == f"replayed as a trace: ipvs-est replay -v --revision mainline {file}"
    assert here(capsys, *lines[-1].partition("ipvs-est ")[2].split()).code == 0


@pytest.mark.parametrize("revision", ["v7", "stable", "mainline"])
def test_a_history_of_a_revision_of_its_own_is_what_is_told(revision: str, capsys: Capture) -> None:
    shown = here(capsys, "findings", "F21", "--revision", revision)
    assert shown.code == 0
    nth = 4 if revision == "mainline" else 5
    assert f'  4  {{"op": "fail_allocations", "nth": {nth}}}' in shown.out
    file = "F21.jsonl" if revision == "mainline" else f"F21.{revision}.jsonl"
    assert shown.out.splitlines()[-1].endswith(f"/{file}")


def test_what_only_time_or_the_whole_record_shows_is_told_as_that(capsys: Capture) -> None:
    text = here(capsys, "findings", "F12", "--revision", "stable").out
    quiet = text.index("     then 400 jiffies pass, in which all that was requested can be done\n")
    # Where the total is by then, and what it breaks.
    place = text.index("       kd 1 row 0: no tick -> chain 0 [0], chain 1 [1]", quiet)
    broken = text.index("     ! place.total: ", place)
    back = text.index("     looking back at all that has happened:\n", broken)
    # Another finding's failure is not this one's.
    assert text.index("     also locks.est-fields (recorded: F06, F07): ", back)
    assert "! locks.est-fields" not in text


def test_all_findings_are_listed_in_the_order_of_their_numbers(capsys: Capture) -> None:
    listed = here(capsys, "findings")
    assert (listed.code, listed.err) == (0, "")
    # F24 was a mistake of the model.
    assert [line.split()[0] for line in listed.out.splitlines()] == [
        f"F{number:02}" for number in range(1, 29) if number != 24
    ]
    for title in [finding.title for finding in BY_HISTORY] + [
        finding.title for finding in BY_SCHEDULE
    ]:
        assert f"  {title}" in listed.out


def test_listing_searches_nothing(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cli_findings, "search_finding")
    assert here(capsys, "findings").code == 0


@by_id
def test_a_scheduled_finding_is_told_with_a_token_that_replays_it(
    finding: Finding, capsys: Capture
) -> None:
    shown = here(capsys, "findings", finding.id)
    assert shown.code == 0
    revision = finding.revisions[-1]
    assert shown.out.startswith(f"{finding.id} on {revision}: {finding.title}\n")
    violation = replayed(shown.out).violation
    assert broken_by(violation) == finding.properties[0]
    if isinstance(violation, BrokenProperty):
        assert f"  {violation.property} does not hold: " in shown.out


@by_id
def test_a_scheduled_finding_is_gone_when_repaired(finding: Finding, capsys: Capture) -> None:
    shown = here(capsys, "findings", finding.id, "--revision", "repaired")
    assert shown.code == 0
    assert shown.out.endswith(f"     no schedule breaks {', '.join(finding.properties)}\n")
    assert "again:" not in shown.out


def test_other_failures_of_a_revision_do_not_hide_the_finding() -> None:
    (finding,) = [finding for finding in BY_SCHEDULE if finding.id == "F18"]
    row = search_finding(finding, V7, quietly)
    # Some schedules end with a use after free (F04) before.
    assert row.result.outcome.figures.failed > 1
    (failure,) = row.result.failures
    assert isinstance(failure.found.violation, BrokenProperty)
    assert failure.found.violation.property == "limits.max-threads"


def test_a_finding_that_shows_elsewhere_than_recorded_fails(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (finding,) = [finding for finding in BY_SCHEDULE if finding.id == "F19"]
    shown = search_finding(finding, V7, quietly)
    gone = search_finding(finding, REPAIRED, quietly)
    assert (shown.verdict, gone.verdict) == (Verdict.FAIL, Verdict.PASS)
    monkeypatch.setattr(cli_findings, "search_finding", lambda *_: shown)
    assert here(capsys, "findings", "F19", "--revision", MAINLINE.name).code == 1
    monkeypatch.setattr(cli_findings, "search_finding", lambda *_: gone)
    assert here(capsys, "findings", "F19", "--revision", V7.name).code == 1
    assert here(capsys, "findings", "F19", "F01", "--revision", V7.name).code == 1


def test_findings_of_both_kinds_are_told_in_the_order_asked_for(capsys: Capture) -> None:
    shown = here(capsys, "findings", "F19", "F01", "--revision", "v7")
    assert shown.code == 0
    assert shown.out.index("F19 on v7: ") < shown.out.index("F01 on v7: ")


def test_an_unknown_finding_is_refused_before_anything_is_searched(capsys: Capture) -> None:
    refused = here(capsys, "findings", "F16", "F99", "f1")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("Error: no such finding: F99; did you mean F")


TOKENS = re.findall(
    r"^(F\d+) (e3:\S+)$",
    "\n".join(sections()[finding.id].text for finding in BY_SCHEDULE),
    flags=re.MULTILINE,
)


def test_each_finding_that_needs_a_schedule_has_its_token_in_the_document() -> None:
    assert [id_ for id_, _ in TOKENS] == [finding.id for finding in BY_SCHEDULE]


@pytest.mark.parametrize(("id_", "text"), TOKENS)
def test_a_token_of_the_document_breaks_a_property_of_its_finding(id_: str, text: str) -> None:
    (finding,) = (finding for finding in BY_SCHEDULE if finding.id == id_)
    token = token_from_text(text)
    assert token.revision.name in finding.revisions
    violation = replay_token(load(token.scenario), token).violation
    assert broken_by(violation) == finding.properties[0]
