"""What changed between two pictures of the state, for a reader who knows the kernel's code."""

from collections.abc import Iterator

from ipvs_est import Snapshot
from ipvs_est.answers.state import state_to_json

_KERNEL_NAMES = {
    "stopped": "est_stopped",
    "kt_count": "est_kt_count",
    "add_ktid": "est_add_ktid",
    "max_threads": "est_max_threads",
    "chain_max": "est_chain_max",
    "calc_phase": "est_calc_phase",
    "genid": "est_genid",
    "genid_done": "est_genid_done",
    "temp": "est_temp_list",
}
"""Names in the recorded form -> the kernel's."""


def changes(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """The estimator state's fields that differ, each with both values."""
    left, right = state_to_json(before.state), state_to_json(after.state)
    for name in left:
        if name == "kthreads":
            yield from _kthread_changes(left[name], right[name])
        elif left[name] != right[name]:
            yield f"{_KERNEL_NAMES.get(name, name)}: {left[name]} -> {right[name]}"


def _kthread_changes(left: object, right: object) -> Iterator[str]:
    assert isinstance(left, list)
    assert isinstance(right, list)
    for slot in range(max(len(left), len(right))):
        old = left[slot] if slot < len(left) else None
        new = right[slot] if slot < len(right) else None
        if old == new:
            continue
        if not isinstance(new, dict):
            yield f"kd {slot}: freed"
        elif not isinstance(old, dict):
            of = f", est_count {new['est_count']}" if new["est_count"] else ""
            yield f"kd {slot}: added{of}"
            yield from _tick_changes(slot, {}, new["ticks"])
        else:
            for name in new:
                if name == "ticks":
                    yield from _tick_changes(slot, old[name], new[name])
                elif old[name] != new[name]:
                    yield f"kd {slot} {_named(name, old[name])} -> {_value(name, new[name])}"


def _named(name: str, value: object) -> str:
    return f"{'task' if name == 'running' else name}: {_value(name, value)}"


def _value(name: str, value: object) -> str:
    """As the kernel would have it: a bitmap in hexadecimal, whether there is a task."""
    if name == "running":
        return "alive" if value else "none"
    return f"0x{value}" if name == "avail" else str(value)


def _tick_changes(slot: int, left: object, right: object) -> Iterator[str]:
    """One line for each row whose tick differs; the objects are keyed by row."""
    assert isinstance(left, dict)
    assert isinstance(right, dict)
    for row in sorted(left.keys() | right.keys(), key=int):
        old, new = _tick(left.get(row)), _tick(right.get(row))
        if old != new:
            yield f"kd {slot} row {row}: {old} -> {new}"


def _tick(tick: object) -> str:
    """Such as `chain 0 [1, 2], present 0x1, full 0x0`; its length follows from the chains."""
    if tick is None:
        return "no tick"
    assert isinstance(tick, dict)
    chains = [f"chain {cid} {ids}" for cid, ids in tick["chains"].items()]
    return ", ".join([*chains, f"present 0x{tick['present']}", f"full 0x{tick['full']}"])
