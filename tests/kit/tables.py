"""CSV as a program of others reads it."""

from __future__ import annotations

import csv
import io
from pathlib import Path


def rows(table: str | Path) -> list[dict[str, str]]:
    """The rows of a text, or of a file, by the names in its first row."""
    text = table.read_bytes().decode() if isinstance(table, Path) else table
    return list(csv.DictReader(io.StringIO(text, newline="")))
