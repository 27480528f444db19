"""Mapped shapes on the scan, the outlines of circles and ellipses, and checks that writers need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import not_in_the_patient
from sidecar.labels.curves import CURVES
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.vertices import TYPES, refuse_gaps

Floats = NDArray[np.float64]

#: Number of straight edges that replace a circle or an ellipse. Their distance from it is at most
#: 0.12 % of its radius.
ROUND_EDGES = 64


@dataclass(frozen=True, slots=True)
class Outline:
    """M vertices:

    ``png`` (M, 3) pixels, ``source`` (M, 3) indices and ``patient`` (M, 3) mm as in `MappedPoints`.
    An area's first vertex is not repeated.
    """

    png: Floats
    source: Floats
    patient: Floats


@dataclass(frozen=True, slots=True)
class MappedShape:
    """One shape of a label file, on the scan.

    The types are those of `labels.shapes.Shape`. ``specimen``: the value of the column specimen, or
    "". ``rows``: its vertices among ``points``, in order. ``number``: the number of the shape in
    the file, from 0.
    """

    type: str
    label: str
    id: str
    specimen: str
    rows: range
    number: int
    points: MappedPoints

    @property
    def name(self) -> str:
        """Its label, or its type and id where it has no label."""
        return self.label or f"{self.type} {self.id or self.rows[0] + 1}"

    @property
    def place(self) -> str:
        """Its file and its place in the file, for messages."""
        return f"{self.points.labels.path.name}, {self.points.labels.shapes.where(self.number)}"

    @property
    def png(self) -> Floats:
        """(M, 3) PNG pixels of its vertices as they were drawn."""
        return self.points.png[self.rows.start : self.rows.stop]

    @property
    def series(self) -> str:
        """Series Instance UID of the scan."""
        return self.points.series_uid

    def outline(self) -> Outline:
        """Its vertices; for a circle or an ellipse, `ROUND_EDGES` points along it."""
        if self.type not in ("circle", "ellipse"):
            some = slice(self.rows.start, self.rows.stop)
            return Outline(self.png, self.points.source[some], self.points.patient[some])
        png, stack = self._around(), self.points.sidecar.stack
        source = self.points.sidecar.decimation.to_source(png)
        nowhere = np.full_like(source, np.nan)
        return Outline(png, source, nowhere if stack is None else stack.to_patient(source))

    def error(self, message: str) -> LabelError:
        """The error for this shape, with file and place."""
        labels = self.points.labels
        return LabelError(message, labels.path, labels.shapes.where(self.number))

    def _around(self) -> Floats:
        """Points along a circle (centre, point of the edge) or an ellipse (centre, ends of both
        axes), in PNG pixels.
        """
        png = self.png
        if np.ptp(png[:, 2]) != 0:
            raise self.error(f"this {self.type} lies on more than one slice; draw it on one")
        first = png[1] - png[0]
        second = png[2] - png[0] if self.type == "ellipse" else np.array([-first[1], first[0], 0.0])
        turn = np.linspace(0, 2 * np.pi, ROUND_EDGES, endpoint=False)[:, None]
        return np.asarray(png[0] + np.cos(turn) * first + np.sin(turn) * second)


def shapes_of(parts: Sequence[MappedPoints]) -> list[MappedShape]:
    """Every shape of the mapped label files, in order.

    LabelError for a shape with a vertex that its file marks as missing.
    """
    return [shape for part in parts for shape in _shapes_of(part)]


def _shapes_of(part: MappedPoints) -> Iterator[MappedShape]:
    shapes = part.labels.shapes
    refuse_gaps(shapes, part.labels.path)
    labels, ids, specimens = (shapes.texts[name] for name in ("label", "shape_id", "specimen"))
    for number, code in enumerate(shapes.type.tolist()):
        rows = shapes.rows(number)
        names = labels[rows.start], ids[rows.start], specimens[rows.start]
        yield MappedShape(TYPES[code], *names, rows, number, part)


def require_patient(parts: Sequence[MappedPoints], format: str) -> None:
    """Raise LabelError unless the scans have patient geometry. ``format`` stores positions in the
    patient, so it needs one.
    """
    for part in parts:
        why = not_in_the_patient(part.sidecar.geometry, format)
        if why is not None:
            raise LabelError(f"{why}; write csv, json or imagej instead")


def require_mm(parts: Sequence[MappedPoints], format: str) -> None:
    """Raise LabelError unless the scans have millimetres, along any axes, as ``format`` needs."""
    if any(part.sidecar.geometry == "none" for part in parts):
        raise LabelError(
            f"{format} needs millimetres, but the scan has no patient geometry and so no"
            " millimetres. Write csv, json or imagej instead, or, if you know the voxel size,"
            " export it with --voxel X,Y,Z"
        )


def require_one_scan(parts: Sequence[MappedPoints], format: str) -> None:
    """Raise LabelError if the labels are of several series, because ``format`` cannot tell their
    places apart.
    """
    series = {part.series_uid for part in parts}
    if len(series) > 1:
        raise LabelError(
            f"the labels are of {len(series)} scans, but {format} holds those of one; write each"
            " scan separately, or write csv, json or tps"
        )


def outputs_for(type_: str, *more: str) -> str:
    """The outputs that hold a shape of this type on any slices, and ``more``, for messages."""
    able = ["csv", "json", "slicer (.mrk.json)", *["tps"] * (type_ in CURVES), *more]
    return f"{', '.join(able[:-1])} or {able[-1]}"


def require_points(shapes: Sequence[MappedShape], format: str) -> None:
    """Raise LabelError unless every shape is a point."""
    for one in shapes:
        if one.type != "point":
            raise one.error(
                f"{format} cannot hold a {one.type}; leave it out, or write"
                f" {outputs_for(one.type, 'imagej', 'dicom-sr', 'dicom-rtstruct')}"
            )
