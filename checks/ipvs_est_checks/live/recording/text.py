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
    counts = Counter(each.kind for each in log.events)
    happened = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    yield f"kernel {log.kernel}, looked at as {log.revision}, netns {log.netns}"
    yield f"{log.ms / 1000:.1f} s: {happened or 'nothing happened'}; {log.lost} events lost"
    if log.limits_test is not None:
        yield "limits were computed meanwhile: estimations are told until then"
    yield f"times are judged with a tolerance of {tolerance} jiffies at HZ {log.params.hz}"
    left_out = 0
    for each in judged:
        if each.verdict is Verdict.NOT_JUDGED and not verbose and not _had_cases(each):
            left_out += 1
            continue
        yield f"  {each.verdict.value:<10} {each.property.id:<18} {each.property.sentence}"
        yield f"             {each.cases} cases" + (
            f", {each.failing} fail; most often: {each.worst}" if each.failing else ""
        )
        if each.reason:
            yield f"             {each.reason}"
        for id_ in each.findings:
            yield f"             {id_}: {BY_ID[id_].title}"
            if id_ in ADVICE:
                yield f"             your rates: {ADVICE[id_].consequence}."
            if id_ == _TOO_EARLY:
                yield f"             {_share(each, log)}"
            yield f"             what to do: {what_to_do(id_)}."
    if left_out:
        yield f"  {left_out} properties are not judged: with -v why"


def _share(each: JudgedRecord, log: LiveLog) -> str:
    """How much of the traffic rates show: what came between two estimations is divided by the time
    of a revolution, however long it was."""
    params = log.params
    revolution = params.nticks * params.tick_jiffies
    return (
        f"In this recording estimations were {each.mean / params.hz:.2f} s apart, not"
        f" {revolution / params.hz:.2f}: of a steady traffic `ipvsadm -L --rate` shows some"
        f" {100 * each.mean / revolution:.0f} %, while `--stats` counts all of it."
    )


def _had_cases(each: JudgedRecord) -> bool:
    return each.cases > 0


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
    for each in found.late if verbose else ():
        yield f"             late: {each}"
    for each in found.different:
        yield f"             DIFFERENT: {each}"
