"""The one writer of JSON reports."""

import json
from collections.abc import Mapping


def json_text(
    report: str, version: int, body: Mapping[str, object], *, one_line: bool = False
) -> str:
    """A report as text: ASCII, its name and the version of its form first, a newline at the end.

    `one_line`: for what may be very long, a fifth of the time and half of the space.
    """
    whole = {"report": report, "version": version, **body}
    if one_line:
        return json.dumps(whole, separators=(",", ":")) + "\n"
    return json.dumps(whole, indent=1) + "\n"
