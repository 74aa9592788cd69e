"""Short names for tests that drive the oracle."""

from collections.abc import Iterable

from ipvs_est import MAINLINE, Oracle, Params, Revision, Snapshot
from ipvs_est.answers.results import Returned
from ipvs_est.answers.snapshot import DestSnapshot, ServiceSnapshot
from ipvs_est.language.operations import Advance, InitNetns, Operation

HZ = 100
TINY = Params(hz=HZ, nticks=5, chain_factor=3, possible_cpus=4, est_cost_ns=23750)
"""5 rows of 3 chains; at this cost a chain holds 1, a kthread 15."""


def booted(revision: Revision = MAINLINE, params: Params = TINY) -> Oracle:
    """A machine after netns init."""
    oracle = Oracle(params, revision)
    assert returned(oracle, InitNetns()) == 0
    return oracle


def returned(oracle: Oracle, operation: Operation) -> int:
    """What an operation returned."""
    result = oracle.apply(operation)
    assert isinstance(result, Returned)
    return result.ret


def run(oracle: Oracle, operations: Iterable[Operation]) -> None:
    """Apply operations that must succeed."""
    for operation in operations:
        assert returned(oracle, operation) == 0, operation


def seconds(oracle: Oracle, count: int) -> None:
    """Let that many seconds pass."""
    oracle.apply(Advance(count * HZ))


def service(snapshot: Snapshot, service_id: int) -> ServiceSnapshot:
    """That service."""
    (found,) = [service for service in snapshot.services if service.id == service_id]
    return found


def dest(snapshot: Snapshot, dest_id: int) -> DestSnapshot:
    """That destination, in its service or in the trash."""
    (found,) = [dest for dest in snapshot.dests if dest.id == dest_id]
    return found
