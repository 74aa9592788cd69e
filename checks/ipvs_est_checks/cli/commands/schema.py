"""`ipvs-est schema`."""

import click

from ipvs_est_checks.schemas.document import definitions, schema_text


@click.command("schema")
@click.argument("name", required=False, type=click.Choice(list(definitions())))
def schema_command(name: str | None) -> None:
    """Print the JSON Schema (2020-12) of what is read and written, or of one thing of it."""
    click.echo(schema_text(name), nl=False)
