"""What of a search's failures is known already: asked of who knows, by who searches.

The explorer itself knows no findings and no defects; `known.failures` has the answers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ipvs_est import Revision
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.cause import Cause


@dataclass(frozen=True, slots=True)
class Known:
    """What a failure is known as."""

    ids: tuple[str, ...]
    """Rows of the known defects, then findings."""
    title: str
    """Of the first."""
    by_sign: bool
    """Told by what the failure says; else by its property alone."""


@dataclass(frozen=True, slots=True)
class AlreadyKnown:
    """Two questions, each a function of a module so that it can be sent to another process."""

    known_as: Callable[[str, Cause], Known | None]
    """Of a revision's name and a cause; None = it is new."""
    watched_by_default: Callable[[Revision], frozenset[str]]
    """The properties of which not most schedules are known to break one."""


def _new(_revision: str, _cause: Cause) -> None:
    return None


def _all(_revision: Revision) -> frozenset[str]:
    return WATCHED


NOTHING_KNOWN = AlreadyKnown(_new, _all)
