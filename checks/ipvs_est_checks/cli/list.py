"""`ipvs-est list`."""

import json
from collections.abc import Iterator

import click

from ipvs_est_checks.engines.established import strengths
from ipvs_est_checks.known.findings import FINDINGS
from ipvs_est_checks.known.scheduled import SCHEDULED
from ipvs_est_checks.proving.counterexamples.registry import kind_of
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import THEOREMS
from ipvs_est_spec.property import Property, RecordProperty, StateProperty, ViolationProperty


@click.command("list")
@click.option("--theorems", is_flag=True, help="The theorems of `ipvs-est prove` instead.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--markdown", is_flag=True, help="As a Markdown table, as in the README.")
def list_command(theorems: bool, as_json: bool, markdown: bool) -> None:
    """List the properties: id, sentence, where it has to hold, source, findings, how strongly it
    is established; or the theorems."""
    if as_json and markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    if as_json:
        written = [_theorem_json(each) for each in THEOREMS]
        if not theorems:
            written = [_as_json(each) for each in PROPERTIES]
        click.echo(json.dumps(written, indent=1))
    elif markdown:
        click.echo("\n".join(theorems_table() if theorems else markdown_table()))
    else:
        for line in _theorem_lines() if theorems else _property_lines():
            click.echo(line)


def _property_lines() -> Iterator[str]:
    width = max(len(each.id) for each in PROPERTIES)
    for each in PROPERTIES:
        yield f"{each.id:<{width}}  {each.sentence}"
        yield f"{'':<{width}}  {scope(each)}; {each.source}{_findings_text(each)}"
        yield f"{'':<{width}}  {'; '.join(strengths(each.id))}"
    yield f"{len(PROPERTIES)} properties, {len(FINDINGS) + len(SCHEDULED)} findings"


def _theorem_lines() -> Iterator[str]:
    width = max(len(each.id) for each in THEOREMS)
    for each in THEOREMS:
        yield f"{each.id:<{width}}  {each.sentence}"
        refuted = f"; refuted by {', '.join(each.refuted_by)}" if each.refuted_by else ""
        about = f"; about {', '.join(each.properties)}" if each.properties else ""
        yield f"{'':<{width}}  for {_range(each)}; {each.source}{about}{refuted}"
        yield f"{'':<{width}}  counterexamples replayed: {kind_of(each).value}"
    yield f"{len(THEOREMS)} theorems"


def theorems_table() -> list[str]:
    """The theorems as the README has them."""
    lines = ["| id | theorem | for | on | about | replayed |", "|---|---|---|---|---|---|"]
    for each in THEOREMS:
        refuted = f" (refuted: {', '.join(each.refuted_by)})" if each.refuted_by else ""
        on = (each.revision or "all revisions") + refuted
        about = ", ".join(f"`{name}`" for name in each.properties)
        lines.append(
            f"| `{each.id}` | {_cell(each.sentence)} | {_cell(_range(each))} | {on} | {about}"
            f" | {kind_of(each).value} |"
        )
    return lines


def _range(theorem: Theorem) -> str:
    return f"{theorem.scope}{f'; up to {theorem.bound}' if theorem.bound else ''}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _theorem_json(theorem: Theorem) -> dict[str, object]:
    return {
        "id": theorem.id,
        "group": theorem.group,
        "sentence": theorem.sentence,
        "scope": theorem.scope,
        "bound": theorem.bound or None,
        "source": theorem.source,
        "revision": theorem.revision or None,
        "properties": list(theorem.properties),
        "refuted_by": list(theorem.refuted_by),
        "second_solver": theorem.second_solver,
        "replayed": kind_of(theorem).value,
    }


def scope(each: Property) -> str:
    """Where a property has to hold."""
    if isinstance(each, StateProperty):
        return each.scope.value
    if isinstance(each, RecordProperty):
        return "for every occurrence in a history"
    return "at every step"


def findings_of(each: Property) -> tuple[str, ...]:
    """Ids of the findings that break a property."""
    found = [finding.id for finding in FINDINGS if each.id in finding.properties]
    found += [finding.id for finding in SCHEDULED if each.id in finding.properties]
    return tuple(found)


def markdown_table() -> list[str]:
    """The catalogue as the README has it."""
    lines = ["| id | property | where | how strongly | findings |", "|---|---|---|---|---|"]
    lines += [
        f"| `{each.id}` | {each.sentence} | {scope(each)} | {'; '.join(strengths(each.id))}"
        f" | {', '.join(findings_of(each))} |"
        for each in PROPERTIES
    ]
    return lines


def _findings_text(each: Property) -> str:
    found = findings_of(each)
    return f"; fails: {', '.join(found)}" if found else ""


def _as_json(each: Property) -> dict[str, object]:
    kinds = each.kinds if isinstance(each, ViolationProperty) else ()
    return {
        "id": each.id,
        "group": each.group,
        "sentence": each.sentence,
        "scope": scope(each),
        "source": each.source,
        "findings": list(findings_of(each)),
        "established": list(strengths(each.id)),
        "violations": [kind.kind for kind in kinds],
    }
