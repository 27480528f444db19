"""Generic CSV: a header row with x, y, and image or slice. Pixel origin: *center*, unless forced.

Comma, semicolon or tab; with semicolons a decimal comma is understood. A BOM is accepted. Column names are matched without regard to
case. ``image`` is a PNG name, ``slice`` a 0-based PNG number that may be fractional; every column is carried to the output as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.table import Labels, PixelOrigin, PngStack, Reader, to_center
from sidecar.labels.text import head_text, number, read_text

TOOL = "generic CSV"
#: A single cell larger than this is not a label file's.
MAX_CELL = 1 << 20


class Table:
    """A CSV with a header row as columns of text. ``row(i)`` is the row of record i as a spreadsheet counts it, the header being 1."""

    def __init__(self, path: Path) -> None:
        text = read_text(path)
        if not text.strip():
            raise LabelError("is empty", path)
        self.path = path
        self.delimiter = _delimiter(text.split("\n", 1)[0])
        header, cells, self._rows = (_plain_cells if '"' not in text else _quoted_cells)(text, self.delimiter, path)
        _refuse_repeated(header, path)
        self.columns: dict[str, Sequence[str]] = dict(zip(header, cells, strict=True))
        self._names = {name.lower(): name for name in header}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def row(self, index: int) -> str:
        return f"row {self._rows[index + 1]}"

    def name(self, column: str) -> str | None:
        """The header's own spelling of a column."""
        return self._names.get(column)

    def texts(self, column: str) -> Sequence[str] | None:
        name = self._names.get(column)
        return None if name is None else self.columns[name]

    def numbers(self, column: str, empty_allowed: bool = False) -> NDArray[np.float64]:
        """A column as finite numbers; NaN for empty cells where they are allowed. LabelError names the row at fault."""
        cells = self.texts(column)
        if cells is None:
            raise LabelError(f"has no column {column}; it has {', '.join(self.columns)}", self.path, "row 1")
        if self.delimiter == ";":
            cells = [cell.replace(",", ".") for cell in cells]
        if empty_allowed and not all(cells):
            filled = [cell if cell.strip() else "0" for cell in cells]
            values = self._parsed(filled)
            values[[i for i, cell in enumerate(cells) if not cell.strip()]] = np.nan
            return values
        return self._parsed(cells)

    def _parsed(self, cells: Sequence[str]) -> NDArray[np.float64]:
        try:
            values = np.array(list(map(float, cells)), dtype=np.float64)
        except ValueError:
            values = np.array([np.nan])
        if not np.isfinite(values).all() or "_" in "".join(cells):
            values = np.array([number(cell, self.path, self.row(i)) for i, cell in enumerate(cells)], dtype=np.float64)
        return values


def _delimiter(header: str) -> str:
    """The one of tab, semicolon and comma that the header row has most of; a header of one column has a comma."""
    return max("\t;,", key=lambda d: (header.count(d), d == ","))


#: Header, columns of cells, and the row of every record in the file, the header's included.
_Cells = tuple[list[str], Sequence[Sequence[str]], Sequence[int]]


def _plain_cells(text: str, delimiter: str, path: Path) -> _Cells:
    """Cells of a table without quotes: all are cut at once, and every width-th belongs to one column."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    rows: Sequence[int] = range(1, len(lines) + 1)
    if not all(lines):
        rows = [i + 1 for i, line in enumerate(lines) if line]
        lines = [line for line in lines if line]
    width = lines[0].count(delimiter) + 1
    if max(map(len, lines)) > MAX_CELL:
        raise LabelError("holds a line longer than any table of labels has", path)
    counts = [line.count(delimiter) for line in lines]
    if min(counts) + 1 != width or max(counts) + 1 != width:
        first = next(i for i, count in enumerate(counts) if count + 1 != width)
        raise _ragged(counts[first] + 1, width, path, rows[first])
    cells = delimiter.join(lines).split(delimiter)
    return [name.strip() for name in cells[:width]], [cells[width + i :: width] for i in range(width)], rows


def _quoted_cells(text: str, delimiter: str, path: Path) -> _Cells:
    """Cells of a table that may have quoted ones (RFC 4180)."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        every = list(reader)
    except csv.Error as error:
        raise LabelError(f"is not readable as CSV: {error}", path, f"line {reader.line_num}") from None
    rows = [i + 1 for i, record in enumerate(every) if record]
    records = [record for record in every if record]
    width = len(records[0])
    for record, row in zip(records, rows, strict=True):
        if len(record) != width:
            raise _ragged(len(record), width, path, row)
    columns = list(zip(*records[1:], strict=True)) if len(records) > 1 else [()] * width
    return [name.strip() for name in records[0]], columns, rows


def _ragged(found: int, width: int, path: Path, row: int) -> LabelError:
    return LabelError(f"has {found} cells where the header has {width}", path, f"row {row}")


def _refuse_repeated(header: list[str], path: Path) -> None:
    lower = [name.lower() for name in header]
    repeated = sorted({name for name in lower if lower.count(name) > 1})
    if repeated:
        raise LabelError(f"has the column {repeated[0]!r} twice", path, "row 1")


def _recognises(path: Path, head: bytes) -> bool:
    first = head_text(head).split("\n", 1)[0].strip().lower()
    names = [name.strip().strip('"') for name in first.split(_delimiter(first))]
    return "x" in names and "y" in names


def _read(path: Path, stack: PngStack, origin: PixelOrigin | None) -> Labels:
    table = Table(path)
    taken: PixelOrigin = origin or "center"
    xy = np.column_stack([table.numbers("x"), table.numbers("y")])
    images = table.texts("image")
    if images is None and table.name("slice") is None and stack.slices > 1:
        raise LabelError("has neither a column image (PNG name) nor slice (0-based PNG number)", path, "row 1")
    has_slice = table.name("slice") is not None
    slices = table.numbers("slice", empty_allowed=images is not None) if has_slice else np.full(len(xy), np.nan)
    if images is None and not has_slice:
        slices = np.zeros(len(xy))
    return Labels(
        path=path,
        xy=to_center(xy, taken),
        slice=slices,
        image=images or [""] * len(xy),
        columns=table.columns,
        where=table.row,
        tool=TOOL,
        pixel_origin=taken,
    )


READER = Reader("csv", TOOL, "center", _recognises, _read)
