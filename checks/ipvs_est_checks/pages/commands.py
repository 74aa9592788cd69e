"""The page of all commands, made from what `--help` is made from."""

import inspect
import re
from collections.abc import Iterator

import click

from ipvs_est_checks.cli.group import cli

_ABOUT = """\
`ipvs-est COMMAND --help` prints the same. A word in capitals stands for a value of yours, `...` for
several of them. `-` as a FILE is standard output where a command says so.
"""


def commands_page() -> Iterator[str]:
    """The lines of the page."""
    yield from ("# Commands", "", *_ABOUT.splitlines())
    yield from ("", "## ipvs-est", "", *_paragraphs(cli.help or ""))
    for name, command in _commands(cli, ""):
        yield from ("", f"## {name}", "", f"`{_usage(name, command)}`")
        yield from ("", *_paragraphs(command.help or ""))
        options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        if options:
            yield from ("", "| option | meaning |", "|---|---|", *map(_row, options))


def _commands(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    """All commands of a group, those of the groups within it behind their group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield before + name, command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")


def _usage(name: str, command: click.Command) -> str:
    arguments = [
        _argument(parameter)
        for parameter in command.params
        if isinstance(parameter, click.Argument)
    ]
    if isinstance(command, click.Group):
        return f"ipvs-est {name} COMMAND"
    options = ["[OPTIONS]"] if len(arguments) < len(command.params) else []
    return " ".join(["ipvs-est", name, *options, *arguments])


def _argument(argument: click.Argument) -> str:
    word = argument.metavar or (argument.name or "").upper()
    if argument.metavar:
        return word
    word = word if argument.required else f"[{word}]"
    return f"{word}..." if argument.nargs == -1 else word


def _paragraphs(text: str) -> Iterator[str]:
    """Help text as Markdown; click marks lines that are not to be wrapped with a \\b."""
    for number, part in enumerate(inspect.cleandoc(text).split("\n\n")):
        if number:
            yield ""
        lines = part.splitlines()
        if lines[:1] == ["\b"]:
            yield from ("```", *lines[1:], "```")
        else:
            yield from map(_plain, lines)


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    if option.secondary_opts:
        names += f" / {', '.join(f'`{name}`' for name in option.secondary_opts)}"
    value = _value(option)
    facts = "; ".join(name for name in (_default(option), _range(option.type)) if name)
    text = _plain(re.sub(r"\s+", " ", option.help or ""))
    meaning = f"{text} ({facts})" if facts else text
    return f"| {f'{names} {value}' if value else names} | {meaning} |"


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return " \\| ".join(f"`{choice}`" for choice in option.type.choices)
    return f"`{option.metavar or option.type.name.upper()}`"


def _default(option: click.Option) -> str:
    return f"default: {option.default}" if option.show_default and not option.is_flag else ""


def _range(type_: object) -> str:
    if not isinstance(type_, click.IntRange | click.FloatRange):
        return ""
    low = "" if type_.min is None else f"{'above' if type_.min_open else 'from'} {type_.min}"
    high = "" if type_.max is None else f"{'below' if type_.max_open else 'to'} {type_.max}"
    return " ".join(name for name in (low, high) if name)


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
