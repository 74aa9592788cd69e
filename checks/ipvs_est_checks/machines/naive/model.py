"""What should be true of a netns, as plain sets and numbers.

No bitmaps, no counts, no lists of the kernel's: which objects there are, what each has counted,
what the sysctls were set to, and what follows from that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ipvs_est import Params, Revision
from ipvs_est_checks.machines.naive.rates import NaiveStats

TOTAL = 0
"""Id of the total's stats object."""
ENOMEM = -12
EINVAL = -22
SCAN_SECONDS = 60
IDLE_SECONDS = 120


@dataclass(slots=True, eq=False)
class NaiveService:
    """A service; two of the same id, one after the other, are different."""

    id: int
    stats: NaiveStats = field(default_factory=NaiveStats)


@dataclass(slots=True, eq=False)
class NaiveDest:
    """A destination, in its service or in the trash."""

    id: int
    service: NaiveService
    stats: NaiveStats = field(default_factory=NaiveStats)
    held: int = 0
    """References that connections hold."""
    idle_since: int | None = None
    """When a scan first saw it idle, whatever came later."""


@dataclass(slots=True)
class NaiveModel:
    """One machine with one netns."""

    params: Params
    revision: Revision
    now: int
    """Jiffies since boot, not wrapped."""
    initialised: bool = False
    enable: bool = False
    total: NaiveStats | None = None
    bare: dict[int, NaiveStats] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)
    """Bare objects' kinds."""
    services: dict[int, NaiveService] = field(default_factory=dict)
    """Those in the table."""
    dests: dict[int, NaiveDest] = field(default_factory=dict)
    """Those in their service, in the order in which they came there."""
    trash: list[NaiveDest] = field(default_factory=list)
    """Deleted ones that are not freed, oldest first. Several of one id belong to different
    services."""
    scan_due: int | None = None
    run_estimation: int = 1
    nice: int = 0
    cpulist: frozenset[int] | None = None
    max_threads: int = 0
    kd0_made: bool = False
    """An estimator was started since netns init."""


def boot(params: Params, revision: Revision) -> NaiveModel:
    """A machine before netns init."""
    return NaiveModel(params, revision, params.initial_jiffies)


def live(model: NaiveModel) -> dict[int, NaiveStats]:
    """Stats objects whose owner uses them, so that they are estimated."""
    found = dict(model.bare)
    if model.total is not None:
        found[TOTAL] = model.total
    for service in model.services.values():
        found[service.id] = service.stats
    for dest in model.dests.values():
        found[dest.id] = dest.stats
    return found


def owner_of(model: NaiveModel, object_id: int) -> str:
    """What the object belongs to."""
    if object_id == TOTAL:
        return "total"
    if object_id in model.services:
        return "service"
    return model.owners.get(object_id, "dest")


def dest_of(model: NaiveModel, dest_id: int) -> NaiveDest | None:
    """The destination with that id: the one in its service, else the one deleted last."""
    if dest_id in model.dests:
        return model.dests[dest_id]
    return next((dest for dest in reversed(model.trash) if dest.id == dest_id), None)


def waiting_for(model: NaiveModel, dest_id: int, service: NaiveService) -> NaiveDest | None:
    """The destination in the trash that comes back to that virtual service."""
    for dest in model.trash:
        if (dest.id, dest.service.id) == (dest_id, service.id):
            return dest
    return None


def counting(model: NaiveModel) -> dict[int, NaiveStats]:
    """Objects on which packets are counted: connections still use a dest in the trash."""
    found = {dest.id: dest.stats for dest in model.trash}
    found.update(live(model))
    return found


def references(model: NaiveModel, service: NaiveService) -> int:
    """Who holds the service: the table, and each of its destinations."""
    return 1 + sum(dest.service is service for dest in (*model.dests.values(), *model.trash))


def lingering(model: NaiveModel) -> list[NaiveService]:
    """Deleted services that destinations in the trash hold."""
    found: list[NaiveService] = []
    for dest in model.trash:
        hashed = model.services.get(dest.service.id) is dest.service
        if not hashed and dest.service not in found:
            found.append(dest.service)
    return found


def kthread_cpus(model: NaiveModel) -> frozenset[int]:
    """CPUs that kthreads may use."""
    if model.cpulist is not None:
        return model.cpulist
    if model.params.housekeeping_cpus is not None:
        return model.params.housekeeping_cpus
    return frozenset(range(model.params.possible_cpus))


def threads_allowed(model: NaiveModel) -> int:
    """`est_max_threads` that the CPUs give: half of each may go to kthreads of 1/load_divisor."""
    return max(1, model.params.load_divisor // 2 * len(kthread_cpus(model)))


def kthread_room(model: NaiveModel) -> int:
    """Estimators that chains of one each make in all ticks of a kthread."""
    return model.params.chain_factor * model.params.nticks


def stopped(model: NaiveModel) -> bool:
    """No task may run."""
    return not model.run_estimation or model.cpulist == frozenset()


def may_run(model: NaiveModel) -> bool:
    """Tasks may run."""
    return model.enable and not stopped(model)


def kd0_exists(model: NaiveModel) -> bool:
    """Kthread 0 has a context: until netns exit, before mainline while anything is estimated."""
    if model.revision.kd0_until_exit:
        return model.kd0_made
    return bool(live(model))


def allocations_to_start(model: NaiveModel) -> Sequence[str]:
    """What starting one estimator allocates, in order."""
    if kd0_exists(model):
        return ()
    kinds = ["array", "context", "calc_stats"]
    if not model.revision.work_starts_tasks and model.enable and not stopped(model):
        kinds.append("task")
    return kinds
