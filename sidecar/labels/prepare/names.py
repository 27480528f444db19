"""The names of the landmarks that are to be placed, in order: a list with one name a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.labels.text import read_text

#: What the viewer page takes as well.
MOST_NAMES, LONGEST = 20_000, 200


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a text file, in its order. Blank lines, and spaces around names, do not count.

    LabelError for a file that is no list of names, or that has a name twice.
    """
    lines = [(f"line {n}", line.strip()) for n, line in enumerate(read_text(path).split("\n"), 1)]
    return _checked([line for line in lines if line[1]], path)


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names that are given as such, checked as those of a file are."""
    return _checked([(f"name {n}", name.strip()) for n, name in enumerate(names, 1)], None)


def _checked(names: list[tuple[str, str]], path: Path | None) -> tuple[str, ...]:
    """The names, each with its place, when all of them can be told apart and read."""
    if not names:
        raise LabelError("there are no names in it: write one a line", path)
    if len(names) > MOST_NAMES:
        raise LabelError(f"there are {len(names)} names in it, and {MOST_NAMES} at most", path)
    first: dict[str, str] = {}
    for where, name in names:
        if not name:
            raise LabelError("a name is empty", path, where)
        if len(name) > LONGEST:
            raise LabelError(
                f"a name has {len(name)} characters, and {LONGEST} at most: is this a list of"
                " names, one a line?",
                path,
                where,
            )
        if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
            raise LabelError(f"{name!r} has characters that cannot be shown", path, where)
        if (earlier := first.setdefault(unicodedata.normalize("NFC", name), where)) != where:
            raise LabelError(f"{name} is there already, in {earlier}", path, where)
    return tuple(name for _, name in names)
