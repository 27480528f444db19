"""Points and shapes layers saved by napari as CSV. Pixel origin: center.

napari writes data coordinates in the order (slice, row, column). The middle of the first pixel is
0. The file names no image; the first axis is the slice. Source: `napari_builtins/io/_write.py`
(napari_write_points, napari_write_shapes).
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from sidecar.errors import LabelError, counted
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.named_cells import number_of, refuse_other_names
from sidecar.labels.references import png_in_name, refuse_other_first_png
from sidecar.labels.shapes import Shape, labels_of
from sidecar.labels.text import head_text, number, read_text, table, whole

_TYPES = {
    "rectangle": "box",
    "ellipse": "ellipse",
    "line": "line",
    "path": "polyline",
    "polygon": "polygon",
}
_HEADER = re.compile(r"index,(shape-type,vertex-index,)?axis-0,axis-1(,axis-\d+)*(,|\r?\n|$)")

_SCALE = (
    "Coordinates are pixel numbers of the layer; a scale of the layer in napari does not change"
    " them"
)
_NO_NAMES = "napari does not save the properties of shapes, so they have no label"

_Row = tuple[str, list[str]]
_Placed = tuple[str, float, tuple[float, float]]


def recognises(path: Path, head: bytes) -> bool:
    """The header row of a points or shapes layer."""
    return _HEADER.match(head_text(head)) is not None


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """Points and shapes. ``options.pixel_origin`` is for x and y; the first axis always counts
    slices. Raises LabelError.
    """
    header, *body = table(read_text(path), path) or [[]]
    if not _HEADER.match(",".join(header)):
        raise LabelError(
            "is not the header of a points or shapes layer of napari (index,axis-0,axis-1,...)",
            path,
            "row 1",
        )
    rows = [(f"row {n}", cells) for n, cells in enumerate(body, start=2) if cells]
    for where, cells in rows:
        if len(cells) != len(header):
            raise LabelError(
                f"has {counted(len(cells), 'cell')}, but the header has {len(header)}", path, where
            )
    first = header.index("axis-0")
    axes = sum(name == f"axis-{n}" for n, name in enumerate(header[first:]))
    own = png_in_name(path, stack)
    before = _slice_axes(axes, own, stack, path)
    _refuse_other_names(header, rows, (first, first + axes), before, own, stack, path)
    shapes = (_shapes if first == 3 else _points)(header, rows, before, path)
    if own and not before:
        shapes = [replace(shape, image=own, slice=None) for shape in shapes]
    has_names = first == 1 or "label" in header
    notes = (_SCALE,) if has_names else (_SCALE, _NO_NAMES)
    return labels_of(
        path, shapes, tool="napari", origin="center", forced=options.pixel_origin, notes=notes
    )


def _slice_axes(axes: int, own: str | None, stack: PngStack, path: Path) -> int:
    """The number of axes before (row, column): 1, or 0 for a single picture.

    ``own``: the PNG that the file is named after.
    """
    if axes == 3:
        refuse_other_first_png(path, stack)
    if axes == 3 or (axes == 2 and (stack.is_single or own is not None)):
        return axes - 2
    if axes == 2:
        raise LabelError(
            f"has two axes (row, column) and names no image, but the PNG stack has {stack.slices}"
            " slices. Open the whole stack in napari and label there, or rename the file so that"
            " its name begins with that of the PNG",
            path,
        )
    raise LabelError(
        f"has {axes} axes; save the layer with the three axes (slice, row, column)", path
    )


def _refuse_other_names(
    header: list[str],
    rows: list[_Row],
    axes: tuple[int, int],
    before: int,
    own: str | None,
    stack: PngStack,
    path: Path,
) -> None:
    """LabelError where a property names another PNG than that of its row. ``axes``: the first
    column with a coordinate, and the column after the last.
    """
    first, after = axes
    if before:
        slices = [number(cells[first], path, where, header[first]) for where, cells in rows]
    else:
        k = 0 if own is None else number_of(own, stack)
        slices = [math.nan if k is None else float(k)] * len(rows)
    of_properties = {
        name: [cells[k] for _, cells in rows] for k, name in enumerate(header[after:], start=after)
    }
    said = "axis-0" if before else "the name of the file"
    refuse_other_names(of_properties, np.array(slices), said, stack, path, lambda i: rows[i][0])


def _points(header: list[str], rows: list[_Row], before: int, path: Path) -> list[Shape]:
    after = 1 + before + 2
    shapes: list[Shape] = []
    for where, cells in rows:
        slice_, xy = _position(cells[1:after], path, where)
        extra = dict(zip(header[after:], cells[after:], strict=True))
        id_ = str(whole(cells[0], path, where, "index"))
        shapes.append(
            Shape("point", [xy], "center", where, extra.pop("label", ""), "", slice_, id_, 0, extra)
        )
    return shapes


def _shapes(header: list[str], rows: list[_Row], before: int, path: Path) -> list[Shape]:
    """One entry for each vertex, because the vertices of a shape may lie on different slices.
    Columns after the axes, which napari does not write, are of the first vertex.
    """
    after = 3 + before + 2
    shapes: list[Shape] = []
    for _, group in groupby(rows, key=lambda row: row[1][:2]):
        vertices = list(group)
        first, (index, type_, *_) = vertices[0]
        extra = dict(zip(header[after:], vertices[0][1][after:], strict=True))
        label = extra.pop("label", "")
        if type_ not in _TYPES:
            raise LabelError(
                f"shape type {type_[:40]!r} is not known; the types are {', '.join(_TYPES)}",
                path,
                first,
            )
        if [cells[2] for _, cells in vertices] != [str(v) for v in range(len(vertices))]:
            raise LabelError(
                "the vertices of a shape are not in the order 0, 1, 2, ...; save the layer again",
                path,
                first,
            )
        if type_ in ("rectangle", "ellipse") and len(vertices) != 4:
            raise LabelError(
                f"a {type_} has {counted(len(vertices), 'corner')} instead of 4", path, first
            )
        id_ = str(whole(index, path, first, "index"))
        placed = [(where, *_position(cells[3:after], path, where)) for where, cells in vertices]
        shapes += [
            Shape(_TYPES[type_], [xy], "center", where, label, "", slice_, id_, v, extra)
            for v, (where, slice_, xy) in enumerate(
                _ellipse(placed, path) if type_ == "ellipse" else placed
            )
        ]
    return shapes


def _position(cells: list[str], path: Path, where: str) -> tuple[float, tuple[float, float]]:
    """(slice, (x, y)) of the cells [slice,] row, column."""
    *before, y, x = (number(cell, path, where) for cell in cells)
    return before[0] if before else 0.0, (x, y)


def _ellipse(corners: list[_Placed], path: Path) -> list[_Placed]:
    """Centre and ends of both axes. napari writes the box of an ellipse; the ellipse touches the
    middles of its sides.
    """
    (where, slice_, (ax, ay)), (_, _, (bx, by)), (_, _, (cx, cy)), (_, _, (dx, dy)) = corners
    if len({z for _, z, _ in corners}) != 1:
        raise LabelError(
            "an ellipse across several slices cannot be mapped; draw it on one slice, or as a"
            " polygon",
            path,
            where,
        )
    ends = [
        ((ax + cx) / 2, (ay + cy) / 2),
        ((bx + cx) / 2, (by + cy) / 2),
        ((cx + dx) / 2, (cy + dy) / 2),
    ]
    return [(where, slice_, xy) for xy in ends]


READER = Reader("napari", "napari", "center", recognises, read)
