"""Group rows of a table into shapes by the columns shape_type, shape_id, vertex, label and
specimen.

Without shape_type every row is a point. The vertices of a shape are neighbouring rows with the same
type, label, shape_id and specimen, numbered 0, 1, 2, ... by ``vertex``. The numbers keep shapes
with equal ids in different images apart. Without ``vertex``, the vertices must lie on one image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import ne
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.tables.columns import Columns, Made, Maker
from sidecar.labels.vertices import TYPES, Shapes

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

#: Columns that neighbouring rows of one shape have in common, in addition to the type.
_NAMES = ("label", "shape_id", "specimen")
_COLUMNS = ("shape_type", "vertex", *_NAMES, "image", "slice")
_CODES = {type_: code for code, type_ in enumerate(TYPES)} | {"": 0}


def group(columns: Columns, count: int, path: Path, row: Callable[[int], str]) -> Shapes:
    """The shapes of ``count`` rows, in order. The case of column names does not matter.

    ``row``: the place of a row in the file ``path``, for messages. A LabelError names file and row
    of rows that make no shape.
    """
    spelled = {name.lower(): name for name in columns}
    texts = Made({name: _maker(columns, spelled.get(name)) for name in _NAMES}, slice(0, count))
    if "shape_type" not in spelled:
        return Shapes.points(count, texts, row)
    grouping = _Grouping(count, path, row)
    for piece in columns.pieces():
        grouping.take({name: piece[spelled[name]] for name in _COLUMNS if name in spelled})
    first = np.append(np.flatnonzero(grouping.starts), count)

    def where(shape: int) -> str:
        start, end = row(int(first[shape])), row(int(first[shape + 1]) - 1)
        return start if start == end else f"{start} to {end}"

    return Shapes(first, grouping.types[first[:-1]], grouping.vertex, texts, where)


def _maker(columns: Columns, name: str | None) -> Maker:
    def make(rows: slice) -> Sequence[str]:
        return [""] * (rows.stop - rows.start) if name is None else columns[name][rows]

    return make


class _Grouping:
    """One pass over the rows, a few at a time.

    ``types``  (N,) the type of the shape of each row, as an index into `TYPES`.
    ``starts`` (N,) whether a row is the first of its shape.
    ``vertex`` (N,) the number of a row in its shape.
    """

    def __init__(self, count: int, path: Path, row: Callable[[int], str]) -> None:
        self.types: NDArray[np.int8] = np.zeros(count, np.int8)
        self.starts: Bools = np.zeros(count, np.bool_)
        self.vertex: Ints = np.zeros(count, np.intp)
        self._path, self._row = path, row
        self._taken, self._start, self._last_type = 0, 0, np.int8(-1)
        self._last: dict[str, str] = {}
        self._begun: set[tuple[str, ...]] = set()

    def take(self, cells: Mapping[str, Sequence[str]]) -> None:
        """Take the next rows, with the cells of the existing columns. shape_type always exists."""
        types = self._types(cells["shape_type"])
        shaped = types != 0
        changed = np.diff(types, prepend=self._last_type) != 0
        starts = ~shaped | changed | self._changes(cells, _NAMES)
        numbers = self._numbers(cells["vertex"], shaped) if "vertex" in cells else None
        if numbers is not None:
            starts |= numbers == 0
        rows = np.arange(self._taken, self._taken + len(types))
        start = np.maximum.accumulate(np.where(starts, rows, self._start))
        if numbers is not None:
            self._refuse_out_of_turn(shaped, numbers, rows - start)
        else:
            self._refuse_unnumbered(cells, types, starts)
        self.types[rows], self.starts[rows], self.vertex[rows] = types, starts, rows - start
        self._taken, self._start, self._last_type = int(rows[-1]) + 1, int(start[-1]), types[-1]
        self._last = {name: column[-1] for name, column in cells.items()}

    def _types(self, cells: Sequence[str]) -> NDArray[np.int8]:
        known = {cell: _CODES.get(cell.strip().lower(), -1) for cell in set(cells)}
        types = np.fromiter(map(known.__getitem__, cells), np.int8, len(cells))
        self._refuse(
            types < 0,
            lambda i: (
                f"shape type {cells[i].strip().lower()[:40]!r} is not known; the types are"
                f" {', '.join(TYPES)}"
            ),
        )
        return types

    def _numbers(self, cells: Sequence[str], shaped: Bools) -> Ints:
        """The column vertex, -1 for a cell that is no number. Cells of points are not checked."""
        known = {cell: _whole(cell) for cell in set(cells)}
        numbers = np.fromiter(map(known.__getitem__, cells), np.intp, len(cells))
        self._refuse(
            shaped & (numbers < 0),
            lambda i: f"vertex {cells[i].strip()[:20]!r} is not a whole number of 0 or more",
        )
        return numbers

    def _changes(self, cells: Mapping[str, Sequence[str]], names: Sequence[str]) -> Bools:
        """Whether one of the named columns differs from the row before. The first row differs."""
        changed = np.zeros(len(cells["shape_type"]), np.bool_)
        for name in names:
            if name in cells:
                before = chain([self._last.get(name)], cells[name])
                changed |= np.fromiter(map(ne, cells[name], before), np.bool_, len(changed))
        return changed

    def _refuse_out_of_turn(self, shaped: Bools, numbers: Ints, vertex: Ints) -> None:
        self._refuse(
            shaped & (numbers != vertex),
            lambda i: (
                f"vertex {numbers[i]} is out of order: put the rows of each shape together, with"
                " vertex 0, 1, 2, ..."
            ),
        )

    def _refuse_unnumbered(
        self, cells: Mapping[str, Sequence[str]], types: NDArray[np.int8], starts: Bools
    ) -> None:
        """LabelError where rows without a number could belong to one shape or to two."""
        self._refuse(
            ~starts & self._changes(cells, ("image", "slice")),
            lambda i: (
                "its shape_id appears on more than one image: add a column vertex that counts 0,"
                " 1, 2, ... within each shape"
            ),
        )
        again = np.zeros(len(types), np.bool_)
        for i in np.flatnonzero(starts & (types != 0)).tolist():
            names = tuple(cells[name][i] if name in cells else "" for name in _NAMES)
            key = (TYPES[types[i]], *names)
            again[i] = key in self._begun or not names[1].strip()
            self._begun.add(key)
        self._refuse(
            again,
            lambda i: (
                f"a {TYPES[types[i]]} needs a column shape_id with the same text in all its rows,"
                " and its rows must follow one another"
            ),
        )

    def _refuse(self, wrong: Bools, problem: Callable[[int], str]) -> None:
        """LabelError for the first of the current rows that is wrong."""
        if wrong.any():
            first = int(np.argmax(wrong))
            raise LabelError(problem(first), self._path, self._row(self._taken + first))


def _whole(text: str) -> int:
    digits = text.strip()
    return int(digits[:18]) if digits.isascii() and digits.isdigit() else -1
