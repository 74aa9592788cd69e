"""What users read of estimation in /proc/net (semantics section 17)."""

from dataclasses import replace

import pytest

from ipvs_est import MAINLINE, REVISIONS, OperationError, Oracle, Params, Revision
from ipvs_est.answers.results import Status
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    InitNetns,
    Packet,
    ReadPercpu,
    ReadStatus,
    StartDest,
    Traffic,
    Zero,
)
from model import HZ, TINY, booted, run


def test_the_status_tells_slots_limit_and_what_a_kthread_may_have() -> None:
    oracle = booted()
    assert oracle.apply(ReadStatus()) == Status(1, 0, 0, 0)
    run(oracle, [AddService(1), *map(StartDest, range(2, 20)), Advance(2 * HZ)])
    # 20 estimators, 15 to a kthread: two slots. Four CPUs, 5 rows of 3 chains.
    assert oracle.apply(ReadStatus()) == Status(2, 16, 1, 1 * 3 * 5)


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda r: r.name)
def test_only_mainline_has_the_status_file(revision: Revision) -> None:
    oracle = booted(revision)
    if revision in (MAINLINE, REVISIONS["repaired"]):
        assert oracle.apply(ReadStatus()).kt_count == 1
    else:
        with pytest.raises(OperationError, match="ip_vs_status"):
            oracle.apply(ReadStatus())


@pytest.mark.parametrize("bits", [32, 64])
def test_zeroing_changes_the_sum_and_not_the_rows(bits: int) -> None:
    oracle = booted(params=replace(TINY, word_bits=bits, possible_cpus=3))
    run(oracle, [AddService(1), AddDest(10, 1), Packet(10, 2, 1, 2, 3, 4, 5)])
    run(oracle, [Traffic(0, 0, 10, 0, 0, 0, 0), Advance(4 * HZ)])
    rows = ((10, 0, 0, 0, 0), (0, 0, 0, 0, 0), (1, 2, 3, 4, 5))
    before = oracle.apply(ReadPercpu())
    assert before.cpus == rows
    assert before.total.counters == (11, 2, 3, 4, 5)
    assert before.total.rates[0] > 0
    run(oracle, [Zero(0)])
    after = oracle.apply(ReadPercpu())
    assert after.cpus == rows
    assert after.total.counters == (0, 0, 0, 0, 0)
    assert after.total.rates == (0, 0, 0, 0, 0)


def test_without_a_total_there_is_nothing_to_show() -> None:
    oracle = Oracle(Params(sysctl=False))
    oracle.apply(InitNetns())
    with pytest.raises(OperationError, match="no total"):
        oracle.apply(ReadPercpu())
