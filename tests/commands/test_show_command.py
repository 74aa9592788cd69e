"""`ipvs-est show`: what is known of one id."""

import pytest

from command_line import here
from ipvs_est_checks.cli.about import about, known_ids
from ipvs_est_checks.documents import sections
from ipvs_est_checks.known.registry import ALL

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("id_", "said"),
    [
        ("bitmaps.full", "  broken by F02 on v7, v7-unwind, stable, mainline: "),
        ("bitmaps.full", "  defined: ipvs_est_spec.properties.bitmaps:full_iff_at_chain_max;"),
        ("bitmaps.full", "  mutants that have to break it: P-full"),
        ("memory.leak", "  holds: at every step"),
        ("context.row", "  of random histories alone"),
        ("timer.hz", "  must not hold when changed so: "),
        ("F16", "  shown by schedules of scenario exit-and-sysctl with up to 1 preemptions"),
        ("F01", "**Consequence.** An out-of-bounds write by kthread 0"),
        ("D07", "  finding F04: "),
        ("D07", "### D07: use after free in the calc phase"),
        ("5.3", "### 5.3 The row"),
        ("B2", "## B2: with an HZ that is no multiple of 25"),
        ("D30", "  - row = find_last_bit_upto(avail, nticks, crow)"),
        ("R4-barrier", "  equivalent: "),
        ("exit-and-sysctl", "  shows: F16, R6-enable, R6-order"),
        ("array.hole", "situation array.hole: a slot below the last is empty"),
    ],
)
def test_it_tells_what_an_id_is(id_: str, said: str, capsys: Capture) -> None:
    run = here(capsys, "show", id_)
    assert (run.code, run.err) == (0, "")
    assert any(line.startswith(said) for line in run.out.splitlines()), run.out


def test_an_id_of_two_things_is_told_as_both(capsys: Capture) -> None:
    out = here(capsys, "show", "D02").out
    assert "known defect, mutant, D02: " in out
    assert "\nmutant D02: " in out


def test_an_unknown_id_is_told_with_what_may_be_meant(capsys: Capture) -> None:
    run = here(capsys, "show", "bitmap.full")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("Error: no such id: bitmap.full; did you mean bitmaps.full")


def test_every_id_has_something_to_tell_and_how_to_run_it() -> None:
    for id_ in known_ids():
        to_run = any(line.startswith("  run: ipvs-est ") for line in about(id_))
        assert to_run or id_ in sections(), id_


def test_every_finding_has_its_explanation_in_the_package() -> None:
    for finding in ALL:
        text = sections()[finding.id].text
        assert text.startswith(f"# {finding.id}: ")
        assert all(f"`{name}`" in text for name in finding.properties), finding.id
