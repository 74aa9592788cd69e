"""Section 11: the phase: rules, each with an answer worked out from the text."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from by_hand import (
    ALL,
    GIVE_WAY,
    LOCK_EST,
    LOCK_SERVICE,
    UNLOCK_EST,
    UNLOCK_SERVICE,
    Others,
    ask_to_stop,
    disable,
    new_estimator,
    place,
    points,
    put_kd,
    small,
    start_task,
    temp_list,
)
from ipvs_est import MAINLINE, Revision
from ipvs_est.estimator.calc_phase import calc_phase
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.language.violations import UseAfterFree
from ipvs_est.machine.hlist import nodes
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext, new_context, new_tick
from ipvs_est.state.machine import Machine
from ipvs_est.state.stats import Estimator


@dataclass(slots=True)
class Phase:
    """kd 0 with a task but no calc_stats, so that the limits test answers 8 at once."""

    machine: Machine
    task: Task

    def run(self, *others: Others) -> list[str]:
        """The points of the calc phase, those of the limits test left out."""
        body = calc_phase(self.machine, self.task)
        names = points(self.machine, body, *others, task=self.task)
        lock = LOCK_EST if self.machine.revision is MAINLINE else LOCK_SERVICE
        assert names[0] == lock
        return names[2:]

    def put(self, kd: KthreadContext, delay: int, objects: Iterable[int]) -> list[Estimator]:
        """Estimators in the row that is `delay` ticks ahead."""
        return [place(self.machine, kd, number, delay) for number in objects]

    def kds(self, count: int) -> list[KthreadContext]:
        """So many more contexts, with tasks."""
        kds = [put_kd(self.machine) for _ in range(count)]
        for kd in kds:
            start_task(self.machine, kd)
        return kds

    @property
    def kd0(self) -> KthreadContext:
        kd = self.machine.netns.est_kt_arr[0]
        assert kd is not None
        return kd


def phase_of(revision: Revision, chain_max: int = 200) -> Phase:
    """One estimator, 1, in kd 0."""
    machine = small(revision)
    machine.netns.est_calc_phase = True
    kd = put_kd(machine, chain_max)
    task = start_task(machine, kd)
    place(machine, kd, 1)
    return Phase(machine, task)


def stops(*slots: int) -> list[str]:
    return [f"{does} ipvs-e:{slot}" for slot in slots for does in ("stop", "join")]


FREEING = [LOCK_EST, UNLOCK_EST]
FINISHING = [LOCK_EST, UNLOCK_EST]


def test_phase_stops_all_other_tasks_and_relinks_under_the_service_mutex() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        kds = phase.kds(3)
        phase.put(kds[0], 2, [2])
        phase.put(kds[2], 1, [3])
        # Slot 2 is a hole.
        phase.machine.netns.est_kt_arr[2] = None
        names = phase.run()
        stopping = [LOCK_EST, *stops(1, 3), UNLOCK_EST]
        if revision is MAINLINE:
            before = [*stopping, LOCK_SERVICE]
        else:
            before = [LOCK_SERVICE, *stopping]
        assert names == [*before, *FREEING, *FREEING, *FINISHING, UNLOCK_SERVICE]
        # The largest delay goes first, so that the smallest ends at the head.
        assert temp_list(phase.machine) == [3, 2]
        assert [est.ktrow for est in nodes(phase.machine.netns.est_temp_list)] == [1, 2]
        assert phase.machine.netns.est_kt_arr == [phase.kd0]


def test_phase_gives_up_stopping_tasks_when_disabled() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        for kd, object_id in zip(phase.kds(2), (2, 3), strict=True):
            phase.put(kd, 2, [object_id])
        names = phase.run(Others("join ipvs-e:1", 1, disable(phase.machine)))
        stopping = [LOCK_EST, *stops(1), UNLOCK_EST]
        if revision is MAINLINE:
            assert names == stopping
        else:
            assert names == [LOCK_SERVICE, *stopping, UNLOCK_SERVICE]
        assert temp_list(phase.machine) == []
        assert phase.machine.netns.est_chain_max == 0
        assert phase.machine.netns.est_calc_phase


def test_phase_disabled_before_the_last_task_was_stopped_relinks_nothing() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kds(1)[0], 2, [2])
        # The limits test locks first in every revision; in v7 it is over by then.
        where = LOCK_SERVICE if revision is not MAINLINE else LOCK_EST
        names = phase.run(Others(where, 2, disable(phase.machine)))
        if revision is MAINLINE:
            assert names == [LOCK_EST, UNLOCK_EST]
        else:
            assert names == [LOCK_SERVICE, LOCK_EST, UNLOCK_EST, UNLOCK_SERVICE]
        assert temp_list(phase.machine) == []


def test_phase_asked_to_stop_goes_on_stopping_tasks_before_mainline() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        for kd, object_id in zip(phase.kds(2), (2, 3), strict=True):
            phase.put(kd, 2, [object_id])
        names = phase.run(Others("join ipvs-e:1", 1, ask_to_stop(phase.task)))
        if revision is MAINLINE:
            assert names == [LOCK_EST, *stops(1), UNLOCK_EST]
        else:
            # The relinking then gives up at once.
            assert names == [LOCK_SERVICE, LOCK_EST, *stops(1, 2), UNLOCK_EST, UNLOCK_SERVICE]
        assert temp_list(phase.machine) == []
        assert phase.machine.netns.est_chain_max == 0


def test_phase_that_gives_up_relinking_changes_no_limit() -> None:
    for revision, stop in product(ALL, (False, True)):
        phase = phase_of(revision)
        machine = phase.machine
        # The only estimator of kd 1 is the last one to be relinked at all.
        phase.put(phase.kds(1)[0], 2, [2])
        # Lock est_mutex: (limits test,) stop tasks, free kd 1.
        nth = 3 if revision is MAINLINE else 2
        action = ask_to_stop(phase.task) if stop else disable(machine)
        names = phase.run(Others(LOCK_EST, nth, action))
        assert names[-3:] == [*FREEING, UNLOCK_SERVICE]
        assert temp_list(machine) == [2]
        assert (machine.netns.est_chain_max, phase.kd0.chain_max) == (0, 200)
        assert machine.netns.est_calc_phase


def test_phase_that_gives_up_relinking_leaves_the_other_contexts() -> None:
    for revision, stop in product(ALL, (False, True)):
        phase = phase_of(revision)
        kds = phase.kds(2)
        phase.put(kds[0], 2, [2])
        phase.put(kds[1], 2, [3])
        nth = 3 if revision is MAINLINE else 2
        action = ask_to_stop(phase.task) if stop else disable(phase.machine)
        phase.run(Others(LOCK_EST, nth, action))
        # kd 2 goes before kd 1.
        assert temp_list(phase.machine) == [3]
        assert kds[0].est_count == 1


def test_configuration_that_changes_after_genid_was_read_keeps_the_calc_phase() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        netns = phase.machine.netns

        def request(phase: Phase = phase) -> None:
            phase.machine.netns.est_genid += 1

        first = LOCK_EST if revision is MAINLINE else LOCK_SERVICE
        # At the start of the limits test: genid has been remembered.
        phase.run(Others(first, 1, request))
        assert netns.est_chain_max == 8
        assert netns.est_calc_phase
        phase.run()
        assert not netns.est_calc_phase


def test_kd_0_keeps_the_estimator_of_the_smallest_delay() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kd0, 2, [2, 3])
        phase.put(phase.kd0, 0, [4, 5])
        phase.run()
        # Heads first: 1, then 3, 2, then 5; 4 is kd 0's last one.
        assert temp_list(phase.machine) == [5, 2, 3, 1]
        assert phase.kd0.est_count == 1
        assert phase.kd0.tick_len == [1, 0, 0, 0, 0]


def test_phase_sets_the_limits_of_kd_0_only() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        # A context without estimators: no tick could be allocated after it was added.
        (empty,) = phase.kds(1)
        phase.put(phase.kd0, 2, [2])
        phase.kd0.est_row = 2
        phase.run()
        assert phase.machine.netns.est_chain_max == 8
        assert (phase.kd0.chain_max, phase.kd0.tick_max, phase.kd0.est_max_count) == (8, 24, 120)
        assert phase.kd0.add_row == 2
        assert (empty.chain_max, empty.tick_max, empty.est_max_count) == (200, 600, 3000)


def test_new_limits_leave_the_flags_of_the_estimator_that_kd_0_keeps() -> None:
    for revision in ALL:
        phase = phase_of(revision, chain_max=1)
        (full,) = (td for td in phase.kd0.ticks if td is not None)
        assert (full.full, phase.kd0.avail) == (0b001, 0b11111)
        phase.run()
        # The limits are 8 and 24 now, the chain holds 1.
        assert phase.kd0.chain_max == 8
        assert (full.full, phase.kd0.avail) == (0b001, 0b11111)


def test_phase_without_kd_0_sets_no_limit() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        netns = phase.machine.netns
        netns.est_kt_arr.clear()
        phase.run()
        assert netns.est_chain_max == 0
        assert not netns.est_calc_phase


def test_total_goes_to_the_head_of_the_temp_list_only_from_the_temp_list() -> None:
    for revision, where in product(ALL, ("relinked", "kept", "unlinked")):
        phase = phase_of(revision)
        machine = phase.machine
        if where == "unlinked":
            machine.netns.total = new_estimator(machine, 0).stats
        else:
            total = phase.put(phase.kd0, 3 if where == "relinked" else 0, [0])
            machine.netns.total = total[0].stats
        phase.put(phase.kd0, 2, [2])
        if where != "kept":
            phase.put(phase.kd0, 1, [3, 4])
        phase.run()
        expected = {
            # By delay: 2, 0, 1; kd 0 keeps 3.
            "relinked": [0, 4, 2, 1],
            # kd 0 keeps the total.
            "kept": [2, 1],
            "unlinked": [4, 2, 1],
        }
        assert temp_list(machine) == expected[where]


def test_only_a_context_that_is_freed_early_is_read_after_it_was_freed() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kds(1)[0], 2, [2])
        phase.run()
        violations = phase.machine.violations
        if revision is MAINLINE:
            assert violations == []
        else:
            assert [
                (violation.thing, violation.field)
                for violation in violations
                if isinstance(violation, UseAfterFree)
            ] == [("kd 1", "est_row")]


def relinked_at_breaks(phase: Phase) -> list[int]:
    """Lengths of the temp list whenever the phase gives way, which it does without the mutex."""
    found: list[int] = []
    mutex = phase.machine.service_mutex

    def look() -> None:
        assert mutex.owner is None
        found.append(len(temp_list(phase.machine)))

    names = phase.run(*(Others(GIVE_WAY, nth, look) for nth in range(1, 9)))
    assert [
        names[index - 1 : index + 2] for index, name in enumerate(names) if name == GIVE_WAY
    ] == [[UNLOCK_SERVICE, GIVE_WAY, LOCK_SERVICE]] * len(found)
    return found


# The 64th visit to a chain's head gives way before it takes the estimator.


def test_phase_gives_way_at_every_64th_visit() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        phase.put(phase.kd0, 3, range(2, 200))
        # The first visit takes estimator 1 from the row before; with it that row is empty.
        assert relinked_at_breaks(phase) == [63, 127, 191]


def test_visits_count_over_rows_and_contexts() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        (kd,) = phase.kds(1)
        phase.put(phase.kd0, 3, range(2, 22))
        phase.put(kd, 3, range(22, 42))
        phase.put(phase.kd0, 1, range(42, 62))
        phase.put(kd, 1, range(62, 82))
        assert relinked_at_breaks(phase) == [63]


def test_visit_to_an_empty_chain_counts() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        kd = phase.kd0
        kd.chain_max = 2
        places = phase.put(kd, 3, range(2, 6))
        kd.chain_max = 200
        phase.put(kd, 3, range(6, 106))
        # Chains 0 and 1 of the row become empty, 100 stay in chain 2.
        for est in places:
            points(phase.machine, stop_estimator(phase.machine, est))
        td = kd.ticks[3]
        assert td is not None
        assert td.chain_len == [0, 0, 100]
        # One visit in the row before, two to empty chains, 60 more: 61 relinked.
        assert relinked_at_breaks(phase) == [61]


def test_kd_0_with_one_estimator_is_not_visited() -> None:
    for revision in ALL:
        phase = phase_of(revision)
        (kd,) = phase.kds(1)
        phase.put(kd, 2, range(2, 102))
        # Delay 4 comes first; the row of kd 0's only estimator is that one.
        assert relinked_at_breaks(phase) == [63]


def in_a_break(revision: Revision) -> tuple[Phase, KthreadContext]:
    """Contexts 0 to 3; the first break is within the 70 estimators, 101 and up, of kd 3.

    Estimators 1 and 2, of kd 0, are the first and the last to be relinked.
    """
    phase = phase_of(revision)
    kds = phase.kds(3)
    phase.put(phase.kd0, 3, [2, 3])
    phase.put(kds[0], 3, [4])
    phase.put(kds[1], 3, [5])
    phase.put(kds[2], 3, range(101, 171))
    return phase, kds[2]


def test_undisturbed_break_changes_nothing() -> None:
    for revision in ALL:
        phase, _ = in_a_break(revision)
        phase.run()
        assert temp_list(phase.machine) == [3, 4, 5, *range(101, 171), 1]


def test_slot_that_went_in_a_break_restarts_the_delay() -> None:
    for revision in ALL:
        phase, kd = in_a_break(revision)
        netns = phase.machine.netns

        def drop(kd: KthreadContext = kd, phase: Phase = phase) -> None:
            # A control process deletes all that is left in kd 3 and with it the slot.
            for tick in kd.ticks:
                if tick is not None:
                    for est in list(nodes(tick.chains[0])):
                        for _ in stop_estimator(phase.machine, est):
                            pass

        phase.run(Others(GIVE_WAY, 1, drop))
        assert netns.est_kt_count == 1
        # 62 of kd 3 were relinked; the same delay of the other contexts follows.
        assert temp_list(phase.machine) == [3, 4, 5, *range(109, 171), 1]


def test_other_context_in_the_slot_after_a_break_is_left() -> None:
    for revision in ALL:
        phase, kd = in_a_break(revision)
        machine = phase.machine

        def exchange(machine: Machine = machine) -> None:
            machine.netns.est_kt_arr[3] = None
            other = new_context(machine.params, 3, 1000, 200)
            machine.netns.est_kt_arr[3] = other

        phase.run(Others(GIVE_WAY, 1, exchange))
        assert temp_list(machine) == [3, 4, 5, *range(109, 171), 1]
        assert kd.est_count == 8


def test_other_tick_in_the_row_after_a_break_is_left() -> None:
    for revision in ALL:
        phase, kd = in_a_break(revision)
        machine = phase.machine

        def exchange(machine: Machine = machine, kd: KthreadContext = kd) -> None:
            kd.ticks[3] = new_tick(machine.params, 3)

        phase.run(Others(GIVE_WAY, 1, exchange))
        assert temp_list(machine) == [3, 4, 5, *range(109, 171), 1]
        assert kd.est_count == 8


def test_phase_asked_to_stop_in_a_break_relinks_at_most_one_more() -> None:
    for revision in ALL:
        phase, _ = in_a_break(revision)
        phase.run(Others(GIVE_WAY, 1, ask_to_stop(phase.task)))
        assert len(temp_list(phase.machine)) in (63, 64)
        assert phase.machine.netns.est_chain_max == 0
