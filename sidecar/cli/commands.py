"""The commands by their names, in the order of the help; each is a module that is loaded when it is
asked for.
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
