"""A live log beside the model: what configured a netns from its beginning on is done to the
oracle, and where that ends is compared with the kernel's last snapshot."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ipvs_est import Oracle, Params, format_cpulist
from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est.language.events import Started, Stopped
from ipvs_est.language.operations import (
    MAX_ADVANCE,
    Advance,
    Delete,
    InitNetns,
    Operation,
    OperationError,
    SetNice,
    SetRunEstimation,
    StartDest,
    StartService,
    WriteCpulist,
)
from ipvs_est.language.params import CHAIN_GOAL_NS
from ipvs_est.language.revision import REVISIONS
from ipvs_est.language.violations import ViolationError
from ipvs_est_checks.live.recording.live_log import LiveLog, Written

# Any in this file: snapshots as parsed JSON.

_CACHE_FACTOR = 4
"""A limits test takes an estimation with a cold cache for so many with a warm one."""
_NETNS_VALUES = (
    "enable",
    "stopped",
    "kt_count",
    "add_ktid",
    "max_threads",
    "calc_phase",
    "genid",
    "genid_done",
)
_KTHREAD_VALUES = ("running", "est_count", "est_max_count", "chain_max", "tick_max")


@dataclass(frozen=True, slots=True)
class BesideModel:
    """How a live log and the model agree."""

    reason: str = ""
    """Why they are not compared; '' = they are."""
    operations: int = 0
    """That were done to the model."""
    equal: int = 0
    """Values of the last state that are the same."""
    late: tuple[str, ...] = ()
    """Values as far apart as late wake-ups explain."""
    different: tuple[str, ...] = ()
    """Values that nothing explains."""

    @property
    def values(self) -> int:
        """Compared."""
        return self.equal + len(self.late) + len(self.different)


def beside_model(log: LiveLog, tolerance: int) -> BesideModel:
    """`tolerance` jiffies late may each wake-up be, and each request of a recalculation be served,
    which may be a tick more."""
    found = {snapshot["snapshot"]: snapshot for snapshot in log.snapshots}
    reason = _reason(log, found)
    if reason:
        return BesideModel(reason)
    before, after = (found[name]["members"] for name in ("before", "after"))
    names = {int(id_): name for id_, name in found["after"]["names"].items()}
    services = {entry["id"] for entry in after["services"]}
    params = _params(log, before, after)
    if params is None:
        return BesideModel(f"no cost of an estimation gives chain_max {_chain_max(after)}")
    oracle = Oracle(params, REVISIONS[log.revision])
    now, done = params.initial_jiffies, 0
    try:
        oracle.apply(InitNetns())
        for jiffies, operation in _operations(log, before, services):
            _advance(oracle, jiffies - now)
            now = max(now, jiffies)
            oracle.apply(operation)
            done += 1
        _advance(oracle, after["now"] - now)
    except (OperationError, ViolationError) as error:
        return BesideModel(f"the model refuses what was recorded: {error}", done)
    model = snapshot_to_json(oracle.snapshot())
    # A request that is served late may find kthread 0 at its next row.
    slack = tolerance + (tolerance + params.tick_jiffies) * len(log.written)
    return _compared(model, after, names, params, slack, done)


def _reason(log: LiveLog, found: dict[str, dict[str, Any]]) -> str:
    if log.lost:
        return f"{log.lost} events are lost"
    if log.revision not in REVISIONS:
        return f"there is no revision {log.revision}"
    if found.keys() != {"before", "after"}:
        return "it has not both snapshots"
    before = found["before"]["members"]
    state = before["state"]
    if state["enable"] or before["services"] or state["genid"]:
        return (
            "when it began the netns had been in use: only a recording that begins before the first"
            " service is told whole"
        )
    if not state["kthreads"] or state["kthreads"][0] is None:
        return "the netns had no total when it began"
    started: set[int] = set()
    for event in log.events:
        if isinstance(event, Started):
            started.add(event.id)
        elif isinstance(event, Stopped) and event.id not in started:
            return f"estimator {event.id} is stopped that was never started"
    return ""


def _chain_max(after: dict[str, Any]) -> int:
    found = after["state"]["chain_max"]
    return found if isinstance(found, int) else 0


def _params(log: LiveLog, before: dict[str, Any], after: dict[str, Any]) -> Params | None:
    """The kernel's, from the netns's beginning on; what an estimation costs is taken from the
    chain_max that was measured. None: nothing gives that."""
    began = before["state"]["kthreads"][0]["est_timer"]
    params = replace(log.params, initial_jiffies=began)
    chain_max = _chain_max(after)
    if not chain_max:
        return params
    cost = CHAIN_GOAL_NS // (_CACHE_FACTOR * chain_max)
    if not cost or CHAIN_GOAL_NS // (_CACHE_FACTOR * cost) != chain_max:
        return None
    return replace(params, est_cost_ns=cost)


def _operations(
    log: LiveLog, before: dict[str, Any], services: set[int]
) -> Iterator[tuple[int, Operation]]:
    """Jiffies and operation, in the order of the file."""
    sysctls = before["sysctls"]
    cpulist = sysctls["cpulist"]
    last = Written(
        jiffies=0,
        after_events=0,
        file="",
        run_estimation=sysctls["run_estimation"],
        est_nice=sysctls["nice"],
        cpulist=None if cpulist is None else tuple(cpulist),
    )
    written = list(log.written)
    first = True
    for index, event in enumerate([*log.events, None]):
        while written and (event is None or written[0].after_events <= index):
            now = written.pop(0)
            for operation in _changes(last, now):
                yield now.jiffies, operation
            last = now
        if isinstance(event, Started):
            # The first is a service; of what is gone again nobody knows, nor is it of any effect.
            yield event.jiffies, _start(event, first=first, services=services)
            first = False
        elif isinstance(event, Stopped):
            yield event.jiffies, Delete(event.id)


def _start(event: Started, *, first: bool, services: set[int]) -> Operation:
    return StartService(event.id) if first or event.id in services else StartDest(event.id)


def _changes(last: Written, now: Written) -> list[Operation]:
    """What somebody wrote: numbers count if they are others, a cpulist always."""
    found: list[Operation] = []
    if now.run_estimation != last.run_estimation:
        found.append(SetRunEstimation(now.run_estimation))
    if now.est_nice != last.est_nice:
        found.append(SetNice(now.est_nice))
    if now.cpulist is not None and now.file == "est_cpulist":
        found.append(WriteCpulist(format_cpulist(now.cpulist)))
    return found


def _advance(oracle: Oracle, jiffies: int) -> None:
    while jiffies > 0:
        some = min(jiffies, MAX_ADVANCE)
        oracle.apply(Advance(some))
        jiffies -= some


def _compared(
    model: dict[str, Any],
    kernel: dict[str, Any],
    names: dict[int, str],
    params: Params,
    slack: int,
    done: int,
) -> BesideModel:
    equal = 0
    late: list[str] = []
    different: list[str] = []
    for what, of_model, of_kernel, by in _values(model, kernel, names, params, slack):
        if of_model == of_kernel:
            equal += 1
        else:
            said = f"{what}: model {of_model}, kernel {of_kernel}"
            (late if by else different).append(said)
    return BesideModel("", done, equal, tuple(late), tuple(different))


_Value = tuple[str, object, object, bool]
"""What it is, of the model, of the kernel, and whether lateness explains how far they are apart."""


def _values(
    model: dict[str, Any],
    kernel: dict[str, Any],
    names: dict[int, str],
    params: Params,
    slack: int,
) -> Iterator[_Value]:
    mine, its = model["state"], kernel["state"]
    for name in _NETNS_VALUES:
        yield name, mine[name], its[name], False
    yield "estimators that wait", sorted(mine["temp"]), sorted(its["temp"]), False
    rows = -(-slack // params.tick_jiffies)
    for slot in range(max(len(mine["kthreads"]), len(its["kthreads"]))):
        pair = [entry["kthreads"][slot : slot + 1] or [None] for entry in (mine, its)]
        yield from _kthread(f"kthread {slot}", pair[0][0], pair[1][0], params, slack)
    places = [{entry["id"]: entry for entry in side["objects"]} for side in (model, kernel)]
    for id_ in sorted(places[0].keys() | places[1].keys()):
        name = names.get(id_, f"estimator {id_}")
        one, other = places[0].get(id_), places[1].get(id_)
        if one is None or other is None:
            yield f"{name}: exists", one is not None, other is not None, False
            continue
        for field in ("ktid", "ktcid"):
            yield f"{name}: {field}", one[field], other[field], False
        apart = _apart(one["ktrow"], other["ktrow"], params.nticks)
        yield f"{name}: ktrow", one["ktrow"], other["ktrow"], apart <= rows


def _kthread(
    what: str, mine: dict[str, Any] | None, its: dict[str, Any] | None, params: Params, slack: int
) -> Iterator[_Value]:
    if mine is None or its is None:
        yield f"{what}: exists", mine is not None, its is not None, False
        return
    for name in _KTHREAD_VALUES:
        yield f"{what}: {name}", mine[name], its[name], False
    # When row 0 is due within a revolution: a kthread that has slept too long catches up.
    round_ = params.nticks * params.tick_jiffies
    due = [
        (entry["est_timer"] - entry["est_row"] * params.tick_jiffies) % round_
        for entry in (mine, its)
    ]
    yield f"{what}: row 0 is due at", due[0], due[1], _apart(due[0], due[1], round_) <= slack


def _apart(one: int, other: int, circle: int) -> int:
    """On a circle."""
    return min((one - other) % circle, (other - one) % circle)
