"""The operation language: what a history consists of (docs: SCHEMA.md).

Version 1 is the recorded format; later additions are optional operations and fields.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from ipvs_est.language.params import MAX_COST_NS, MAX_POSSIBLE_CPUS


@dataclass(frozen=True, slots=True)
class StartTotal:
    """Netns init starts the total's estimator, without the service mutex."""

    op: ClassVar[str] = "tot"


@dataclass(frozen=True, slots=True)
class StartService:
    """Start the estimator of a new service's stats object; the first sets `enable`."""

    op: ClassVar[str] = "svc"
    id: int


@dataclass(frozen=True, slots=True)
class StartDest:
    """Start the estimator of a new destination's stats object."""

    op: ClassVar[str] = "dest"
    id: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Stop the estimator of a bare stats object and free the object."""

    op: ClassVar[str] = "del"
    id: int


@dataclass(frozen=True, slots=True)
class SetCpulist:
    """A valid cpulist of the CPUs 0 .. weight-1 is set."""

    op: ClassVar[str] = "cpulist"
    weight: int


@dataclass(frozen=True, slots=True)
class SetCost:
    """Estimating one estimator takes this long from now on."""

    op: ClassVar[str] = "cost"
    ns: int


@dataclass(frozen=True, slots=True)
class SetNice:
    """Write est_nice."""

    op: ClassVar[str] = "nice"
    value: int
    offset: int = 0
    """Of the write in the file; elsewhere than at its beginning no number is taken from it, as
    from a write of no bytes, and the value is written that was read before."""


@dataclass(frozen=True, slots=True)
class SetRunEstimation:
    """Write run_estimation."""

    op: ClassVar[str] = "run_estimation"
    value: int
    offset: int = 0
    """As that of `SetNice`."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Packets are counted on one CPU."""

    op: ClassVar[str] = "traffic"
    id: int
    cpu: int
    conns: int
    inpkts: int
    outpkts: int
    inbytes: int
    outbytes: int


@dataclass(frozen=True, slots=True)
class Packet:
    """New connections and packets of a destination are counted on one CPU: in its own stats
    object, its service's and the total's."""

    op: ClassVar[str] = "packet"
    id: int
    cpu: int
    conns: int
    inpkts: int
    outpkts: int
    inbytes: int
    outbytes: int


@dataclass(frozen=True, slots=True)
class Zero:
    """Zero an object's counters and rates."""

    op: ClassVar[str] = "zero"
    id: int


@dataclass(frozen=True, slots=True)
class Read:
    """Read an object's counters, rates and place."""

    op: ClassVar[str] = "read"
    id: int


@dataclass(frozen=True, slots=True)
class Disable:
    """Netns shutdown begins: `enable` becomes 0."""

    op: ClassVar[str] = "disable"


@dataclass(frozen=True, slots=True)
class Cleanup:
    """The end of the estimators in netns exit."""

    op: ClassVar[str] = "cleanup"


@dataclass(frozen=True, slots=True)
class Settle:
    """Let tasks run until nothing is runnable."""

    op: ClassVar[str] = "settle"


@dataclass(frozen=True, slots=True)
class Advance:
    """Let `n` jiffies pass."""

    op: ClassVar[str] = "advance"
    n: int


@dataclass(frozen=True, slots=True)
class Dump:
    """The estimator state, as recorded."""

    op: ClassVar[str] = "dump"


@dataclass(frozen=True, slots=True)
class InitNetns:
    """Netns init; without sysctl support there is no total."""

    op: ClassVar[str] = "init"


@dataclass(frozen=True, slots=True)
class ExitNetns:
    """Netns exit in full order, grace periods included; what is still allocated is a leak."""

    op: ClassVar[str] = "exit"


@dataclass(frozen=True, slots=True)
class AddService:
    """Add a virtual service."""

    op: ClassVar[str] = "add_service"
    id: int


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Delete a virtual service with its destinations."""

    op: ClassVar[str] = "delete_service"
    id: int


@dataclass(frozen=True, slots=True)
class AddDest:
    """Add a destination to a service, from the trash if it waits there."""

    op: ClassVar[str] = "add_dest"
    id: int
    service: int


@dataclass(frozen=True, slots=True)
class DeleteDest:
    """Delete a destination: it goes to the trash."""

    op: ClassVar[str] = "delete_dest"
    id: int


@dataclass(frozen=True, slots=True)
class GetDest:
    """A connection takes a reference to a destination."""

    op: ClassVar[str] = "get_dest"
    id: int


@dataclass(frozen=True, slots=True)
class PutDest:
    """A connection drops its reference to a destination, which may be in the trash."""

    op: ClassVar[str] = "put_dest"
    id: int


@dataclass(frozen=True, slots=True)
class WriteCpulist:
    """A process writes text to est_cpulist; `allowed` are its own CPUs (absent: all)."""

    op: ClassVar[str] = "write_cpulist"
    text: str
    allowed: frozenset[int] | None = None
    offset: int = 0
    """Of the write in the file; elsewhere than at its beginning nothing comes of it."""


@dataclass(frozen=True, slots=True)
class ReadCpulist:
    """Read est_cpulist."""

    op: ClassVar[str] = "read_cpulist"


@dataclass(frozen=True, slots=True)
class FailAllocations:
    """Let `count` allocations fail, the first of them the `nth` from now on (1 = the next)."""

    op: ClassVar[str] = "fail_allocations"
    nth: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Export:
    """Read an object through the old sockopt interface, 32 bits wide."""

    op: ClassVar[str] = "export"
    id: int


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """Read what /proc/net/ip_vs_status tells about estimation."""

    op: ClassVar[str] = "read_status"


@dataclass(frozen=True, slots=True)
class ReadPercpu:
    """Read /proc/net/ip_vs_stats_percpu."""

    op: ClassVar[str] = "read_percpu"


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """The complete state."""

    op: ClassVar[str] = "snapshot"


Operation = (
    StartTotal
    | StartService
    | StartDest
    | Delete
    | SetCpulist
    | SetCost
    | SetNice
    | SetRunEstimation
    | Traffic
    | Zero
    | Read
    | Disable
    | Cleanup
    | Settle
    | Advance
    | Dump
    | InitNetns
    | ExitNetns
    | AddService
    | DeleteService
    | AddDest
    | DeleteDest
    | GetDest
    | PutDest
    | WriteCpulist
    | ReadCpulist
    | FailAllocations
    | Export
    | Packet
    | ReadStatus
    | ReadPercpu
    | TakeSnapshot
)

OPERATIONS: tuple[type[Operation], ...] = get_args(Operation)
"""All operations."""

MAX_ID = 2**31 - 1
MAX_ADVANCE = 10_000_000
"""Jiffies in one `advance`: keeps the time that one line can take bounded."""
MAX_TEXT = 1 << 20
"""Characters in one text written to a sysctl file."""

_U64 = (0, 2**64 - 1)
_S32 = (-(2**31), 2**31 - 1)

BOUNDS: dict[str, tuple[int, int]] = {
    "id": (0, MAX_ID),
    "service": (0, MAX_ID),
    "weight": (0, MAX_POSSIBLE_CPUS),
    "ns": (0, MAX_COST_NS),
    "value": _S32,
    "cpu": (0, MAX_POSSIBLE_CPUS - 1),
    "conns": _U64,
    "inpkts": _U64,
    "outpkts": _U64,
    "inbytes": _U64,
    "outbytes": _U64,
    "n": (0, MAX_ADVANCE),
    "nth": (1, MAX_ID),
    "count": (0, MAX_ID),
    "offset": (0, MAX_TEXT),
}
"""Smallest and largest value of each integer field."""

BadInputReason = Literal["bad-input", "cannot-answer"]


class OperationError(ValueError):
    """An operation that cannot be applied; nothing has changed.

    `.reason` is `bad-input` (the operation makes no sense here) or `cannot-answer` (it does,
    but the history has no defined continuation); `.field` names the culprit or is ''.
    """

    def __init__(self, reason: BadInputReason, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.reason: BadInputReason = reason
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[type["OperationError"], tuple[BadInputReason, str, str]]:
        # Makes the error pass between processes.
        return OperationError, (self.reason, self.field, self.message)
