"""The command line: a thin layer over the library, with one small file for each command.

Commands import heavy modules only when they run.
"""

from __future__ import annotations

import gc
import io
import os
import sys

from sidecar.cli.commands import COMMANDS, loaded
from sidecar.cli.telling import say, tell
from sidecar.errors import BatchError, SidecarError, UsageError, reason
from sidecar.faults import is_debugging, show_traceback

#: Environment variables that make the start faster. sidecar multiplies no large matrices, and
#: starting threads for that takes as long as importing numpy. pydantic needs no plugins, and a
#: search for plugins reads the metadata of every installed package.
QUICK_START = {"OPENBLAS_NUM_THREADS": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"}

#: Thresholds of the garbage collector. Imports leave almost no garbage, but with the usual
#: thresholds Python would search all modules a dozen times.
SELDOM = (20_000, 20, 20)


def main() -> None:
    """Run what ``sys.argv`` asks for.

    The exit code is 0 for success, 1 for a fault of the input and 2 for wrong usage. A user's
    mistake gives one message; only --debug adds a traceback. Unforeseen errors go on to
    `sidecar.__main__`.
    """
    for name, value in QUICK_START.items():
        os.environ.setdefault(name, value)
    gc.set_threshold(*SELDOM)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal that has no µ shows ? instead of failing
    try:
        _run(sys.argv[2:] if is_debugging() else sys.argv[1:])
    except BrokenPipeError:  # the program that reads our output has closed the pipe, as head does
        sys.exit(1)
    except (SidecarError, OSError, MemoryError) as error:
        show_traceback(error)
        tell(f"sidecar: {_in_words(error)}")
        faults = error.faults if isinstance(error, BatchError) else [error]
        sys.exit(2 if all(isinstance(fault, UsageError) for fault in faults) else 1)


def _called() -> str:
    """The name of the program in help texts and messages: the one that the user typed."""
    return "python -m sidecar" if sys.argv[0].endswith("__main__.py") else "sidecar"


def _run(words: list[str]) -> None:
    """Run the command that the user asks for. typer reads the command line unless it is plain."""
    asked = words[0] if words else ""
    if asked == "--version" and len(words) == 1:
        from sidecar.document.generator import generator

        say(generator(), sys.stdout)
        return
    if asked in COMMANDS:
        from sidecar.cli.plain import plain_values

        run = loaded(asked).run
        values = plain_values(run, words[1:])
        if values is not None:
            run(**values)
            return
    from sidecar.cli.program import program

    program([asked] if asked in COMMANDS else COMMANDS)(prog_name=_called())


def _in_words(error: SidecarError | OSError | MemoryError) -> str:
    if isinstance(error, SidecarError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "there is not enough memory for this; use fewer --jobs if the command has this option,"
            " close other programs, or use a machine with more memory"
        )
    return reason(error)  # such as a full disk behind stdout
