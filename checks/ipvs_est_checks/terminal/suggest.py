"""Names that do not exist: one line, with those that may be meant."""

from collections.abc import Iterable
from difflib import get_close_matches

import click

from ipvs_est_checks.terminal.printable import printable, shorten

_NEAR = 0.5
"""Similarity from which a name may be meant; difflib's own 0.6 misses short ids."""
_MOST = 3


def check_names(kind: str, given: Iterable[str], known: Iterable[str], otherwise: str) -> None:
    """Raise click.UsageError for the first name that is not known.

    `otherwise`: where the names are told, if none is similar.
    """
    known = list(known)
    for name in given:
        if name not in known:
            raise click.UsageError(no_such(kind, name, known, otherwise))


def no_such(kind: str, name: str, known: Iterable[str], otherwise: str) -> str:
    """What is said of a name that is not known; see `check_names`."""
    # What differs by its case alone is as near as can be.
    by_case = {name.casefold(): name for name in known}
    near = get_close_matches(name.casefold(), by_case, n=_MOST, cutoff=_NEAR)
    hint = f"did you mean {', '.join(by_case[name] for name in near)}?" if near else otherwise
    return f"no such {kind}: {shorten(printable(name))}; {hint}"
