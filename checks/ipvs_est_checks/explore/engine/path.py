"""Schedules as lists linked from their ends, so that they share their beginnings."""

Path = tuple["Path", int] | None
"""The schedule before, and its last choice; None = the empty one."""


def unrolled(path: Path) -> list[int]:
    """The choices, first to last."""
    choices: list[int] = []
    while path is not None:
        path, choice = path
        choices.append(choice)
    choices.reverse()
    return choices
