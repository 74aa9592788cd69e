"""Where a store can wait: fields that another task reads without a lock that every writer holds.

Stores to these are done at once:

- Counters of a CPU, availability of a destination and of its objects: a task that has stored one
  reads no field that others store before its next barrier, so it could as well have done so later
  (docs/explanation/memory.md).
- What a kthread stores to its own ticks, to its own row if it is kthread 0, and kthread 0 to the
  temp list: no other task reads that without the service mutex, whose release is a barrier.
- Stop requests and est_genid: atomic operations.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ipvs_est.machine.hlist import nodes
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine

NETNS_FIELDS = (
    "enable",
    "est_calc_phase",
    "est_chain_max",
    "est_cpulist",
    "est_cpulist_mask",
    "est_cpulist_valid",
    "est_max_threads",
    "est_nice",
    "est_stopped",
    "run_estimation",
)
"""Of the netns; each is left out where `guarded_fields` has it."""
ATTRIBUTE = -1
"""Instead of an index: the place is the attribute itself."""

Place = tuple[object, str, int]
"""An object, the name of its attribute, and an index into that if it is a list."""


@dataclass(frozen=True, slots=True)
class Store:
    """A value on its way to a place."""

    holder: object
    name: str
    index: int
    value: object
    what: str
    """The place in kernel terms."""


def load(place: Place) -> object:
    """What is there."""
    holder, name, index = place
    value: object = getattr(holder, name)
    if index == ATTRIBUTE:
        return value
    assert isinstance(value, list)
    return value[index]


def put(place: Place, value: object) -> None:
    """Store at once."""
    holder, name, index = place
    if index == ATTRIBUTE:
        setattr(holder, name, value)
    else:
        getattr(holder, name)[index] = value


def places_of(
    machine: Machine, netns_fields: tuple[str, ...], own: KthreadContext | None
) -> list[Place]:
    """Where the stores of a task wait now, whose context is `own` if it is a kthread; what cannot
    be reached yet is nobody else's."""
    netns = machine.netns
    found: list[Place] = [(netns, name, ATTRIBUTE) for name in netns_fields]
    if own is None or own.id:
        found.append((netns.est_temp_list, "next", ATTRIBUTE))
    for kd in netns.est_kt_arr:
        if kd is None:
            continue
        if kd is not own:
            _add_ticks(found, kd)
        elif kd.id:
            found.append((kd, "est_row", ATTRIBUTE))
    return found


def _add_ticks(found: list[Place], kd: KthreadContext) -> None:
    for row, td in enumerate(kd.ticks):
        # In the order in which a task stores them when it enqueues: the list's head is the last.
        if td is not None:
            found.append((kd, "tick_len", row))
            found.append((td, "present", ATTRIBUTE))
            for chain in td.chains:
                found.extend((est, "next", ATTRIBUTE) for est in nodes(chain))
                found.append((chain, "next", ATTRIBUTE))
            found.append((kd, "ticks", row))
        else:
            found.append((kd, "ticks", row))
            found.append((kd, "tick_len", row))


def describe_place(machine: Machine, place: Place) -> str:
    """The place in kernel terms."""
    holder, name, index = place
    netns = machine.netns
    if holder is netns:
        return name
    if holder is netns.est_temp_list:
        return "est_temp_list"
    number = "" if index == ATTRIBUTE else f"[{index}]"
    for kd in netns.est_kt_arr:
        if kd is None:
            continue
        if holder is kd:
            return f"{name}{number} of {kd.describe()}"
        for text, thing in _parts(kd):
            if holder is thing:
                return f"{text}{name} of {kd.describe()}"
    return name


def _parts(kd: KthreadContext) -> Iterator[tuple[str, object]]:
    for row, td in enumerate(kd.ticks):
        if td is None:
            continue
        yield f"row {row}: ", td
        for cid, chain in enumerate(td.chains):
            yield f"row {row}, chain {cid}: head ", chain
            for est in nodes(chain):
                yield f"row {row}, chain {cid}: {est.stats.describe()} ", est
