"""The shapes that a table of mapped vertices describes, and the outlines of those that are not
straight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.mapped import MappedPoints

Floats = NDArray[np.float64]

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
AREAS = frozenset({"polygon", "box", "circle", "ellipse"})
#: Straight edges that stand for a circle or an ellipse: they stay within 0.12 % of the radius of
#: it.
ROUND_EDGES = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape. ``rows``: those of its vertices in the table, in vertex order. ``where``: its
    place, for messages.

    The types are those of `labels.shapes.Shape`.
    """

    type: str
    label: str
    id: str
    specimen: str
    rows: tuple[int, ...]
    where: str

    @property
    def name(self) -> str:
        """Its label, or type and id where it has none."""
        return self.label or f"{self.type} {self.id or self.rows[0] + 1}"


@dataclass(frozen=True, slots=True)
class Outline:
    """M vertices:

    ``source`` (M, 3) indices and ``patient`` (M, 3) LPS mm. An area's first vertex is not repeated.
    """

    source: Floats
    patient: Floats


@dataclass(frozen=True, slots=True)
class Drawn:
    """A shape on the scan it was drawn on."""

    shape: Shape
    points: MappedPoints

    @property
    def png(self) -> Floats:
        """(M, 3) PNG pixels of its vertices as they were drawn."""
        return self.points.png[list(self.shape.rows)]

    @property
    def series(self) -> str:
        """Series Instance UID of the scan."""
        return self.points.sidecar.document.source.series_instance_uid

    def outline(self) -> Outline:
        """Its vertices; of a circle or an ellipse, `ROUND_EDGES` points along it."""
        rows = list(self.shape.rows)
        if self.shape.type not in ("circle", "ellipse"):
            return Outline(self.points.source[rows], self.points.patient[rows])
        source = self.points.sidecar.decimation.to_source(_around(self.png, self.shape))
        stack = self.points.sidecar.stack
        return Outline(
            source, np.full_like(source, np.nan) if stack is None else stack.to_patient(source)
        )

    def error(self, message: str) -> LabelError:
        return LabelError(message, where=self.shape.where)


def drawn(parts: Sequence[MappedPoints]) -> list[Drawn]:
    """Every shape of the mapped label files, in order."""
    files = [f"file {n}, " if len(parts) > 1 else "" for n in range(1, len(parts) + 1)]
    return [
        Drawn(shape, part)
        for part, file in zip(parts, files, strict=True)
        for shape in shapes_of(part.columns, len(part), file)
    ]


def shapes_of(columns: Mapping[str, Sequence[str]], count: int, file: str = "") -> list[Shape]:
    """The shapes of ``count`` rows, by the columns shape_type, shape_id, vertex, label and
    specimen, in the order of the rows.

    Without shape_type every row is a point. The vertices of a shape are neighbouring rows of one
    shape_id, numbered 0, 1, 2, ... by ``vertex``, so that equal ids in different images stay apart.
    Without ``vertex`` they must lie on one image. LabelError otherwise.
    """
    return _Grouping(columns, count, file).shapes()


def require_patient(parts: Sequence[MappedPoints], format: str) -> None:
    """Raise LabelError unless the scans have the patient geometry that ``format``, in millimetres,
    needs.
    """
    if any(part.sidecar.stack is None or not np.isfinite(part.patient).all() for part in parts):
        raise LabelError(
            f"the scan has no patient geometry, which {format} needs: write csv, json or imagej"
            " instead"
        )


def require_one_scan(parts: Sequence[MappedPoints], format: str) -> None:
    """Raise LabelError when the labels are of several series, whose places ``format`` could not
    tell apart.
    """
    series = {part.sidecar.document.source.series_instance_uid for part in parts}
    if len(series) > 1:
        raise LabelError(
            f"the labels are of {len(series)} scans, and {format} is about one: write each on its"
            " own, or csv, json or tps"
        )


def require_points(shapes: Sequence[Drawn], format: str) -> None:
    """Raise LabelError unless every shape is a point."""
    for one in shapes:
        if one.shape.type != "point":
            raise one.error(
                f"{format} holds points only, not a {one.shape.type}: leave it out, or write slicer"
                " (mrk.json)"
            )


def _around(png: Floats, shape: Shape) -> Floats:
    """Points along a circle (centre, point of the edge) or an ellipse (centre, ends of both axes),
    in PNG pixels.
    """
    if np.ptp(png[:, 2]) != 0:
        raise LabelError(
            f"this {shape.type} lies on more than one slice; draw it on one", where=shape.where
        )
    first = png[1] - png[0]
    second = png[2] - png[0] if shape.type == "ellipse" else np.array([-first[1], first[0], 0.0])
    turn = np.linspace(0, 2 * np.pi, ROUND_EDGES, endpoint=False)[:, None]
    return np.asarray(png[0] + np.cos(turn) * first + np.sin(turn) * second)


class _Grouping:
    """Rows into shapes; one pass."""

    def __init__(self, columns: Mapping[str, Sequence[str]], count: int, file: str) -> None:
        def texts(name: str) -> Sequence[str]:
            return columns.get(name) or [""] * count

        self.file = file
        self.types = [text.strip().lower() or "point" for text in texts("shape_type")]
        self.keys = list(
            zip(self.types, texts("label"), texts("shape_id"), texts("specimen"), strict=True)
        )
        self.vertices = columns.get("vertex")
        self.places = list(zip(texts("image"), texts("slice"), strict=True))
        self.begun: set[tuple[str, str, str, str]] = set()

    def shapes(self) -> list[Shape]:
        groups: list[list[int]] = []
        for row, type_ in enumerate(self.types):
            if type_ not in VERTICES:
                raise self._error(
                    row, f"shape type {type_[:40]!r} is none of {', '.join(VERTICES)}"
                )
            if type_ != "point" and groups and self._continues(groups[-1], row):
                groups[-1].append(row)
            else:
                self._begin(row)
                groups.append([row])
        return [self._shape(rows) for rows in groups]

    def _continues(self, rows: list[int], row: int) -> bool:
        if self.keys[row] != self.keys[rows[0]]:
            return False
        if self.vertices is None:
            if self.places[row] != self.places[rows[0]]:
                problem = (
                    "its shape_id is on more than one image: add a column vertex that counts 0, 1,"
                    " 2, ... within each shape"
                )
                raise self._error(row, problem)
            return True
        if self._vertex(row) not in (0, len(rows)):
            raise self._out_of_turn(row)
        return self._vertex(row) != 0

    def _begin(self, row: int) -> None:
        key = self.keys[row]
        if self.types[row] == "point":
            return
        if self.vertices is not None and self._vertex(row) != 0:
            raise self._out_of_turn(row)
        if self.vertices is None and (not key[2].strip() or key in self.begun):
            raise self._error(
                row,
                f"a {key[0]} needs a column shape_id, the same in all its rows, and these rows one"
                " after the other",
            )
        self.begun.add(key)

    def _vertex(self, row: int) -> int:
        text = self.vertices[row].strip() if self.vertices is not None else ""
        if not (text.isascii() and text.isdigit()):
            raise self._error(row, f"vertex {text[:20]!r} is not a whole number from 0 on")
        return int(text[:18])

    def _out_of_turn(self, row: int) -> LabelError:
        found = self._vertex(row)
        return self._error(
            row,
            f"vertex {found} is out of turn: the rows of a shape must be together, with vertex 0,"
            " 1, 2, ...",
        )

    def _shape(self, rows: list[int]) -> Shape:
        where = (
            f"{self.file}label {rows[0] + 1}"
            if len(rows) == 1
            else f"{self.file}labels {rows[0] + 1} to {rows[-1] + 1}"
        )
        shape = Shape(*self.keys[rows[0]], rows=tuple(rows), where=where)
        fewest, most = VERTICES[shape.type]
        if not fewest <= len(rows) <= most:
            needed = f"{fewest}" if fewest == most else f"at least {fewest}"
            raise LabelError(
                f"a {shape.type} needs {needed} vertices, not {len(rows)}", where=where
            )
        return shape

    def _error(self, row: int, message: str) -> LabelError:
        return LabelError(message, where=f"{self.file}label {row + 1}")
