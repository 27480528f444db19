"""Unforeseen errors: one message for the user, and the traceback for those who ask for it.

This module imports little, so that it works even when other modules cannot be loaded.
"""

from __future__ import annotations

import signal
import sys
import traceback
from pathlib import Path

#: The option that shows tracebacks. It stands before the command.
DEBUG = "--debug"
#: The exit code of a fault of this program.
OUR_FAULT = 3
#: Signals that end the program in order: Ctrl-C, a batch system or a shutdown, and a terminal that
#: was closed (not on Windows).
ENDINGS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

_PACKAGE = Path(__file__).parent


def is_debugging() -> bool:
    """Whether the user asked for tracebacks."""
    return DEBUG in sys.argv[1:2]


def show_traceback(error: BaseException) -> None:
    """Print where an error comes from, if the user asked for it."""
    if is_debugging():
        traceback.print_exception(error)


def in_words(error: Exception) -> str:
    """The kind of an error, and its place in this package. The message of the error is left out,
    as it may contain a path or a name.
    """
    steps = [
        (Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)
    ]
    path, line = next(step for step in reversed(steps) if step[0].is_relative_to(_PACKAGE))
    return (
        f"this is a fault of sidecar itself: {type(error).__name__} in"
        f" {path.relative_to(_PACKAGE).as_posix()}, line {line}. No output was left half-written."
        f" Please run sidecar {DEBUG} with the same command, and report what it prints"
    )
