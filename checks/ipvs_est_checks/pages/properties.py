"""The page of all properties."""

from collections.abc import Iterator
from itertools import groupby

from ipvs_est_checks.cli.commands.list import findings_of, scope
from ipvs_est_checks.documents import linked
from ipvs_est_checks.engines.established import strengths
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.property import Property

_ABOUT = """\
Each property is written once, as a formula over an abstract state or over what happened, and is
interpreted twice: in Python for every check, in z3 for the proofs. What is under a property:

- *where* it has to hold, and the sections of the [behaviour](../explanation/behaviour.md) and the
  [known defects](known-defects.md) that it comes from;
- *how strongly* it is established. *Proved*: for all values, for states of any size or for all
  interleavings of a protocol, by the [theorems](theorems.md) named; *refuted* on a revision where a
  finding breaks it. *Explored*: under every schedule of the library's scenarios, with the
  preemptions named, on the revisions named ([the explorer](../explanation/explorer.md)). *Sampled*:
  on random histories of the state machines, at every point where it has to hold;
- the *findings* that break it on some revision. `ipvs-est findings ID` tells each.
"""


def properties_page() -> Iterator[str]:
    """The lines of the page."""
    yield from ("# Properties", "", *_ABOUT.splitlines())
    for group, properties in groupby(
        sorted(PROPERTIES, key=lambda prop: GROUPS.index(prop.group)), lambda prop: prop.group
    ):
        yield from ("", f"## {group}")
        for prop in properties:
            yield from ("", f"### `{prop.id}`", "", prop.sentence, "", *_facts(prop))


GROUPS = tuple(dict.fromkeys(prop.group for prop in PROPERTIES))
"""In the order of the catalogue."""


def _facts(prop: Property) -> Iterator[str]:
    yield f"- where: {scope(prop)}"
    yield f"- source: {linked(prop.source)}"
    yield f"- how strongly: {'; '.join(strengths(prop.id))}"
    found = findings_of(prop)
    if found:
        yield f"- findings: {linked(', '.join(found))}"
