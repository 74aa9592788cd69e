"""The numbers that the documents state of the project are those of the code."""

import re
from pathlib import Path

from faults.planted_faults import FAULTS
from ipvs_est_checks.defects.table import CONTROLS, DEFECTS, REVIEWED
from ipvs_est_checks.documents import sections
from ipvs_est_checks.explore.scenarios.scenario import library
from ipvs_est_checks.mutants.mutant import Engine
from ipvs_est_checks.mutants.registry import BY_ID as MUTANTS
from ipvs_est_checks.proving.counterexamples.registry import kind_of
from ipvs_est_spec.proof.registry import THEOREMS

CHECKOUT = Path(__file__).resolve().parents[2]


def plain(page: str) -> str:
    """The page in one line."""
    return re.sub(r"\s+", " ", (CHECKOUT / "docs" / page).read_text(encoding="utf-8"))


def test_planted_faults() -> None:
    direct = sum(1 for fault in FAULTS if fault.uncaught and fault.test)
    nobody = sum(1 for fault in FAULTS if fault.uncaught and not fault.test)
    assert (
        f"{len(FAULTS)} faults planted one after another: the recordings catch"
        f" {len(FAULTS) - direct - nobody}, direct tests another {direct},"
        f" {nobody} change nothing" in plain("explanation/checks.md")
    )


def test_every_planted_fault_names_a_section_of_the_behaviour() -> None:
    named = {number for fault in FAULTS for number in re.findall(r"\d+(?:\.\d)?", fault.section)}
    assert named
    assert named <= sections().keys()


def test_mutants() -> None:
    equivalent = sum(1 for mutant in MUTANTS.values() if mutant.engine is Engine.BUFFERS)
    assert f"{len(MUTANTS)} mutants of the model, {len(MUTANTS) - equivalent} killed" in plain(
        "explanation/checks.md"
    )


def test_known_defects() -> None:
    assert (
        f"{len(DEFECTS)} defects, {len(REVIEWED)} mistakes from the reviews and"
        f" {len(CONTROLS)} negative controls" in plain("explanation/checks.md")
    )


def test_theorems() -> None:
    replayed = sum(1 for theorem in THEOREMS if kind_of(theorem).value != "none")
    assert f"of {replayed} of {len(THEOREMS)} theorems are executed" in plain(
        "explanation/checks.md"
    )


def test_recordings() -> None:
    files = [*(CHECKOUT / "tests" / "data" / "traces").glob("*.jsonl")]
    # A header, and an operation a line.
    operations = sum(file.read_bytes().count(b"\n") - 1 for file in files)
    assert f"{len(files)} traces with {operations:,} operations" in plain("explanation/checks.md")
    assert f"| {len(files)} histories of one schedule |" in plain("explanation/checks.md")


def test_scenarios() -> None:
    assert f"scenarios/library/` {len(library())} examples" in plain("how-to/explore-a-race.md")
