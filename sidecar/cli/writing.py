"""Write results of commands to stdout or to a file: whole or not at all, never over an input."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar.api.writing import explained, write_output
from sidecar.errors import OutputError, UsageError, reason

if TYPE_CHECKING:
    from sidecar.grid.space import Space
    from sidecar.labels.mapped import MappedPoints, Notes, Writer


def choice(option: str, value: str | None, allowed: Sequence[str]) -> Any:
    """``value`` when it is one of ``allowed`` or None; UsageError otherwise."""
    if value is not None and value not in allowed:
        raise UsageError(f"{option} {value}: give one of {', '.join(allowed)}")
    return value


def deliver(
    writer: Writer,
    points: Sequence[MappedPoints],
    output: Path | None,
    space: Space,
    inputs: Iterable[Path],
) -> Notes:
    """Write mapped points to ``output``, or to stdout. Returns notes for the user."""
    return deliver_written(lambda path: writer.write(points, path, space), output, inputs)


def deliver_written(
    write: Callable[[Path], Notes], output: Path | None, inputs: Iterable[Path]
) -> Notes:
    """Let ``write`` write a file, which becomes ``output`` or goes to stdout.

    Returns notes for the user.
    """
    if output is not None:
        return write_output(output, inputs, write)
    with explained("the result"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "points")
        notes = write(path)
        data = path.read_bytes()
    to_stdout(data)
    return notes


def deliver_columns(
    tables: Sequence[Mapping[str, Sequence[str]]], output: Path | None, inputs: Iterable[Path]
) -> None:
    """Write tables of text, one below the other, as CSV to ``output``, or to stdout.

    UsageError where the ending of the file name stands for another format.
    """
    from sidecar.labels.writers.csv_points import csv_text

    if output is not None and output.suffix.lower() not in ("", ".csv"):
        raise UsageError(f"-o {output.name}: this command writes CSV; end the name in .csv")
    if output is not None:
        write_output(output, inputs, lambda part: _write_texts(part, csv_text(*tables)))
        return
    with explained("the result"):
        data = "".join(csv_text(*tables)).encode()
    to_stdout(data)


def _write_texts(path: Path, texts: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(texts)


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
        )  # otherwise Python would fail again when it flushes the rest at the end
        raise OutputError(f"stdout cannot be written: {reason(error)}") from None
