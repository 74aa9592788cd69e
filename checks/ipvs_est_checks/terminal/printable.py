"""Text from outside, made fit for one line of output."""

import json

_MAX = 200


def printable(text: str) -> str:
    """The text with what is not printable escaped, so that it is also fit for XML.

    Lone surrogates, which file names and JSON can hold, are not printable.
    """
    if text.isprintable():
        return text
    return "".join(
        name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
        for name in text
    )


def shorten(text: str, limit: int = _MAX) -> str:
    """The text, or its start and how long it is."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text)} characters)"


def short_json(value: object) -> str:
    """A value as printable JSON, shortened."""
    return shorten(printable(json.dumps(value, separators=(",", ":"))))
