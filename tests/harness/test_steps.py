"""The table of points that the model and the code share, and scenarios made fit for both."""

import pytest

from access_table import TABLE
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    ExitNetns,
    FailAllocations,
    InitNetns,
    Packet,
)
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.points import READ_ENABLE, READ_STOPPED, GiveWay, Join, Lock, Stop
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est_checks.explore.scenarios.scenario import TINY, Actor, Scenario, load
from ipvs_est_checks.harness.steps.code_side import in_order_of_table, why_not
from ipvs_est_checks.harness.steps.points import FIELDS, may_be_passed, place_of


def made(*setup: object) -> Scenario:
    exits = Actor("EXIT", (ExitNetns(),))
    return Scenario("made", "Made.", TINY, tuple(setup), (exits,), 10)  # type: ignore[arg-type]  # operations


def test_every_point_of_the_table_of_accesses_is_common_or_has_its_reason() -> None:
    points = set().union(*(row.points for row in TABLE))
    rows = {f"{field.field} {'w' if field.write else 'r'}": field for field in FIELDS}
    assert points - rows.keys() == set()
    assert all(bool(field.place) != bool(field.why) for field in FIELDS)


def test_a_point_of_the_model_has_the_place_at_which_the_code_stands() -> None:
    task = Task(name="ipvs-e:0")
    assert place_of(Lock(Mutex("service_mutex")), sysctl=True) == "lock __ip_vs_mutex"
    assert place_of(Lock(Mutex("softirq of CPU 0")), sysctl=True) is None
    assert place_of(Stop(task), sysctl=True) == "stop ipvs-e:0"
    assert place_of(Join(task), sysctl=True) == "join"
    task.state = TaskState.EXITED
    assert place_of(Join(task), sysctl=True) is None
    assert place_of(READ_ENABLE, sysctl=True) == "read once enable"
    assert place_of(READ_STOPPED, sysctl=False) is None
    assert place_of(GiveWay("u64_stats_fetch_retry", rcu=False), sysctl=True) is None


@pytest.mark.parametrize("place", ["unlocked est_mutex", "write avail", "read once enable"])
def test_the_code_may_stand_at_what_the_table_has(place: str) -> None:
    assert may_be_passed(place)


def test_a_field_that_the_table_does_not_have_is_a_difference() -> None:
    assert not may_be_passed("write est_new_field")


def test_what_the_code_does_not_do_alike_is_left_out_with_the_reason() -> None:
    assert why_not(load("exit-in-drain")) == ""
    assert "tables" in why_not(made(InitNetns(), FailAllocations(1), AddService(1)))
    assert why_not(made(InitNetns(), AddService(1), FailAllocations(1))) == ""
    assert "packets" in why_not(made(InitNetns(), Packet(1, 0, 1, 1, 1, 1, 1)))


def test_services_get_ids_in_the_order_of_the_kernels_table() -> None:
    order = [1003, 1001, 1010, 1002, 1020]
    events = [{"event": "stopped", "id": number} for number in order]

    def ask(line: dict[str, object]) -> dict[str, object]:
        return {"result": {"ret": 0}, "events": events if line.get("op") == "exit" else []}

    renamed = in_order_of_table(ask, made(InitNetns(), AddService(4), AddService(7), AddDest(9, 7)))
    first, second, dest = renamed.setup[1:]
    assert isinstance(first, AddService)
    assert isinstance(second, AddService)
    assert isinstance(dest, AddDest)
    assert order.index(first.id) < order.index(second.id)
    assert first.id < second.id
    assert (dest.id, dest.service) == (9, second.id)


def test_one_service_keeps_its_id() -> None:
    scenario = made(InitNetns(), AddService(4))
    assert in_order_of_table(lambda line: line, scenario) is scenario
