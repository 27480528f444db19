"""The layout of help texts: options in groups, each example on its own line, nothing wider than the
terminal.

The texts come from what the commands declare. They do not depend on the version of Typer, so the
pages of the documentation can show them too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup

#: The group of options that name no group.
OPTIONS = "Options"
#: The text of an option stands below its spelling where the spelling is longer than this.
WIDEST_SPELLING = 30


class Command(TyperCommand):
    """A command whose help this module lays out. Its epilog holds its examples, one in a line."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_of(self, ctx.command_path, formatter.width, self.get_params(ctx)))


class Program(TyperGroup):
    """The program. Its help lists each command with the first sentence of the command's help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        width, called = formatter.width, ctx.command_path
        commands = [(name, _first_sentence(command)) for name, command in self.commands.items()]
        parts = [
            f"Usage: {called} COMMAND …",
            _wrapped(self.help or "", width),
            _group(OPTIONS, _rows(self.get_params(ctx)), width),
            _group("Commands", commands, width),
            f"{called} COMMAND --help explains a command, with examples.",
        ]
        formatter.write("\n\n".join(parts) + "\n")


def help_of(command: Any, called: str, width: int, parameters: Iterable[Any]) -> str:
    """The help of a command in lines of at most ``width`` columns. ``called``: as users type it."""
    shown = [one for one in parameters if not getattr(one, "hidden", False)]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    options = [one for one in shown if one.param_type_name != "argument"]
    usage = " ".join([called, "[OPTIONS]", *map(_usage, arguments)])
    groups: dict[str, list[Any]] = {}
    for option in options:
        groups.setdefault(getattr(option, "rich_help_panel", None) or OPTIONS, []).append(option)
    examples = (command.epilog or "").splitlines()
    parts = [
        f"Usage: {usage}",
        _wrapped(command.help or "", width),
        _group("Arguments", _rows(arguments), width),
        *(_group(name, _rows(those), width) for name, those in groups.items()),
        "\n".join(["Examples:", *(f"  {line}" for line in examples)]) if examples else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _wrapped(text: str, width: int) -> str:
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(textwrap.fill(part, width) for part in paragraphs)


def _group(name: str, rows: list[tuple[str, str]], width: int) -> str:
    if not rows:
        return ""
    left = min(WIDEST_SPELLING, max(len(spelling) for spelling, _ in rows))
    return "\n".join([f"{name}:", *_lines(rows, left, width)])


def _lines(rows: list[tuple[str, str]], left: int, width: int) -> Iterator[str]:
    for spelling, text in rows:
        first, *more = textwrap.wrap(text, max(20, width - left - 4)) or [""]
        if len(spelling) > left:
            yield f"  {spelling}"
            yield f"  {'':{left}}  {first}"
        else:
            yield f"  {spelling:{left}}  {first}"
        yield from (f"  {'':{left}}  {line}" for line in more)


def _rows(parameters: Iterable[Any]) -> list[tuple[str, str]]:
    return [(_spelling(one), _explained(one)) for one in parameters]


def _explained(parameter: Any) -> str:
    help = parameter.help or ""
    shows = getattr(parameter, "show_default", True)
    if isinstance(shows, str):
        return f"{help} [default: {shows}]"
    if not shows or parameter.default in (None, False, ()) or callable(parameter.default):
        return help
    return f"{help} [default: {parameter.default}]"


def _usage(argument: Any) -> str:
    name = _named(argument)
    return name if argument.required else f"[{name}]"


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _named(parameter)
    spelt = [", ".join(sorted(parameter.opts, key=len)), *parameter.secondary_opts]
    value = f" {parameter.metavar}" if parameter.metavar else ""
    return " / ".join(spelt) + value


def _named(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper()).strip("[]")


def _first_sentence(command: Any) -> str:
    text = " ".join((command.help or "").split("\n\n")[0].split())
    return text.partition(". ")[0].rstrip(".") + "."
