"""The report of `ipvs-est check` as text: one table, then the failures with their histories."""

from collections.abc import Iterator, Sequence

from ipvs_est import Snapshot
from ipvs_est.answers.state import state_to_json
from ipvs_est_checks.report.rows import Problem, Row, Verdict


def table(rows: Sequence[Row], revisions: Sequence[str]) -> Iterator[str]:
    """One line for each subject: a verdict for each revision, then what it says."""
    merged: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        merged.setdefault((row.id, row.how), []).append(row)
    head = ("id", *revisions, "how", "cases", "seconds", "what")
    lines = [head]
    for (subject, how), group in merged.items():
        by_revision = {name: row for row in group for name in row.revision.split(", ")}
        everywhere = by_revision.get("")
        verdicts = []
        for revision in revisions:
            found = by_revision.get(revision, everywhere)
            verdicts.append("-" if found is None else found.verdict.value)
        lines.append(
            (
                subject,
                *verdicts,
                how,
                str(sum(row.cases for row in group)),
                f"{max(row.seconds for row in group):.1f}",
                group[0].command or group[0].sentence,
            )
        )
    yield from _columns(lines)


def by_how(rows: Sequence[Row]) -> Iterator[str]:
    """What each way of establishing has shown: rows by verdict, a column for each that occurs."""
    ways = dict.fromkeys(row.how for row in rows)
    verdicts = [each for each in Verdict if any(row.verdict is each for row in rows)]
    lines = [("how", "rows", *(each.value for each in verdicts), "cases")]
    for how in ways:
        group = [row for row in rows if row.how == how]
        counts = [sum(row.verdict is each for row in group) for each in verdicts]
        cases = sum(row.cases for row in group)
        lines.append((how, str(len(group)), *(str(each or "-") for each in counts), str(cases)))
    yield from _columns(lines)


def _columns(lines: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Aligned but for the last column."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]) - 1)]
    for line in lines:
        cells = [f"{cell:<{width}}" for cell, width in zip(line[:-1], widths, strict=True)]
        yield "  ".join([*cells, line[-1]])


def problem_lines(problem: Problem) -> Iterator[str]:
    """A failure for a reader who knows the kernel's code: what, the history, the states."""
    yield f"{problem.property} on {problem.revision or 'every revision'}: {problem.detail}"
    if problem.found:
        yield f"  found: {problem.found}"
    if problem.geometry:
        yield f"  with {problem.geometry}"
    if problem.operations:
        if problem.header:
            yield "  history; without what stands behind # an input of `ipvs-est oracle`:"
            yield f"  {0:>4}  {problem.header}"
        else:
            yield "  history:"
        for number, operation in enumerate(problem.operations, 1):
            words = f"  # {problem.told[number - 1]}" if problem.told else ""
            yield f"  {number:>4}  {operation}{words}"
    failure = problem.failure
    if failure is not None:
        where = (
            "after the quiet time" if failure.step < 0 else f"after operation {failure.step + 1}"
        )
        yield f"  it fails {where}; what changed in that step:"
        for line in changes(failure.before, failure.after):
            yield f"    {line}"
    yield f"  again: {problem.command}"


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
                    yield f"kd {slot} {_told(name, old[name])} -> {_value(name, new[name])}"


def _told(name: str, value: object) -> str:
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


def summary(rows: Sequence[Row]) -> str:
    """The closing line."""
    counts = {each: sum(row.verdict is each for row in rows) for each in Verdict}
    return ", ".join(
        f"{count} {verdict.value.lower()}" for verdict, count in counts.items() if count
    )
