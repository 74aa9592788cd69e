"""Freed memory is noticed by whoever touches it."""

import pytest

from ipvs_est.language.operations import StartService, Traffic
from ipvs_est.language.violations import UseAfterFree
from ipvs_est.machine.memory import forget
from model import booted, run, seconds


@pytest.mark.parametrize("counted", [0, 1])
def test_a_kthread_that_reads_freed_stats_is_noticed(counted: int) -> None:
    # Whether the object ever counted anything must not matter.
    oracle = booted()
    run(oracle, [StartService(1)])
    seconds(oracle, 3)
    run(oracle, [Traffic(1, 0, 1, 1, 1, 1, 1)] * counted)
    assert not oracle.violations
    forget(oracle.machine.memory, oracle.machine.objects[1])
    seconds(oracle, 2)
    (seen,) = oracle.violations
    assert seen == UseAfterFree("stats of service 1", "cpustats", "ip_vs_chain_estimation")
