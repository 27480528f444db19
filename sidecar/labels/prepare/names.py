"""Read the names of the landmarks to place, in order, from lines or from a column of a table."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.labels.text import read_text

#: The limits of the viewer page: most names, and most characters of a name.
MOST_NAMES, LONGEST = 20_000, 200
_LARGEST_FILE = 8 * 2**20
#: The column of a table that has the names.
_COLUMNS = ("label", "name")


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a file, in order: its lines, or the column ``label`` or ``name`` of a table with
    such a header. Blank lines, and spaces around names, are ignored.

    LabelError for a file that is no list of names, or that has a name twice.
    """
    lines = read_text(path, _LARGEST_FILE).splitlines()
    named = _column(path, lines)
    if named is None:
        named = [(f"line {n}", line) for n, line in enumerate(lines, 1)]
    return _checked([(where, name.strip()) for where, name in named if name.strip()], path)


def _column(path: Path, lines: list[str]) -> list[tuple[str, str]] | None:
    """The names in a table, each with its row; None for a file without a header of one."""
    for delimiter in ",;\t":
        header = next(csv.reader(lines[:1], delimiter=delimiter), [])
        at = [k for k, cell in enumerate(header) if cell.strip().lower() in _COLUMNS]
        if at:
            rows = enumerate(csv.reader(lines[1:], delimiter=delimiter), 2)
            return [(f"row {n}", row[at[0]]) for n, row in rows if len(row) > at[0]]
    if path.suffix.lower() in (".csv", ".tsv"):
        raise LabelError("its header has no column label or name; add one", path)
    return None


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names that are given directly, checked like those of a file."""
    return _checked([(f"name {n}", name.strip()) for n, name in enumerate(names, 1)], None)


def _checked(names: list[tuple[str, str]], path: Path | None) -> tuple[str, ...]:
    """The names, without their places. LabelError for names that are equal or cannot be read."""
    if not names:
        raise LabelError("there are no names in it; write one name per line", path)
    if len(names) > MOST_NAMES:
        raise LabelError(f"there are {len(names)} names in it; the most is {MOST_NAMES}", path)
    first: dict[str, str] = {}
    for where, name in names:
        if not name:
            raise LabelError("the name is empty; write one, or delete the entry", path, where)
        if len(name) > LONGEST:
            raise LabelError(
                f"the name has {len(name)} characters; the most is {LONGEST}. Is this a list with"
                " one name per line?",
                path,
                where,
            )
        if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
            raise LabelError(
                f"{name!r} has characters that cannot be shown; remove them", path, where
            )
        if (earlier := first.setdefault(unicodedata.normalize("NFC", name), where)) != where:
            raise LabelError(
                f"{name} is in the list already, in {earlier}; remove one, or rename it",
                path,
                where,
            )
    return tuple(name for _, name in names)
