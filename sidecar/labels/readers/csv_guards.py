"""Refuse tables of other programs that look like the generic CSV and would be read by the wrong
rule.

A table that has lost the marks of its program may still show that its slices count from 1: by the
spelling of its header, by slice numbers that reach the number of PNGs, or by cells that name PNGs.
Such a table is refused until the user says how its slices are counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.document.tag import TAG, image_key, split_name
from sidecar.errors import LabelError, counted
from sidecar.labels.model import PngStack, SliceOrigin
from sidecar.labels.references import bare_key, is_png_name, one_image
from sidecar.labels.tables.columns import Rows
from sidecar.labels.tables.csv_table import Table

#: Part of every name of a PNG with a tag.
_TAGGED = re.compile(f"_[0-9]{{4,}}_(?:{TAG}|{TAG.upper()})".encode())
_SAY = "give --slice-origin 1 if slices are counted from 1, --slice-origin 0 if from 0"


def refuse_other_tables(
    table: Table,
    numbers: NDArray[np.float64],
    own: str,
    origin: SliceOrigin | None,
    stack: PngStack,
) -> None:
    """LabelError for a table whose way to count slices is uncertain, or differs from ``origin``;
    and for a cell that names another PNG than that of its row.

    ``numbers``: (N, 3) its x, y and slice, or (N, 2) where it has no slice. ``own``: the PNG that
    the table is named after, or "". If the table names images, other code compares them with the
    slices.
    """
    if {"x", "x.1"} <= {name.lower() for name in table.columns}:
        raise LabelError(
            "has the columns X and X.1: R gives these names to the row numbers and to the X of an"
            " ImageJ table; remove X and rename X.1 to x",
            table.path,
            table.row(-1),
        )
    if {"Type", "X", "Y", "Width", "Height"} <= set(table.columns):
        raise LabelError(
            "is a list of selections, as the ROI Manager of ImageJ writes it: X and Y are the top"
            " left corner of their bounds, in whole pixels; save the selections themselves (More >"
            " Save), and map that file",
            table.path,
            table.row(-1),
        )
    if table.name("image") is not None:
        return
    if numbers.shape[1] < 3:
        parts = split_name(image_key(own))
        only = stack.numbers.get(image_key(own), parts.number if parts else 0)
        of_another_png = partial(_of_another_png, table, only)
        _compare_names(table, np.full(len(table), only), stack, of_another_png)
        return
    slices = numbers[:, 2]
    of_another_slice = partial(_of_another_slice, table, slices, origin)
    _compare_names(table, slices - (origin or 0), stack, of_another_slice)
    if origin is not None:
        return
    if {"X", "Y", "Slice"} <= set(table.columns):
        raise LabelError(
            "has the columns X, Y and Slice, spelled as in ImageJ, which counts slices from 1;"
            f" nothing else shows which tool wrote it; {_SAY}",
            table.path,
            table.row(-1),
        )
    if len(slices) and slices.min() >= 1 and slices.max() == stack.slices:
        raise LabelError(
            f"there is no slice {stack.slices} in a stack of {counted(stack.slices, 'PNG')}"
            " counted from 0. Are slices counted from 1? If so, give --slice-origin 1; if not,"
            " give --slice-origin 0 and correct the number",
            table.path,
            table.row(int(np.argmax(slices))),
        )


def _compare_names(
    table: Table,
    pngs: NDArray[Any],
    stack: PngStack,
    contradiction: Callable[[int, str, int], LabelError],
) -> None:
    """LabelError where a cell names another PNG than its row, or a PNG of another export; and where
    two images of a column with different folders would be one PNG.

    ``pngs``: (N,) the number of the PNG of each row. ``contradiction``: the error where column
    ``column`` of row i names PNG k, as a function of i, column and k.
    """
    known = stack.numbers
    if not known:
        return
    if isinstance(table.columns, Rows) and not _may_name(table.columns, stack):
        return
    for column, cells in table.columns.items():
        if column.lower() in ("x", "y", "slice"):
            continue
        named = {cell: name for cell in set(cells) if (name := _named(cell, stack)) is not None}
        first: dict[int, str] = {}
        for i, cell in enumerate(cells) if named else ():
            if cell in named:
                k = _number(bare_key(named[cell]), known)
                if k is None:
                    raise _of_another_export(table, i, column, cell)
                if pngs[i] != k:
                    raise contradiction(i, column, k)
                other = first.setdefault(k, cell)
                if other != cell and one_image(named[other]) != one_image(named[cell]):
                    raise _of_two_images(table, i, column, other)


def _may_name(rows: Rows, stack: PngStack) -> bool:
    """Whether any cell may name a PNG. A search in the lines is faster than one in each cell."""
    return rows.contain(_common_start(stack)) or rows.match(_TAGGED)


def _of_another_export(table: Table, i: int, column: str, cell: str) -> LabelError:
    return LabelError(
        f"{column} {cell!r} names a PNG of another export. If the label was set on that PNG,"
        " rename the column to image, and give that export's sidecar.json with --sidecar",
        table.path,
        table.row(i),
    )


def _of_two_images(table: Table, i: int, column: str, other: str) -> LabelError:
    return LabelError(
        f"{column} {table.columns[column][i]!r} and {other!r} are two images, but both would be"
        " the same PNG. Are they of two scans? Rename the column to image, and choose with"
        " --images GLOB",
        table.path,
        table.row(i),
    )


def _of_another_png(table: Table, own: int, i: int, column: str, k: int) -> LabelError:
    return LabelError(
        f"the name of the file says PNG {own} (counted from 0), but {column}"
        f" {table.columns[column][i]!r} names PNG {k}; rename the column to image, or correct one"
        " of them",
        table.path,
        table.row(i),
    )


def _of_another_slice(
    table: Table,
    slices: NDArray[np.float64],
    origin: SliceOrigin | None,
    i: int,
    column: str,
    k: int,
) -> LabelError:
    slice_ = float(slices[i])
    way_out = (
        "if slices are counted from 1, give --slice-origin 1"
        if origin is None and slice_ - 1 == k
        else "correct one of them"
    )
    return LabelError(
        f"the slice is {slice_:g}, but {column} {table.columns[column][i]!r} names PNG {k}"
        f" (counted from 0); {way_out}",
        table.path,
        table.row(i),
    )


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
    names = (part for part in parts if not part.isdecimal())
    return next((name for name in names if is_png_name(bare_key(name), stack)), None)


def _number(key: str, known: Mapping[str, int]) -> int | None:
    """The PNG with this name, or, if the name has no tag, with its number; None for a PNG of
    another export.
    """
    parts = split_name(key)
    if key in known or parts is None or parts.tag is not None:
        return known.get(key)
    return parts.number if parts.number < len(known) else None
