"""Turn the shapes of a label tool into labels, one for each vertex."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.labels.model import ImageReference, Labels, PixelOrigin, to_center
from sidecar.labels.tables.columns import Made, Maker
from sidecar.labels.vertices import TYPES, Shapes

Vertices = Sequence[tuple[float, float]]

STANDARD_COLUMNS = ("label", "image", "slice", "x", "y", "shape_id", "shape_type", "vertex")


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of a label file.

    ``type``   point, line, polyline, polygon, box, circle or ellipse.
    ``xy``     its vertices in PNG pixels of ``origin``. A box has its four corners going around; a
               circle has its centre and a point of its edge; an ellipse has its centre and the ends
               of its two axes.
    ``where``  its place in the file, for messages.
    ``image``  name of its image, as in the file; "" for none.
    ``slice``  0-based PNG slice number, None where only ``image`` tells.
    ``entry``  a text that tells images of one name apart ("task 39"), or "".
    ``vertex`` number of the first vertex, for a shape that comes as several `Shape`s, such as a
               line on several slices. These follow each other, with one type, label and id.
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
    """The corners of an upright box between two opposite ones, clockwise from the top left."""
    (left, right), (top, bottom) = sorted((x0, x1)), sorted((y0, y1))
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def circle(x: float, y: float, radius: float) -> Vertices:
    """The centre, and the point of the edge in the direction of increasing x."""
    return [(x, y), (x + radius, y)]


def ellipse(x: float, y: float, rx: float, ry: float) -> Vertices:
    """The centre, and the ends of the axes in the directions of increasing x and increasing y."""
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
    embedded: Mapping[str, Callable[[], bytes]] | None = None,
) -> Labels:
    """The vertices of all shapes as labels, in file order.

    ``forced`` replaces the origin of every shape. ``origin``: the tool's own origin, for a file
    without shapes. ``sizes``: (width, height) that the file states for images, by name, also for
    images without a shape. ``embedded``: functions that return the images that the file carries, by
    name. ``left_out``: notes on contents of the file that are not read.
    """
    left_out = tuple(left_out)
    vertices = _Vertices(shapes)
    xy = np.array([xy for shape in shapes for xy in shape.xy], np.float64).reshape(-1, 2)
    for taken in {forced or shape.origin for shape in shapes}:
        has_it = np.array([(forced or shape.origin) == taken for shape in shapes], bool)
        its = has_it[vertices.owner]
        xy[its] = to_center(xy[its], taken)
    slices = np.array([math.nan if s.slice is None else s.slice for s in shapes], np.float64)
    images, reference = _referred(shapes, sizes or {}, embedded or {})
    origins = {forced or shape.origin for shape in shapes} or {forced or origin}
    return Labels(
        path=path,
        xy=xy,
        slice=slices[vertices.owner],
        images=images,
        reference=reference[vertices.owner],
        shapes=vertices.shapes(),
        columns=Made(_columns(vertices, xy, tool), slice(0, len(xy))),
        where=vertices.where,
        tool=tool,
        pixel_origin=" and ".join(sorted(origins)),
        notes=tuple(dict.fromkeys([*notes, *left_out])),
        left_out=left_out,
    )


def _referred(
    shapes: Sequence[Shape],
    sizes: Mapping[str, tuple[int, int]],
    embedded: Mapping[str, Callable[[], bytes]],
) -> tuple[tuple[ImageReference, ...], NDArray[np.intp]]:
    """Every image that the file names, and the index of the image of each shape."""
    named = [(shape.image, shape.entry) for shape in shapes]
    shown = {name for name, _ in named}
    bare = [(name, "") for name in (*sizes, *embedded) if name not in shown]
    number = {image: k for k, image in enumerate(dict.fromkeys([*bare, *named]))}
    images = tuple(
        ImageReference(name, sizes.get(name), entry, embedded.get(name)) for name, entry in number
    )
    return images, np.array([number[image] for image in named], np.intp)


class _Vertices:
    """The N vertices of ``shapes``.

    ``owner``: (N,) the shape of each vertex. ``number``: (N,) the number of the vertex in it.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        counts = np.array([len(shape.xy) for shape in shapes], np.intp)
        offsets = np.array([shape.vertex for shape in shapes], np.intp)
        self._first = np.cumsum(counts) - counts
        self.all = shapes
        self.owner: NDArray[np.intp] = np.repeat(np.arange(len(shapes)), counts)
        self.number: NDArray[np.intp] = (
            np.arange(len(self.owner)) + (offsets - self._first)[self.owner]
        )

    def column(self, text: Callable[[Shape], str]) -> Maker:
        """A column with a text that all vertices of a shape share."""
        return lambda rows: [text(self.all[k]) for k in self.owner[rows].tolist()]

    def where(self, row: int) -> str:
        shape = self.all[self.owner[row]]
        return _place(shape, int(self.number[row]))

    def shapes(self) -> Shapes:
        """The shapes. Every point is one shape; shapes that came vertex by vertex are joined."""
        heads: list[int] = []
        first: list[int] = []
        for k, (shape, start) in enumerate(zip(self.all, self._first.tolist(), strict=True)):
            if shape.type == "point":
                heads += [k] * len(shape.xy)
                first += range(start, start + len(shape.xy))
            elif k == 0 or not _continues(self.all[k - 1], shape):
                heads.append(k)
                first.append(start)

        def where(m: int) -> str:
            head = self.all[heads[m]]
            return self.where(first[m]) if head.type == "point" else head.where

        texts = {
            "label": self.column(lambda shape: shape.label),
            "shape_id": self.column(lambda shape: shape.id),
            "specimen": self.column(lambda shape: shape.extra.get("specimen", "")),
        }
        return Shapes(
            first=np.array([*first, len(self.owner)], np.intp),
            type=np.array([TYPES.index(self.all[k].type) for k in heads], np.int8),
            vertex=self.number,
            texts=Made(texts, slice(0, len(self.owner))),
            where=where,
        )


def _continues(last: Shape, shape: Shape) -> bool:
    """Whether ``shape`` holds the next vertices of ``last``."""
    same = (last.type, last.label, last.id, last.extra.get("specimen")) == (
        shape.type,
        shape.label,
        shape.id,
        shape.extra.get("specimen"),
    )
    return same and shape.vertex >= max(1, last.vertex + len(last.xy))


def _place(shape: Shape, vertex: int) -> str:
    return shape.where if len(shape.xy) == 1 else f"{shape.where}, vertex {vertex}"


def _columns(vertices: _Vertices, xy: NDArray[np.float64], tool: str) -> dict[str, Maker]:
    """The columns of the output: the standard ones, then the tool's own."""
    columns: dict[str, Maker] = {
        "label": vertices.column(lambda shape: shape.label),
        "image": vertices.column(lambda shape: shape.image),
        "slice": vertices.column(_slice_text),
        "x": lambda rows: [repr(x) for x in xy[rows, 0].tolist()],
        "y": lambda rows: [repr(y) for y in xy[rows, 1].tolist()],
        "shape_id": vertices.column(lambda shape: shape.id),
        "shape_type": vertices.column(lambda shape: shape.type),
        "vertex": lambda rows: [str(number) for number in vertices.number[rows].tolist()],
    }
    for name in dict.fromkeys(name for shape in vertices.all for name in shape.extra):
        own = f"{name} ({tool})" if name.casefold() in STANDARD_COLUMNS else name
        columns[own] = vertices.column(partial(_extra_text, name))
    return columns


def _slice_text(shape: Shape) -> str:
    if shape.slice is None:
        return ""
    slice_ = float(shape.slice)
    return str(int(slice_)) if slice_.is_integer() else repr(slice_)


def _extra_text(name: str, shape: Shape) -> str:
    return shape.extra.get(name, "")
