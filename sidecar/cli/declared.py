"""What a command takes, as its `run` declares it: ``Annotated[str | None, Option("--from", …)]``.

typer makes the help and the messages of a wrong command line of it (`sidecar.cli.program`); a plain
command line is read without (`sidecar.cli.plain`), and sooner run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: The group of options, in help texts, about what is written.
OUTPUT = "Output"


class Option:
    """An option. Without ``names`` it is called as its parameter; ``parser`` makes its value of
    text, and says in a UsageError what is wrong with it; ``rich_help_panel``: its group in the
    help.
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
    """An argument, by its place."""

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
