"""The trash, and destinations that come back from it (semantics section 13)."""

import pytest

from ipvs_est import REVISIONS, OperationError, Oracle, Revision
from ipvs_est.language.events import Stopped
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    DeleteDest,
    DeleteService,
    ExitNetns,
    GetDest,
    Packet,
    PutDest,
    Read,
    Traffic,
)
from ipvs_est.state.stats import STOPPED_KTID
from model import HZ, booted, dest, run, seconds, service

every_revision = pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda r: r.name)


def of_dest(oracle: Oracle, dest_id: int) -> tuple[int, ...]:
    return oracle.apply(Read(dest_id)).reading.counters


@every_revision
def test_a_dest_put_into_an_empty_trash_sets_the_pending_timer_anew(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), DeleteDest(10)])
    first = oracle.snapshot().now
    assert oracle.snapshot().trash_scan_due == first + 60 * HZ
    seconds(oracle, 50)
    # Taken back: the trash is empty, its timer still pending.
    run(oracle, [AddDest(10, 1)])
    assert oracle.snapshot().trash_scan_due == first + 60 * HZ
    run(oracle, [DeleteDest(10)])
    assert oracle.snapshot().trash_scan_due == oracle.snapshot().now + 60 * HZ


def test_a_dest_put_beside_others_leaves_the_timer_alone() -> None:
    oracle = booted()
    run(oracle, [AddService(1), AddDest(10, 1), AddDest(11, 1), DeleteDest(10)])
    due = oracle.snapshot().trash_scan_due
    seconds(oracle, 7)
    run(oracle, [DeleteDest(11)])
    assert oracle.snapshot().trash_scan_due == due


@every_revision
def test_under_another_service_it_is_another_dest(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddService(2), AddDest(10, 1), Traffic(10, 0, 5, 0, 0, 0, 0)])
    run(oracle, [DeleteDest(10), AddDest(10, 2)])
    snapshot = oracle.snapshot()
    assert [(dest.id, dest.service, dest.in_trash) for dest in snapshot.dests] == [
        (10, 2, False),
        (10, 1, True),
    ]
    (fresh,) = [object_state for object_state in snapshot.objects if object_state.id == 10]
    assert fresh.cpustats == ()
    # Both may wait in the trash, and each comes back to its own service.
    run(oracle, [DeleteDest(10), AddDest(10, 1), Advance(2 * HZ)])
    assert dest_services(oracle) == [(10, 1, False), (10, 2, True)]
    assert of_dest(oracle, 10)[0] == 5


def dest_services(oracle: Oracle) -> list[tuple[int, int | None, bool]]:
    return [(dest.id, dest.service, dest.in_trash) for dest in oracle.snapshot().dests]


@every_revision
def test_under_a_service_made_anew_a_dest_comes_back_zeroed(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), Traffic(10, 0, 5, 6, 7, 8, 9), Advance(5 * HZ)])
    assert of_dest(oracle, 10) == (5, 6, 7, 8, 9)
    run(oracle, [DeleteService(1), AddService(1), AddDest(10, 1)])
    assert of_dest(oracle, 10) == (0, 0, 0, 0, 0)
    assert oracle.apply(Read(10)).reading.rates == (0, 0, 0, 0, 0)
    assert service(oracle.snapshot(), 1).references == 2
    # The service that was deleted has lost its last reference.
    oracle.apply(Advance(1))
    names = [heap_object.describe() for heap_object in oracle.machine.memory.live.values()]
    assert names.count("service 1") == 1


@every_revision
def test_under_the_same_service_its_counters_go_on(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), Traffic(10, 0, 5, 6, 7, 8, 9), Advance(5 * HZ)])
    run(oracle, [DeleteDest(10), AddDest(10, 1)])
    assert of_dest(oracle, 10) == (5, 6, 7, 8, 9)


@every_revision
def test_a_deleted_service_stops_the_dest_added_last_first(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(12, 1), AddDest(10, 1), AddDest(11, 1)])
    # One taken back from the trash counts as added then.
    run(oracle, [DeleteDest(12), AddDest(12, 1)])
    oracle.machine.events = []
    run(oracle, [DeleteService(1)])
    stopped = [event.id for event in oracle.machine.events if isinstance(event, Stopped)]
    assert stopped == [1, 12, 11, 10]


@every_revision
def test_leaving_the_trash_a_dest_drops_its_service_at_once_and_is_freed_later(
    revision: Revision,
) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), DeleteDest(10)])
    seconds(oracle, 180)
    assert service(oracle.snapshot(), 1).references == 1
    # The timer ran in this jiffy, and so did the callback that it queued.
    assert dest_services(oracle) == []


def test_a_dest_keeps_its_idle_time_whatever_happens_in_between() -> None:
    oracle = booted()
    run(oracle, [AddService(1), AddDest(10, 1), GetDest(10), DeleteDest(10), PutDest(10)])
    seconds(oracle, 60)
    idle = dest(oracle.snapshot(), 10).idle_start
    assert idle == oracle.snapshot().now
    # A scan that sees a reference passes over it, and no more.
    oracle.machine.netns.trash[0].references = 1
    seconds(oracle, 60)
    assert dest(oracle.snapshot(), 10).idle_start == idle
    run(oracle, [PutDest(10)])
    seconds(oracle, 60)
    assert dest_services(oracle) == []


def test_jiffies_of_0_are_not_taken_for_never_idle() -> None:
    oracle = booted()
    run(oracle, [AddService(1), AddDest(10, 1), DeleteDest(10)])
    due = oracle.snapshot().trash_scan_due
    assert due is not None
    # The scan falls on jiffies 0.
    oracle.machine.now += 2**64 - due
    oracle.machine.netns.trash_scan_due = 2**64
    oracle.apply(Advance(2**64 - oracle.machine.now))
    assert oracle.state().jiffies == 0
    assert dest(oracle.snapshot(), 10).idle_start == 2**64 + 1


@every_revision
def test_the_trash_holds_the_dest_deleted_last_at_its_head(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), AddDest(11, 1), DeleteDest(11), DeleteDest(10)])
    assert [dest.id for dest in oracle.machine.netns.trash] == [10, 11]


def test_netns_exit_does_not_arm_the_timer_of_the_trash() -> None:
    oracle = booted()
    run(oracle, [AddService(1), AddDest(10, 1)])
    total = oracle.machine.netns.total
    assert total is not None
    netns = oracle.machine.netns
    run(oracle, [ExitNetns()])
    assert netns.trash_scan_due is None
    assert netns.trash == []
    assert total.est.ktid == STOPPED_KTID
    assert oracle.violations == ()


# Packets


def counted(oracle: Oracle, *ids: int) -> list[tuple[int, ...]]:
    """The counters of CPU 0; of objects in use and in the trash."""
    snapshot = oracle.snapshot()
    objects = {object_state.id: object_state for object_state in snapshot.objects}
    trashed = {dest.id: dest.stats for dest in snapshot.dests if dest.stats is not None}
    found = [objects.get(identity) or trashed[identity] for identity in ids]
    return [
        object_state.cpustats[0].counters if object_state.cpustats else (0, 0, 0, 0, 0)
        for object_state in found
    ]


@every_revision
def test_a_packet_counts_in_three_objects(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), AddDest(11, 1), Packet(10, 0, 1, 2, 3, 4, 5)])
    assert counted(oracle, 10, 1, 0) == [(1, 2, 3, 4, 5)] * 3
    assert counted(oracle, 11) == [(0, 0, 0, 0, 0)]


@every_revision
def test_of_a_dest_in_the_trash_connections_count_and_packets_do_not(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), DeleteDest(10), Packet(10, 0, 1, 2, 3, 4, 5)])
    assert counted(oracle, 10, 1, 0) == [(1, 0, 0, 0, 0)] * 3
    run(oracle, [AddDest(10, 1), Packet(10, 0, 0, 2, 0, 4, 0)])
    assert counted(oracle, 10, 1, 0) == [(1, 2, 0, 4, 0)] * 3


@every_revision
def test_an_id_that_another_service_has_now_brings_nothing_back(revision: Revision) -> None:
    """An id names one live object: it took the place of the live one, and deleting that failed."""
    oracle = booted(revision)
    run(oracle, [AddService(1), AddService(2), AddDest(10, 1), DeleteDest(10), AddDest(10, 2)])
    with pytest.raises(OperationError, match="object 10 exists already"):
        oracle.apply(AddDest(10, 1))
    run(oracle, [DeleteService(2), AddDest(10, 1), DeleteService(1)])
