"""The landmarks of a table of mapped points: single points that have a name of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.mapped_file import PointTable
from sidecar.labels.vertices import TYPES

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NamedPoints:
    """p landmarks.

    ``names``: p names in the order of the file, each once. ``mm`` (p, 3) and ``uncertainty_mm``
    (p,) as in `PointTable`. ``notes``: what was left out because it is no landmark.
    """

    names: tuple[str, ...]
    mm: Floats
    uncertainty_mm: Floats
    notes: tuple[str, ...]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each landmark, by its name."""
        return {name: k for k, name in enumerate(self.names)}

    def places(self, names: tuple[str, ...]) -> Floats:
        """(K, 3) mm of K landmarks, in the order asked for."""
        return self.mm[[self.numbers[name] for name in names]]


def named_points(table: PointTable) -> NamedPoints:
    """The landmarks of one specimen.

    LabelError where two have the same name, and where there is no landmark.
    """
    shapes = table.shapes()
    types = [TYPES[code] for code in shapes.type.tolist()]
    points = [shapes.rows(k)[0] for k, type_ in enumerate(types) if type_ == "point"]
    rows = [row for row in points if table.names[row]]
    notes = []
    if len(points) < len(types):
        others = ", ".join(dict.fromkeys(type_ for type_ in types if type_ != "point"))
        notes.append(
            f"shapes that are not landmarks were left out: {len(types) - len(points)} × {others}"
        )
    if len(rows) < len(points):
        notes.append(f"points without a name were left out: {len(points) - len(rows)}")
    names = tuple(table.names[row] for row in rows)
    if not names:
        raise LabelError(
            "has no points with a name, and landmarks need names; fill in the column label",
            table.table.path,
        )
    table.select(*names)  # `select` refuses two points of one name
    return NamedPoints(names, table.mm[rows], table.uncertainty_mm[rows], tuple(notes))
