"""What answers -EEXIST: an object of that id is there already; it stays as it is."""

from by_hand import run, small
from ipvs_est import MAINLINE
from ipvs_est.control.estimator_objects import start_object
from ipvs_est.control.services import add_dest, add_service

EEXIST = 17  # errno(3)


def test_an_id_belongs_to_one_object() -> None:
    machine = small(MAINLINE)
    assert run(machine, add_service(machine, 1, "rr"))[1] == 0
    service = machine.netns.services[1]
    assert run(machine, add_dest(machine, 2, service))[1] == 0
    before = dict(machine.objects)
    live = dict(machine.memory.live)
    for again in (
        add_service(machine, 1, "wrr"),
        add_dest(machine, 2, service),
        start_object(machine, 1, "service"),
    ):
        assert run(machine, again)[1] == -EEXIST
    assert machine.objects == before
    assert machine.memory.live == live
    assert machine.netns.services == {1: service}
