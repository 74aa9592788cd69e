"""What a live log says, for people."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ipvs_est_checks.known.registry import BY_ID
from ipvs_est_checks.live.advice import ADVICE, what_to_do
from ipvs_est_checks.live.recording.beside_model import BesideModel
from ipvs_est_checks.live.recording.judged import JudgedRecord
from ipvs_est_checks.live.recording.live_log import LiveLog
from ipvs_est_checks.report.verdict import Verdict

_TOO_EARLY = "F15"


def live_log_lines(
    log: LiveLog, judged: Iterable[JudgedRecord], tolerance: int, *, verbose: bool
) -> Iterator[str]:
    """The log in a line or two, then each property of which there is something to say."""
    counts = Counter(event.kind for event in log.events)
    happened = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    yield f"kernel {log.kernel}, looked at as {log.revision}, netns {log.netns}"
    yield f"{log.ms / 1000:.1f} s: {happened or 'nothing happened'}; {log.lost} events lost"
    if log.limits_test is not None:
        yield "limits were computed meanwhile: estimations are told until then"
    yield f"times are judged with a tolerance of {tolerance} jiffies at HZ {log.params.hz}"
    left_out = 0
    for record in judged:
        if record.verdict is Verdict.NOT_JUDGED and not verbose and not _had_cases(record):
            left_out += 1
            continue
        yield f"  {record.verdict.value:<10} {record.property.id:<18} {record.property.sentence}"
        yield f"             {record.cases} cases" + (
            f", {record.failing} fail; most often: {record.worst}" if record.failing else ""
        )
        if record.reason:
            yield f"             {record.reason}"
        for id_ in record.findings:
            yield f"             {id_}: {BY_ID[id_].title}"
            if id_ in ADVICE:
                yield f"             your rates: {ADVICE[id_].consequence}."
            if id_ == _TOO_EARLY:
                yield f"             {_share(record, log)}"
            yield f"             what to do: {what_to_do(id_)}."
    if left_out:
        yield f"  {left_out} properties are not judged: with -v why"


def _share(record: JudgedRecord, log: LiveLog) -> str:
    """How much of the traffic rates show: what came between two estimations is divided by the time
    of a revolution, however long it was."""
    params = log.params
    revolution = params.nticks * params.tick_jiffies
    return (
        f"In this recording estimations were {record.mean / params.hz:.2f} s apart, not"
        f" {revolution / params.hz:.2f}: of a steady traffic `ipvsadm -L --rate` shows some"
        f" {100 * record.mean / revolution:.0f} %, while `--stats` counts all of it."
    )


def _had_cases(record: JudgedRecord) -> bool:
    return record.cases > 0


def beside_model_lines(found: BesideModel, *, verbose: bool) -> Iterator[str]:
    """For people."""
    if found.reason:
        if verbose:
            yield f"  not compared with the model: {found.reason}"
        return
    yield (
        f"  beside the model, after {found.operations} operations: of {found.values} values of the"
        f" last state {found.equal} are equal, {len(found.late)} apart by late wake-ups,"
        f" {len(found.different)} different"
    )
    for name in found.late if verbose else ():
        yield f"             late: {name}"
    for name in found.different:
        yield f"             DIFFERENT: {name}"
