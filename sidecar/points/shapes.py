"""The shapes that a table of mapped vertices describes, and the outlines of those that are not straight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.points.table import MappedPoints

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
#: Straight edges that stand for a circle or an ellipse: they stay within 0.12 % of the radius of it.
ROUND_EDGES = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape. ``rows``: the rows of its vertices in the table, in vertex order (see `labels.shapes.Shape` for the types)."""

    type: str
    label: str
    id: str
    specimen: str
    rows: tuple[int, ...]

    @property
    def where(self) -> str:
        """Its place in messages, counting labels from 1."""
        first, last = self.rows[0] + 1, self.rows[-1] + 1
        return f"label {first}" if first == last else f"labels {first} to {last}"

    @property
    def name(self) -> str:
        """Its label, or type and id where it has none."""
        return self.label or f"{self.type} {self.id or self.rows[0] + 1}"


@dataclass(frozen=True, slots=True)
class Outline:
    """M vertices of a shape: ``source`` (M, 3) indices and ``patient`` (M, 3) LPS mm. An area's first vertex is not repeated."""

    source: Floats
    patient: Floats


def shapes_of(columns: Mapping[str, Sequence[str]], count: int) -> list[Shape]:
    """The shapes of ``count`` rows, by the columns shape_type, shape_id, vertex, label and specimen, in the order of the rows.

    Without shape_type every row is a point. The vertices of a shape are neighbouring rows of one shape_id, numbered 0, 1, 2, ... by
    ``vertex``, so that equal ids in different images stay apart. Without ``vertex`` they must lie on one image. LabelError otherwise.
    """
    return _Grouping(columns, count).shapes()


def require_patient(points: MappedPoints, format: str) -> None:
    """Raise LabelError unless the scan has the patient geometry that ``format``, in millimetres, needs."""
    if points.sidecar.stack is None or not np.isfinite(points.patient).all():
        raise LabelError(f"the scan has no patient geometry, which {format} needs: write csv, json or imagej instead")


def require_points(shapes: Sequence[Shape], format: str) -> None:
    """Raise LabelError unless every shape is a point."""
    for shape in shapes:
        if shape.type != "point":
            raise LabelError(
                f"{format} holds points only, not a {shape.type}: leave it out, or write mrk.json", where=shape.where
            )


def outline(points: MappedPoints, shape: Shape) -> Outline:
    """The vertices of a shape; of a circle or an ellipse, `ROUND_EDGES` points along it."""
    rows = list(shape.rows)
    if shape.type not in ("circle", "ellipse"):
        return Outline(points.source[rows], points.patient[rows])
    source = points.sidecar.decimation.to_source(_round(points.png[rows], shape))
    stack = points.sidecar.stack
    return Outline(source, np.full_like(source, np.nan) if stack is None else stack.to_patient(source))


def _round(png: Floats, shape: Shape) -> Floats:
    """Points around a circle (centre, point of the edge) or an ellipse (centre, ends of both axes), in PNG pixels."""
    if np.ptp(png[:, 2]) != 0:
        raise LabelError(f"this {shape.type} lies on more than one slice; draw it on one", where=shape.where)
    first = png[1] - png[0]
    second = png[2] - png[0] if shape.type == "ellipse" else np.array([-first[1], first[0], 0.0])
    turn = np.linspace(0, 2 * np.pi, ROUND_EDGES, endpoint=False)[:, None]
    return np.asarray(png[0] + np.cos(turn) * first + np.sin(turn) * second)


class _Grouping:
    """Rows into shapes; one pass."""

    def __init__(self, columns: Mapping[str, Sequence[str]], count: int) -> None:
        def texts(name: str) -> Sequence[str]:
            return columns.get(name) or [""] * count

        self.types = [text.strip().lower() or "point" for text in texts("shape_type")]
        self.keys = list(zip(self.types, texts("label"), texts("shape_id"), texts("specimen"), strict=True))
        self.vertices = columns.get("vertex")
        self.places = list(zip(texts("image"), texts("slice"), strict=True))
        self.done: set[tuple[str, str, str, str]] = set()

    def shapes(self) -> list[Shape]:
        groups: list[list[int]] = []
        for row, type_ in enumerate(self.types):
            if type_ not in VERTICES:
                raise LabelError(f"shape type {type_[:40]!r} is none of {', '.join(VERTICES)}", where=f"label {row + 1}")
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
                problem = "its rows are on more than one image: add a column vertex that counts 0, 1, 2, ... within each shape"
                raise LabelError(problem, where=f"label {row + 1}")
            return True
        if self._vertex(row) not in (0, len(rows)):
            self._refuse(row)
        return self._vertex(row) != 0

    def _begin(self, row: int) -> None:
        key = self.keys[row]
        if self.types[row] == "point":
            return
        if self.vertices is not None and self._vertex(row) != 0:
            self._refuse(row)
        if self.vertices is None and (not key[2].strip() or key in self.done):
            problem = f"a {key[0]} needs a column shape_id, the same in all its rows, and these rows one after the other"
            raise LabelError(problem, where=f"label {row + 1}")
        self.done.add(key)

    def _vertex(self, row: int) -> int:
        text = self.vertices[row].strip() if self.vertices is not None else ""
        if not text.isdecimal():
            raise LabelError(f"vertex {text[:20]!r} is not a whole number from 0 on", where=f"label {row + 1}")
        return int(text)

    def _refuse(self, row: int) -> None:
        problem = f"vertex {self._vertex(row)} is out of turn: the rows of a shape must be together, with vertex 0, 1, 2, ..."
        raise LabelError(problem, where=f"label {row + 1}")

    def _shape(self, rows: list[int]) -> Shape:
        shape = Shape(*self.keys[rows[0]], rows=tuple(rows))
        fewest, most = VERTICES[shape.type]
        if not fewest <= len(rows) <= most:
            needed = f"{fewest}" if fewest == most else f"at least {fewest}"
            raise LabelError(f"a {shape.type} needs {needed} vertices, not {len(rows)}", where=shape.where)
        return shape
