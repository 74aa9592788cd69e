"""The page: the verdict, what is wrong, the matrix, and what each cell rests on."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources

from ipvs_est import REVISIONS
from ipvs_est.language.header import header_from_json
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est_checks.html.evidence import history, schedule, walk
from ipvs_est_checks.known.by_history import history_of
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.registry import ALL, findings_of
from ipvs_est_checks.report.causes import SharedCause, causes
from ipvs_est_checks.report.conclusion import conclusion, remarks
from ipvs_est_checks.report.matrix import cells
from ipvs_est_checks.report.rows import Problem, Report, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.terminal.progress import OnProgress, no_progress
from ipvs_est_spec.catalogue import PROPERTIES


def html_page(report: Report, progress: OnProgress = no_progress) -> str:
    """One file without anything from outside; equal reports give equal bytes."""
    names, rows = report.request.names, report.rows
    wrong = causes(rows)
    said = conclusion(rows, names, wrong, complete=report.complete)
    style = "fail" if wrong else "" if report.complete else "incomplete"
    shown = _shown(rows)
    body = [
        f'<h1 class="{style}">{escape(said)}</h1>',
        f"<p>profile {escape(report.request.profile)}, seed {report.request.seed}</p>",
        '<nav><a href="#matrix">matrix</a><a href="#findings">findings</a>'
        '<a href="#others">other checks</a>'
        ' <button type="button" aria-pressed="false" hidden>open all</button></nav>',
        *(_cause(shared_cause, number) for number, shared_cause in enumerate(wrong, 1)),
        *([_list(tuple(remarks(rows)))]),
        '<h2 id="matrix">What is known of each property</h2>',
        *_matrix(rows, names),
        *_evidence(rows, names),
        '<h2 id="findings">Findings</h2>',
        *_findings(shown, names, progress),
        '<h2 id="others">Other checks</h2>',
        *_others(rows),
    ]
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>ipvs-est check: {escape(said.partition(':')[0])}</title>"
        f"<style>\n{_file('style.css')}</style></head><body>\n"
    )
    script = f"<script>\n{_file('script.js')}</script></body></html>\n"
    return head + "\n".join(body) + "\n" + script


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _cause(cause: SharedCause, number: int) -> str:
    on = ", ".join(cause.revisions) or "every revision"
    also = f"; so do {', '.join(cause.properties[1:])}" if cause.properties[1:] else ""
    return (
        f'<section id="cause-{number}"><h2>{number}. {escape(cause.problem.property)}:'
        f" {escape(cause.title)}</h2><p>fails on {escape(on + also)}</p>"
        f"{_problem(cause.problem)}</section>"
    )


def _problem(problem: Problem) -> str:
    """A failure with its history, drawn on the revision that its header names."""
    parts = [f"<p>{escape(name)}</p>" for name in (problem.detail, problem.found) if name]
    if problem.geometry:
        parts.append(f"<p>with {escape(problem.geometry)}</p>")
    if problem.header:
        header = header_from_json(parse_object(problem.header))
        operations = [
            operation_from_json(parse_object(operation)) for operation in problem.operations
        ]
        if problem.revision not in REVISIONS:
            parts.append(f"<p>The states are those of {escape(header.revision.name)}.</p>")
        parts.append(history(header.params, header.revision, operations))
        text = "\n".join([problem.header, *problem.operations])
        parts.append(f"<details><summary>as an input</summary><pre>{escape(text)}</pre></details>")
    elif problem.operations:
        parts.append(f"<pre>{escape(chr(10).join(problem.operations))}</pre>")
    if problem.command:
        parts.append(f"<p>again: <code>{escape(problem.command)}</code></p>")
    return "".join(parts)


def _anchor(property_id: str, revision: str) -> str:
    return f"{property_id}-on-{revision}"


def _matrix(rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    yield f'<div class="scroll"><table class="matrix"><tr><th>property</th>{heads}</tr>'
    for id_, line in cells(rows, names, findings_of).items():
        parts = []
        for name, cell in zip(names, line, strict=True):
            kind = "" if cell.verdict is None else cell.verdict.value.replace(" ", "-")
            link = f'<a href="#{_anchor(id_, name)}">{escape(cell.text)}</a>'
            parts.append(f'<td class="{kind}">{link}</td>')
        yield f'<tr><th scope="row">{escape(id_)}</th>{"".join(parts)}</tr>'
    yield "</table></div>"


def _evidence(rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    sentences = {prop.id: prop.sentence for prop in PROPERTIES}
    yield "<h2>What each rests on</h2>"
    for id_, line in cells(rows, names, findings_of).items():
        yield f"<details><summary><b>{escape(id_)}</b> {escape(sentences[id_])}</summary>"
        for name, cell in zip(names, line, strict=True):
            about = [
                row
                for row in rows
                if id_ in (row.properties or (row.id,))
                and (not row.revision or name in row.revision.split(", "))
            ]
            yield f'<details id="{_anchor(id_, name)}"><summary>{escape(name)}:'
            yield f" {escape(cell.text)}</summary>{_rows(about)}"
            yield "".join(
                _problem(problem)
                for row in about
                if row.verdict is Verdict.FAIL
                for problem in row.problems[:1]
            )
            yield "</details>"
        yield "</details>"


def _rows(rows: Sequence[Row]) -> str:
    """What says something, and how it was established."""
    if not rows:
        return "<p>nothing judged it</p>"
    lines = []
    for row in rows:
        findings = " ".join(f'<a href="#{f}">{f}</a>' for f in row.findings)
        said = f"{escape(row.remark)} {findings}"
        lines.append(
            f'<tr><td class="{row.verdict.value}">{row.verdict.value}</td>'
            f"<td>{escape(row.revision)}</td><td>{escape(row.how)}</td>"
            f"<td>{row.cases} cases</td>"
            f'<td class="wrap">{escape(row.id)} {said}{_notes(row)}</td></tr>'
        )
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _notes(row: Row) -> str:
    """Such as a theorem's counterexample."""
    if not row.notes:
        return ""
    blocks = _blocks(row.notes)
    parts = [f"<pre>{escape(chr(10).join(block))}</pre>" for block in blocks]
    text = parts[0] + (walk(parts[1:]) if parts[1:] else "")
    return f"<details><summary>more</summary>{text}</details>"


def _blocks(notes: Sequence[str]) -> list[list[str]]:
    """What comes first, then each counterexample of a theorem, its twin's, and what the model
    does with them."""
    found: list[list[str]] = [[]]
    for line in notes:
        begins = line.startswith(("  counterexample", "  twin:"))
        in_model = line.startswith("  in the model,")
        if begins or (in_model and not _in_model(found[-1])):
            found.append([])
        found[-1].append(line)
    return found


def _in_model(block: Sequence[str]) -> bool:
    return bool(block) and block[0].startswith("  in the model,")


def _shown(rows: Sequence[Row]) -> tuple[Finding, ...]:
    wanted = {finding for row in rows for finding in row.findings}
    return tuple(finding for finding in ALL if finding.id in wanted)


def _findings(
    shown: Sequence[Finding], names: Sequence[str], progress: OnProgress
) -> Iterator[str]:
    if not shown:
        yield "<p>none shows here</p>"
    for number, finding in enumerate(shown):
        progress(f"drawing {finding.id}", number, len(shown))
        on = [name for name in names if name in finding.revisions]
        name = (on or finding.revisions)[-1]
        title = f"<b>{finding.id}</b> {escape(finding.title)}"
        breaks = f"<p>breaks {escape(', '.join(finding.properties))} on {', '.join(on)};"
        yield f'<details id="{finding.id}"><summary>{title}</summary>{breaks} here {name}</p>'
        if finding.schedule is not None:
            yield schedule(finding, REVISIONS[name])
        else:
            reported = history_of(finding, name)
            yield history(reported.header.params, REVISIONS[name], reported.operations)
        yield "</details>"


def _others(rows: Sequence[Row]) -> Iterator[str]:
    known = {prop.id for prop in PROPERTIES}
    others = [row for row in rows if not known & {*row.properties, row.id}]
    yield _rows(others) if others else "<p>none</p>"


def _list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>" if texts else ""
