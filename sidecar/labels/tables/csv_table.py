"""Read a CSV with a header row as columns of text and of numbers.

Cells are separated by comma, semicolon or tab. With semicolons, numbers may have a decimal comma. A
BOM is accepted. The case of column names does not matter. Additions of spreadsheets are ignored: a
line such as ``sep=;`` before the header, empty columns behind the last named one, and rows of
nothing but delimiters.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from sidecar.errors import LabelError, counted
from sidecar.labels.tables.columns import PIECE, Columns, Made, RepeatedTexts, Rows
from sidecar.labels.text import after_sep_line, first_filled_line, number, read_text

#: A file with a cell larger than this is no label file.
MAX_CELL = 1 << 20


class Table:
    """A CSV with a header row as columns of text.

    ``row(i)`` is the row number of record i in a spreadsheet; the header is row 1.
    ``empty_rows``: how many rows of nothing but delimiters were left out.
    """

    def __init__(self, path: Path) -> None:
        delimiter, text, first = after_sep_line(read_text(path))
        if not text.strip():
            raise LabelError("is empty", path)
        self.path = path
        self.delimiter = delimiter or delimiter_of(first_filled_line(text))
        self.columns, self._rows, self.empty_rows = (
            _plain_columns if '"' not in text else _quoted_columns
        )(text, self.delimiter, path, first)
        self._names = {name.lower(): name for name in self.columns}

    def __len__(self) -> int:
        return len(self._rows) - 1

    def row(self, index: int) -> str:
        return f"row {self._rows[index + 1]}"

    def name(self, column: str) -> str | None:
        """The spelling of a column in the header; None where there is no such column."""
        return self._names.get(column)

    def texts(self, column: str) -> Sequence[str] | None:
        name = self._names.get(column)
        return None if name is None else self.columns[name]

    def numbers(self, column: str, empty_allowed: bool = False) -> NDArray[np.float64]:
        """A column as finite numbers; NaN for empty cells where they are allowed.

        A LabelError names the row at fault.
        """
        cells = self.texts(column)
        if cells is None:
            raise LabelError(
                f"has no column {column}; it has {', '.join(self.columns)}", self.path, "row 1"
            )
        cells = self._with_points(cells)
        empty = (
            [i for i, cell in enumerate(cells) if not cell.strip()]
            if empty_allowed and not all(cells)
            else []
        )
        if empty:
            cells = [cell if cell.strip() else "0" for cell in cells]
        values = plain_numbers(cells)
        if values is None:
            values = np.array(
                [self._number(cell, column, i) for i, cell in enumerate(cells)],
                dtype=np.float64,
            )
        values[empty] = np.nan
        return values

    def at_once(
        self, numbers: Sequence[str], *texts: str
    ) -> tuple[NDArray[np.float64], list[Sequence[str] | None]] | None:
        """(N, K) finite numbers of K columns, and the texts of other columns, in one pass over the
        lines of the file. The texts of a missing column are None.

        None where this is not possible: there are quotes, a column is missing, or a cell is not
        plainly a number. Then read one column after the other; that reports what is wrong.
        """
        names = [self.name(column) for column in numbers]
        if not isinstance(self.columns, Rows) or None in names:
            return None
        values = np.empty((len(self), len(names)))
        gathered = {name: RepeatedTexts() for column in texts if (name := self.name(column))}
        for start, piece in zip(range(0, len(self), PIECE), self.columns.pieces(), strict=True):
            for k, number_name in enumerate(names):
                found = plain_numbers(self._with_points(piece[number_name or ""]))
                if found is None:
                    return None
                values[start : start + PIECE, k] = found
            for name, cells in gathered.items():
                cells.add(piece[name])
        named = [gathered.get(self.name(column) or "") for column in texts]
        return values, [None if cells is None else cells.cells for cells in named]

    def _number(self, cell: str, column: str, index: int) -> float:
        if not cell.strip():
            raise LabelError(
                f"its cell in the column {column} is empty; fill it in, or, if the landmark"
                " could not be placed, delete the row",
                self.path,
                self.row(index),
            )
        return number(cell, self.path, self.row(index))

    def _with_points(self, cells: Sequence[str]) -> Sequence[str]:
        """The cells with decimal points: with semicolons between cells, a comma is decimal."""
        return [cell.replace(",", ".") for cell in cells] if self.delimiter == ";" else cells


def plain_numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """The numbers in cells, if all are finite numbers; otherwise None, and `number` reports what is
    wrong.

    Most numbers have the form of JSON, and the JSON reader is the fastest one available. It gets
    only such numbers, and never -0, which it reads as 0.
    """
    text, read = ",".join(cells), None
    if (
        text.isascii()
        and not text.encode().translate(None, b"0123456789.eE+-,")
        and "-0" not in text
    ):
        with contextlib.suppress(ValueError):
            read = from_json(f"[{text}]")
    try:
        values = np.array(
            read if read is not None and len(read) == len(cells) else list(map(float, cells)),
            dtype=np.float64,
        )
    except (ValueError, OverflowError):
        return None
    return values if "_" not in text and np.isfinite(values).all() else None


def delimiter_of(header: str) -> str:
    """The most frequent of tab, semicolon and comma in the header row; comma for a header of one
    column.
    """
    return max("\t;,", key=lambda d: (header.count(d), d == ","))


#: Columns of cells by the names in the header; the row number of every record in the file,
#: including the header; and the number of rows of nothing but delimiters.
_Cells = tuple[Columns, Sequence[int], int]


def _plain_columns(text: str, delimiter: str, path: Path, first: int) -> _Cells:
    """Columns of a table without quotes. They are stored as lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    data, ends = _lines(text)
    rows: Sequence[int] = range(first, len(ends) + first)
    empty = 0
    if _is_untidy(data, delimiter.encode(), ends):
        lines = text.split("\n")
        filled = [n for n, line in enumerate(lines) if line.strip(f"{delimiter} ")]
        empty = sum(map(bool, lines)) - len(filled)
        rows = [n + first for n in filled]
        data, ends = _lines("\n".join(_without_surplus([lines[n] for n in filled], delimiter)))
    if np.diff(ends, prepend=-1).max() > MAX_CELL and max(map(len, text.split("\n"))) > MAX_CELL:
        raise LabelError("holds a line that is too long for a table of labels", path)
    header = data[: ends[0]].decode().split(delimiter)
    blocks = []
    for start in range(0, len(rows) - 1, PIECE):
        places = rows[start + 1 : start + 1 + PIECE]
        blocks.append(data[ends[start] + 1 : ends[start + len(places)]])
        _refuse_ragged(blocks[-1], delimiter, len(header), path, places)
    return Rows.of(_names(header, path), delimiter, blocks), rows, empty


def _is_untidy(data: bytes, delimiter: bytes, ends: NDArray[np.intp]) -> bool:
    """Whether there are empty lines, lines of delimiters, or empty columns at the end."""
    if np.diff(ends, prepend=-1).min() <= 1:
        return True
    head, second = data[: ends[0]], data[ends[0] + 1 : ends[min(1, len(ends) - 1)]]
    firsts = np.frombuffer(data, np.uint8)[ends[:-1] + 1]
    return bool(
        np.isin(firsts, [ord(delimiter), ord(" ")]).any()
        or head.endswith(delimiter)
        or second.count(delimiter) > head.count(delimiter)
    )


def _without_surplus(lines: Sequence[str], delimiter: str) -> list[str]:
    """Lines without the cells behind the last column that the header names, if all these cells are
    empty.
    """
    most = lines[0].rstrip(delimiter).count(delimiter) if lines else 0
    cut = [_shortened(line, most, delimiter) for line in lines]
    return cut if all(line.count(delimiter) <= most for line in cut) else list(lines)


def _shortened(line: str, most: int, delimiter: str) -> str:
    surplus = line.count(delimiter) - most
    end = delimiter * surplus
    return line[: len(line) - surplus] if surplus > 0 and line.endswith(end) else line


def _lines(text: str) -> tuple[bytes, NDArray[np.intp]]:
    """A text as UTF-8, and the end of each line in it."""
    data = text.encode()
    every = np.frombuffer(data, np.uint8)
    step = 1 << 20  # fits the cache of the processor
    found = [
        start + np.flatnonzero(every[start : start + step] == ord("\n"))
        for start in range(0, len(data), step)
    ]
    return data, np.concatenate([*found, [len(data)]])


def _refuse_ragged(
    block: bytes, delimiter: str, width: int, path: Path, rows: Sequence[int]
) -> None:
    """LabelError for the first of the lines at ``rows`` that does not have ``width`` cells."""
    every = np.frombuffer(block, np.uint8)
    marks = every[(every == ord("\n")) | (every == ord(delimiter))]
    if len(marks) != len(rows) * width - 1 or np.any(marks[width - 1 :: width] != ord("\n")):
        counts = [line.count(delimiter) + 1 for line in block.decode().split("\n")]
        first = next(i for i, count in enumerate(counts) if count != width)
        raise _ragged(counts[first], width, path, rows[first])


def _quoted_columns(text: str, delimiter: str, path: Path, first: int) -> _Cells:
    """Columns of a table that may have quoted cells (RFC 4180)."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        every = list(reader)
    except csv.Error as error:
        raise LabelError(
            f"is not readable as CSV: {error}", path, f"line {reader.line_num}"
        ) from None
    filled = [i for i, record in enumerate(every) if any(map(str.strip, record))]
    rows = [i + first for i in filled]
    records = [every[i] for i in filled]
    width = max((i + 1 for i, name in enumerate(records[0]) if name.strip()), default=0)
    if not any(any(record[width:]) for record in records):
        records = [record[:width] if len(record) > width else record for record in records]
    width = len(records[0])
    for record, row in zip(records, rows, strict=True):
        if len(record) != width:
            raise _ragged(len(record), width, path, row)
    columns = list(zip(*records[1:], strict=True)) if len(records) > 1 else [()] * width
    cells = dict(zip(_names(records[0], path), columns, strict=True))
    return Made.of(cells, len(records) - 1), rows, sum(map(bool, every)) - len(filled)


def _ragged(found: int, width: int, path: Path, row: int) -> LabelError:
    return LabelError(
        f"has {counted(found, 'cell')}, but the header has {width}", path, f"row {row}"
    )


def _names(header: Sequence[str], path: Path) -> list[str]:
    names = [name.strip() for name in header]
    counts = Counter(name.lower() for name in names)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        raise LabelError(
            f"has the column {repeated[0]!r} twice; rename or remove one", path, "row 1"
        )
    return names
