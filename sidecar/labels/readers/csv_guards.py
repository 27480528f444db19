"""Refuse tables of other programs that look like the generic CSV and would be read by the wrong
rule.

A table that has lost the marks of its program may still show that its slices count from 1: by the
spelling of its header, by slice numbers that reach the number of PNGs, or by cells that name PNGs.
Such a table is refused until the user says how its slices are counted.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from sidecar.document.tag import image_key, split_name
from sidecar.errors import LabelError, counted
from sidecar.labels.model import PngStack, SliceOrigin
from sidecar.labels.readers.named_cells import NamedCells
from sidecar.labels.tables.csv_table import Table

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
    named = NamedCells(
        table.columns,
        table.path,
        table.row,
        "rename the column to image, and give that export's sidecar.json with --sidecar",
        "Rename the column to image, and choose with --images GLOB",
    )
    if numbers.shape[1] < 3:
        parts = split_name(image_key(own))
        only = stack.numbers.get(image_key(own), parts.number if parts else 0)
        of_another_png = partial(_of_another_png, table, only)
        named.compare(np.full(len(table), float(only)), stack, of_another_png)
        return
    slices = numbers[:, 2]
    of_another_slice = partial(_of_another_slice, table, slices, origin)
    named.compare(slices - (origin or 0), stack, of_another_slice)
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


def _of_another_png(table: Table, own: int, i: int, column: str, k: int) -> str:
    return (
        f"the name of the file says PNG {own} (counted from 0), but {column}"
        f" {table.columns[column][i]!r} names PNG {k}; rename the column to image, or correct one"
        " of them"
    )


def _of_another_slice(
    table: Table,
    slices: NDArray[np.float64],
    origin: SliceOrigin | None,
    i: int,
    column: str,
    k: int,
) -> str:
    slice_ = float(slices[i])
    way_out = (
        "if slices are counted from 1, give --slice-origin 1"
        if origin is None and slice_ - 1 == k
        else "correct one of them"
    )
    return (
        f"the slice is {slice_:g}, but {column} {table.columns[column][i]!r} names PNG {k}"
        f" (counted from 0); {way_out}"
    )
