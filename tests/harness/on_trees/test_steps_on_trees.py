"""Model and code step by step: equal as they are, parted by a planted mistake of the model."""

import shlex
from pathlib import Path

import pytest

from command_line import here
from ipvs_est import REVISIONS
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.steps import compare
from ipvs_est_checks.harness.steps.compare import Compared
from ipvs_est_checks.harness.steps.session import StepsSession, compare_scenario
from ipvs_est_checks.text_edits import Edit, applied
from kernels.kernel_trees import need_tree

SCENARIOS = ("exit-in-drain", "restart-in-drain", "delete-while-kthreads-read")
PLANTED = {
    "a missing lock": (
        Edit("control.sysctl:set_nice", "    yield machine.lock_est\n", ""),
        "restart-in-drain",
        "lock est_mutex",
    ),
    "a swapped step": (
        Edit(
            "estimator.kthread:estimation_kthread",
            "        if kd.id == 0 and netns.est_temp_list.next is not None:\n"
            "            yield from drain_temp_list(machine, task)\n"
            "        if machine.interleaved:\n"
            "            yield reads_stop_request(task)\n"
            "        if task.should_stop:\n"
            "            return\n",
            "        if machine.interleaved:\n"
            "            yield reads_stop_request(task)\n"
            "        if task.should_stop:\n"
            "            return\n"
            "        if kd.id == 0 and netns.est_temp_list.next is not None:\n"
            "            yield from drain_temp_list(machine, task)\n",
        ),
        "restart-in-drain",
        "the model stands at",
    ),
    "a wrong value": (
        Edit("control.sysctl:set_nice", "netns.est_nice = value", "netns.est_nice = value + 1"),
        "restart-in-drain",
        "sysctls.nice is 2 in the model, 1 in the code",
    ),
}


def compared(series: tuple[int, int], name: str, schedules: int) -> tuple[list[str], Compared]:
    revision = REVISIONS["mainline" if series >= (7, 3) else "stable"]
    done = Compared()
    session = StepsSession(need_tree(series), revision, 1, schedules, None)
    return compare_scenario(session, load(name), done, lambda: None), done


@pytest.mark.parametrize("series", [(7, 3), (6, 12)])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_code_goes_the_models_way_under_random_schedules(
    series: tuple[int, int], name: str
) -> None:
    lines, done = compared(series, name, 16)
    assert lines == []
    assert done.schedules == 16
    assert done.points > 16 * 10
    assert done.snapshots >= 16


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_mistake_of_the_model_is_found_and_told(planted: str) -> None:
    edit, name, text = PLANTED[planted]
    with applied([edit]):
        lines, _ = compared((7, 3), name, 64)
    assert lines, "no schedule has shown it"
    assert text in lines[0]
    # The way there: each step with the place in the user's source.
    assert any("net/netfilter/ipvs/ip_vs_" in line for line in lines)


def command(series: tuple[int, int], *arguments: str) -> tuple[str, ...]:
    return ("compare-steps", "--tree", str(need_tree(series).path), "--seed", "7", *arguments)


def test_the_command_counts_the_same_in_any_number_of_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = command((7, 3), *SCENARIOS, "--schedules", "20", "-j")
    alone, shared = here(capsys, *words, "1"), here(capsys, *words, "2")
    assert alone == shared
    assert alone.code == 0
    first, *rows, last = alone.out.splitlines()
    assert first.endswith("model mainline, seed 7")
    assert [row.split(":")[0] for row in rows] == [f"equal  {name}" for name in SCENARIOS]
    assert last.startswith("in all: 60 schedules; ")
    assert last.endswith("; 0 scenarios differ, 0 not compared")


def test_generated_scenarios_are_compared_or_left_out_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = command((7, 3), "exit-in-drain", "--generated", "2", "--schedules", "5", "-j", "1")
    run = here(capsys, *words)
    assert run.code == 0
    generated = [row for row in run.out.splitlines() if " generated" in row]
    assert len(generated) == 2
    assert all(
        row.startswith(("equal  generated: ", "not compared generated: ")) for row in generated
    )
    assert any(row.startswith("equal  generated: 5 schedules; ") for row in generated)


def test_the_command_tells_where_they_part_and_how_to_see_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    edit, name, text = PLANTED["a wrong value"]
    with applied([edit]):
        run = here(capsys, *command((7, 3), name, "--schedules", "64", "-j", "1"))
        assert run.code == 1
        assert f"DIFFER {name}: " in run.out
        assert text in run.out
        (again,) = [line for line in run.out.splitlines() if line.startswith("  again: ")]
        once_more = here(capsys, *shlex.split(again.removeprefix("  again: ipvs-est ")))
    assert once_more.code == 1
    assert text in once_more.out
    assert f"DIFFER {name}: 1 schedules; " in once_more.out


def test_an_interrupted_command_tells_how_much_it_has_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compared_one = compare._compared
    count = 0

    def interrupted(*arguments: object) -> object:
        nonlocal count
        count += 1
        if count == 26:
            raise KeyboardInterrupt
        return compared_one(*arguments)  # type: ignore[arg-type]  # as they were given

    monkeypatch.setattr(compare, "_compared", interrupted)
    run = here(capsys, *command((7, 3), *SCENARIOS, "--schedules", "20", "-j", "1"))
    assert run.code == 130
    _, first, last = run.out.splitlines()
    assert first.startswith(f"equal  {SCENARIOS[0]}: 20 schedules; ")
    assert last.startswith("interrupted: in all: 25 schedules; ")


def test_a_tree_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = here(capsys, "compare-steps", "--tree", tmp_path)
    assert run.code == 2
    assert run.out == ""
    assert str(tmp_path) in run.err
    assert len(run.err.splitlines()) == 1
