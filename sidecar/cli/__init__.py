"""The command line: a skin over the library, one small file per command, heavy imports inside the
commands.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Iterable

import typer

from sidecar.cli import (
    adopt,
    align,
    check,
    demo,
    export,
    inspect,
    integrations,
    label,
    map_mask,
    map_points,
    measure,
    project,
    report,
    view,
    zoom,
)
from sidecar.cli.help import Command, Program
from sidecar.cli.telling import tell
from sidecar.errors import BatchError, SidecarError, UsageError, reason
from sidecar.faults import DEBUG, is_debugging, show_traceback

#: No large matrix is multiplied here: starting threads for that costs as much as numpy's import.
#: And pydantic needs no plugins: looking for them reads the metadata of every package that is
#: installed.
QUICK_START = {"OPENBLAS_NUM_THREADS": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"}

#: Searches for garbage, which imports make next to none of: as a rule they would go through all
#: modules a dozen times.
SELDOM = (20_000, 20, 20)

COMMANDS = {
    command.NAME: command
    for command in (
        inspect,
        export,
        map_points,
        map_mask,
        project,
        measure,
        align,
        zoom,
        adopt,
        view,
        label,
        report,
        check,
        integrations,
        demo,
    )
}


def program(names: Iterable[str]) -> typer.Typer:
    """The program with these commands: what a command takes is worked out before any is run, which
    is felt with all of them.
    """
    made = typer.Typer(
        name="sidecar",
        help=(
            "DICOM scans as small PNG slices, and labels made on those PNGs back exactly where they"
            " belong in the scan."
        ),
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in names:
        command = COMMANDS[name]
        made.command(name, cls=Command, help=command.HELP, epilog=command.EXAMPLES)(command.run)
    made.callback(cls=Program, invoke_without_command=True)(_root)
    return made


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    verbose: bool = typer.Option(
        False, "--verbose", help="With --version also print what makes slices: kernel or numpy."
    ),
    debug: bool = typer.Option(False, DEBUG, help="With an error also show where it comes from."),
) -> None:
    if version:
        from sidecar.document.generator import generator

        typer.echo(generator())
        if verbose:
            from sidecar.exporting.images.one_pass import way

            typer.echo(f"slices are made by {way()}")
        raise typer.Exit


app = program(COMMANDS)


def main() -> None:
    """Run what ``sys.argv`` asks for.

    Exit 0 done, 1 the input is at fault, 2 usage; a user's mistake is one message, and a traceback
    only with --debug. What nobody foresaw goes on to `sidecar.__main__`.
    """
    for name, value in QUICK_START.items():
        os.environ.setdefault(name, value)
    gc.set_threshold(*SELDOM)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal that has no µ shows ? instead of failing
    asked = sys.argv[2:3] if is_debugging() else sys.argv[1:2]
    try:
        program(asked if asked and asked[0] in COMMANDS else COMMANDS)(prog_name=_called())
    except (SidecarError, OSError, MemoryError) as error:
        show_traceback(error)
        tell(f"sidecar: {_in_words(error)}")
        faults = error.faults if isinstance(error, BatchError) else [error]
        sys.exit(2 if all(isinstance(fault, UsageError) for fault in faults) else 1)


def _called() -> str:
    """What help texts and mistakes call the program: as the user did."""
    return "python -m sidecar" if sys.argv[0].endswith("__main__.py") else "sidecar"


def _in_words(error: SidecarError | OSError | MemoryError) -> str:
    if isinstance(error, SidecarError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "there is not enough memory for this; use fewer --jobs where the command has them,"
            " close other programs, or take a machine with more"
        )
    return reason(error)  # such as a full disk behind stdout
