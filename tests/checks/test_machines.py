"""The state machines: they find nothing new, reach what they must, and notice planted faults."""

from collections.abc import Generator
from dataclasses import replace

import pytest
from hypothesis import seed

from ipvs_est import MAINLINE, REPAIRED, V7, Params, Revision
from ipvs_est.language.counters import Group
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    Disable,
    ExitNetns,
    InitNetns,
    Operation,
    SetCost,
    SetCpulist,
    StartDest,
)
from ipvs_est.machine.points import Call, Point, WordAccess
from ipvs_est.state.control_objects import Dest
from ipvs_est.state.machine import Machine
from ipvs_est.state.shared_fields import Number
from ipvs_est.state.stats import StatsObject
from ipvs_est_checks.known.by_repair import cause_text, known_by_repair
from ipvs_est_checks.known.registry import ALL
from ipvs_est_checks.machines.naive.cpulist import Bad, interpret
from ipvs_est_checks.machines.netns.history import failures_of
from ipvs_est_checks.machines.netns.machine import ModelMachine
from ipvs_est_checks.machines.parts.context_machine import ContextMachine
from ipvs_est_checks.machines.parts.counters_machine import CountersMachine
from ipvs_est_checks.machines.parts.cpulist_machine import CpulistMachine
from ipvs_est_checks.machines.profiles import PROFILES, Amount, Profile, settings_of
from ipvs_est_checks.machines.reach import NotReachedError, reach_table, require_reached
from ipvs_est_checks.machines.report import (
    FailureRecord,
    Findings,
    MachineReport,
    ReachRow,
    UnexpectedFailureError,
    add_failure,
    merged,
)
from ipvs_est_checks.machines.run import MACHINES, concerned, run_machines, run_round
from ipvs_est_checks.machines.sampling import Plan, Sample, sample
from ipvs_est_checks.machines.shorten import shortest
from recorded_cpulists import recorded_cases

SEED = 20
SMALL = Profile(
    "small",
    netns=Amount(3, 20, 12, more=30),
    context=Amount(1, 20, 30, more=30),
    counters=Amount(1, 20, 30, more=30),
    cpulist=Amount(1, 20, 20, more=30),
    attempts=0,
)
TINY = replace(
    SMALL, name="tiny", netns=Amount(2, 7, 6), context=Amount(1, 9, 9), counters=Amount(1, 9, 9)
)
HUNT = replace(SMALL, name="hunt", netns=Amount(6, 20, 12), counters=Amount(3, 20, 30), attempts=40)

# What every profile goes through; the machines are tests as well.


@seed(SEED)
class _SeededNetns(ModelMachine):
    findings = Findings()


@seed(SEED)
class _SeededContext(ContextMachine):
    findings = Findings()


@seed(SEED)
class _SeededCounters(CountersMachine):
    findings = Findings()


@seed(SEED)
class _SeededCpulist(CpulistMachine):
    findings = Findings()


TestNetns = _SeededNetns.TestCase
TestNetns.settings = settings_of(Amount(1, 6, 10))
TestContext = _SeededContext.TestCase
TestContext.settings = settings_of(Amount(1, 9, 20))
TestCounters = _SeededCounters.TestCase
TestCounters.settings = settings_of(Amount(1, 9, 20))
TestCpulist = _SeededCpulist.TestCase
TestCpulist.settings = settings_of(Amount(1, 9, 12))


@pytest.mark.parametrize("machine", MACHINES)
def test_every_situation_is_reached_and_nothing_unexpected_is_found(machine: str) -> None:
    report = run_machines(MAINLINE, SMALL, SEED, machines=[machine])
    assert report.unexpected == ()
    assert report.reach
    require_reached(report)
    for row in report.reach:
        assert 0 < row.reached <= row.examples, row.situation
    assert all(failure.reason for failure in report.failures)
    # Nothing is stated that was never looked at.
    assert all(count > 0 for _, count in report.checks)


def test_equal_seeds_give_equal_runs_also_in_another_process() -> None:
    plan = Plan((MAINLINE,), MACHINES, TINY, seed=3, jobs=1)
    here, elsewhere = Sample(), Sample()
    sample(plan, here)
    sample(replace(plan, jobs=2), elsewhere)
    assert here == elsewhere
    assert merged(here.of(MAINLINE)) == run_machines(MAINLINE, TINY, 3)
    assert merged(here.of(MAINLINE)) != run_machines(MAINLINE, TINY, 4)


def test_a_round_can_be_run_alone() -> None:
    second = run_round(MAINLINE, TINY, 3, "counters", 1)
    both = run_machines(MAINLINE, replace(TINY, counters=Amount(2, 9, 9)), 3, machines=["counters"])
    first = run_round(MAINLINE, TINY, 3, "counters", 0)
    assert first.steps + second.steps == both.steps
    assert replace(first, checks=()) != replace(second, checks=())


def test_only_the_properties_asked_for_are_evaluated() -> None:
    report = run_machines(
        MAINLINE, TINY, 3, machines=["netns"], properties=frozenset({"counts.tick"})
    )
    assert [name for name, _ in report.checks] == ["counts.tick"]
    everything = run_machines(MAINLINE, TINY, 3, machines=["netns"])
    # The same histories.
    assert (report.steps, report.reach) == (everything.steps, everything.reach)
    assert dict(report.checks)["counts.tick"] == dict(everything.checks)["counts.tick"]


def test_machines_that_do_not_check_what_is_asked_for_are_left_out() -> None:
    assert concerned(None) == MACHINES
    assert concerned(frozenset({"counts.tick"})) == ("netns",)
    assert concerned(frozenset({"bitmaps.full"})) == ("netns", "context")
    assert concerned(frozenset({"cpulist.write", "rates.exact"})) == ("counters", "cpulist")


def test_a_failure_that_nothing_explains_is_not_hidden_by_a_shorter_known_one() -> None:
    findings = Findings()
    unknown = replace(_record(5), reason="")
    for failure_record in (_record(2), unknown, _record(1)):
        add_failure(findings, failure_record)
    assert [*findings.failures.values()] == [unknown]


def test_a_profile_can_be_named_and_fixes_every_setting() -> None:
    assert {"quick", "ci", "deep"} <= PROFILES.keys()
    for profile in PROFILES.values():
        settings = settings_of(profile.netns)
        assert settings.database is None
        assert not settings.derandomize
        assert settings.max_examples == profile.netns.examples
        assert settings.stateful_step_count == profile.netns.steps


# Planted faults: each is noticed, by what is named for it.


def test_an_average_without_its_shift_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unshifted(rates: Group, last: Group, sums: Group) -> Group:
        new = [(now - then) << 9 & 2**64 - 1 for now, then in zip(sums, last, strict=True)]
        return new[0], new[1], new[2], new[3], new[4]

    monkeypatch.setattr("ipvs_est.state.stats.update_rates", unshifted)
    assert _noticed("counters") <= {"counters.state", "counters.reading", "rates.exact"}
    assert "model.counters" in _noticed("netns")


def test_zeroing_that_keeps_the_rates_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def zero(stats: StatsObject) -> None:
        stats.kstats0 = stats.est.last = stats.kstats

    monkeypatch.setattr("ipvs_est.oracle.zero", zero)
    monkeypatch.setattr("ipvs_est_checks.machines.parts.counters_steps.zero", zero)
    assert _noticed("counters")
    assert _noticed("netns") & {"model.counters", "model.answer"}


def test_a_wrong_time_in_the_trash_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipvs_est.control.services.TRASH_IDLE_SECONDS", 60)
    assert "model.trash" in _noticed("netns")


def test_a_trash_that_frees_what_is_in_use_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(machine: Machine) -> None:
        kept: list[Dest] = []
        machine.netns.trash, machine.netns.trash_scan_due = kept, None

    monkeypatch.setattr("ipvs_est.performer.scan_trash", scan)
    assert _noticed("netns") & {"model.trash", "memory.leak", "model.memory"}


def test_a_cpulist_without_the_writers_cpus_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipvs_est.control import sysctl

    original = sysctl.write_cpulist

    def unrestricted(machine: Machine, text: str, allowed: frozenset[int], offset: int) -> Call:
        return original(machine, text, frozenset(range(machine.params.possible_cpus)), offset)

    monkeypatch.setattr("ipvs_est.control.sysctl.write_cpulist", unrestricted)
    assert _noticed("cpulist") == {"cpulist.read"}
    assert _noticed("netns") & {"model.sysctls", "model.answer"}


def test_a_row_chosen_upwards_for_a_new_estimator_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lowest(avail: int, nticks: int, crow: int, delay: int) -> int:
        del crow, delay
        return next((row for row in range(nticks) if avail >> row & 1), nticks)

    monkeypatch.setattr("ipvs_est.estimator.enqueue.choose_row", lowest)
    assert _noticed("context") == {"context.row"}


def test_a_chain_that_never_counts_as_full_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipvs_est.estimator.enqueue.find_first_zero_bit", lambda full, size: 0)
    assert _noticed("context") & {"context.chain", "context.lists"}


def test_a_failure_of_a_lone_context_is_told_with_its_shortest_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ipvs_est.estimator.enqueue.find_first_zero_bit", lambda full, size: 0)
    wanted = replace(SMALL, context=Amount(2, 20, 30))
    for number in (SEED, SEED + 1):
        (failure,) = run_round(REPAIRED, wanted, number, "context", 0).failures
        # The second goes to a chain that has one and is full with it.
        assert failure.steps == (
            "an empty kd with est_chain_max 1",
            "enqueue 1, delay 0",
            "enqueue 2, delay 0",
        )
        assert failure.sentence.endswith("Found: chain 0 of row 0 was chosen, not 1.")


def test_a_reader_that_ignores_syncp_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipvs_est.state import seqcount

    monkeypatch.setattr(seqcount, "read_group", _careless)
    assert _noticed("counters") == {"counters.read"}


def test_a_nice_value_without_a_restart_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def set_nice(machine: Machine, nice: int, offset: int = 0) -> Call:
        if offset:
            return 0
        machine.netns.est_nice = nice if -20 <= nice <= 19 else machine.netns.est_nice
        yield from ()
        return 0 if -20 <= nice <= 19 else -22

    monkeypatch.setattr("ipvs_est.control.sysctl.set_nice", set_nice)
    assert "model.tasks" in _noticed("netns")


def test_stats_that_are_never_freed_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(machine: Machine, stats: StatsObject) -> None:
        del machine, stats

    monkeypatch.setattr("ipvs_est.control.estimator_objects.free_stats_later", keep)
    found = _fails(InitNetns(), StartDest(1), Delete(1), Advance(1))
    assert found == {"model.memory"}


def test_the_mask_of_a_written_cpulist_stays_allocated_until_netns_exit() -> None:
    written = (InitNetns(), SetCpulist(1), SetCpulist(1), Advance(9))
    assert _fails(*written) == set()
    assert _fails(*written, ExitNetns(), Advance(9), InitNetns()) <= {"locks.est-fields"}


def test_wrong_limits_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def many(machine: Machine) -> Number:
        del machine
        yield from ()
        return 99

    monkeypatch.setattr("ipvs_est.control.sysctl.max_threads", many)
    assert _noticed("netns") & {"model.limits", "limits.max-threads"}


def _noticed(machine: str) -> set[str]:
    report = run_machines(MAINLINE, HUNT, SEED, machines=[machine])
    assert all(
        failure_record.operations or failure_record.steps for failure_record in report.unexpected
    )
    return {failure_record.property for failure_record in report.unexpected}


def _fails(*operations: Operation) -> set[str]:
    params = Params(hz=100, nticks=5, chain_factor=3, est_cost_ns=11875)
    return set(failures_of(params, MAINLINE, operations))


def _careless(words: list[int], cpu: int) -> Generator[Point, None, Group]:
    copy = list(words)
    for index in range(10):
        yield WordAccess(cpu, index, write=False)
        copy[index] = words[index]
    values = [copy[2 * index + 1] << 32 | copy[2 * index] for index in range(5)]
    return values[0], values[1], values[2], values[3], values[4]


# The parts.


def test_the_naive_interpreter_gives_the_recorded_answers() -> None:
    for case in recorded_cases():
        meant = interpret(case.text, case.possible_cpus)
        assert (meant.errno if isinstance(meant, Bad) else meant) == case.answer, case


def test_a_failure_is_known_only_if_its_repair_removes_it() -> None:
    asked: list[Revision] = []

    def holds(revision: Revision) -> bool:
        asked.append(revision)
        return revision.thread_limit_when_disabled

    assert [finding.id for finding in known_by_repair(MAINLINE, "limits.published", holds)] == [
        "F13"
    ]
    assert asked == [replace(MAINLINE, thread_limit_when_disabled=True)]
    assert known_by_repair(MAINLINE, "limits.published", lambda revision: False) == ()


def test_only_a_property_with_a_finding_on_the_revision_may_fail() -> None:
    assert known_by_repair(V7, "memory.pointer", lambda revision: True)
    assert not known_by_repair(MAINLINE, "memory.pointer", lambda revision: True)
    assert not known_by_repair(REPAIRED, "bitmaps.full", lambda revision: True)
    assert all("repaired" not in finding.revisions for finding in ALL)


def test_two_causes_of_one_failure_are_found_together() -> None:
    def holds(revision: Revision) -> bool:
        return revision.est_mutex_at_enable and revision.frees_cpulist_under_est_mutex

    found = known_by_repair(V7, "locks.est-fields", holds)
    assert [finding.id for finding in found] == ["F06", "F07"]
    assert cause_text(found).startswith("F06: ")
    assert "; F07: " in cause_text(found)


def test_what_repairs_a_cause_is_set_in_the_repaired_revision() -> None:
    for finding in ALL:
        assert all(getattr(REPAIRED, name) for name in finding.repairs), finding


def test_more_contexts_than_allowed_after_disable_is_f13_however_long_ago_that_was() -> None:
    """The first service of a netns that is set up next enables it again: the state at the end
    does not tell."""
    params = Params(
        hz=1000,
        nticks=6,
        chain_factor=2,
        load_divisor=6,
        possible_cpus=1,
        est_cost_ns=7916,
    )
    operations: list[Operation] = [InitNetns(), AddService(1)]
    operations += [AddDest(10 + index, 1) for index in range(60)]
    operations += [SetCost(47500), Advance(133), Disable(), Advance(200), AddService(2)]
    assert "limits.published" in failures_of(params, V7, operations)
    for revision in (replace(V7, thread_limit_when_disabled=True), REPAIRED):
        assert "limits.published" not in failures_of(params, revision, operations)


def _record(length: int) -> FailureRecord:
    operations = (Advance(1),) * length
    return FailureRecord("netns", "x", "It fails.", "mainline", Params(), operations, (), "known")


def test_the_shortest_history_of_a_failure_is_kept() -> None:
    findings = Findings()
    for length in (5, 3, 4):
        add_failure(findings, _record(length))
    assert [len(failure.operations) for failure in findings.failures.values()] == [3]


def test_an_unexpected_failure_tells_its_history() -> None:
    text = str(UnexpectedFailureError(_record(2)))
    assert "It fails." in text
    assert text.count("Advance(n=1)") == 2


def test_histories_are_shortened_by_leaving_out_and_lowering() -> None:
    def failure(candidate: tuple[Operation, ...]) -> str:
        waited = sum(operation.n for operation in candidate if isinstance(operation, Advance))
        return "late" if AddService(7) in candidate and waited >= 5 else ""

    history = (InitNetns(), AddService(1), Advance(40), AddService(7), Advance(3))
    found = shortest(history, failure, 500)
    assert sorted(map(str, found.operations)) == ["AddService(id=7)", "Advance(n=5)"]
    assert shortest(history, failure, 1).operations == history
    assert shortest(history, lambda candidate: "", 99).sentence == ""


def _report(reached: int) -> MachineReport:
    row = ReachRow("netns", "array.hole", "a slot below the last is empty", reached, 40)
    return MachineReport("mainline", "quick", 1, ("netns",), (), (), (row,), 40, 900, 1.0)


def test_a_run_that_missed_a_situation_is_no_pass() -> None:
    require_reached(_report(4))
    with pytest.raises(NotReachedError, match=r"array\.hole"):
        require_reached(_report(0))


def test_the_table_shows_the_share_of_histories() -> None:
    table = reach_table(_report(4).reach)
    assert table.splitlines() == [
        "netns, 40 histories",
        "   10.0 %  array.hole  a slot below the last is empty",
    ]
