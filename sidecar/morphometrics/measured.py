"""Measure a table of mapped points: the measures that the user asks for, or all that make sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, UsageError
from sidecar.labels.mapped_file import PointTable
from sidecar.labels.vertices import TYPES, Shapes
from sidecar.morphometrics.measure import Measurement, angle, area, distance, path_length

Kind = Literal["distance", "path", "angle", "area"]
#: Places (N, 3) and their uncertainties (N,), mm.
Places = tuple[NDArray[np.float64], NDArray[np.float64]]

FUNCTIONS: dict[Kind, Callable[..., Measurement]] = {
    "distance": distance,
    "path": path_length,
    "angle": angle,
    "area": area,
}
#: Where the user asks for no measure, more distances than this are refused.
MOST_PAIRS = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure.

    ``of``: the names of its points, or the name of a shape. The value at the true places is within
    ``uncertainty`` of ``value``. ``specimen``: "" where the points have none.
    """

    kind: Kind
    of: tuple[str, ...]
    value: float
    uncertainty: float
    unit: Literal["mm", "mm²", "°"]
    specimen: str = ""


def measure_table(
    table: PointTable, asked: Mapping[Kind, Sequence[Sequence[str]]]
) -> list[Measured]:
    """The measures of every specimen, given by the names of points.

    Without any: the distance between every two named points, the length of every line and the area
    of every polygon.

    LabelError for a name that no point has, and for points that do not allow the measure.
    UsageError where nothing is asked for and there would be more than `MOST_PAIRS` distances.
    """
    found: list[Measured] = []
    for specimen, points in table.by_specimen().items():
        todo = [
            (kind, tuple(names), points.select(*names))
            for kind, several in asked.items()
            for names in several
        ]
        found += [_measured(points, specimen, *one) for one in todo or _everything(points)]
    return found


def why_nothing(table: PointTable) -> str:
    """Why there is nothing to measure in the points of a specimen, where nothing is asked for."""
    named = _named(table, _kinds(table.shapes()))
    if not table.names:
        found = "there is no point"
    elif not named:
        found = "no single point has a name"
    elif len(named) == 1:
        found = f"only one point has a name, {named[0]!r}"
    else:
        found = f"all {len(named)} points with a name are called {named[0]!r}"
    return (
        f"nothing was measured, because {found}, and there is no line and no polygon. A distance"
        " needs two points with different names in the column label"
    )


def _measured(
    table: PointTable, specimen: str, kind: Kind, of: tuple[str, ...], places: Places
) -> Measured:
    try:
        found = FUNCTIONS[kind](*places)
    except LabelError as error:
        raise LabelError(f"{kind} {', '.join(of)}: {error}", table.table.path) from None
    return Measured(kind, of, found.value, found.uncertainty, found.unit, specimen)


def _everything(table: PointTable) -> Iterator[tuple[Kind, tuple[str, ...], Places]]:
    shapes = table.shapes()
    found = _kinds(shapes)
    named = _named(table, found)
    pairs = list(combinations(dict.fromkeys(named), 2))
    if len(pairs) > MOST_PAIRS:
        raise UsageError(
            f"{len(named)} points have {len(pairs)} distances, which are too many; name those to"
            " measure with --distance A,B"
        )
    for pair in pairs:
        yield "distance", pair, table.select(*pair)
    ids = shapes.texts["shape_id"]
    for type_, rows in found:
        of = (table.names[rows[0]] or f"shape {ids[rows[0]]}",)
        places = table.mm[rows], table.uncertainty_mm[rows]
        if type_ in ("line", "polyline"):
            yield "path", of, places
        elif type_ in ("polygon", "box"):
            yield "area", of, places


def _kinds(shapes: Shapes) -> list[tuple[str, list[int]]]:
    """The type of each shape, and the rows of its vertices."""
    return [(TYPES[code], list(shapes.rows(k))) for k, code in enumerate(shapes.type.tolist())]


def _named(table: PointTable, found: Sequence[tuple[str, list[int]]]) -> list[str]:
    """The names of single points that have one, in the order of the file."""
    single = [table.names[rows[0]] for type_, rows in found if type_ == "point"]
    return [name for name in single if name]
