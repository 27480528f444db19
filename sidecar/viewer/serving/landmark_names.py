"""The list of landmarks to be placed: one name a line, or a column of a table."""

from __future__ import annotations

import csv
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.labels.text import read_text

#: As many as the page takes, and as long (``web/work.js``).
_MOST, _LONGEST = 20_000, 200
_COLUMNS = ("label", "name")
_LARGEST = 8 * 2**20


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a file, each once: its lines, or the column ``label`` or ``name`` of a table
    with such a header.

    LabelError where it cannot be read or holds none.
    """
    lines = [line for line in read_text(path, _LARGEST).splitlines() if line.strip()]
    column = _column(path, lines)
    names = lines if column is None else column
    found = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not found:
        raise LabelError("there are no names in it", path)
    if len(found) > _MOST:
        raise LabelError(f"there are more than {_MOST} names in it", path)
    if too_long := [name for name in found if len(name) > _LONGEST]:
        raise LabelError(
            f"{too_long[0][:40]!r} … is longer than {_LONGEST} characters: one name stands in a"
            " line",
            path,
        )
    return tuple(found)


def _column(path: Path, lines: list[str]) -> list[str] | None:
    """The names in a table; None for a file without a header of one."""
    for delimiter in ",;\t":
        header = next(csv.reader(lines[:1], delimiter=delimiter), [])
        at = [k for k, cell in enumerate(header) if cell.strip().lower() in _COLUMNS]
        if at:
            rows = csv.reader(lines[1:], delimiter=delimiter)
            return [row[at[0]] for row in rows if len(row) > at[0]]
    if path.suffix.lower() in (".csv", ".tsv"):
        raise LabelError("its header has no column label or name", path)
    return None
