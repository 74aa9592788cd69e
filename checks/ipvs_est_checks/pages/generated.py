"""The pages of the reference that are generated, and their text."""

from collections.abc import Callable, Iterable

from ipvs_est_checks.pages.commands import commands_page
from ipvs_est_checks.pages.findings import findings_page
from ipvs_est_checks.pages.properties import properties_page
from ipvs_est_checks.pages.theorems import theorems_page

PAGES: dict[str, Callable[[], Iterable[str]]] = {
    "commands.md": commands_page,
    "findings/README.md": findings_page,
    "properties.md": properties_page,
    "theorems.md": theorems_page,
}
"""File name in `docs/reference` -> its lines."""

_HEAD = "<!-- Generated: python -m ipvs_est_checks.pages docs/reference -->"


def page_text(name: str) -> str:
    """What the file has to hold."""
    return "\n".join([_HEAD, "", *PAGES[name]()]) + "\n"
