"""`ipvs-est list`."""

import json
from collections.abc import Iterator

import click

from ipvs_est_checks.engines.established import strengths
from ipvs_est_checks.known import registry
from ipvs_est_checks.machines.run import SENTENCES
from ipvs_est_checks.proving.counterexamples.registry import kind_of
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import THEOREMS
from ipvs_est_spec.property import Property, RecordProperty, StateProperty, ViolationProperty


@click.command("list")
@click.option("--theorems", is_flag=True, help="The theorems of `ipvs-est prove` instead.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_command(theorems: bool, as_json: bool) -> None:
    """List the properties: id, sentence, where it has to hold, source, findings, how strongly it
    is established; or the theorems.

    Sources: `ipvs-est show 5.3` tells what "semantics 5.3" says, `ipvs-est show D21` what D21 is.
    """
    if as_json:
        written = [_theorem_json(theorem) for theorem in THEOREMS]
        if not theorems:
            written = [_as_json(prop) for prop in PROPERTIES]
        click.echo(json.dumps(written, indent=1))
    else:
        for line in _theorem_lines() if theorems else _property_lines():
            click.echo(line)


def _property_lines() -> Iterator[str]:
    width = max(len(prop.id) for prop in PROPERTIES)
    for prop in PROPERTIES:
        yield f"{prop.id:<{width}}  {prop.sentence}"
        yield f"{'':<{width}}  {scope(prop)}; {prop.source}{_findings_text(prop)}"
        yield f"{'':<{width}}  {'; '.join(strengths(prop.id))}"
    beside = _beside()
    for id_, sentence in beside.items():
        yield f"{id_:<{width}}  {sentence}"
        yield f"{'':<{width}}  in random histories alone, against a naive implementation"
    yield (
        f"{len(PROPERTIES)} properties, {len(beside)} of random histories alone,"
        f" {len(registry.ALL)} findings"
    )


def _beside() -> dict[str, str]:
    """What the machines check beside the catalogue: sentences by id."""
    listed = {prop.id for prop in PROPERTIES}
    return {id_: sentence for id_, sentence in SENTENCES.items() if id_ not in listed}


def _theorem_lines() -> Iterator[str]:
    width = max(len(theorem.id) for theorem in THEOREMS)
    for theorem in THEOREMS:
        yield f"{theorem.id:<{width}}  {theorem.sentence}"
        refuted = f"; refuted by {', '.join(theorem.refuted_by)}" if theorem.refuted_by else ""
        about = f"; about {', '.join(theorem.properties)}" if theorem.properties else ""
        yield f"{'':<{width}}  for {_range(theorem)}; {theorem.source}{about}{refuted}"
        yield f"{'':<{width}}  counterexamples replayed: {kind_of(theorem).value}"
    yield f"{len(THEOREMS)} theorems"


def _range(theorem: Theorem) -> str:
    return f"{theorem.scope}{f'; up to {theorem.bound}' if theorem.bound else ''}"


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


def scope(prop: Property) -> str:
    """Where a property has to hold."""
    if isinstance(prop, StateProperty):
        return prop.scope.value
    if isinstance(prop, RecordProperty):
        return "for every occurrence in a history"
    return "at every step"


def findings_of(prop: Property) -> tuple[str, ...]:
    """Ids of the findings that break a property."""
    return tuple(finding.id for finding in registry.ALL if prop.id in finding.properties)


def _findings_text(prop: Property) -> str:
    found = findings_of(prop)
    return f"; fails: {', '.join(found)}" if found else ""


def _as_json(prop: Property) -> dict[str, object]:
    kinds = prop.kinds if isinstance(prop, ViolationProperty) else ()
    return {
        "id": prop.id,
        "group": prop.group,
        "sentence": prop.sentence,
        "scope": scope(prop),
        "source": prop.source,
        "findings": list(findings_of(prop)),
        "established": list(strengths(prop.id)),
        "violations": [kind.kind for kind in kinds],
    }
