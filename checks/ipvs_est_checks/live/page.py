"""A page about the estimator of one netns, for people."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from ipvs_est import Snapshot, format_cpulist
from ipvs_est.answers.snapshot import ObjectState
from ipvs_est.answers.state import KthreadState
from ipvs_est_checks.known.registry import BY_ID
from ipvs_est_checks.live.advice import ADVICE, what_to_do
from ipvs_est_checks.live.inspection import Inspected
from ipvs_est_checks.live.judge import JudgedProperty
from ipvs_est_checks.live.reading.netns import NetnsReading
from ipvs_est_checks.report.verdict import Verdict

_BAR = 50
_SOME = 10
"""Estimators listed unless all are asked for."""
_WHERE = 300
"""Characters of what breaks a property."""
_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red"}
_OTHER_COLOUR = "yellow"
_PACKETS = 1 << 10
_BYTES = 1 << 5
"""Scales of rates."""

Paint = Callable[[str, str], str]
"""A text in a colour."""


def page(found: Inspected, paint: Paint, *, verbose: bool) -> Iterator[str]:
    """The lines of the page."""
    reading = found.reading
    if reading is None:
        yield (
            f"netns {found.namespace.inode}: could not be judged: something changed in each of"
            f" {found.tries} readings"
        )
        return
    snapshot = reading.snapshot
    trash = sum(dest.in_trash for dest in snapshot.dests)
    yield (
        f"netns {found.namespace.inode}: {_count(len(snapshot.services), 'service')},"
        f" {_count(len(snapshot.dests) - trash, 'destination')}, {trash} in the trash;"
        f" {_count(len(snapshot.objects), 'estimator')}, {len(snapshot.state.temp)} waiting"
    )
    yield from _configuration(snapshot)
    for slot, kd in enumerate(snapshot.state.kthreads):
        yield from _kthread(found, snapshot, slot, kd)
    yield from _estimators(reading, verbose=verbose)
    yield ""
    waiting = [reading.names[number] for number in snapshot.state.temp]
    yield from _verdicts(found.judged, waiting, paint)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _configuration(snapshot: Snapshot) -> Iterator[str]:
    state, sysctls = snapshot.state, snapshot.sysctls
    if sysctls.cpulist is None:
        kept = format_cpulist(snapshot.params.kthread_cpus)
        cpus = f"not set: kthreads on {kept}"
    else:
        cpus = format_cpulist(frozenset(sysctls.cpulist)) or "empty"
    contexts = sum(kthread is not None for kthread in state.kthreads)
    allowed = state.max_threads or "a number not yet known"
    yield f"  est_cpulist  {cpus}"
    yield (
        f"  sysctls      est_nice {sysctls.nice}, run_estimation {sysctls.run_estimation}"
        + ("; estimation is stopped" if state.stopped else "")
    )
    phase = ", to be computed anew" if state.calc_phase else ""
    yield (
        f"  limits       {_count(contexts, 'kthread')} of at most {allowed}, chain_max"
        f" {state.chain_max}{phase}"
    )


def _kthread(
    found: Inspected, snapshot: Snapshot, slot: int, kd: KthreadState | None
) -> Iterator[str]:
    if kd is None:
        yield f"  kthread {slot:<4} none: its slot is empty"
        return
    context = snapshot.contexts[slot]
    task = None if context is None else context.task
    reading = found.reading
    times = None if reading is None else reading.times[slot]
    if task is None or times is None:
        runs = "does not run"
    else:
        load = found.load[slot] if slot < len(found.load) else None
        used = "" if load is None else f", {100 * load:.2f} % of it used"
        allowed = format_cpulist(frozenset(task.cpus)) or "none"
        runs = f"{task.state} on CPU {times.cpu}{used}; may use {allowed}, nice {task.nice}"
    yield f"  kthread {slot:<4} {runs}"
    share = kd.est_count / kd.est_max_count if kd.est_max_count else 0.0
    full = min(_BAR, round(_BAR * share))
    if kd.est_count and not full:
        full = 1
    bar = "#" * full + "-" * (_BAR - full)
    yield f"    fill       [{bar}] {kd.est_count} of {kd.est_max_count}"
    rows = {tick.row: tick.len for tick in kd.ticks}
    drawn = "".join(_row(rows.get(row, 0), kd.tick_max) for row in range(snapshot.params.nticks))
    yield f"    rows       [{drawn}] at row {kd.est_row}"


def _row(length: int, most: int) -> str:
    """`.` empty, 1 to 9 tenths (rounded up), F full."""
    if not length:
        return "."
    if length >= most:
        return "F"
    return str(max(1, min(9, -(-10 * length // most))))


def _estimators(reading: NetnsReading, *, verbose: bool) -> Iterator[str]:
    snapshot = reading.snapshot
    # Those that wait are what somebody looks for.
    objects = sorted(
        snapshot.objects,
        key=lambda stats: (stats.ktid >= 0, -stats.rates[1], stats.id),
    )
    shown = objects if verbose else objects[:_SOME]
    if shown:
        yield "  estimators (conns, packets in and out, bytes in and out, each a second)"
    width = min(60, max((len(reading.names[stats.id]) for stats in shown), default=0))
    for stats in shown:
        yield f"    {reading.names[stats.id]:<{width}}  {_place(stats)}  {_rates(stats)}"
    if len(objects) > len(shown):
        yield f"    and {len(objects) - len(shown)} more, with -v"


def _place(stats: ObjectState) -> str:
    if stats.ktid < 0:
        return f"{'waits' if stats.linked else 'on no list':<18}"
    return f"{f'kthread {stats.ktid} row {stats.ktrow}':<18}"


def _rates(stats: ObjectState) -> str:
    scales = (_PACKETS, _PACKETS, _PACKETS, _BYTES, _BYTES)
    return " ".join(f"{rate / scale:.1f}" for rate, scale in zip(stats.rates, scales, strict=True))


def _verdicts(
    judged: tuple[JudgedProperty, ...], waiting: Sequence[str], paint: Paint
) -> Iterator[str]:
    # What is wrong stands last, where a terminal shows it.
    for judged_property in sorted(
        judged, key=lambda judged_property: _ORDER.index(judged_property.verdict)
    ):
        verdict = judged_property.verdict
        said = paint(f"{verdict.value:<10}", _COLOURS.get(verdict, _OTHER_COLOUR))
        yield f"  {said} {judged_property.property.id:<22} {judged_property.property.sentence}"
        if judged_property.reason:
            yield f"             {judged_property.reason}"
        if verdict is Verdict.FAIL:
            yield from _explained(judged_property, waiting)
        elif judged_property.where:
            yield f"             now: {_short(judged_property.where)}"
    counts = Counter(judged_property.verdict for judged_property in judged)
    yield "  " + ", ".join(f"{counts[word]} {_WORDS[word]}" for word in _WORDS if counts[word])


_ORDER = (Verdict.PASS, Verdict.NOT_JUDGED, Verdict.INCOMPLETE, Verdict.FAIL)
_WORDS = {
    Verdict.PASS: "hold",
    Verdict.FAIL: "fail",
    Verdict.INCOMPLETE: "could not be told",
    Verdict.NOT_JUDGED: "not judged",
}


def _explained(judged_property: JudgedProperty, waiting: Sequence[str]) -> Iterator[str]:
    yield f"             what breaks it: {_short(judged_property.where)}"
    if not judged_property.findings:
        yield "             no recorded finding explains it: it is worth a report"
    for id_ in judged_property.findings:
        yield f"             {id_}: {BY_ID[id_].title}"
        if id_ in ADVICE:
            yield f"             your rates: {ADVICE[id_].consequence}."
            if waiting and ADVICE[id_].about_waiting:
                more = len(waiting) - _SOME
                yield f"             what waits: {', '.join(waiting[:_SOME])}" + (
                    f" and {more} more" if more > 0 else ""
                )
        yield f"             what to do: {what_to_do(id_)}."


def _short(text: str) -> str:
    return text if len(text) <= _WHERE else f"{text[:_WHERE]}..."
