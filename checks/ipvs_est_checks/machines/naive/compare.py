"""Where the system is not as the naive model says."""

from collections import Counter
from collections.abc import Iterator, Mapping

from ipvs_est import Snapshot
from ipvs_est.answers.results import (
    ExportedObject,
    Percpu,
    ReadObject,
    Result,
    Returned,
    Status,
    Text,
)
from ipvs_est.answers.snapshot import ObjectState
from ipvs_est_checks.machines.naive.model import (
    NaiveModel,
    kd0_exists,
    kthread_cpus,
    lingering,
    live,
    may_run,
    owner_of,
    references,
    stopped,
)
from ipvs_est_checks.machines.naive.rates import NaiveStats
from ipvs_est_checks.machines.naive.steps import NaiveAnswer

SENTENCES: Mapping[str, str] = {
    "model.answer": "Each operation answers what the naive model says.",
    "model.senseless": "An operation that makes no sense is refused and changes nothing.",
    "model.time": "Time passes as the operations say, and only so.",
    "model.objects": "The objects are those that were added and not deleted.",
    "model.lists": "The estimators on all lists together are those of the live objects.",
    "model.counters": "Sums, zero points and averages are those of the naive arithmetic.",
    "model.estimated": "Only live objects are estimated.",
    "model.sysctls": "The sysctls have the values that were written.",
    "model.limits": "enable, est_max_threads and est_stopped are what the configuration says.",
    "model.tasks": "With no restart pending, tasks have the nice value and CPUs configured.",
    "model.services": "Services have the destinations and references that they were given.",
    "model.trash": "The trash holds what was deleted, until 120 idle seconds are over.",
    "model.kd0": "kd 0 exists as long as it has to.",
    "model.memory": "After a grace period nothing but what is in use is allocated.",
}
"""By id: what the model states beyond the catalogue."""

Difference = tuple[str, str]
"""Id, and what was found."""


def wrong_answer(answer: NaiveAnswer, result: Result, after: Snapshot) -> Iterator[Difference]:
    """The operation answered something else."""
    found: object
    wanted: object
    match result:
        case Returned(ret):
            found, wanted = ret, answer.ret
        case Percpu(cpus, total):
            found = (cpus, (total.counters, total.rates))
            wanted = (answer.cpus, answer.reading)
        case Status():
            # How many kthreads there are and what fits a chain is not the model's business.
            max_threads, room = answer.status
            slots, chain_max = after.state.kt_count, after.state.chain_max
            found, wanted = result, Status(slots, max_threads, chain_max, chain_max * room)
        case Text(text):
            found, wanted = text, answer.text
        case ReadObject(reading) | ExportedObject(reading):
            found, wanted = (reading.counters, reading.rates), answer.reading
        case _:
            return
    if found != wanted:
        yield "model.answer", f"answered {found}, not {wanted}"


def differences(model: NaiveModel, after: Snapshot) -> Iterator[Difference]:
    """What is not as the model says, after an operation."""
    yield from _time(model, after)
    yield from _objects(model, after)
    yield from _sysctls(model, after)
    yield from _services(model, after)
    yield from _memory(model, after)


def _time(model: NaiveModel, after: Snapshot) -> Iterator[Difference]:
    wanted = (model.now, model.now % 2**model.params.word_bits)
    found = (after.now, after.state.jiffies)
    if found != wanted:
        yield "model.time", f"jiffies are {found}, not {wanted}"


def _objects(model: NaiveModel, after: Snapshot) -> Iterator[Difference]:
    objects = live(model)
    wanted = {number: owner_of(model, number) for number in objects}
    found = {object_state.id: object_state.owner for object_state in after.objects}
    if found != wanted:
        yield "model.objects", f"objects are {found}, not {wanted}"
        return
    listed = Counter(after.state.temp)
    for kd in after.state.kthreads:
        for tick in kd.ticks if kd is not None else ():
            for _, ids in tick.chains:
                listed.update(ids)
    if listed != Counter(objects.keys()):
        yield "model.lists", f"listed are {sorted(listed.elements())}, not {sorted(objects)}"
    for object_state in after.objects:
        yield from _counters(objects[object_state.id], object_state)


def _counters(wanted: NaiveStats, found: ObjectState) -> Iterator[Difference]:
    groups = (found.kstats, found.kstats0, found.last, found.rates)
    naive = (wanted.sums, wanted.zero_point, wanted.last, wanted.average)
    names = ("sums", "zero point", "last sums", "averages")
    for name, group, numbers in zip(names, groups, naive, strict=True):
        if group != tuple(numbers):
            text = f"{name} of object {found.id} are {group}, not {tuple(numbers)}"
            yield "model.counters", text
    counted = {cpu: tuple(n % 2**64 for n in group) for cpu, group in wanted.counted.items()}
    cpustats = {cpustat.cpu: cpustat.counters for cpustat in found.cpustats}
    if cpustats != counted:
        yield "model.counters", f"object {found.id} has counted {cpustats}, not {counted}"


def _sysctls(model: NaiveModel, after: Snapshot) -> Iterator[Difference]:
    cpulist = None if model.cpulist is None else tuple(sorted(model.cpulist))
    wanted = (model.run_estimation, model.nice, cpulist)
    sysctls = after.sysctls
    found = (sysctls.run_estimation, sysctls.nice, sysctls.cpulist)
    if found != wanted:
        yield "model.sysctls", f"run_estimation, nice, cpulist are {found}, not {wanted}"
    state = after.state
    if (state.enable, state.max_threads) != (int(model.enable), model.max_threads):
        text = f"are {state.enable}, {state.max_threads}, not {model.enable}, {model.max_threads}"
        yield "model.limits", f"enable, est_max_threads {text}"
    if model.enable and state.stopped != int(stopped(model)):
        yield "model.limits", f"est_stopped is {state.stopped}"
    pending = state.genid != state.genid_done or after.work.pending or after.work.running
    if may_run(model) and not pending:
        expected = (model.nice, tuple(sorted(kthread_cpus(model))))
        for context in after.contexts:
            task = context.task if context is not None else None
            if task is not None and (task.nice, task.cpus) != expected:
                text = f"task {task.ktid} has nice {task.nice} and CPUs {task.cpus}"
                yield "model.tasks", f"{text}, not {expected}"


def _services(model: NaiveModel, after: Snapshot) -> Iterator[Difference]:
    for service in model.services.values():
        dests = tuple(sorted(dest for dest in model.dests if model.dests[dest].service is service))
        wanted = (service.id, dests, references(model, service))
        found = [(service.id, service.dests, service.references) for service in after.services]
        if wanted not in found:
            yield "model.services", f"services are {found}, without {wanted}"
    if len(after.services) != len(model.services):
        yield "model.services", f"there are services {[service.id for service in after.services]}"
    in_use = sorted(model.dests.values(), key=lambda dest: dest.id)
    known = [(dest, dest not in model.trash) for dest in (*in_use, *model.trash)]
    wanted_dests = [(dest.id, used) for dest, used in known]
    found_dests = [(dest.id, not dest.in_trash) for dest in after.dests]
    if found_dests != wanted_dests:
        text = f"ids of destinations, and whether in use: {found_dests}, not {wanted_dests}"
        yield "model.trash", text
    else:
        for dest_snapshot, (dest, _) in zip(after.dests, known, strict=True):
            expected = (dest.service.id, dest.held, dest.idle_since)
            actual = (dest_snapshot.service, dest_snapshot.references, dest_snapshot.idle_start)
            if actual != expected:
                names = "service, references, idle since"
                yield (
                    "model.trash",
                    f"destination {dest_snapshot.id}: {names} are {actual}, not {expected}",
                )
            if dest_snapshot.stats is not None:
                yield from _counters(dest.stats, dest_snapshot.stats)
    if after.trash_scan_due != model.scan_due:
        yield "model.trash", f"next scan at {after.trash_scan_due}, not {model.scan_due}"


def _memory(model: NaiveModel, after: Snapshot) -> Iterator[Difference]:
    contexts = [context for context in after.contexts if context is not None]
    if kd0_exists(model) != any(context.ktid == 0 for context in contexts):
        yield "model.kd0", f"kd 0 exists: {not kd0_exists(model)}"
    if after.memory.callbacks:
        return
    # What the kthreads have allocated is no business of the model: taken as it is.
    kthreads = len(contexts) + sum(context.calc_stats for context in contexts)
    kthreads += sum(len(kd.ticks) for kd in after.state.kthreads if kd is not None)
    kthreads += sum(
        context.task is not None and context.task.life == "live" for context in contexts
    )
    # A service, a destination and their stats are two objects each.
    dests = len(model.dests) + len(model.trash)
    owned = 2 * (len(model.services) + len(lingering(model)) + dests)
    # Without sysctls the total has stats all the same, which nobody estimates.
    has_total = model.total is not None or (model.initialised and not model.params.sysctl)
    owned += len(model.bare) + has_total
    owned += model.cpulist is not None
    if after.memory.live != kthreads + owned:
        yield "model.memory", f"{after.memory.live} objects are allocated, not {kthreads + owned}"
