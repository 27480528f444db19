"""The names of the commands, in the order of the help.

Each command is a module, which is loaded when the user asks for the command.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

COMMANDS = (
    "inspect",
    "export",
    "prepare",
    "map-points",
    "map-mask",
    "project",
    "measure",
    "align",
    "zoom",
    "adopt",
    "view",
    "label",
    "report",
    "check",
    "integrations",
    "demo",
)


def loaded(name: str) -> Any:
    """The module of a command: NAME, HELP, EXAMPLES and `run`."""
    return import_module(f"sidecar.cli.{name.replace('-', '_')}")
