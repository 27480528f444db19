"""Write files and folders: whole or not at all, and never over an input."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import LabelError, OutputError, UsageError, reason
from sidecar.storage.whole_file import refuse_taken_part, whole_file, whole_folder

T = TypeVar("T")


def write_output(output: Path, inputs: Iterable[Path], write: Callable[[Path], T]) -> T:
    """Let ``write`` write a new file, which becomes ``output`` when it is whole.

    Returns what ``write`` returns. UsageError where ``output`` would overwrite an input.
    """
    with explained(output.name):
        _check_place(output, inputs)
        with whole_file(output) as part:
            return write(part)


def write_folder(output: Path, write: Callable[[Path], T]) -> T:
    """Let ``write`` fill a new folder, which becomes ``output`` when it is whole.

    Returns what ``write`` returns. OutputError where ``output`` holds anything already.
    """
    with explained(output.name):
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise OutputError(f"{output.name} is there already; give the name of a new folder")
        refuse_taken_part(output)
        with whole_folder(output) as part:
            return write(part)


@contextlib.contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn errors of the system, and of text that no file can hold, into our own errors."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{name} cannot be written: {reason(error)}") from None
    except UnicodeEncodeError:
        raise LabelError(
            "a label holds half a character (a lone surrogate), and no text file can hold that;"
            " correct it"
        ) from None


def _check_place(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is an input, a sidecar.json, or no file."""
    if output.name == SIDECAR_NAME or any(
        output.exists() and path.exists() and output.samefile(path) for path in inputs
    ):
        raise UsageError(f"-o {output.name} would overwrite an input; give another name")
    if output.exists() and not output.is_file():
        raise OutputError(
            f"{output.name} is not a file; give a file name, or leave -o out to write to stdout"
        )
    refuse_taken_part(output)
