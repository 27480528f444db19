"""The command line as a program of typer, for help and for messages about a wrong command line."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from copy import copy
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from sidecar.cli.commands import COMMANDS, loaded
from sidecar.cli.declared import Argument, Option
from sidecar.cli.help import Command, Program
from sidecar.errors import UsageError, printable
from sidecar.faults import DEBUG

#: The types of numbers, in words.
_NUMBERS: dict[Callable[[str], Any], str] = {int: "a whole number", float: "a number"}
#: Most characters of a wrong value in a message.
_LONGEST_TOLD = 40


def program(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The program with these commands.

    typer works out the options of every command before it runs one. With all commands that takes
    noticeable time.
    """
    made = typer.Typer(
        name="sidecar",
        help=(
            "sidecar turns a DICOM scan into small PNG slices, and brings the labels that you make"
            " on them back to the exact place in the scan."
        ),
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in names:
        command = loaded(name)
        made.command(name, cls=Command, help=command.HELP, epilog=command.EXAMPLES)(
            _for_typer(command.run)
        )
    made.callback(cls=Program, invoke_without_command=True)(_root)
    return made


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    verbose: bool = typer.Option(
        False, "--verbose", help="With --version, also print what makes slices: kernel or numpy."
    ),
    debug: bool = typer.Option(False, DEBUG, help="Also show where in the code an error arises."),
) -> None:
    if version:
        from sidecar.document.generator import generator

        typer.echo(generator())
        if verbose:
            from sidecar.exporting.images.one_pass import way

            typer.echo(f"slices are made by {way()}")
        raise typer.Exit


def _for_typer(run: Callable[..., None]) -> Callable[..., None]:
    """``run`` with its options and arguments declared in the way of typer."""

    @functools.wraps(run)
    def command(**values: Any) -> None:
        run(**values)

    hints = get_type_hints(run, include_extras=True)
    command.__annotations__ = {name: _in_words_of_typer(hint) for name, hint in hints.items()}
    known = inspect.signature(run)
    command.__signature__ = known.replace(  # type: ignore[attr-defined]
        parameters=[
            one.replace(annotation=command.__annotations__[name])
            for name, one in known.parameters.items()
        ],
        return_annotation=None,
    )
    return command


def _in_words_of_typer(hint: Any) -> Any:
    if get_origin(hint) is not Annotated:
        return hint
    kind, *declared = get_args(hint)
    return Annotated[(kind, *(_read_as(kind, _made(one)) for one in declared))]


def _made(declared: Any) -> Any:
    if isinstance(declared, Option):
        return typer.Option(*declared.names, parser=_parser(declared), **declared.shown)
    if isinstance(declared, Argument):
        return typer.Argument(parser=_parser(declared), **declared.shown)
    return declared


def _read_as(kind: Any, made: Any) -> Any:
    """The same option, but one for a number has a parser that refuses other text in our words."""
    numbers = [number for number in _NUMBERS if number in (get_args(kind) or (kind,))]
    if not numbers or made.parser is not None:
        return made
    (number,) = numbers

    def parser(text: str) -> Any:
        try:
            return number(text)
        except ValueError:
            raise typer.BadParameter(
                f"give {_NUMBERS[number]} instead of {printable(text[:_LONGEST_TOLD])}"
            ) from None

    read = copy(made)
    read.parser = parser
    return read


def _parser(declared: Option | Argument) -> Callable[[str], Any] | None:
    parse = declared.parser
    if parse is None:
        return None

    def parser(text: str) -> Any:
        try:
            return parse(text)
        except UsageError as error:
            raise typer.BadParameter(str(error)) from None

    return parser
