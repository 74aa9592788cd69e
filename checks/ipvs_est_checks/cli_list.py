"""`ipvs-est list`."""

import json

import click

from ipvs_est_checks.findings import FINDINGS
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.property import Property, RecordProperty, StateProperty, ViolationProperty


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--markdown", is_flag=True, help="As a Markdown table, as in the README.")
def list_command(as_json: bool, markdown: bool) -> None:
    """List the properties: id, sentence, where it has to hold, source, findings."""
    if as_json and markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    if as_json:
        click.echo(json.dumps([_as_json(each) for each in PROPERTIES], indent=1))
        return
    if markdown:
        click.echo("\n".join(markdown_table()))
        return
    width = max(len(each.id) for each in PROPERTIES)
    for each in PROPERTIES:
        click.echo(f"{each.id:<{width}}  {each.sentence}")
        click.echo(f"{'':<{width}}  {scope(each)}; {each.source}{_findings_text(each)}")
    click.echo(f"{len(PROPERTIES)} properties, {len(FINDINGS)} findings")


def scope(each: Property) -> str:
    """Where a property has to hold."""
    if isinstance(each, StateProperty):
        return each.scope.value
    if isinstance(each, RecordProperty):
        return "for every occurrence in a history"
    return "at every step"


def findings_of(each: Property) -> tuple[str, ...]:
    """Ids of the findings that break a property."""
    return tuple(finding.id for finding in FINDINGS if each.id in finding.properties)


def markdown_table() -> list[str]:
    """The catalogue as the README has it."""
    lines = ["| id | property | where | findings |", "|---|---|---|---|"]
    lines += [
        f"| `{each.id}` | {each.sentence} | {scope(each)} | {', '.join(findings_of(each))} |"
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
        "violations": [kind.kind for kind in kinds],
    }
