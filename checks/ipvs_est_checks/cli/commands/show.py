"""`ipvs-est show`."""

from difflib import get_close_matches

import click

from ipvs_est_checks.cli.about import about, known_ids


@click.command()
@click.argument("ids", metavar="ID ...", nargs=-1, required=True)
def show(ids: tuple[str, ...]) -> None:
    """Tell what an ID is: of a property, theorem, finding, known defect, mutant, scenario,
    situation, or a section of the documents.

    Its sentence, where it is defined, what breaks, proves or kills it, and the command that runs
    it; and what the documents say of it: of findings (F01), known defects (D21), bounds (B2), and
    the behaviour of the estimator, whose sections sources cite: "semantics 5.3" is 5.3.
    """
    known = known_ids()
    for id_ in ids:
        if id_ not in known:
            near = get_close_matches(id_, known, n=3, cutoff=0.5)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise click.UsageError(f"no such id: {id_}{hint}")
    click.echo("\n\n".join("\n".join(about(id_)) for id_ in ids))
