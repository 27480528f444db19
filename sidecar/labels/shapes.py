"""Shapes as a tool describes them, and the table of vertices they become: one row per vertex,
identity kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sidecar.labels.model import Labels, PixelOrigin, to_center

Vertices = Sequence[tuple[float, float]]

STANDARD_COLUMNS = ("label", "image", "slice", "x", "y", "shape_id", "shape_type", "vertex")


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of a label file.

    ``type``   point, line, polyline, polygon, box, circle or ellipse.
    ``xy``     its vertices in PNG pixels of ``origin``: a box is its four corners going around; a
               circle its centre and a
               point of its edge; an ellipse its centre and the ends of its two axes.
    ``where``  its place in the file, for messages.
    ``slice``  0-based PNG slice number, None where only ``image`` tells.
    ``entry``  by what else the file tells images of one name apart ("task 39"), or "".
    ``vertex`` number of the first vertex, for points that are one shape but lie on several slices.
    ``extra``  the tool's own columns.
    """

    type: str
    xy: Vertices
    origin: PixelOrigin
    where: str
    label: str = ""
    image: str = ""
    slice: float | None = None
    id: str = ""
    vertex: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""


def box(x0: float, y0: float, x1: float, y1: float) -> Vertices:
    """The corners of an upright box given by two opposite ones, going around clockwise from the top
    left.
    """
    (left, right), (top, bottom) = sorted((x0, x1)), sorted((y0, y1))
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def circle(x: float, y: float, radius: float) -> Vertices:
    """Centre, and the point of the edge at growing x."""
    return [(x, y), (x + radius, y)]


def ellipse(x: float, y: float, rx: float, ry: float) -> Vertices:
    """Centre, and the ends of the axes at growing x and growing y."""
    return [(x, y), (x + rx, y), (x, y + ry)]


def rotated(vertices: Vertices, degrees: float, about: tuple[float, float]) -> Vertices:
    """Vertices turned about a point, clockwise as seen on the image (y grows downwards)."""
    if not degrees:
        return vertices
    (cx, cy), cos, sin = about, math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [
        (cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos)
        for x, y in vertices
    ]


def labels_of(
    path: Path,
    shapes: Sequence[Shape],
    *,
    tool: str,
    origin: PixelOrigin,
    forced: PixelOrigin | None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    notes: Iterable[str] = (),
    left_out: Iterable[str] = (),
    embedded: Mapping[str, bytes] | None = None,
) -> Labels:
    """The vertices of all shapes, in file order.

    ``forced`` replaces the origin of every shape; ``origin``, the tool's own, is told when there is
    no shape. ``left_out`` are notes too: those about what the file holds and this does not.
    ``embedded``: see `Labels`.
    """
    left_out = tuple(left_out)
    owner = [shape for shape in shapes for _ in shape.xy]
    places = [_place(shape, v) for shape in shapes for v in range(len(shape.xy))]
    centered = [
        to_center(np.array(shape.xy, np.float64).reshape(-1, 2), forced or shape.origin)
        for shape in shapes
    ]
    xy = np.concatenate([np.empty((0, 2)), *centered])
    origins = {forced or shape.origin for shape in shapes} or {forced or origin}
    columns: dict[str, Sequence[str]] = {
        "label": [shape.label for shape in owner],
        "image": [shape.image for shape in owner],
        "slice": [_slice_text(shape.slice) for shape in owner],
        "x": [repr(x) for x in xy[:, 0].tolist()],
        "y": [repr(y) for y in xy[:, 1].tolist()],
        "shape_id": [shape.id for shape in owner],
        "shape_type": [shape.type for shape in owner],
        "vertex": [str(shape.vertex + v) for shape in shapes for v in range(len(shape.xy))],
    }
    for name in dict.fromkeys(name for shape in shapes for name in shape.extra):
        columns[f"{name} ({tool})" if name.casefold() in STANDARD_COLUMNS else name] = [
            shape.extra.get(name, "") for shape in owner
        ]
    return Labels(
        path=path,
        xy=xy,
        slice=np.array(
            [math.nan if shape.slice is None else shape.slice for shape in owner], dtype=np.float64
        ),
        image=columns["image"],
        columns=columns,
        where=places.__getitem__,
        tool=tool,
        pixel_origin=" and ".join(sorted(origins)),
        shapes=tuple(sorted({shape.type for shape in shapes})),
        sizes=dict(sizes or {}),
        notes=tuple(dict.fromkeys([*notes, *left_out])),
        entry=[shape.entry for shape in owner],
        left_out=left_out,
        embedded=dict(embedded or {}),
    )


def _place(shape: Shape, vertex: int) -> str:
    return shape.where if len(shape.xy) == 1 else f"{shape.where}, vertex {shape.vertex + vertex}"


def _slice_text(slice_: float | None) -> str:
    if slice_ is None:
        return ""
    return str(int(slice_)) if float(slice_).is_integer() else repr(float(slice_))
