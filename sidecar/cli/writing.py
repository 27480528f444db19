"""Writing results from the command line: to stdout or a file, whole or not at all, never over an
input.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import LabelError, OutputError, UsageError, reason
from sidecar.storage.whole_file import refuse_taken_part, whole_file

if TYPE_CHECKING:
    from sidecar.grid.space import Space
    from sidecar.labels.mapped import MappedPoints, Notes, Writer

T = TypeVar("T")


def choice(option: str, value: str | None, allowed: Sequence[str]) -> Any:
    """``value`` when it is one of ``allowed`` or None; UsageError otherwise."""
    if value is not None and value not in allowed:
        raise UsageError(f"{option} {value}: it is one of {', '.join(allowed)}")
    return value


def deliver(
    writer: Writer,
    points: Sequence[MappedPoints],
    output: Path | None,
    space: Space,
    inputs: Iterable[Path],
) -> Notes:
    """Write mapped points to ``output``, or to stdout; what is to be told of the file."""
    if output is not None:
        return write_output(output, inputs, lambda path: writer.write(points, path, space))
    with _explain_faults("the result"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "points")
        notes = writer.write(points, path, space)
        data = path.read_bytes()
    to_stdout(data)
    return notes


def deliver_columns(
    columns: Mapping[str, Sequence[str]], output: Path | None, inputs: Iterable[Path]
) -> None:
    """Write columns of text as CSV to ``output``, or to stdout."""
    from sidecar.labels.writers.csv_points import csv_text

    with _explain_faults("the result"):
        data = "".join(csv_text(dict(columns))).encode()
    if output is None:
        to_stdout(data)
    else:
        write_output(output, inputs, lambda part: part.write_bytes(data))


def to_stdout(data: bytes) -> None:
    """Write to stdout, bytes as they are."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # or what is left would fail once more at the end
        raise OutputError(f"stdout cannot be written: {reason(error)}") from None


def write_output(output: Path, inputs: Iterable[Path], write: Callable[[Path], T]) -> T:
    """Let ``write`` write a new file, which becomes ``output`` when it is whole; what it
    returns.
    """
    with _explain_faults(output.name):
        _check_place(output, inputs)
        with whole_file(output) as part:
            return write(part)


@contextlib.contextmanager
def _explain_faults(name: str) -> Iterator[None]:
    """Faults of the system, and of text that no file can hold, as our own errors."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{name} cannot be written: {reason(error)}") from None
    except UnicodeEncodeError:
        raise LabelError(
            "a label holds half a character (a lone surrogate), which no text file can hold;"
            " correct it"
        ) from None


def _check_place(output: Path, inputs: Iterable[Path]) -> None:
    """Nothing of the user's is in the way but what -o names."""
    if output.name == SIDECAR_NAME or any(
        output.exists() and path.exists() and output.samefile(path) for path in inputs
    ):
        raise UsageError(f"-o {output.name} would overwrite an input; give another name")
    if output.exists() and not output.is_file():
        raise OutputError(
            f"{output.name} is not a file; give a file name, or leave -o out to write to stdout"
        )
    refuse_taken_part(output)
