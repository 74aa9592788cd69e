"""What a replay returns, and what a written trace looks like."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from ipvs_est import MAINLINE, REPAIRED, V7, Oracle, Params, Revision
from ipvs_est.answers.results import Returned
from ipvs_est.answers.trace import write_trace
from ipvs_est.language.difference import Difference
from ipvs_est.language.header import Header
from ipvs_est.language.operations import (
    Advance,
    Operation,
    Read,
    SetNice,
    Settle,
    StartService,
    StartTotal,
)
from ipvs_est.language.violations import InvalidPointer
from ipvs_est.replay import Failed, Passed, Replayed, replay
from ipvs_est.sequential import ControlProcessBlockedError

HEADER = Header("a name", "7.3.4", 7, Params(nticks=5, chain_factor=3), MAINLINE)
UNDEFINED = InvalidPointer("scheduler", "ip_vs_add_service")

Write = Callable[[list[str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_lines(lines: list[str]) -> Path:
        path = tmp_path / "t.jsonl"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write_lines


def history(header: Header, operations: list[Operation]) -> list[str]:
    """The lines of a trace in which the model answered."""
    oracle = Oracle(header.params, header.revision)
    return list(
        write_trace(header, [(operation, oracle.apply(operation)) for operation in operations])
    )


def test_a_written_trace_is_a_header_and_a_line_for_each_operation() -> None:
    assert history(HEADER, [StartTotal(), SetNice(20), Read(0)]) == [
        '{"trace":"a name","format":1,"kernel":"7.3.4","seed":7,"params":{"hz":250,"nticks":5,'
        '"tick_jiffies":100,"load_divisor":8,"chain_factor":3,"tick_chains":3,'
        '"preempt_rcu":false,"possible_cpus":1,"est_cost_ns":1000,"initial_jiffies":1000}}',
        '{"op":"tot","result":{"ret":0}}',
        '{"op":"nice","value":20,"result":{"ret":-22}}',
        '{"op":"read","id":0,"result":{"conns":0,"inpkts":0,"outpkts":0,"inbytes":0,'
        '"outbytes":0,"cps":0,"inpps":0,"outpps":0,"inbps":0,"outbps":0,'
        '"ktid":-1,"ktrow":4,"ktcid":0}}',
    ]


def test_a_trace_that_is_reproduced(write: Write) -> None:
    lines = history(HEADER, [StartTotal(), StartService(1), Advance(2000)])
    path = write(lines)
    assert replay(path) == Passed(str(path), HEADER, 3, ())


def test_a_result_that_differs_ends_the_replay_at_its_line(write: Write) -> None:
    lines = history(HEADER, [StartTotal(), SetNice(3), Settle()])
    path = write([*lines[:2], lines[2].replace('"ret":0', '"ret":5'), "never read"])
    assert replay(path) == Failed(str(path), HEADER, 2, 3, SetNice(3), Difference("ret", 5, 0), ())


@pytest.mark.parametrize("revision", [V7, REPAIRED], ids=lambda revision: revision.name)
def test_another_revision_takes_the_place_of_the_kernel(write: Write, revision: Revision) -> None:
    path = write(history(HEADER, [StartTotal(), Settle()]))
    replayed = replay(path, revision)
    assert replayed.header.revision is revision
    assert replayed.header.kernel == "7.3.4"
    assert replay(path).header.revision is MAINLINE


def undefined(write: Write, recorded: str) -> Replayed:
    """v7's double unbind, with a recorded result."""
    header = Header("u", "v7", 0, Params(sysctl=False), V7)
    return replay(
        write(
            [
                *write_trace(header, []),
                '{"op":"fail_allocations","nth":3,"result":{"ret":0}}',
                f'{{"op":"add_service","id":1,"result":{recorded}}}',
            ]
        )
    )


def test_a_recorded_violation_is_reproduced(write: Write) -> None:
    recorded = (
        '{"violation":{"kind":"invalid-pointer","thing":"scheduler","where":"ip_vs_add_service"}}'
    )
    found = undefined(write, recorded)
    assert isinstance(found, Passed)
    assert (found.operations, found.violations) == (2, (UNDEFINED,))


def test_a_violation_in_the_place_of_a_result_differs(write: Write) -> None:
    found = undefined(write, '{"ret":-12}')
    assert isinstance(found, Failed)
    assert found.difference == Difference(
        "",
        {"ret": -12},
        "no result: invalid-pointer: thing=scheduler, where=ip_vs_add_service",
    )
    assert found.violations == (UNDEFINED,)


def test_a_violation_of_another_object_differs(write: Write) -> None:
    recorded = '{"violation":{"kind":"invalid-pointer","thing":"dest","where":"x"}}'
    assert isinstance(undefined(write, recorded), Failed)


def test_a_recorded_deadlock_is_reproduced_as_the_last_line(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocked(*_: object) -> NoReturn:
        raise ControlProcessBlockedError

    path = write(
        [
            *history(HEADER, [StartTotal()]),
            '{"op":"settle","result":{"deadlock":"control process blocked"}}',
        ]
    )
    found = replay(path)
    assert isinstance(found, Failed)
    assert found.difference == Difference("ret", "(absent)", Returned(0).ret)
    monkeypatch.setattr("ipvs_est.oracle.settle", blocked)
    assert isinstance(replay(path), Passed)


def test_a_dump_that_differs_is_compared_member_by_member(write: Write) -> None:
    lines = [
        *history(HEADER, [StartTotal()]),
        '{"op":"dump","result":{"jiffies":1000,"enable":0,"stopped":0,"kt_count":1,"add_ktid":0,'
        '"max_threads":0,"chain_max":0,"calc_phase":0,"genid":0,"genid_done":0,"temp":[0],'
        '"kthreads":[{"id":0,"running":false,"est_count":0,"est_max_count":0,"chain_max":0,'
        '"tick_max":0,"add_row":0,"est_row":0,"est_timer":1000,"avail":"1f","ticks":{}}]}}',
    ]
    assert isinstance(replay(write(lines)), Passed)
    assert isinstance(replay(write([*lines[:2], lines[2].replace(":", ": ")])), Passed)
    found = replay(write([*lines[:2], lines[2].replace('"add_row":0', '"add_row":1')]))
    assert isinstance(found, Failed)
    assert found.difference == Difference("kthreads[0].add_row", 1, 0)
