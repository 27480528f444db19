"""Read Results tables of ImageJ as rows of named cells, and undo the changes of spreadsheets and R.

A table may have row numbers in a first column; its name is a space. Spreadsheets add a line
``sep=,`` before the header, empty columns at the right and empty rows at the end. R names the row
numbers X, and X itself X.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sidecar.errors import LabelError, counted
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.tables.csv_table import delimiter_of
from sidecar.labels.text import (
    after_sep_line,
    first_filled_line,
    first_row,
    number,
    read_text,
    table,
    whole,
)

#: Column names that only ImageJ uses. A table with one of them and with X and Y is a Results table.
_COLUMNS = frozenset(
    {
        *("Area", "Mean", "StdDev", "Mode", "Min", "Max", "Median", "Skew", "Kurt", "%Area"),
        *("XM", "YM", "BX", "BY", "Perim.", "Feret", "IntDen", "RawIntDen", "MinThr", "MaxThr"),
    }
)
#: The name that the ROI Manager gives to a selection: [slice-]y-x, in pixels, slices from 1. Of two
#: selections with the same name, the second has a further number at the end.
_DEFAULT_NAME = re.compile(r"(?:(\d{4,})-)?(\d{4,})-(\d{4,})(?:-\d{1,3})?", re.ASCII)
_SUMMARY = ("Mean", "SD", "Min", "Max")


@dataclass(frozen=True)
class ResultsRow:
    """One row; n is the row number in a spreadsheet. ``Label`` is title[:selection name][:slice
    label].
    """

    cells: Mapping[str, str]
    path: Path
    n: int

    @property
    def where(self) -> str:
        return f"row {self.n}"

    @property
    def label(self) -> str:
        return self.cells.get("Label", "")

    @cached_property
    def position(self) -> tuple[int, int, int] | None:
        """Slice, y and x from the name that ImageJ gave to the selection; slice 0 if the name has
        none. None where Label holds no such name.
        """
        for part in self.label.split(":")[1:]:
            if found := _DEFAULT_NAME.fullmatch(part):
                return int(found[1] or 0), int(found[2]), int(found[3])
        return None

    @property
    def xy(self) -> tuple[float, float]:
        x, y = (number(self.cells[column], self.path, self.where, column) for column in "XY")
        return x, y

    def counted(self, column: str) -> int | None:
        """A whole number, counted from 1; None where it is missing."""
        if self.is_empty(column):
            return None
        return whole(self.cells[column], self.path, self.where, column)

    def measured(self, column: str) -> float:
        """A measurement; 0 where it was not made."""
        if self.is_empty(column):
            return 0.0
        return number(self.cells[column], self.path, self.where, column)

    def is_empty(self, column: str) -> bool:
        return self.cells.get(column, "") in ("", "NaN")

    def error(self, message: str) -> LabelError:
        return LabelError(message, self.path, self.where)


def read_rows(path: Path) -> tuple[list[ResultsRow], tuple[str, ...]]:
    """The rows, and notes on what was left out. LabelError for a table without X and Y, and for
    rows of different lengths.
    """
    delimiter, text, first = after_sep_line(read_text(path))
    delimiter = delimiter or delimiter_of(first_filled_line(text))
    records = [
        (n, [cell.strip() for cell in record])
        for n, record in enumerate(table(text, path, delimiter), first)
    ]
    filled = [(n, record) for n, record in records if any(record)]
    header = _names(filled[0][1]) if filled else []
    if not {"X", "Y"} <= set(header):
        raise LabelError(
            "has no columns X and Y; select Centroid in Set Measurements and measure again", path
        )
    rows = [_row(record, header, delimiter, path, n) for n, record in filled[1:]]
    left_out = LeftOut()
    left_out.add("empty row", count=sum(bool(record) for _, record in records) - len(filled))
    if tuple(row.label for row in rows[-4:]) == _SUMMARY:
        left_out.add("summary row", "added by ImageJ's Summarize, not measured", 4)
        rows = rows[:-4]
    return rows, left_out.sentences


def _row(record: list[str], header: list[str], delimiter: str, path: Path, n: int) -> ResultsRow:
    cells = _without_empty_end(record)
    if len(cells) > len(header) or len(record) < len(header):
        raise LabelError(
            f"has {counted(len(record), 'field')}, but the header has {len(header)}",
            path,
            f"row {n}",
        )
    if delimiter == ";":  # then a comma is a decimal comma
        cells = [cell.replace(",", ".") for cell in cells]
    cells += [""] * (len(header) - len(cells))
    return ResultsRow(dict(zip(header, cells, strict=True)), path, n)


def recognises(path: Path, head: bytes) -> bool:
    """A table with X and Y in capitals, and with row numbers or a column name of ImageJ alone."""
    raw = first_row(head, delimiter_of)
    names = _names([name.strip() for name in raw])
    if not {"X", "Y"} <= set(names) or "image" in map(str.lower, names):
        return False
    return raw[0] == " " or not _COLUMNS.isdisjoint(names) or {"Label", "Slice"} <= set(names)


def _names(cells: list[str]) -> list[str]:
    names = _without_empty_end(cells)
    if "X.1" in names and "X" in names:
        names[names.index("X")] = ""
        names[names.index("X.1")] = "X"
    return names


def _without_empty_end(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]
