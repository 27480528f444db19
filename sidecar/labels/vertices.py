"""Group labels into shapes: which labels are the vertices of one shape. Pure.

Readers make this grouping, and writers use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.tables.columns import Columns, picked

#: Fewest and most vertices of each type of shape.
VERTICES: dict[str, tuple[int, float]] = {
    "point": (1, 1),
    "line": (2, 2),
    "polyline": (2, np.inf),
    "polygon": (3, np.inf),
    "box": (4, 4),
    "circle": (2, 2),
    "ellipse": (3, 3),
}
#: The types in the order of their codes in `Shapes`. The code of a point is 0.
TYPES = tuple(VERTICES)
AREAS = frozenset({"polygon", "box", "circle", "ellipse"})


@dataclass(frozen=True, slots=True)
class Shapes:
    """M shapes with N labels as vertices. The vertices of one shape are neighbours.

    ``first``   (M + 1,) the first label of each shape, in order; the last value is N.
    ``type``    (M,) the type of each shape, as an index into `TYPES`.
    ``vertex``  (N,) the number of each label in its shape. A number is left out where the file
                marks a vertex as missing.
    ``texts``   the columns label, shape_id and specimen, N cells each, "" where the file has none.
    ``where``   M places for messages, as a function of the index.
    """

    first: NDArray[np.intp]
    type: NDArray[np.int8]
    vertex: NDArray[np.intp]
    texts: Columns
    where: Callable[[int], str]

    @classmethod
    def points(cls, count: int, texts: Columns, where: Callable[[int], str]) -> Shapes:
        """Shapes for labels that are all points."""
        return cls(
            first=np.arange(count + 1),
            type=np.broadcast_to(np.int8(0), (count,)),
            vertex=np.broadcast_to(np.intp(0), (count,)),
            texts=texts,
            where=where,
        )

    def __len__(self) -> int:
        return len(self.type)

    def rows(self, shape: int) -> range:
        """The labels that are the vertices of a shape."""
        return range(int(self.first[shape]), int(self.first[shape + 1]))

    def kept_in_part(self, kept: NDArray[np.bool_]) -> int | None:
        """The first shape that has some ``kept`` (N,) labels and some others; None if there is
        none.
        """
        if not len(self):
            return None
        some = np.add.reduceat(kept.astype(np.intp), self.first[:-1])
        partly = (some != 0) & (some != np.diff(self.first))
        return int(np.argmax(partly)) if partly.any() else None

    def only(self, kept: NDArray[np.bool_]) -> Shapes:
        """The shapes whose labels are ``kept`` (N,). All labels of a shape are kept, or none."""
        rows = np.flatnonzero(kept)
        whole = np.flatnonzero(kept[self.first[:-1]]) if len(rows) else np.empty(0, np.intp)
        counts = np.diff(self.first)[whole]
        return Shapes(
            first=np.concatenate([[0], np.cumsum(counts)]).astype(np.intp),
            type=self.type[whole],
            vertex=self.vertex[rows],
            texts=picked(self.texts, rows),
            where=lambda index: self.where(int(whole[index])),
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types that occur, in alphabetical order."""
        return tuple(sorted(TYPES[code] for code in np.unique(self.type).tolist()))

    @property
    def type_of_label(self) -> list[str]:
        """The type of the shape of each of the N labels."""
        return [TYPES[code] for code in np.repeat(self.type, np.diff(self.first)).tolist()]


def refuse_incomplete(shapes: Shapes, path: Path) -> None:
    """Raise LabelError for the first shape of the file with too few or too many vertices for its
    type.
    """
    limits = np.array(list(VERTICES.values()))[shapes.type]
    found = np.diff(shapes.first)
    wrong = (found < limits[:, 0]) | (found > limits[:, 1])
    if wrong.any():
        shape = int(np.argmax(wrong))
        type_ = TYPES[shapes.type[shape]]
        fewest, most = VERTICES[type_]
        needed = f"{fewest}" if fewest == most else f"at least {fewest}"
        raise LabelError(
            f"a {type_} needs {needed} vertices, not {found[shape]}", path, shapes.where(shape)
        )


def refuse_gaps(shapes: Shapes, path: Path) -> None:
    """Raise LabelError for the first shape of the file that lacks a vertex, because the other
    vertices alone draw a different shape.
    """
    counts = np.diff(shapes.first)
    counted = np.arange(len(shapes.vertex)) - np.repeat(shapes.first[:-1], counts)
    lacking = (shapes.vertex != counted) & (np.repeat(shapes.type, counts) != 0)
    if lacking.any():
        row = int(np.argmax(lacking))
        shape = int(np.searchsorted(shapes.first, row, side="right")) - 1
        raise LabelError(
            f"vertex {counted[row]} of this {TYPES[shapes.type[shape]]} is marked as missing;"
            " place it, leave the shape out, or write csv or json",
            path,
            shapes.where(shape),
        )
