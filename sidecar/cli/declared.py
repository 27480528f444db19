"""How the `run` of a command declares its options and arguments.

An example is ``Annotated[str | None, Option("--from", …)]``. `sidecar.cli.program` hands them to
typer, which makes the help and the messages about a wrong command line. `sidecar.cli.plain` reads a
plain command line without typer, which is faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: The group of options, in help texts, about what is written.
OUTPUT = "Output"


class Option:
    """An option.

    Without ``names`` it has the name of its parameter. ``parser`` turns text into the value, and
    raises a UsageError that says what is wrong with the text. ``rich_help_panel`` is the group of
    the option in the help.
    """

    def __init__(
        self,
        *names: str,
        metavar: str | None = None,
        help: str = "",
        show_default: bool | str = True,
        parser: Callable[[str], Any] | None = None,
        rich_help_panel: str | None = None,
    ) -> None:
        self.names = names
        self.parser = parser
        self.shown: dict[str, Any] = {
            "metavar": metavar,
            "help": help,
            "show_default": show_default,
            "rich_help_panel": rich_help_panel,
        }


class Argument:
    """A positional argument."""

    def __init__(
        self,
        *,
        metavar: str,
        help: str,
        show_default: bool | str = True,
        parser: Callable[[str], Any] | None = None,
    ) -> None:
        self.parser = parser
        self.shown: dict[str, Any] = {
            "metavar": metavar,
            "help": help,
            "show_default": show_default,
        }
