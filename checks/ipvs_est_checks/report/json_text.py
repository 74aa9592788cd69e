"""The one writer of JSON reports."""

import json
from collections.abc import Mapping


def json_text(report: str, version: int, body: Mapping[str, object]) -> str:
    """A report as text: ASCII, its name and the version of its form first, a newline at the end."""
    return json.dumps({"report": report, "version": version, **body}, indent=1) + "\n"
