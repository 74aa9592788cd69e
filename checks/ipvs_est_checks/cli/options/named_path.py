"""The type of an argument or option that is a path."""

import os
from pathlib import Path
from typing import Any

import click


class NamedPath(click.Path):
    """A path; the empty text names none, though `Path("")` is the current directory."""

    def __init__(
        self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True
    ) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(
        self,
        value: Any,  # what stands on the command line, as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """The path; click.BadParameter if it is empty or not what is asked for."""
        if value == "":
            self.fail("an empty text names no file", param, ctx)
        return super().convert(value, param, ctx)
