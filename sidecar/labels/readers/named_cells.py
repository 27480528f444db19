"""Compare the cells of a table that name PNGs with the PNGs that its rows lie on.

A table may name an image in any of its columns, such as ``File`` or ``label``, beside the column,
the slice or the name of the table that tells where its labels lie.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.document.tag import TAG, folded, split_name
from sidecar.errors import LabelError
from sidecar.labels.model import PngStack
from sidecar.labels.references import (
    bare_key,
    is_name_of_copy,
    is_png_name,
    name_one_png,
    one_image,
)
from sidecar.labels.tables.columns import Rows

#: Part of every name of a PNG with a tag.
_TAGGED = f"_[0-9]{{4,}}_(?:{TAG}|{TAG.upper()})"
_TAGGED_TEXT, _TAGGED_BYTES = re.compile(_TAGGED), re.compile(_TAGGED.encode())
#: Columns that hold numbers of places, and never names.
_NUMBERS = ("x", "y", "slice")


@dataclass(frozen=True)
class NamedCells:
    """The cells of a table of N rows that may name PNGs.

    ``columns``: N cells each. ``where``: the place of row i, for messages. ``other_export``: what
    the user does if a label was set on a PNG of another export. ``two_images``: what the user does
    if cells name two images of different folders. ``images``: the names of the N rows' images, ""
    where a row names none; empty where no row does.
    """

    columns: Mapping[str, Sequence[str]]
    path: Path
    where: Callable[[int], str]
    other_export: str
    two_images: str
    images: Sequence[str] = ()

    def compare(
        self,
        pngs: NDArray[np.float64],
        stack: PngStack,
        contradiction: Callable[[int, str, int], str],
    ) -> None:
        """LabelError where a cell names another PNG than its row lies on, or a PNG of another
        export; and where two images of a column with different folders would be one PNG.

        ``pngs``: (N,) the number of the PNG of each row that names no image, NaN where it is not
        known; it may lie between two PNGs. ``contradiction``: the message where column ``column``
        of row i names PNG k, as a function of i, column and k.
        """
        known = stack.numbers
        if not known:
            return
        if isinstance(self.columns, Rows) and not _any_row_may_name(self.columns, stack):
            return
        for column, cells in self.columns.items():
            if column.lower() in _NUMBERS or not _may_name(cells, stack):
                continue
            named = {cell: name for cell in set(cells) if (name := _named(cell, stack)) is not None}
            first: dict[int, str] = {}
            for i, cell in enumerate(cells) if named else ():
                if cell in named and self.images and self.images[i]:
                    self._compare_images(i, column, named[cell])
                elif cell in named:
                    k = number_of(named[cell], stack)
                    if k is None:
                        raise self._of_another_export(i, column)
                    if abs(pngs[i] - k) > 0.5:
                        raise LabelError(contradiction(i, column, k), self.path, self.where(i))
                    other = first.setdefault(k, cell)
                    if other != cell and one_image(named[other]) != one_image(named[cell]):
                        raise self._of_two_images(i, column, other)

    def _compare_images(self, i: int, column: str, name: str) -> None:
        if not name_one_png(name, self.images[i]):
            raise LabelError(
                f"its image is {self.images[i]!r}, but {column} {self.columns[column][i]!r} names"
                " another PNG; correct one of them",
                self.path,
                self.where(i),
            )

    def _of_another_export(self, i: int, column: str) -> LabelError:
        cell = self.columns[column][i]
        what = "PNG of another export"
        if is_name_of_copy(cell):
            what = "copy of a PNG, which may be of another export"
        return LabelError(
            f"{column} {cell!r} names a {what}. If the label was set on that PNG,"
            f" {self.other_export}",
            self.path,
            self.where(i),
        )

    def _of_two_images(self, i: int, column: str, other: str) -> LabelError:
        return LabelError(
            f"{column} {self.columns[column][i]!r} and {other!r} are two images, but both would be"
            f" the same PNG. Are they of two scans? {self.two_images}",
            self.path,
            self.where(i),
        )


def refuse_other_names(
    columns: Mapping[str, Sequence[str]],
    pngs: NDArray[np.float64],
    said: str,
    stack: PngStack,
    path: Path,
    where: Callable[[int], str],
    images: Sequence[str] = (),
) -> None:
    """LabelError where a cell of a program's table contradicts what tells the PNGs of its rows.

    ``columns``, ``pngs``, ``where`` and ``images`` as in `NamedCells`. ``said``: what tells the
    PNGs, for messages.
    """

    def contradiction(i: int, column: str, k: int) -> str:
        return (
            f"{said} says PNG {pngs[i]:g} (counted from 0), but {column} {columns[column][i]!r}"
            f" names PNG {k}; correct one of them"
        )

    NamedCells(
        columns,
        path,
        where,
        "give that export's sidecar.json with --sidecar; if not, correct the cell",
        "Give the labels of each image a file of its own",
        images,
    ).compare(pngs, stack, contradiction)


def number_of(name: str, stack: PngStack) -> int | None:
    """The PNG with this name, or, if the name has no tag, with its number; None for a PNG of
    another export, and for a copy without a tag.
    """
    key, known = bare_key(name), stack.numbers
    parts = split_name(key)
    if key in known or parts is None or parts.tag is not None or is_name_of_copy(name):
        return known.get(key)
    return parts.number if parts.number < len(known) else None


def _any_row_may_name(rows: Rows, stack: PngStack) -> bool:
    """Whether any cell may name a PNG. A search in the lines is faster than one in each cell."""
    return rows.contain(_common_start(stack)) or rows.match(_TAGGED_BYTES)


def _may_name(cells: Sequence[str], stack: PngStack) -> bool:
    """Whether any cell of a column may name a PNG, by a search in all of them at once."""
    text = "\n".join(cells)
    return _common_start(stack) in folded(text) or _TAGGED_TEXT.search(text) is not None


@lru_cache(maxsize=8)
def _common_start(stack: PngStack) -> str:
    """The characters that all these keys begin with, and those of other exports whose names have
    the same stems.
    """
    starts = [f"{name.stem}_" if (name := split_name(key)) else key for key in stack.numbers]
    first, last = min(starts, default=""), max(starts, default="")
    return next((first[:n] for n, c in enumerate(first) if last[n : n + 1] != c), first)


def _named(cell: str, stack: PngStack) -> str | None:
    """The name of a PNG, of this export or another, in a cell, with its folders.

    ImageJ puts several names into one cell, with colons between. A plain number is the number of a
    landmark, not a name.
    """
    parts = (part.strip() for part in cell.split(":"))
    names = (part for part in parts if not part.replace(".", "", 1).isdecimal())
    return next((name for name in names if is_png_name(bare_key(name), stack)), None)
