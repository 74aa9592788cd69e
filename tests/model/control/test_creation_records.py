"""What comes to exist, what does not, and what the record says of it."""

import pytest

from by_hand import SMALL, place, put_kd, run, small
from ipvs_est import MAINLINE, REPAIRED, Params, ViolationError
from ipvs_est.control.estimator_objects import free_stats_later, start_object, start_total
from ipvs_est.control.services import add_service
from ipvs_est.estimator.contexts import add_kthread_context
from ipvs_est.estimator.estimate_tick import estimate_tick
from ipvs_est.language.counters import Counters, Rates, difference
from ipvs_est.language.errno import EINVAL, ENOMEM
from ipvs_est.language.events import ContextAdded, StartReturned
from ipvs_est.language.fixed import signed
from ipvs_est.language.violations import DoubleFree, UseAfterFree
from ipvs_est.machine.memory import HeapObject, Life, fail_allocations
from ipvs_est.machine.rcu import end_grace_period
from ipvs_est.machine.tasks import Task
from ipvs_est.state.machine import boot
from ipvs_est.state.stats import Reading, StatsObject, export


def test_the_total_comes_to_exist_as_such() -> None:
    machine = boot(SMALL, MAINLINE)
    machine.events = []
    assert run(machine, start_total(machine))[1] == 0
    total = machine.netns.total
    assert total is not None
    assert (total.id, total.owner) == (0, "total")
    assert machine.objects == {0: total}
    assert machine.events[-1] == StartReturned(machine.now, 0, True, 0, True)


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_total_that_does_not_start_does_not_exist(nth: int) -> None:
    # Its stats, the array, the kd, calc_stats.
    machine = boot(SMALL, MAINLINE)
    machine.events = []
    fail_allocations(machine.memory, nth, 1)
    assert run(machine, start_total(machine))[1] == -ENOMEM
    assert machine.netns.total is None
    assert machine.objects == {}
    assert machine.memory.live == {}
    starts = [] if nth == 1 else [StartReturned(machine.now, 0, True, -ENOMEM, False)]
    assert machine.events == starts


def test_an_object_without_memory_does_not_exist() -> None:
    machine = small()
    put_kd(machine)
    machine.events = []
    fail_allocations(machine.memory, 1, 1)
    assert run(machine, start_object(machine, 5, "dest"))[1] == -ENOMEM
    assert machine.objects == {}
    assert not any(isinstance(event, StartReturned) for event in machine.events)
    assert run(machine, start_object(machine, 5, "dest"))[1] == 0
    assert [*machine.objects] == [5]
    started = [event for event in machine.events if isinstance(event, StartReturned)]
    assert started == [StartReturned(machine.now, 5, True, 0, True)]


def test_a_published_context_is_told_with_how_many_there_are() -> None:
    machine = small()
    for _ in range(3):
        put_kd(machine)
    machine.netns.est_kt_arr[1] = None
    machine.events = []
    run(machine, add_kthread_context(machine))
    run(machine, add_kthread_context(machine))
    assert [event for event in machine.events if isinstance(event, ContextAdded)] == [
        ContextAdded(machine.now, 1, 3, 4),
        ContextAdded(machine.now, 3, 4, 4),
    ]


def test_the_repaired_limit_counts_contexts_not_slots() -> None:
    # est_max_threads is 4.
    machine = small(REPAIRED)
    for _ in range(4):
        put_kd(machine)
    assert run(machine, add_kthread_context(machine))[1] == -EINVAL
    for slot in (1, 2):
        machine.netns.est_kt_arr[slot] = None
    for slot in (1, 2):
        added = run(machine, add_kthread_context(machine))[1]
        assert not isinstance(added, int)
        assert added.id == slot
    assert run(machine, add_kthread_context(machine))[1] == -EINVAL


@pytest.mark.parametrize("word_bits", [32, 64])
def test_each_estimation_takes_its_time(word_bits: int) -> None:
    params = Params(hz=100, nticks=5, chain_factor=3, word_bits=word_bits, est_cost_ns=700)
    machine = small(params=params)
    kd = put_kd(machine)
    for object_id in (1, 2):
        place(machine, kd, object_id, delay=4)
    machine.clock_ps = 5_000_000
    for _ in estimate_tick(machine, kd, Task(name="ipvs-e:0"), 4):
        pass
    assert machine.clock_ps == 5_000_000 + 2 * 700_000


def test_differences_are_taken_counter_by_counter_and_wrap() -> None:
    assert difference((10, 20, 30, 40, 50), (1, 2, 3, 4, 5)) == (9, 18, 27, 36, 45)
    assert difference((0, 0, 0, 0, 0), (1, 2, 3, 4, 5)) == tuple(2**64 - n for n in range(1, 6))


def test_the_highest_bit_alone_is_the_sign() -> None:
    for bits in (8, 32, 64):
        half = 1 << (bits - 1)
        assert signed(half - 1, bits) == half - 1
        assert signed(half >> 1, bits) == half >> 1
        assert signed(half, bits) == -half
        assert signed(2 * half - 1, bits) == -1


def test_a_service_is_bound_to_its_scheduler_and_recorded_as_new() -> None:
    machine = boot(SMALL, MAINLINE)
    machine.events = []
    assert run(machine, add_service(machine, 1, "wlc"))[1] == 0
    assert machine.netns.services[1].scheduler == "wlc"
    started = [event for event in machine.events if isinstance(event, StartReturned)]
    assert started == [StartReturned(machine.now, 1, True, 0, True)]


@pytest.mark.parametrize("word_bits", [32, 64])
def test_reading_or_freeing_freed_stats_names_the_kernels_function(word_bits: int) -> None:
    machine = small(params=Params(hz=100, nticks=5, chain_factor=3, word_bits=word_bits))
    kd = put_kd(machine)
    stats = place(machine, kd, 1, delay=4).stats
    free_stats_later(machine, stats)
    end_grace_period(machine.rcu)
    machine.raise_violations = True
    with pytest.raises(ViolationError) as found:
        for _ in estimate_tick(machine, kd, Task(name="ipvs-e:0"), 4):
            pass
    assert found.value.violation == UseAfterFree(
        stats.describe(), "cpustats", "ip_vs_chain_estimation"
    )
    free_stats_later(machine, stats)
    stats.life = Life.FREED
    with pytest.raises(ViolationError) as found:
        end_grace_period(machine.rcu)
    assert found.value.violation == DoubleFree(stats.describe(), "ip_vs_stats_rcu_free")


def test_the_old_interface_has_the_low_words_of_all_but_bytes() -> None:
    stats = StatsObject(id=1)
    high = 5 << 32
    stats.kstats = (high + 1, high + 2, high + 3, high + 4, high + 5)
    packets, data = 1 << 10, 1 << 5
    stats.est.rates = (
        (high + 6) * packets,
        (high + 7) * packets,
        (high + 8) * packets,
        (high + 9) * data,
        (high + 10) * data,
    )
    assert export(stats) == Reading(Counters(1, 2, 3, high + 4, high + 5), Rates(6, 7, 8, 9, 10))


def test_objects_are_named_after_their_type() -> None:
    assert HeapObject().describe() == "HeapObject"
