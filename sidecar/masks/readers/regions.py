"""Regions of label files → labels on the PNG grid: polygons, boxes, circles and ellipses, and masks
that tools keep as pixels.

Regions are painted in the order of the files, outlines before bitmaps, each over those before it;
how many pixels that concerns is told. Several outlines of one region are one shape with holes where
they lie in each other; COCO's, which are parts, are joined.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.identity import place, png_slice
from sidecar.labels.map import png_stack
from sidecar.labels.mapped_shapes import AREAS, Shape, shapes_of
from sidecar.labels.model import Labels as LabelTable
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers import reader_for
from sidecar.mapping import Sidecar
from sidecar.masks.model import Labels, Mask, Segment
from sidecar.masks.raster import fill_ellipse, fill_rings
from sidecar.masks.readers.tool_masks import Bitmap, bitmaps_of
from sidecar.masks.segments import MaskConfig, color_of

#: Tools whose outlines of one region are parts of it, not rims of holes.
_PARTS = frozenset({"COCO"})
#: What a region without a label is called.
UNNAMED = "region"


@dataclass(frozen=True, slots=True)
class Region:
    """One area on one PNG. ``paint(rows, columns)`` gives its pixels."""

    label: str
    slice: int
    paint: Callable[[int, int], NDArray[np.bool_]]


def region_mask(
    paths: Sequence[Path],
    sidecar: Sidecar,
    config: MaskConfig | None,
    format: str | None,
    options: ReadOptions,
) -> Mask:
    """The regions of label files. LabelError names file and place of what cannot be placed."""
    regions: list[Region] = []
    tools: list[str] = []
    notes: list[str] = []
    for path in paths:
        found = _regions_of(path, sidecar, format, options)
        regions += found.regions
        tools.append(found.tool)
        notes += found.notes
    if not regions:
        raise LabelError(
            "there is no region in it: map-mask takes areas; points and lines go to map-points",
            paths[0],
        )
    segments = _segments(regions, config, paths[0])
    canvas = _Canvas(regions, segments, sidecar)
    passed = _survey(canvas)
    return Mask(
        sidecar=sidecar,
        segments=tuple(segments.values()),
        planes=canvas.planes,
        present=passed.present,
        tool=" and ".join(dict.fromkeys(tools)),
        notes=(*dict.fromkeys(notes), *passed.notes),
    )


@dataclass(frozen=True)
class _Found:
    regions: list[Region]
    tool: str
    notes: tuple[str, ...]


def _regions_of(path: Path, sidecar: Sidecar, format: str | None, options: ReadOptions) -> _Found:
    reader = reader_for(path, format)
    table = reader.read(path, png_stack(sidecar), options)
    placed = place(table, sidecar)
    shapes = shapes_of(table.columns, len(table))
    bitmaps, told = bitmaps_of(path, reader.name, png_stack(sidecar))
    boxes_of_bitmaps = {bitmap.id for bitmap in bitmaps if bitmap.id}
    areas = [shape for shape in shapes if shape.type in AREAS and shape.id not in boxes_of_bitmaps]
    notes = [*(note for note in table.notes if "use map-mask" not in note), *placed.notes, *told]
    left_out = Counter(shape.type for shape in shapes if shape.type not in AREAS)
    notes += [f"{count} {kind}(s) left out: they have no area" for kind, count in left_out.items()]
    outlines = _outlines(areas, table, placed.png)
    return _Found(
        [*outlines, *(_placed_bitmap(bitmap, path, sidecar) for bitmap in bitmaps)],
        table.tool,
        tuple(notes),
    )


def _outlines(
    areas: Sequence[Shape], table: LabelTable, png: NDArray[np.float64]
) -> Iterator[Region]:
    grouped: list[list[Shape]] = []
    for shape in areas:
        if grouped and _continues(grouped[-1][-1], shape, table):
            grouped[-1].append(shape)
        else:
            grouped.append([shape])
    for shapes in grouped:
        k = _only_slice(shapes, table, png)
        rings = [(shape.type, png[list(shape.rows), :2]) for shape in shapes]
        for part in [[ring] for ring in rings] if table.tool in _PARTS else [rings]:
            yield Region(shapes[0].label, k, partial(_paint, part))


def _continues(last: Shape, shape: Shape, table: LabelTable) -> bool:
    """Whether an outline is of the same region as the last one: a hole by its ring number, or the
    same label, id and image.
    """
    if table.columns.get("ring", ("0",) * len(table))[shape.rows[0]] not in ("", "0"):
        return True
    first, second = last.rows[0], shape.rows[0]
    same_image = table.image[first] == table.image[second] and np.array_equal(
        table.slice[first], table.slice[second], equal_nan=True
    )
    return bool(shape.id) and (last.id, last.label) == (shape.id, shape.label) and same_image


def _only_slice(shapes: Sequence[Shape], table: LabelTable, png: NDArray[np.float64]) -> int:
    slices = png[[row for shape in shapes for row in shape.rows], 2]
    if np.ptp(slices) or not float(slices[0]).is_integer():
        raise table.error(shapes[0].rows[0], f"this {shapes[0].type} does not lie on one PNG slice")
    return int(slices[0])


def _paint(
    rings: Sequence[tuple[str, NDArray[np.float64]]], rows: int, columns: int
) -> NDArray[np.bool_]:
    out = np.zeros((rows, columns), dtype=bool)
    for kind, vertices in rings:
        if kind in ("circle", "ellipse"):
            out ^= fill_ellipse(_axes(vertices), rows, columns)
    polygons = [vertices for kind, vertices in rings if kind not in ("circle", "ellipse")]
    return out ^ fill_rings(polygons, rows, columns) if polygons else out


def _axes(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre and ends of both axes: of a circle, whose second axis is the first one turned by a
    quarter.
    """
    if len(vertices) == 3:
        return vertices
    centre, end = vertices
    return np.array([centre, end, centre + (end - centre)[::-1] * (-1, 1)])


def _placed_bitmap(bitmap: Bitmap, path: Path, sidecar: Sidecar) -> Region:
    size = sidecar.size[:2]
    if bitmap.image_size not in (None, size):
        stated = " × ".join(map(str, bitmap.image_size or ()))
        raise LabelError(
            f"was painted on an image of {stated}, the PNGs are {size[0]} × {size[1]}: it was"
            " resized",
            path,
            bitmap.where,
        )
    k = png_slice(bitmap.image, sidecar) if bitmap.slice is None else bitmap.slice
    if k is None or not 0 <= k < sidecar.size[2]:
        raise LabelError(
            f"no PNG of this export is {bitmap.image or bitmap.slice!r}", path, bitmap.where
        )

    def paint(rows: int, columns: int) -> NDArray[np.bool_]:
        pixels = bitmap.pixels()
        out = np.zeros((rows, columns), dtype=bool)
        top, left = max(bitmap.top, 0), max(bitmap.left, 0)
        bottom, right = max(rows - bitmap.top, 0), max(columns - bitmap.left, 0)
        part = pixels[top - bitmap.top : bottom, left - bitmap.left : right]
        out[top : top + part.shape[0], left : left + part.shape[1]] = part
        return out

    return Region(bitmap.label, k, paint)


def _segments(
    regions: Iterable[Region], config: MaskConfig | None, path: Path
) -> dict[str, Segment]:
    """Segments by region label: those of the config, or one for each label in alphabetical
    order.
    """
    labels = sorted({region.label for region in regions})
    if config is None:
        return {
            label: Segment(value, label or UNNAMED, color_of(value))
            for value, label in enumerate(labels, 1)
        }
    segments = {segment.name: segment for segment in config.as_segments()}
    unexpected = [label for label in labels if label not in segments]
    if unexpected:
        raise LabelError(
            f"label {unexpected[0]!r} is not in the config, which has {', '.join(segments)}", path
        )
    return segments


class _Canvas:
    """Paints the regions of one PNG after the other."""

    def __init__(
        self, regions: Iterable[Region], segments: dict[str, Segment], sidecar: Sidecar
    ) -> None:
        self._by_slice: defaultdict[int, list[Region]] = defaultdict(list)
        for region in regions:
            self._by_slice[region.slice].append(region)
        self._values = {label: segment.value for label, segment in segments.items()}
        self._dtype: Any = np.uint8 if max(self._values.values()) < 256 else np.uint16
        self._columns, self._rows, self._slices = sidecar.size

    def planes(self) -> Iterator[Labels | None]:
        for plane, _, _ in self.painted():
            yield plane

    def painted(self) -> Iterator[tuple[Labels | None, int, int]]:
        """For every PNG its labels, how many pixels changed their label, and how many regions hold
        no pixel.
        """
        for k in range(self._slices):
            if k not in self._by_slice:
                yield None, 0, 0
                continue
            plane = np.zeros((self._rows, self._columns), self._dtype)
            repainted = empty = 0
            for region in self._by_slice[k]:
                pixels, value = region.paint(self._rows, self._columns), self._values[region.label]
                repainted += int(np.count_nonzero(pixels & (plane != 0) & (plane != value)))
                empty += not pixels.any()
                plane[pixels] = value
            yield (plane if plane.any() else None), repainted, empty


@dataclass(frozen=True)
class _Survey:
    present: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]


def _survey(canvas: _Canvas) -> _Survey:
    present: list[tuple[int, ...]] = []
    repainted = empty = 0
    for plane, again, none in canvas.painted():
        present.append(
            () if plane is None else tuple(int(value) for value in np.unique(plane) if value)
        )
        repainted, empty = repainted + again, empty + none
    notes = (
        [f"{repainted} pixels lie in regions of different labels: the later region has them"]
        if repainted
        else []
    )
    notes += [f"{empty} region(s) hold no middle of a PNG pixel and left nothing"] if empty else []
    return _Survey(tuple(present), tuple(notes))
