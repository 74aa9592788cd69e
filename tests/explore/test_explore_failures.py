"""Failures of the explorer: tokens, reduction, timelines, reports, and the commands they name."""

import json
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from ipvs_est import MAINLINE, REVISIONS, STABLE, V7, Revision
from ipvs_est.language.input_error import InputError
from ipvs_est.language.violations import BrokenProperty, Deadlock, InvalidPointer, UseAfterFree
from ipvs_est_checks.cli.commands import explore as explore_command
from ipvs_est_checks.cli.group import cli, run
from ipvs_est_checks.explore.engine.beginning import fit
from ipvs_est_checks.explore.engine.job import Job, JobKind, Settings, do_job
from ipvs_est_checks.explore.engine.outcome import Bounds, Found, failure_key, switches
from ipvs_est_checks.explore.engine.run import Tally
from ipvs_est_checks.explore.engine.run import run as run_schedules
from ipvs_est_checks.explore.engine.watch import WATCHED, Watch
from ipvs_est_checks.explore.engine.world import TIME, enabled, start
from ipvs_est_checks.explore.failures.cause import cause_of
from ipvs_est_checks.explore.failures.minimise import minimise
from ipvs_est_checks.explore.failures.token import replay_token, token_from_text, token_text
from ipvs_est_checks.explore.scenarios import scenario as scenarios
from ipvs_est_checks.explore.scenarios.scenario import Scenario, load, scenario_from_text
from ipvs_est_checks.explore.schedulers.dfs import Dfs, explore_dfs
from ipvs_est_checks.explore.schedulers.pct import Pct
from ipvs_est_checks.explore.schedulers.random_walk import RandomWalk
from ipvs_est_checks.explore.schedulers.scheduler import Scheduler, switch_cost, system_of
from ipvs_est_checks.explore.timeline.lines import runs_of
from ipvs_est_checks.explore.timeline.steps import timeline
from ipvs_est_checks.explore.timeline.text import timeline_lines
from ipvs_est_checks.known.by_history import BY_HISTORY
from ipvs_est_checks.known.failures import watched_by_default
from ipvs_est_spec.catalogue import PROPERTIES
from toy_worlds import Toy, counting, orders, outcome

ERRORS = ("--property", "none")
"""Only memory errors and deadlocks."""
FOLDER = Path(scenarios.__file__).parent / "library"


def first_failure(scenario: Scenario, revision: Revision) -> Found:
    found = explore_dfs(scenario, revision, Bounds()).found
    assert found is not None
    return found


@pytest.fixture(scope="module")
def drain() -> Scenario:
    """Deadlocks in the drain on v7 and stable (D03c)."""
    return load("restart-in-drain")


@pytest.fixture(scope="module")
def drain_token(drain: Scenario) -> str:
    return token_text(drain, V7, first_failure(drain, V7).choices)


# Tokens


def test_a_token_replays_its_schedule_exactly(drain: Scenario, drain_token: str) -> None:
    found = first_failure(drain, V7)
    token = token_from_text(drain_token)
    assert (token.scenario, token.revision, token.choices) == (drain.name, V7, found.choices)
    shown = replay_token(drain, token)
    assert shown.violation == found.violation
    assert shown == timeline(drain, V7, found.choices)


@pytest.mark.parametrize(
    "change",
    [{"jiffies": 11}, {"params": {"hz": 250}}, {"setup": [{"op": "init"}]}],
    ids=["jiffies", "params", "setup"],
)
def test_a_token_of_another_scenario_is_refused(
    drain: Scenario, drain_token: str, change: dict[str, object]
) -> None:
    value = json.loads((FOLDER / "restart-in-drain.json").read_text())
    changed = scenario_from_text(drain.name, json.dumps({**value, **change}))
    with pytest.raises(InputError, match="is of another scenario than restart-in-drain is now"):
        replay_token(changed, token_from_text(drain_token))


def test_names_and_layout_of_a_scenario_do_not_matter_to_its_tokens(
    drain: Scenario, drain_token: str
) -> None:
    value = json.loads((FOLDER / "restart-in-drain.json").read_text())
    text = json.dumps({**value, "about": "something else"}, indent=7)
    moved = scenario_from_text("elsewhere", text)
    shown = replay_token(moved, token_from_text(drain_token))
    assert shown == replay_token(drain, token_from_text(drain_token))


def test_a_token_whose_history_has_become_another_is_refused(
    drain: Scenario, drain_token: str
) -> None:
    """The choices can be followed, but a step that they stand for is another by now."""
    parts = drain_token.split(":")
    shorter = ":".join([*parts[:4], "0", parts[5]])
    with pytest.raises(InputError, match="its history is not this"):
        replay_token(drain, token_from_text(shorter))


def test_a_refused_token_says_how_far_it_can_be_followed(drain: Scenario, drain_token: str) -> None:
    """`repaired` takes other steps, and the token of v7 ceases to fit there."""
    token = replace(token_from_text(drain_token), revision=REVISIONS["repaired"])
    with pytest.raises(InputError) as refused:
        replay_token(drain, token)
    shown = re.search(r"step (\d+): \d+ cannot go on there; --continue", str(refused.value))
    assert shown is not None
    found = fit(drain, REVISIONS["repaired"], token.choices)
    assert len(found.choices) == int(shown[1]) - 1
    assert found.why == "CTL cannot go on there"
    assert fit(drain, V7, token.choices[:-1]).why == ""
    assert "it fails there: " in fit(drain, V7, token.choices).why


def test_a_search_goes_on_where_a_token_ceases_to_fit(drain: Scenario, drain_token: str) -> None:
    command = ["explore", "--continue", drain_token, "--preemptions", "0", *ERRORS]
    # The last of its steps is what fails.
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    steps = len(token_from_text(drain_token).choices)
    assert (
        f"the token: {steps - 1} of its {steps} steps can be made: it fails there" in result.output
    )
    again = re.search(r"--replay (\S+)", result.output)
    assert again is not None
    assert CliRunner().invoke(cli, ["explore", "--replay", again[1]]).exit_code == 1
    drawn = CliRunner().invoke(cli, [*command, "--scheduler", "pos", "--seed", "1"])
    assert drawn.exit_code == 1
    mended = CliRunner().invoke(cli, [*command, "--revision", "repaired"])
    assert mended.exit_code == 0
    assert "restart-in-drain on repaired: PASS" in mended.output
    several = CliRunner().invoke(cli, [*command, "restart-in-drain", "restart-in-drain"])
    assert several.exit_code == 2


def test_what_is_searched_after_a_beginning_is_what_can_follow_it() -> None:
    """Every schedule has it; together with those of other beginnings they are all."""
    idle = load("exit-of-an-idle-netns")
    repaired = REVISIONS["repaired"]
    settings = Settings(JobKind.DFS, Bounds(20))
    whole = Job(idle.name, idle, repaired, settings)
    total = do_job(whole, Tally(), lambda _: None).outcome.figures
    world = start(idle, repaired)
    parts = [
        do_job(replace(whole, beginning=(number,)), Tally(), lambda _: None).outcome.figures
        for number in enabled(world)
    ]
    assert total.unbounded
    assert all(part.unbounded for part in parts)
    assert (
        max(part.states for part in parts) < total.states <= 1 + sum(part.states for part in parts)
    )


def bad_tokens(good: str) -> dict[str, str]:
    """What can be wrong with a token, and what is said about it."""
    version, name, revision, world, runs, end = good.split(":")

    def made(**parts: str) -> str:
        whole = {
            "version": version,
            "name": name,
            "revision": revision,
            "world": world,
            "runs": runs,
            "end": end,
        }
        return ":".join((whole | parts).values())

    return {
        "": "expected e3:SCENARIO:REVISION:WORLD:RUNS:END",
        "nonsense": "expected e3:SCENARIO:REVISION:WORLD:RUNS:END",
        good[:-3]: "END is not 8 hexadecimal digits: cut off?",
        good.rpartition(":")[0]: "expected e3:SCENARIO:REVISION:WORLD:RUNS:END",
        f"e1:{name}:v7:0": "is of version e1; this tool reads e3",
        good.replace("e3:", "e2:", 1): "is of version e2; this tool reads e3",
        made(runs="0,z"): "'z' is no run",
        made(runs=""): "'' is no run",
        made(runs="0x999999,1x999999"): "has more than 1000000 steps",
        made(runs="0x2,99"): "step 3: 99 cannot go on there",
        made(runs=f"{runs},0"): "the history ends at step",
        made(revision="v9"): "unknown kernel 'v9'",
        made(revision="mainline"): "",
        made(world="00000000"): "is of another scenario than restart-in-drain is now",
        made(end="00000000"): "is of another version of the model",
        ":".join([*good.split(":")[:5], "no.such", end]): "'no.such' is no property",
        ":".join([*good.split(":")[:5], "tasks.enabled", end]): "its history is not this",
        made(name="no-such"): "no such scenario: no-such; the library has",
        made(name="two-sysctl-writers"): "is of another scenario than two-sysctl-writers is now",
    }


def test_a_bad_token_gets_one_line_and_exit_code_2(
    drain_token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for token, complaint in bad_tokens(drain_token).items():
        assert run(["explore", "--replay", token]) == 2, token
        output = capsys.readouterr()
        assert output.out == ""
        assert complaint in output.err
        assert len(output.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ('{"scenario": 1, "about": "x", "tasks": {"A": [', "not JSON"),
        ("[]", "expected a JSON object"),
        ('{"scenario": 1, "about": "x", "tasks": {"A": 3}}', "tasks.A: expected a list"),
        ('{"scenario": 1, "about": "x"}', "tasks: missing"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_bad_scenario_file_gets_one_line_and_exit_code_2(
    text: str | bytes, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert run(["explore", str(path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert f"{path}: " in output.err
    assert complaint in output.err
    assert len(output.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("setup", "complaint"),
    [
        ('[{"op": "init"}]', 'setup: {"op": "init"}: the total\'s estimator exists already'),
        (
            '[{"op": "add_service", "id": 1}, {"op": "add_service", "id": 2},'
            ' {"op": "add_service", "id": 3}, {"op": "advance", "n": 350},'
            ' {"op": "write_cpulist", "text": "0"}, {"op": "advance", "n": 300}]',
            'setup: {"op": "advance", "n": 300}: breaks on v7 before any task begins: ',
        ),
    ],
)
def test_a_setup_that_cannot_be_done_gets_one_line_and_exit_code_2(
    setup: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.json"
    setup = setup.replace("[", '[{"op": "init"}, ', 1)
    tasks = '{"CTL": [{"op": "delete_service", "id": 1}]}'
    path.write_text(f'{{"scenario": 1, "about": "x", "setup": {setup}, "tasks": {tasks}}}')
    assert run(["explore", str(path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert f"{path}: {complaint}" in output.err
    assert len(output.err.splitlines()) == 1


def test_who_adds_what_another_task_has_added_meanwhile_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.json"
    service = '[{"op": "add_service", "id": 2}, {"op": "add_dest", "id": 3, "service": 2}]'
    started = '[{"op": "dest", "id": 4}]'
    tasks = f'{{"A": {service}, "B": {service}, "C": {started}, "D": {started}}}'
    path.write_text(f'{{"scenario": 1, "about": "x", "tasks": {tasks}}}')
    arguments = [str(path), "--revision", "repaired", "--preemptions", "0", "--property", "all"]
    assert run(["explore", *arguments]) == 0
    assert "PASS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no-such"], "no such scenario: no-such; the library has break-in-recalculation"),
        (["/nowhere/x.json"], "/nowhere/x.json: No such file or directory"),
        (["restart-in-drain", "--json", "/nowhere/r.json"], "--json /nowhere/r.json: No such file"),
        (["restart-in-drain", "--preemptions", "-1"], "-1 is not in the range"),
        (
            ["restart-in-drain", "--property", "no.such"],
            "no such property that is watched: no.such",
        ),
        (["restart-in-drain", "--property", "all", "--property", "none"], "all: stands alone"),
        (["a", "b", "--replay", "x"], "--replay: takes one SCENARIO at most"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_code_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explore", *arguments]) == 2
    output = capsys.readouterr()
    assert complaint in output.err
    assert len(output.err.splitlines()) == 1


# Reduction


def is_subsequence(pattern: Sequence[int], order: Sequence[int]) -> bool:
    left = iter(order)
    return all(number in left for number in pattern)


@pytest.mark.parametrize("pattern", [(1, 0), (0, 1, 0), (0, 1, 0, 1, 0), (2, 0, 1, 0)])
@pytest.mark.parametrize("make", [RandomWalk, lambda seed: Pct(seed, 6)])
def test_a_failure_is_reduced_to_the_fewest_context_switches(
    pattern: tuple[int, ...], make: Callable[[int], Scheduler]
) -> None:
    """Compared with all orders of the steps."""
    lengths = (3, 3, 2)

    def judge(world: Toy) -> None:
        world.shared[:] = world.order
        if is_subsequence(pattern, world.order):
            raise outcome("pattern")

    system = counting(lengths, judge)
    found = run_schedules(system, make(5), Bounds(schedules=10_000)).found
    assert found is not None
    reduced = minimise(system, found)
    failing = [
        order[:end]
        for order in orders(lengths)
        for end in range(1, len(order) + 1)
        if is_subsequence(pattern, order[:end])
    ]
    assert reduced.fewest
    assert reduced.found.switches == min(switches(order) for order in failing)
    assert reduced.found.switches <= found.switches
    assert is_subsequence(pattern, reduced.found.choices)


def test_what_the_search_has_no_effort_left_for_is_not_called_the_fewest() -> None:
    def judge(world: Toy) -> None:
        world.shared[:] = world.order
        if is_subsequence((0, 1, 0, 1, 0), world.order):
            raise outcome("pattern")

    system = counting((6, 6, 6), judge)
    found = run_schedules(system, RandomWalk(1), Bounds(schedules=10_000)).found
    assert found is not None
    assert not minimise(system, found, effort=20).fewest


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_failure_is_reduced_to_that_of_the_search(drain: Scenario, seed: int) -> None:
    """D03c takes four switches: time, the service is added, the restart asked for, the drain."""
    system = system_of(drain, V7)
    found = run_schedules(system, RandomWalk(seed), Bounds(schedules=10_000)).found
    assert found is not None
    reduced = minimise(system, found)
    assert failure_key(reduced.found.violation) == failure_key(found.violation)
    assert reduced.found.switches == 4
    assert reduced.fewest


@pytest.mark.parametrize("bound", [0, 1])
def test_a_switch_to_the_only_thread_that_is_left_counts(bound: int) -> None:
    """A search by switches has to see it, or takes a schedule with more for one with fewer."""

    def judge(world: Toy) -> None:
        world.shared[:] = world.order
        if world.order == [0, 0, 1]:
            raise outcome("switched")

    search = Dfs(bound, cost=switch_cost)
    found = run_schedules(counting((2, 3), judge), search, Bounds()).found
    assert (found is not None) == (bound == 1)


def reduced_on_v7(
    scenario: Scenario, runs: Sequence[tuple[int, int]], property_id: str
) -> list[str]:
    """The columns of the reduced schedule's runs; it is proved that none has fewer."""
    choices = tuple(choice for choice, count in runs for _ in range(count))
    system = system_of(scenario, V7, Watch(frozenset({property_id})))
    # Only the choices of a failure are followed.
    found = Found(InvalidPointer("any", "any"), choices, 0)
    reduced = minimise(system, found, key=lambda world, violation: cause_of(world, violation).text)
    assert reduced.fewest
    violation = reduced.found.violation
    if isinstance(violation, BrokenProperty):
        assert violation.property == property_id
    else:
        assert isinstance(violation, Deadlock)
        assert property_id == "locks.deadlock"
    return scenario_threads(scenario, reduced.found.choices)


def test_the_limit_that_shrinks_is_reduced_to_the_history_of_the_catalogue() -> None:
    """D04d: the limit is tested, shrinks, and the context is published nevertheless."""
    scenario = load("limit-shrinks-in-drain")
    runs = ((0, 7), (1, 2), (TIME, 1), (3, 15), (1, 13), (3, 5))
    columns = reduced_on_v7(scenario, runs, "limits.published")
    assert columns == ["CTL", "time", "ipvs-e:0", "SYSCTL", "ipvs-e:0"]


def test_exit_has_to_pass_in_a_break_to_deadlock_at_the_end_of_the_calc_phase() -> None:
    """D03e: kthread 0 gives way, exit flushes, and both meet at the end of the calc phase."""
    runs = ((TIME, 1), (2, 9), (0, 5), (2, 2), (0, 3))
    columns = reduced_on_v7(load("exit-in-recalculation"), runs, "locks.deadlock")
    assert columns == ["time", "ipvs-e:0", "EXIT", "ipvs-e:0", "EXIT"]


def test_the_sequential_defect_is_reduced_to_one_task() -> None:
    """D07 needs no race: kthread 0 alone frees the context and reads its row."""
    scenario = load("delete-in-recalculation")
    reduced = minimise(system_of(scenario, STABLE), first_failure(scenario, STABLE))
    assert isinstance(reduced.found.violation, UseAfterFree)
    assert reduced.found.switches == 1
    kthread = scenario_threads(scenario, reduced.found.choices)
    assert kthread == ["time", "ipvs-e:0"]


def scenario_threads(scenario: Scenario, choices: Sequence[int]) -> list[str]:
    """The columns of a schedule's runs, in turn."""
    shown = timeline(scenario, STABLE, choices)
    return [shown.columns[column] for column, _ in groupby(step.column for step in shown.steps)]


# Timelines


def test_a_deadlock_is_told_with_functions_locks_and_who_waits_for_whom(drain: Scenario) -> None:
    found = minimise(system_of(drain, V7), first_failure(drain, V7)).found
    shown = timeline(drain, V7, found.choices)
    assert shown.columns == ("CTL", "SYSCTL", "est_reload_work", "ipvs-e:0", "time")
    assert isinstance(shown.violation, Deadlock)
    functions = {
        shown.columns[standing.column]: (standing.function, standing.waits_on, standing.holds)
        for standing in shown.standings
        if standing.waits_on is not None
    }
    work, kthread = shown.columns.index("est_reload_work"), shown.columns.index("ipvs-e:0")
    assert functions == {
        "ipvs-e:0": ("ip_vs_est_add_kthread", work, ("__ip_vs_mutex",)),
        "est_reload_work": ("ip_vs_est_kthread_stop", kthread, ("est_mutex",)),
    }
    assert shown.steps[-1].action == "kthread_stop(ipvs-e:0)"
    assert shown.steps[0].column == shown.columns.index("time")
    assert found.choices[0] == TIME
    text = "\n".join(timeline_lines(shown))
    assert "  deadlock: each of these waits for the next, and the last for the first" in text
    assert (
        "ipvs-e:0, in ip_vs_est_add_kthread, waits for est_mutex, held by est_reload_work;"
        " holds __ip_vs_mutex" in text
    )
    assert "est_genid: 1 -> 2" in text


def test_the_cells_of_a_timeline_stand_in_their_columns(drain: Scenario) -> None:
    shown = timeline(drain, V7, first_failure(drain, V7).choices)
    lines = list(timeline_lines(shown))
    head = lines[0]
    seen = 0
    for number, step in enumerate(shown.steps, 1):
        if step.action.startswith(("reads", "writes")):
            continue
        line = next(line for line in lines if line.split()[:1] == [str(number)])
        assert line.index(step.action) == head.index(shown.columns[step.column]) + 1
        seen += 1
    assert seen > 5


def test_accesses_in_a_row_share_a_line_and_none_is_lost(drain: Scenario) -> None:
    shown = timeline(drain, V7, first_failure(drain, V7).choices)
    covered = [
        step
        for run in runs_of(shown.steps)
        for line in run
        if line.label
        for step in range(line.first, line.last + 1)
    ]
    assert covered == list(range(len(shown.steps)))
    lines = [line for run in runs_of(shown.steps) for line in run]
    assert any(line.first < line.last for line in lines)
    for line in lines:
        steps = shown.steps[line.first : line.last + 1]
        assert {step.function for step in steps} == {steps[0].function}
        if line.label:
            assert all(step.action.partition(" ")[2] in line.text for step in steps)


def test_preemptions_of_a_timeline_are_those_of_its_schedule(drain: Scenario) -> None:
    found = first_failure(drain, V7)
    shown = timeline(drain, V7, found.choices)
    assert sum(step.preempts for step in shown.steps) == found.preemptions == 2


# The command


def again(output: str) -> list[str]:
    """The arguments of the command that a report names."""
    line = next(line for line in output.splitlines() if line.startswith("  again: "))
    program, *arguments = shlex.split(line.removeprefix("  again: "))
    assert program == "ipvs-est"
    return arguments


def test_the_command_that_a_report_names_tells_the_same_failure() -> None:
    result = CliRunner().invoke(cli, ["explore", "restart-in-drain", "--revision", "v7", *ERRORS])
    assert result.exit_code == 1
    assert "restart-in-drain on v7: FAIL: 357 schedules" in result.output
    replayed = CliRunner().invoke(cli, again(result.output))
    assert replayed.exit_code == 1
    story = [line for line in result.output.splitlines() if line.startswith("  ")]
    begin = next(index for index, line in enumerate(story) if "failure: " in line)
    assert replayed.output.splitlines()[-len(story[begin + 1 : -1]) :] == story[begin + 1 : -1]


def test_a_failure_of_a_scenario_in_a_file_is_replayed_from_that_file(tmp_path: Path) -> None:
    path = tmp_path / "my: scenario.json"
    path.write_bytes((FOLDER / "restart-in-drain.json").read_bytes())
    result = CliRunner().invoke(cli, ["explore", str(path), "--revision", "stable", *ERRORS])
    assert result.exit_code == 1
    arguments = again(result.output)
    assert arguments[1] == str(path)
    assert CliRunner().invoke(cli, arguments).exit_code == 1
    path.write_text(path.read_text().replace('"jiffies"', '"about": "changed", "jiffies"'))
    changed = path.read_text()
    assert run(arguments) == 2
    assert path.read_text() == changed


def test_a_search_ends_when_its_time_is_over() -> None:
    command = ["explore", "restart-in-calc-phase", "--revision", "repaired", "-j", "1"]
    limited = [*command, "--preemptions", "9", "--minutes", "0.0001"]
    result = CliRunner().invoke(cli, limited)
    assert result.exit_code == 3
    assert "when the 0.0001 minutes were over" in result.output
    drawn = CliRunner().invoke(cli, [*limited, "--scheduler", "pos", "--seed", "4"])
    assert drawn.exit_code == 0
    assert "SAMPLED" in drawn.output
    ample = CliRunner().invoke(cli, [*command, "--preemptions", "0", "--minutes", "9"])
    assert ample.exit_code == 0
    assert "exhausted with up to 0 preemptions" in ample.output


def test_the_command_passes_only_what_is_exhausted() -> None:
    command = ["explore", "restart-in-drain", "--revision", "repaired", *ERRORS]
    assert CliRunner().invoke(cli, command).exit_code == 0
    result = CliRunner().invoke(cli, [*command, "--iterations", "5"])
    assert result.exit_code == 3
    assert "INCOMPLETE: 5 schedules" in result.output
    assert "not exhausted: stopped after 5 schedules" in result.output
    result = CliRunner().invoke(cli, [*command, "--steps", "10"])
    assert result.exit_code == 3
    assert "schedules were cut at 10 steps" in result.output
    for scheduler in ("pct", "random"):
        drawn = [*command, "--scheduler", scheduler, "--iterations", "20", "--seed", "4"]
        result = CliRunner().invoke(cli, drawn)
        assert result.exit_code == 0
        assert "SAMPLED: 20 schedules" in result.output
        assert f"sampled: {scheduler} schedules, seed 4" in result.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], False),
        (["--only-new"], False),
        (["--all"], True),
        (["last-estimator-goes"], True),
        (["last-estimator-goes", "--all"], True),
        (["last-estimator-goes", "--only-new"], False),
    ],
)
def test_what_is_known_is_told_of_a_named_scenario_or_on_request(
    arguments: list[str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore_command, "library", lambda: ("last-estimator-goes",))
    result = CliRunner().invoke(cli, ["explore", *arguments, "--revision", "stable", *ERRORS])
    assert result.exit_code == int(expected)
    assert ("\n  known as D03d, F17" in result.output) is expected
    assert ("end with what is known as D03d, F17" in result.output) is not expected


def test_pct_states_its_bound() -> None:
    command = ["explore", "restart-in-drain", "--revision", "repaired", *ERRORS]
    drawn = ["--scheduler", "pct", "--depth", "2", "--iterations", "50", "--seed", "4"]
    result = CliRunner().invoke(cli, [*command, *drawn])
    assert "48 of them with 6 threads and up to 64 steps" in result.output
    chance = 1 - (1 - 1 / (6 * 64)) ** 48
    assert f"at least 1/(6*64^1), by any of them with {chance:.4f}" in result.output


def test_going_on_lists_each_distinct_failure_once() -> None:
    command = ["explore", "restart-in-calc-phase", "--revision", "stable", "--keep-going", *ERRORS]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    assert "exhausted with up to 2 preemptions" in result.output
    waits = [
        line.split(", waits")[0].strip()
        for line in result.output.splitlines()
        if line.startswith("    ipvs-e:0, in ")
    ]
    # D03a and D03b, at the start and at the end of the calc phase, and D03c.
    assert len(waits) >= 2
    tokens = [line for line in result.output.splitlines() if line.startswith("  again: ")]
    assert len(tokens) == len(set(tokens)) == len(waits)


def test_reports_are_the_same_bytes_in_any_number_of_processes(tmp_path: Path) -> None:
    written = []
    for jobs in (1, 2):
        reports = [tmp_path / f"{jobs}.json", tmp_path / f"{jobs}.xml"]
        command = [
            "explore",
            "last-estimator-goes",
            "exit-of-an-idle-netns",
            "-j",
            str(jobs),
            *ERRORS,
        ]
        options = ["--json", str(reports[0]), "--junit", str(reports[1])]
        result = CliRunner().invoke(cli, [*command, *options])
        assert result.exit_code == 1
        assert "10 searches: 7 pass, 3 fail" in result.output
        written.append([report.read_bytes() for report in reports])
    assert written[0] == written[1]
    report = json.loads(written[0][0])
    assert (report["report"], report["complete"], report["verdict"]) == (
        "ipvs-est explore",
        True,
        "FAIL",
    )
    assert [row["verdict"] for row in report["rows"]] == ["FAIL"] * 3 + ["PASS"] * 7
    failure = report["rows"][0]["failures"][0]
    assert failure["violation"]["kind"] == "deadlock"
    assert failure["timeline"]["steps"][-1]["action"] == "kthread_stop(ipvs-e:0)"
    assert failure["timeline"]["steps"][-1]["held"] == {
        "__ip_vs_mutex": "CTL",
        "est_mutex": "CTL",
    }
    arguments = shlex.split(failure["command"])[1:]
    assert CliRunner().invoke(cli, arguments).exit_code == 1
    suite = ElementTree.fromstring(written[0][1])
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("10", "3", "0")


def test_an_incomplete_search_is_no_pass_in_any_report(tmp_path: Path) -> None:
    reports = [tmp_path / "r.json", tmp_path / "r.xml"]
    command = ["explore", "restart-in-drain", "--revision", "repaired", *ERRORS]
    options = ["--iterations", "5", "--json", str(reports[0]), "--junit", str(reports[1])]
    assert CliRunner().invoke(cli, [*command, *options]).exit_code == 3
    report = json.loads(reports[0].read_text())
    assert report["verdict"] == report["rows"][0]["verdict"] == "INCOMPLETE"
    assert report["rows"][0]["figures"]["exhausted"] is False
    assert ElementTree.fromstring(reports[1].read_text()).get("skipped") == "1"


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_run_reports_what_it_found(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after the first failure of a search that would go on."""
    from ipvs_est_checks.cli.commands import explore as cli_explore

    note = cli_explore._note

    def interrupting(*arguments: object) -> None:
        note(*arguments)  # type: ignore[arg-type]  # passed through as they came
        if arguments[2].outcome.failures:  # type: ignore[attr-defined]  # a JobResult
            raise KeyboardInterrupt

    monkeypatch.setattr(cli_explore, "_note", interrupting)
    report = tmp_path / "r.json"
    command = ["explore", "restart-in-drain", "two-sysctl-writers", "--keep-going", *ERRORS]
    result = CliRunner().invoke(
        cli, [*command, "-j", str(jobs), "--revision", "v7", "--json", str(report)]
    )
    assert result.exit_code == 130
    assert "interrupted" in result.output
    assert "  again: ipvs-est explore --replay e3:restart-in-drain:v7:" in result.output
    written = json.loads(report.read_text())
    assert (written["complete"], written["verdict"]) == (False, "FAIL")
    assert "interrupted" in written["rows"][0]["reach"]


def test_a_schedule_that_fails_on_one_revision_is_another_history_on_a_repaired_one(
    drain: Scenario, drain_token: str
) -> None:
    parts = drain_token.split(":")
    moved = ":".join([*parts[:2], MAINLINE.name, *parts[3:]])
    with pytest.raises(InputError, match=r"its history is not this|cannot go on there"):
        replay_token(drain, token_from_text(moved))


# Properties

NETNS_EXIT = ["explore", "exit-and-first-service", "--revision", "mainline"]


def test_a_broken_property_is_told_with_its_sentence_and_replayed() -> None:
    """A task is started after netns exit began: by the work, between two of its looks."""
    result = CliRunner().invoke(cli, [*NETNS_EXIT, "--property", "tasks.enabled"])
    assert result.exit_code == 1
    sentence = next(prop.sentence for prop in PROPERTIES if prop.id == "tasks.enabled")
    assert f"  tasks.enabled does not hold: {sentence}" in result.output
    arguments = again(result.output)
    assert ":tasks.enabled:" in arguments[-1]
    replayed = CliRunner().invoke(cli, arguments)
    assert replayed.exit_code == 1
    assert f"  tasks.enabled does not hold: {sentence}" in replayed.output
    assert "wake_up_process(ipvs-e:0)" in replayed.output


def test_a_property_of_states_is_told_and_replayed() -> None:
    """D04a: the limit that an add computes before the cpulist is written is stored after it."""
    command = ["explore", "limit-shrinks-in-drain", "--revision", "v7", "--keep-going"]
    result = CliRunner().invoke(cli, [*command, "--property", "limits.max-threads"])
    assert result.exit_code == 1
    assert "limits.max-threads does not hold" in result.output
    (line,) = [line for line in result.output.splitlines() if ":limits.max-threads:" in line]
    result = CliRunner().invoke(cli, shlex.split(line)[2:])
    assert result.exit_code == 1
    assert "limits.max-threads does not hold" in result.output


def test_without_properties_only_errors_are_looked_for() -> None:
    result = CliRunner().invoke(cli, [*NETNS_EXIT, *ERRORS])
    assert result.exit_code == 0
    assert "no property watched, only memory errors and deadlocks" in result.output


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda revision: revision.name)
def test_by_default_what_recorded_findings_break_is_not_watched(revision: Revision) -> None:
    known = {
        prop
        for finding in BY_HISTORY
        if revision.name in finding.revisions
        for prop in finding.properties
    }
    assert watched_by_default(revision) == WATCHED - known
    assert (watched_by_default(revision) == WATCHED) == (revision.name == "repaired")
