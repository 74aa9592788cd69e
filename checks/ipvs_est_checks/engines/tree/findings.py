"""Engine: the recorded findings on a tree's code; one that its revision has not is a failure."""

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from time import perf_counter

from ipvs_est import Revision
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.findings import FindingOnTree, Shown, tell_findings
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.registry import ALL
from ipvs_est_checks.report.rows import Engine, Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.workers import Pool, results_of

HOW = "recorded findings"


@dataclass(frozen=True, slots=True)
class _FindingTask:
    tree: Tree
    finding: str


def engine_findings_on_tree(tree: Tree, revision: Revision) -> Engine:
    """A row for each finding."""

    def engine(request: Request) -> Iterator[Row]:
        wanted = [
            finding
            for finding in ALL
            if request.properties is None or not request.properties.isdisjoint(finding.properties)
        ]
        work = [_FindingTask(tree, finding.id) for finding in wanted]
        with Pool(min(request.jobs, len(work))) as pool:
            started = perf_counter()
            shown = results_of(pool, _told, work, _name)
            for done, (finding, (_, seen)) in enumerate(zip(wanted, shown, strict=True)):
                request.progress(f"finding {finding.id}", done, len(work))
                row = _row(tree, revision, finding, seen, perf_counter() - started)
                if row.verdict is Verdict.FAIL:
                    request.on_failure(f"{finding.id}: {row.problems[0].detail}")
                yield row
                started = perf_counter()

    return engine


def _told(task: _FindingTask) -> FindingOnTree:
    (found,) = tell_findings(task.tree, frozenset({task.finding}))
    return found


def _row(
    tree: Tree, revision: Revision, finding: Finding, seen: FindingOnTree, seconds: float
) -> Row:
    expected = revision.name in finding.revisions
    problems: tuple[Problem, ...] = ()
    remark = ""
    match seen.shown:
        case Shown.SHOWS if expected:
            verdict = Verdict.FINDING
        case Shown.SHOWS:
            verdict = Verdict.FAIL
            detail = f"{finding.title} {revision.name} does not have it: {seen.observation}"
            command = f"ipvs-est findings --tree {quote(str(tree.path))} {finding.id}"
            problems = (Problem(finding.properties[0], TREE, detail, (), None, command),)
        case Shown.NOT:
            verdict = Verdict.PASS
            remark = "it does not show any more" if expected else ""
        case _:
            verdict = Verdict.NOT_JUDGED
            remark = seen.observation
    return Row(
        finding.id,
        finding.title,
        TREE,
        verdict,
        HOW,
        1,
        seconds,
        problems=problems,
        notes=(seen.observation,),
        remark=remark,
        properties=finding.properties,
        findings=(finding.id,) if verdict is Verdict.FINDING else (),
    )


def _name(task: _FindingTask) -> str:
    return task.finding
