"""Engine: the recordings of the nearest revision's kernels, replayed on a tree's code."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ipvs_est import Params, Revision
from ipvs_est.answers.trace import lines_of
from ipvs_est.language.header import header_from_json
from ipvs_est.language.json_input import parse_object
from ipvs_est.replay import Failed
from ipvs_est_checks.conformance.recordings import recordings
from ipvs_est_checks.engines.tree.asked import JudgedTree, build_all
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.harness.building.options import BuildOptions, Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.histories.replay import outcome_of_lines
from ipvs_est_checks.history.subject_failure import RECORDED
from ipvs_est_checks.report.rows import Engine, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.workers import Pool, results_of

HOW = "recordings"
_SENTENCE = "The code answers what was recorded on kernels of the nearest revision."
_QUICK_BUILDS = 3
"""Those of the most recordings."""


@dataclass(frozen=True, slots=True)
class _Recording:
    tree: Tree
    name: str
    lines: tuple[str, ...]
    params: Params


def engine_recorded(tree: Tree, revision: Revision) -> Engine:
    """One row. Another answer is a change of behaviour, which by itself breaks nothing."""

    def engine(request: Request) -> Iterator[Row]:
        started = perf_counter()
        found = list(_of_revision(tree, revision))
        chosen = _most_recorded(found, None if request.profile != "quick" else _QUICK_BUILDS)
        asked = [recording for recording in found if options_for(recording.params) in chosen]
        machines = {options_for(recording.params): recording.params for recording in asked}
        build_all([JudgedTree(tree, revision)], [*machines.values()], Variant.PLAIN, request)
        parted: list[str] = []
        with Pool(min(request.jobs, max(1, len(asked)))) as pool:
            for done, (recording, parting) in enumerate(results_of(pool, _parting, asked, _name)):
                request.progress(f"recording {recording.name}", done, len(asked))
                parted += [parting] if parting else []
        yield _row(len(asked), len(found) - len(asked), parted, perf_counter() - started)

    return engine


def _of_revision(tree: Tree, revision: Revision) -> Iterator[_Recording]:
    for recording in recordings():
        lines = lines_of(recording.name, recording.data)
        header = header_from_json(parse_object(lines[0]))
        if header.kernel in revision.kernels:
            yield _Recording(tree, recording.name, tuple(lines), header.params)


def _most_recorded(found: list[_Recording], most: int | None) -> frozenset[BuildOptions]:
    count = Counter(options_for(recording.params) for recording in found)
    return frozenset(options for options, _ in count.most_common(most))


def _parting(recording: _Recording) -> str:
    """Where the code answers otherwise; '' if it does not."""
    outcome = outcome_of_lines(Path(recording.name), list(recording.lines), recording.tree)
    if not isinstance(outcome, Failed):
        return ""
    parting = outcome.difference
    at = f"{parting.path}: " if parting.path else ""
    answers = f"recorded {parting.recorded!s:.60}, answered {parting.computed!s:.60}"
    return f"{recording.name}:{outcome.line}: {at}{answers}"


def _row(asked: int, left: int, parted: list[str], seconds: float) -> Row:
    remark = f"{left} recordings need more builds; --profile ci has them" if left else ""
    if parted:
        remark = (
            f"{len(parted)} of {asked} recordings are answered otherwise, which by itself breaks"
            f" no property; the first: {parted[0]}"
        )
    same = Verdict.PASS if asked else Verdict.NOT_JUDGED
    verdict = Verdict.NOT_JUDGED if parted else same
    return Row(RECORDED, _SENTENCE, TREE, verdict, HOW, asked, seconds, remark=remark)


def _name(recording: _Recording) -> str:
    return recording.name
