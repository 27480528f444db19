"""Tables of other programs that look like the generic CSV, and would be read by the wrong rule.

What has lost the marks of its program may still show that its slices count from 1: by the spelling
of its header, by numbers up to the number of PNGs, or by cells that name PNGs. It is refused until
the user says how slices are counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.columns import Rows
from sidecar.labels.csv_table import Table
from sidecar.labels.model import PngStack, SliceOrigin
from sidecar.labels.references import bare_key
from sidecar.mapping import image_key

_SAY = "give --slice-origin 1 if slices are counted from 1, --slice-origin 0 if from 0"


def refuse_other_tables(
    table: Table, numbers: NDArray[np.float64], origin: SliceOrigin | None, stack: PngStack
) -> None:
    """LabelError for a table that counts slices in a way that is not sure, or not that of
    ``origin``.

    ``numbers``: (N, 3) its x, y and slice, or (N, 2) where it has no slice. Where images are named,
    they are compared with the slices elsewhere.
    """
    if {"x", "x.1"} <= {name.lower() for name in table.columns}:
        raise LabelError(
            "has the columns X and X.1, as R calls the row numbers of an ImageJ table and its X;"
            " rename X.1 to x and take X out",
            table.path,
            table.row(-1),
        )
    if numbers.shape[1] < 3 or table.name("image") is not None:
        return
    slices = numbers[:, 2]
    _compare_names(table, slices, origin, stack)
    if origin is not None:
        return
    if {"X", "Y", "Slice"} <= set(table.columns):
        raise LabelError(
            "has the columns X, Y and Slice, spelled as ImageJ does, which counts slices from 1,"
            f" and nothing else that tells whose table it is; {_SAY}",
            table.path,
            table.row(-1),
        )
    if len(slices) and slices.min() >= 1 and slices.max() == stack.slices:
        raise LabelError(
            f"slice {stack.slices} is none of {stack.slices} PNGs counted from 0: are slices"
            f" counted from 1? {_SAY}, and correct the number",
            table.path,
            table.row(int(np.argmax(slices))),
        )


def _compare_names(
    table: Table, slices: NDArray[np.float64], origin: SliceOrigin | None, stack: PngStack
) -> None:
    """LabelError where a cell that names a PNG stands in the row of another one."""
    known = {image_key(name): n for n, name in enumerate(stack.names)}
    shared = _common_start(list(known))
    if not known or (isinstance(table.columns, Rows) and not table.columns.contain(shared)):
        return
    for column, cells in table.columns.items():
        if column.lower() in ("x", "y", "slice"):
            continue
        named = {cell: k for cell in set(cells) if (k := _named(cell, known)) is not None}
        for i, cell in enumerate(cells) if named else ():
            if cell in named and slices[i] - (origin or 0) != named[cell]:
                is_one_off = origin is None and slices[i] - 1 == named[cell]
                raise LabelError(
                    f"slice {slices[i]:g} is not that of {column} {cell!r}, which names PNG"
                    f" {named[cell]} of those counted from 0; "
                    + ("--slice-origin 1 counts from 1" if is_one_off else "correct one of them"),
                    table.path,
                    table.row(i),
                )


def _common_start(names: Sequence[str]) -> str:
    """The characters that all names begin with."""
    first, last = min(names, default=""), max(names, default="")
    return next((first[:n] for n, c in enumerate(first) if last[n : n + 1] != c), first)


def _named(cell: str, known: dict[str, int]) -> int | None:
    """The PNG that a cell names, by itself or as one of the parts between ImageJ's colons. A mere
    number is a landmark's, and no name.
    """
    parts = (part.strip() for part in (cell, *cell.split(":")))
    named = (bare_key(part) for part in parts if not part.isdecimal())
    return next((known[key] for key in named if key in known), None)
