"""What adding and deleting destinations leaves behind, in the trash and in the record."""

from collections.abc import Generator

import pytest

from by_hand import run
from ipvs_est import MAINLINE, STABLE, Params, ViolationError
from ipvs_est.control.estimator_objects import start_total
from ipvs_est.control.services import (
    TRASH_SCAN_SECONDS,
    _free_dest,
    _free_service,
    add_dest,
    add_service,
    delete_dest,
    free_trash,
    put_service,
    scan_trash,
)
from ipvs_est.language.errno import ENOMEM
from ipvs_est.language.events import DestTaken, StartReturned
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import DoubleFree, UseAfterFree
from ipvs_est.machine.memory import HeapObject, Life
from ipvs_est.machine.points import Point
from ipvs_est.state.control_objects import Dest, Service
from ipvs_est.state.machine import Machine, boot
from ipvs_est.state.stats import Estimator, StatsObject

HZ = 100


def machine_with_service(revision: Revision = MAINLINE) -> tuple[Machine, Service]:
    machine = boot(Params(hz=HZ, nticks=5, chain_factor=3), revision)
    assert run(machine, start_total(machine))[1] == 0
    assert run(machine, add_service(machine, 1, "rr"))[1] == 0
    machine.events = []
    return machine, machine.netns.services[1]


def trashed_dest(machine: Machine, service: Service) -> Dest:
    assert run(machine, add_dest(machine, 7, service))[1] == 0
    dest = service.dests[7]
    run(machine, delete_dest(machine, dest))
    machine.events = []
    return dest


def test_the_record_tells_a_new_destination_from_one_out_of_the_trash() -> None:
    machine, service = machine_with_service()
    run(machine, add_service(machine, 2, "rr"))
    trashed_dest(machine, service)
    run(machine, add_dest(machine, 8, service))
    run(machine, add_dest(machine, 7, service))
    now = machine.now
    assert machine.events is not None
    assert [event for event in machine.events if isinstance(event, StartReturned | DestTaken)] == [
        StartReturned(now, 8, True, 0, True),
        StartReturned(now, 7, False, 0, True),
        DestTaken(now, 7, 0, True, False),
    ]


@pytest.mark.parametrize(
    ("revision", "in_trash", "idle_start"), [(MAINLINE, True, 77), (STABLE, False, 77)]
)
def test_a_destination_that_does_not_start_again_waits_as_long_as_before(
    revision: Revision, in_trash: bool, idle_start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, service = machine_with_service(revision)
    dest = trashed_dest(machine, service)
    dest.idle_start = 77

    def fails(_: Machine, est: Estimator) -> Generator[Point, None, int]:
        del est
        yield from ()
        return -ENOMEM

    monkeypatch.setattr("ipvs_est.control.services.start_estimator", fails)
    assert run(machine, add_dest(machine, 7, service))[1] == -ENOMEM
    assert (dest in machine.netns.trash) is in_trash
    assert dest.idle_start == idle_start
    assert machine.events is not None
    assert machine.events[-1] == DestTaken(machine.now, 7, -ENOMEM, False, in_trash)


def test_the_next_scan_of_the_trash_is_a_minute_later() -> None:
    machine, service = machine_with_service()
    trashed_dest(machine, service)
    machine.now += 4321
    scan_trash(machine)
    assert machine.netns.trash_scan_due == machine.now + TRASH_SCAN_SECONDS * HZ
    machine.now += 120 * HZ
    scan_trash(machine)
    assert machine.netns.trash_scan_due is None


def test_netns_exit_leaves_no_reference_to_what_was_in_the_trash() -> None:
    machine, service = machine_with_service()
    dest = trashed_dest(machine, service)
    dest.references = 3
    free_trash(machine)
    assert dest.references == 0
    assert dest.life is Life.WAITING
    assert machine.netns.trash_scan_due is None


def freed(thing: HeapObject) -> HeapObject:
    thing.life = Life.FREED
    return thing


def test_touching_or_freeing_a_freed_object_names_the_kernels_function() -> None:
    machine, service = machine_with_service()
    freed(service)
    machine.raise_violations = True
    with pytest.raises(ViolationError) as touched:
        put_service(machine, service)
    assert touched.value.violation == UseAfterFree("service 1", "refcnt", "ip_vs_svc_put")
    with pytest.raises(ViolationError) as again:
        _free_service(machine, Service(id=2, life=Life.FREED))
    assert again.value.violation == DoubleFree("service 2", "ip_vs_service_rcu_free")
    with pytest.raises(ViolationError) as again:
        _free_dest(machine, Dest(id=3, life=Life.FREED))
    assert again.value.violation == DoubleFree("dest 3", "ip_vs_dest_rcu_free")
    stats = StatsObject(id=4, life=Life.FREED)
    with pytest.raises(ViolationError) as again:
        _free_service(machine, Service(id=4, stats=stats))
    assert again.value.violation == DoubleFree(stats.describe(), "ip_vs_service_rcu_free")
    with pytest.raises(ViolationError) as again:
        _free_dest(machine, Dest(id=4, stats=stats))
    assert again.value.violation == DoubleFree(stats.describe(), "ip_vs_dest_rcu_free")
