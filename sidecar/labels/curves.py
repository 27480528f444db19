"""Curves as semilandmarks: lines and outlines that were drawn become so many points, the same
length apart in millimetres.

A line or polyline is an open curve, a polygon a closed one. How many points a curve gets stands in
the column ``curve_points`` of its labels, as the viewer page writes it, or is said by the user for
all of them. Its points keep the curve's name and type, and are numbered from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError, UsageError, counted
from sidecar.grid.axis import nearest
from sidecar.labels.arc_length import Between, equidistant
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, Labels
from sidecar.labels.tables.columns import Made, picked
from sidecar.labels.tables.number_texts import rounded
from sidecar.labels.vertices import TYPES, Shapes, refuse_gaps

#: The column that says how many points a curve gets.
COUNT_COLUMN = "curve_points"
#: More points than this on a curve are a slip rather than a wish.
MOST_POINTS = 10_000
#: The types of shapes that are curves, with the type that their points have.
CURVES = {"line": "polyline", "polyline": "polyline", "polygon": "polygon"}
#: The fewest points of an open curve and of a closed one.
FEWEST = {"polyline": 2, "polygon": 3}

Floats = NDArray[np.float64]


def checked_count(count: int | None) -> int | None:
    """How many points the user wants of every curve. UsageError for a number that none has."""
    if count is not None and count != 0 and not 2 <= count <= MOST_POINTS:
        raise UsageError(f"--curve-points {count}: give 0, or a number from 2 to {MOST_POINTS}")
    return count


def with_semilandmarks(
    points: MappedPoints, count: int | None
) -> tuple[MappedPoints, tuple[str, ...]]:
    """The same with ``count`` points for each curve, and what is to be told of it; None: as many
    as the labels say for each, where they do; 0: vertices as they were drawn.

    LabelError for a number that is none, or too small, for scans without millimetres, and for a
    curve without length.
    """
    counts = _counts(points, count)
    if not any(counts):
        return points, ()
    refuse_gaps(points.labels.shapes, points.labels.path)
    pieces = [_piece(points, shape, n) for shape, n in enumerate(counts)]
    made = _replaced(points, pieces)
    curves = [n for n in counts if n]
    told = f"{curves[0]}" if len(set(curves)) == 1 else f"{min(curves)} to {max(curves)}"
    return made, (
        f"{counted(len(curves), 'curve')} with {told} points each, at equal distances along the"
        " straight lines between vertices",
    )


def _counts(points: MappedPoints, count: int | None) -> list[int]:
    """How many points each shape gets; 0 for those that stay as they are."""
    shapes = points.labels.shapes
    kinds = [TYPES[code] for code in shapes.type.tolist()]
    if count == 0 or not any(kind in CURVES for kind in kinds):
        return [0] * len(kinds)
    if count is not None:
        return [
            _checked(points, shape, str(count)) if kind in CURVES else 0
            for shape, kind in enumerate(kinds)
        ]
    spelled = {name.strip().lower(): name for name in points.columns}
    if COUNT_COLUMN not in spelled:
        return [0] * len(kinds)
    cells = points.columns[spelled[COUNT_COLUMN]]
    return [
        _checked(points, shape, cells[shapes.rows(shape).start]) if kind in CURVES else 0
        for shape, kind in enumerate(kinds)
    ]


def _checked(points: MappedPoints, shape: int, cell: str) -> int:
    """The number of points that is asked for; 0 for an empty cell."""
    text, labels = cell.strip(), points.labels
    row, kind = labels.shapes.rows(shape).start, CURVES[TYPES[labels.shapes.type[shape]]]
    if not text:
        return 0
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    if not FEWEST[kind] <= wanted <= MOST_POINTS:
        what = "an open" if kind == "polyline" else "a closed"
        raise labels.error(
            row,
            f"curve points are {text[:20]!r}, but {what} curve needs a whole number from"
            f" {FEWEST[kind]} to {MOST_POINTS}; correct the number",
        )
    if points.sidecar.stack is None:
        raise labels.error(
            row,
            "the scan has no millimetres, so points at equal distances along a curve cannot be"
            " computed; add --curve-points 0 to map the vertices as drawn",
        )
    return wanted


@dataclass(frozen=True)
class _Piece:
    """The rows of one shape, and where on it its new points lie; None where it stays."""

    rows: range
    between: Between | None

    @property
    def from_rows(self) -> NDArray[np.intp]:
        """The rows that the new ones come from, or are nearest to."""
        if self.between is None:
            return np.arange(self.rows.start, self.rows.stop)
        return self.rows.start + self.between.nearest

    def interpolated(self, values: Floats) -> Floats:
        own = values[self.rows.start : self.rows.stop]
        return own if self.between is None else self.between.of(own)


def _piece(points: MappedPoints, shape: int, count: int) -> _Piece:
    shapes = points.labels.shapes
    rows = shapes.rows(shape)
    if not count:
        return _Piece(rows, None)
    closed = TYPES[shapes.type[shape]] == "polygon"
    try:
        vertices = points.patient[rows.start : rows.stop]
        return _Piece(rows, equidistant(vertices, count, closed))
    except GeometryError as error:
        raise points.labels.error(rows.start, str(error)) from None


def _replaced(points: MappedPoints, pieces: Sequence[_Piece]) -> MappedPoints:
    """Points with the new ones in the place of the vertices of each curve.

    The uncertainty of a new point is that of the vertices around it, by how near they are: on a
    straight line between two points that are off by no more than theirs it is off by no more.
    """
    sidecar, stack = points.sidecar, points.sidecar.stack
    assert stack is not None
    is_new = np.concatenate(
        [np.full(len(piece.from_rows), piece.between is not None) for piece in pieces]
    )
    origin = np.concatenate([piece.from_rows for piece in pieces])
    patient = np.concatenate([piece.interpolated(points.patient) for piece in pieces])
    source = points.source[origin]
    source[is_new] = stack.to_index(patient[is_new])
    png = points.png[origin]
    png[is_new] = sidecar.decimation.to_pixel(source[is_new])
    return replace(
        points,
        labels=_labels(points, pieces, origin, is_new, png),
        png=png,
        source=source,
        patient=patient,
        uncertainty_mm=np.concatenate(
            [piece.interpolated(points.uncertainty_mm) for piece in pieces]
        ),
        instances=sidecar.instances(source),
    )


def _labels(
    points: MappedPoints,
    pieces: Sequence[_Piece],
    origin: NDArray[np.intp],
    is_new: NDArray[np.bool_],
    png: Floats,
) -> Labels:
    labels = points.labels
    counts = np.array([len(piece.from_rows) for piece in pieces], np.intp)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    numbers = np.arange(first[-1]) - np.repeat(first[:-1], counts)
    vertex = np.where(is_new, numbers, labels.shapes.vertex[origin])
    types = [TYPES[code] for code in labels.shapes.type.tolist()]
    shapes = Shapes(
        first=first,
        type=np.array(
            [
                TYPES.index(kind if piece.between is None else CURVES[kind])
                for kind, piece in zip(types, pieces, strict=True)
            ],
            np.int8,
        ),
        vertex=vertex,
        texts=picked(labels.shapes.texts, origin),
        where=labels.shapes.where,
    )
    columns = _columns(points, pieces, origin, is_new, png, shapes)
    return replace(
        labels,
        xy=png[:, :2],
        slice=png[:, 2],
        reference=labels.reference[origin],
        shapes=shapes,
        columns=Made.of(columns, len(origin)),
        where=lambda index: labels.where(int(origin[index])),
    )


def _columns(
    points: MappedPoints,
    pieces: Sequence[_Piece],
    origin: NDArray[np.intp],
    is_new: NDArray[np.bool_],
    png: Floats,
    shapes: Shapes,
) -> Mapping[str, Sequence[str]]:
    """The carried columns. New points have what all vertices of their curve share, and places of
    their own.
    """
    own = _own_columns(points, png, shapes)
    found: dict[str, Sequence[str]] = {}
    for name, cells in points.columns.items():
        key, kept = name.strip().lower(), picked(Made.of({name: cells}, len(points)), origin)[name]
        if key in own:
            kept = [
                new if of_new else old
                for old, new, of_new in zip(kept, own[key], is_new, strict=True)
            ]
        else:
            kept = _shared(cells, kept, pieces)
        found[name] = kept
    return found


def _own_columns(points: MappedPoints, png: Floats, shapes: Shapes) -> dict[str, Sequence[str]]:
    """Where each point is on the PNGs, as its file would say it; "" where the file has places on
    resized images, or from both origins. No number of points is asked for: these are the points.
    """
    labels, files = points.labels, points.sidecar.document.images.files
    middle = {str(origin): shift for origin, shift in MIDDLE_OF_FIRST_PIXEL.items()}
    is_plain = labels.pixel_origin in middle and np.array_equal(labels.xy, points.png[:, :2])
    xy = png[:, :2] + middle[labels.pixel_origin] if is_plain else None
    blank = [""] * len(png)
    numbers = np.clip(nearest(png[:, 2]), 0, len(files) - 1).astype(int).tolist()
    return {
        "x": blank if xy is None else rounded(xy[:, 0]),
        "y": blank if xy is None else rounded(xy[:, 1]),
        "slice": rounded(png[:, 2]),
        "image": [files[k].name for k in numbers],
        "shape_type": shapes.type_of_label,
        "vertex": [str(number) for number in shapes.vertex.tolist()],
        COUNT_COLUMN: blank,  # they are what was asked for: mapped again, they stay where they are
    }


def _shared(cells: Sequence[str], kept: Sequence[str], pieces: Sequence[_Piece]) -> Sequence[str]:
    """Cells of new points: the one that all vertices of the curve have, or else ""."""
    made: list[str] = []
    for piece in pieces:
        some = cells[piece.rows.start : piece.rows.stop]
        count = len(piece.from_rows)
        if piece.between is None:
            made += kept[len(made) : len(made) + count]
        else:
            made += [some[0] if len(set(some)) == 1 else ""] * count
    return made
