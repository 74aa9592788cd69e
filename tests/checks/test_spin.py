"""The protocol in Promela is the protocol of the proofs, state for state."""

import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

from ipvs_est import REVISIONS
from ipvs_est_checks.bench import spin
from ipvs_est_checks.bench.promela import promela
from ipvs_est_checks.cli.commands import bench as bench_module
from ipvs_est_checks.cli.commands.bench import bench
from ipvs_est_spec.proof.protocol.bad_runs import DEADLOCKS
from ipvs_est_spec.proof.protocol.expression import Holds
from ipvs_est_spec.proof.protocol.programs.parts import CTL, KT0, WORK
from ipvs_est_spec.proof.protocol.system import ProtocolSystem, system

ACTORS = (CTL, KT0, WORK)
"""Without the others a search takes a second."""


def some(revision: str) -> ProtocolSystem:
    whole = system(REVISIONS[revision])
    return replace(whole, steps=tuple(step for step in whole.steps if step.actor in ACTORS))


def test_each_step_of_the_protocol_is_one_of_the_promela_model() -> None:
    for name, revision in REVISIONS.items():
        one = system(revision)
        text = promela(one, one.initial[0])
        assert text.count(":: d_step {") == len(one.steps), name
        assert text.count("active proctype") == 6
        assert "never" not in text


def test_a_predicate_of_the_catalogue_is_refused() -> None:
    one = some("stable")
    with pytest.raises(ValueError, match="no form in Promela"):
        promela(one, one.initial[0], Holds(lambda algebra, numbers: algebra.every(()), ()))


@pytest.mark.skipif(bool(spin.missing()), reason="Spin, or a C compiler, is not installed")
def test_spin_reaches_as_many_states_as_the_search() -> None:
    one = some("stable")
    theirs, ours = spin.spin_walk(one, one.initial[0]), spin.search(one, one.initial[0])
    assert (theirs.found, theirs.states) == (False, ours.states)
    assert ours.states > 1_000


@pytest.mark.skipif(bool(spin.missing()), reason="Spin, or a C compiler, is not installed")
def test_spin_finds_a_deadlock_where_the_search_does() -> None:
    """D03d, on stable; on mainline the context of the last estimator stays until netns exit."""
    bad = next(deadlock for deadlock in DEADLOCKS if deadlock.id == "d").bad
    one, mended = some("stable"), some("mainline")
    assert spin.spin_walk(one, one.initial[0], bad(one)).found
    assert spin.search(one, one.initial[0], bad(one)).found
    assert not spin.search(mended, mended.initial[0], bad(mended)).found


def test_a_bench_without_spin_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "spin" else name)
    result = CliRunner().invoke(bench, ["--spin", "--no-explore", "--no-subject"])
    assert result.exit_code == 2
    assert "--spin: needs spin, which is not installed" in result.output


def test_a_failure_of_spin_is_told_by_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: int) -> spin.SpinBench:
        raise spin.SpinError("spin: out of memory")

    monkeypatch.setattr(bench_module, "bench_spin", lambda: map(failing, (1,)))
    monkeypatch.setattr(bench_module, "missing", tuple)
    result = CliRunner().invoke(
        bench, ["--spin", "--no-explore", "--no-subject", "--estimators", "1", "--repeat", "1"]
    )
    assert result.exit_code == 3
    assert "spin: out of memory" in result.output
