"""Regions of label files → labels on the PNG grid: polygons, boxes, circles and ellipses, and masks
that tools keep as pixels.

Regions are painted in the order of the files, outlines before bitmaps, each over the earlier ones.
A note states how many pixels are painted over. Several outlines of one region are one shape, with
holes where one lies in another. In COCO they are parts, which are joined.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, counted
from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import Unidentified
from sidecar.labels.identity.resolver import Resolver
from sidecar.labels.identity.rewritten import rewritten_notes
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.labels.load import LoadOptions, Mapping, load, the_only
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.mapped_shapes import MappedShape, shapes_of
from sidecar.labels.model import ImageReference
from sidecar.labels.references import matches
from sidecar.labels.vertices import AREAS
from sidecar.mapping import Sidecar
from sidecar.masks.model import LabelArray, Mask, Segment
from sidecar.masks.raster import fill_ellipse, fill_rings
from sidecar.masks.readers.tool_masks import Bitmap, bitmaps_of
from sidecar.masks.segments import MaskConfig, color_of

#: Tools for which several outlines of one region are its parts, not the edges of holes.
_PARTS = frozenset({"COCO"})
#: The name of a region without a label.
UNNAMED = "region"


@dataclass(frozen=True, slots=True)
class Region:
    """One area on one PNG. ``paint(rows, columns)`` returns its pixels."""

    label: str
    slice: int
    paint: Callable[[int, int], NDArray[np.bool_]]


def region_mask(
    paths: Sequence[Path],
    exports: Sequence[Export],
    config: MaskConfig | None,
    options: LoadOptions,
) -> Mask:
    """The mask of the regions of label files. They must be of one export, which is found beside
    them where none is given.

    LabelError, with file and place, for a region that cannot be placed.
    """
    loaded = load(paths, exports, replace(options, allow_outside=True))
    found = [_regions_of(file, exports or [file.export], options) for file in loaded.files]
    regions = [region for one in found for region in one.regions]
    if not regions:
        raise LabelError(
            "holds no region; map-mask takes areas, and map-points takes points and lines",
            paths[0],
        )
    exports = list(dict.fromkeys(export for one in found for export in one.exports))
    export = the_only(exports, "a mask").sidecar
    segments = _segments(regions, config, paths[0])
    canvas = _Canvas(regions, segments, export)
    passed = _survey(canvas)
    return Mask(
        sidecar=export,
        segments=tuple(segments.values()),
        planes=canvas.planes,
        present=passed.present,
        tool=" and ".join(dict.fromkeys(file.labels.tool for file in loaded.files)),
        notes=(*dict.fromkeys(note for one in found for note in one.notes), *passed.notes),
    )


@dataclass(frozen=True)
class _Found:
    """The regions of a file, their exports, and notes for the user."""

    regions: list[Region]
    exports: list[Export]
    notes: tuple[str, ...]


def _regions_of(file: Mapping, exports: Sequence[Export], options: LoadOptions) -> _Found:
    shapes = shapes_of([file.points])
    bitmaps, told = _bitmaps_of(file, options.images)
    boxes = {(bitmap.entry, bitmap.id) for bitmap in bitmaps if bitmap.id}
    areas = [s for s in shapes if s.type in AREAS and not _is_box_of_bitmap(s, boxes)]
    left_out = Counter(shape.type for shape in shapes if shape.type not in AREAS)
    notes = [*(note for note in file.notes if "use map-mask" not in note), *told]
    notes += [f"{counted(count, kind)} left out: no area" for kind, count in left_out.items()]
    placed: dict[Export, list[Region]] = defaultdict(list)
    for export, region in _placed_bitmaps(bitmaps, file, exports, options.trust_names):
        placed[export].append(region)
    for export, regions in placed.items():
        notes += rewritten_notes(export.sidecar, (region.slice for region in regions))
    own = [file.export] if len(file.labels) else []
    return _Found(
        [*_outlines(areas, file.points), *chain.from_iterable(placed.values())],
        [*own, *placed],
        tuple(notes),
    )


def _is_box_of_bitmap(shape: MappedShape, boxes: Collection[tuple[str, str]]) -> bool:
    """Whether a shape is the box of a bitmap. ``boxes``: entry and id of those. Files that were
    merged may use an id again, on another image or for a polygon.
    """
    labels = shape.points.labels
    entry = labels.images[labels.reference[shape.rows[0]]].entry
    return shape.type == "box" and (entry, shape.id) in boxes


def _bitmaps_of(file: Mapping, images: str | None) -> tuple[list[Bitmap], list[str]]:
    """The bitmaps on images that match a pattern, and notes for the user."""
    found, told = bitmaps_of(file.labels.path, file.format, file.export.png_stack)
    if images is None:
        return found, list(told)
    meant = [bitmap for bitmap in found if matches(bitmap.image, bitmap.entry, images)]
    left = len(found) - len(meant)
    note = f"--images {images}: {counted(left, 'mask')} on other images left out"
    return meant, [*told, note] if left else list(told)


def _outlines(areas: Sequence[MappedShape], points: MappedPoints) -> Iterator[Region]:
    rings, annotations = (points.columns.get(name) for name in ("ring", "annotation"))
    grouped: list[list[MappedShape]] = []
    for shape in areas:
        is_hole = rings is not None and rings[shape.rows[0]] not in ("", "0")
        if grouped and (is_hole or _same_region(grouped[-1][-1], shape, annotations)):
            grouped[-1].append(shape)
        else:
            grouped.append([shape])
    for shapes in grouped:
        k = _only_slice(shapes)
        outlines = [(shape.type, shape.png[:, :2]) for shape in shapes]
        parts = [[one] for one in outlines] if points.labels.tool in _PARTS else [outlines]
        for part in parts:
            yield Region(shapes[0].label, k, partial(_paint, part))


def _same_region(last: MappedShape, shape: MappedShape, annotations: Sequence[str] | None) -> bool:
    """Whether an outline has the same label, id and image as the one before.

    Annotations of Label Studio that began with one prediction share the ids of its regions:
    ``annotations`` tells them apart, by the row of a vertex.
    """
    labels, first, second = shape.points.labels, last.rows[0], shape.rows[0]
    same_image = labels.reference[first] == labels.reference[second] and np.array_equal(
        labels.slice[first], labels.slice[second], equal_nan=True
    )
    same_annotation = annotations is None or annotations[first] == annotations[second]
    same_id = bool(shape.id) and (last.id, last.label) == (shape.id, shape.label)
    return same_id and same_image and same_annotation


def _only_slice(shapes: Sequence[MappedShape]) -> int:
    """The PNG slice of the outlines of a region."""
    one = shapes[0]
    slices = np.concatenate([shape.png[:, 2] for shape in shapes])
    k, count = float(slices[0]), one.points.sidecar.size[2]
    if np.ptp(slices) or not k.is_integer():
        raise one.error(f"this {one.type} does not lie on one PNG; draw it on one")
    if not 0 <= k < count:
        raise one.error(
            f"this {one.type} lies on slice {k:g}, but the stack has {counted(count, 'PNG')},"
            " counted from 0; correct the slice"
        )
    return int(k)


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
    """Centre and ends of both axes. The second axis of a circle is the first one, turned by a
    quarter.
    """
    if len(vertices) == 3:
        return vertices
    centre, end = vertices
    return np.array([centre, end, centre + (end - centre)[::-1] * (-1, 1)])


def _placed_bitmaps(
    bitmaps: Sequence[Bitmap], file: Mapping, exports: Sequence[Export], trust_names: bool
) -> Iterator[tuple[Export, Region]]:
    """Bitmaps on their PNGs. Their images are identified together with those of the outlines.

    LabelError for a bitmap that is not certainly of one PNG, or was resized.
    """
    path, labels = file.labels.path, file.labels
    resolver = Resolver(path, Candidates(exports), Surroundings(), trust_names)
    carried = {image.name: image.embedded for image in labels.images}
    images = [
        ImageReference(bitmap.image, None, bitmap.entry, carried.get(bitmap.image))
        for bitmap in bitmaps
    ]
    drawn = [replace(labels.images[k], size=None) for k in labels.labelled] if bitmaps else []
    known = {image: k for k, image in enumerate(dict.fromkeys([*drawn, *images]))}
    try:
        found = resolver.identify(list(known))
    except Unidentified as error:
        image = list(known)[error.reference]
        where = bitmaps[images.index(image)].where if image in images else None
        raise LabelError(str(error), path, where) from None
    for bitmap, image in zip(bitmaps, images, strict=True):
        png = found[known[image]]
        export = exports[png.export]
        size, slices = export.png_size, export.sidecar.size[2]
        painted = bitmap.image_size or png.size or size
        if painted != size:
            stated = " × ".join(map(str, painted))
            raise LabelError(
                f"was painted on an image of {stated}, but the PNGs have {size[0]} × {size[1]}"
                " pixels, so the image was resized; paint at the size of the PNGs",
                path,
                bitmap.where,
            )
        k = png.slice if bitmap.slice is None else bitmap.slice
        if k is None or not 0 <= k < slices:
            raise LabelError(
                f"this export has no PNG {bitmap.image or bitmap.slice!r}", path, bitmap.where
            )
        yield export, Region(bitmap.label, k, partial(_paint_bitmap, bitmap))


def _paint_bitmap(bitmap: Bitmap, rows: int, columns: int) -> NDArray[np.bool_]:
    pixels = bitmap.pixels()
    out = np.zeros((rows, columns), dtype=bool)
    top, left = max(bitmap.top, 0), max(bitmap.left, 0)
    bottom, right = max(rows - bitmap.top, 0), max(columns - bitmap.left, 0)
    part = pixels[top - bitmap.top : bottom, left - bitmap.left : right]
    out[top : top + part.shape[0], left : left + part.shape[1]] = part
    return out


def _segments(
    regions: Iterable[Region], config: MaskConfig | None, path: Path
) -> dict[str, Segment]:
    """Segments by region label: those of the config, or one per label in alphabetical order."""
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
            f"label {unexpected[0]!r} is not in the config, which has {', '.join(segments)}; add"
            " it, or rename the label",
            path,
        )
    return segments


class _Canvas:
    """Paints the regions, one PNG after the other."""

    def __init__(
        self, regions: Iterable[Region], segments: dict[str, Segment], sidecar: Sidecar
    ) -> None:
        self._by_slice: defaultdict[int, list[Region]] = defaultdict(list)
        for region in regions:
            self._by_slice[region.slice].append(region)
        self._values = {label: segment.value for label, segment in segments.items()}
        self._dtype: Any = np.uint8 if max(self._values.values()) < 256 else np.uint16
        self._columns, self._rows, self._slices = sidecar.size

    def planes(self) -> Iterator[LabelArray | None]:
        for plane, _, _ in self.painted():
            yield plane

    def painted(self) -> Iterator[tuple[LabelArray | None, int, int]]:
        """For every PNG its labels, the number of pixels whose label changed, and the number of
        regions without a pixel.
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
        [
            "regions of different labels overlap; pixels in both were given to the later region:"
            f" {repainted}"
        ]
        if repainted
        else []
    )
    notes += (
        [f"regions that contain no middle of a PNG pixel, so no pixel was painted: {empty}"]
        if empty
        else []
    )
    return _Survey(tuple(present), tuple(notes))
