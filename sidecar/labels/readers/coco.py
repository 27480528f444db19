"""COCO JSON: keypoints, polygons and boxes.

Polygons and boxes are *corner*: the box [0, 0, 1, 1] encloses the first pixel
(pycocotools/mask.py). By definition, keypoints are 0-based pixel numbers, so they are *center*. But
tools that let users click between pixels write their own *corner* positions unchanged (CVAT,
Datumaro, Roboflow). So if any keypoint is fractional, keypoints are corner, otherwise center, with
a note. Source: cocodataset.org, Data format; detectron2, docs/tutorials/datasets.md.

Label Studio names itself in info.contributor. Its keypoints are *corner*, rounded to whole numbers.
Its converter of brushes traces masks through the middles of pixels, so its polygons are *center*.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges, last_digit
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import stated_sizes
from sidecar.labels.shapes import Shape, Vertices, box, labels_of
from sidecar.labels.text import json_keys, load_json, member, number, text_of, whole

_TOOL = "COCO"
_WHOLE = (
    "All keypoints are whole numbers. They were taken as pixel numbers (center), as COCO defines"
    " them. If the tool rounds positions, give --pixel-origin corner"
)
_FRACTIONAL = (
    "Some keypoints are fractional, so they cannot be the pixel numbers that COCO defines. They"
    " were taken as the labelling tool's own positions (corner). If they count from the middle of"
    " the first pixel, give --pixel-origin center"
)
_LABEL_STUDIO = (
    "Label Studio wrote this file and rounded keypoints to whole numbers (corner), so each is up"
    " to half a pixel from where it was set. Its export called JSON does not round"
)
_TRACED = (
    "Label Studio's converter wrote this file. It traces painted masks through the middles of"
    " their outermost pixels, so polygons were taken as center. Polygons that were drawn as"
    " polygons lie up to half a pixel too far left and up. The export called JSON holds both as"
    " they are"
)


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    document = load_json(path)
    images = _by_id(document, "images", path)
    categories = _by_id(document, "categories", path)
    annotations = member(document, "annotations", list, path)
    sizes = list(_sizes(images.values(), path))
    keypoints, polygons, notes = _origins(document, annotations, path)
    edges = Edges(options.pixel_origin)
    file = _File(path, keypoints, polygons, stated_sizes(path, sizes), edges)
    shapes: list[Shape] = []
    for n, annotation in enumerate(_let_go(annotations), 1):
        where = f"annotation {n}"
        image = _referred(annotation, "image_id", images, path, where)
        category = _referred(annotation, "category_id", categories, path, where)
        name = member(image, "file_name", str, path, where).replace("\\", "/")
        shapes += file.shapes(annotation, name, category, where)
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=file.sizes,
        notes=[*([] if options.pixel_origin else notes), *edges.notes],
        left_out=file.left_out.sentences,
    )


def _let_go(entries: list[Any]) -> Iterator[Any]:
    """The entries in order, of which the list keeps none: what was read needs no memory beside what
    it became.
    """
    entries.reverse()
    while entries:
        yield entries.pop()


def _sizes(
    images: Iterable[Mapping[str, Any]], path: Path
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The sizes of images. Tools that do not know a size write null or 0."""
    for image in images:
        if isinstance(image.get("file_name"), str) and image.get("width") and image.get("height"):
            size = whole(image["width"], path), whole(image["height"], path)
            yield image["file_name"].replace("\\", "/"), size


def _origins(
    document: Any, annotations: list[Any], path: Path
) -> tuple[PixelOrigin, PixelOrigin, list[str]]:
    """The origin of keypoints, the origin of polygons, and notes for the user on both."""
    info = document.get("info")
    contributor = text_of(info.get("contributor")) if isinstance(info, dict) else ""
    has_found, is_whole = False, True
    for n, annotation in enumerate(annotations, 1):
        if isinstance(annotation, dict):
            for _, x, y, visibility in _keypoints(annotation, path, f"annotation {n}"):
                if visibility:
                    has_found, is_whole = True, is_whole and x.is_integer() and y.is_integer()
    if contributor.startswith("Label Studio Converter"):
        return "corner", "center", [_TRACED, *([_LABEL_STUDIO] if has_found else [])]
    if contributor.startswith("Label Studio"):
        return "corner", "corner", [_LABEL_STUDIO] if has_found else []
    if not has_found:
        return "center", "corner", []
    if is_whole:
        return "center", "corner", [_WHOLE]
    return "corner", "corner", [_FRACTIONAL]


def _by_id(document: Any, key: str, path: Path) -> dict[str, dict[str, Any]]:
    entries = member(document, key, list, path)
    if not all(isinstance(entry, dict) for entry in entries):
        raise LabelError(f"{key!r} is not a list of objects", path)
    by_id = {text_of(entry.get("id")): entry for entry in entries}
    if len(by_id) != len(entries):
        raise LabelError(f"two entries of {key!r} have the same id", path)
    return by_id


def _referred(
    annotation: Any, key: str, entries: Mapping[str, dict[str, Any]], path: Path, where: str
) -> dict[str, Any]:
    id_ = text_of(annotation.get(key)) if isinstance(annotation, dict) else ""
    if id_ not in entries:
        raise LabelError(f"{key} {id_ or 'missing'}: no such entry in the file", path, where)
    return entries[id_]


@dataclass(frozen=True, slots=True)
class _File:
    """One file, its origins, and the notes that are collected while annotations become shapes."""

    path: Path
    keypoints: PixelOrigin
    polygons: PixelOrigin
    sizes: Mapping[str, tuple[int, int]]
    edges: Edges
    left_out: LeftOut = field(default_factory=LeftOut)
    extras: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def extra(self, category: str, *visibility: str) -> dict[str, str]:
        """The columns of COCO's own; equal ones are one object."""
        cells = (category, *visibility)
        names = ("category", "visibility")
        return self.extras.setdefault(cells, dict(zip(names, cells, strict=False)))

    def shapes(
        self, annotation: dict[str, Any], image: str, category: dict[str, Any], where: str
    ) -> Iterator[Shape]:
        """The shapes of an annotation. Its box is used only if there is nothing finer; otherwise
        the box is derived from the finer shapes.
        """
        common: dict[str, Any] = {
            "image": image,
            "id": text_of(annotation.get("id")),
            "entry": sys.intern(f"image {text_of(annotation.get('image_id'))}"),
        }
        name = text_of(category.get("name"))
        points = list(self._points(annotation, category, where, common))
        polygons = annotation.get("segmentation")
        if isinstance(polygons, dict):
            self.left_out.add("mask", "masks are areas of pixels, so use map-mask; boxes were read")
        polygons = polygons if isinstance(polygons, list) else []
        extra = self.extra(name)
        yield from points
        for polygon in polygons:
            vertices = self._polygon(polygon, image, where)
            yield Shape("polygon", vertices, self.polygons, where, name, extra=extra, **common)
        if not points and not polygons and annotation.get("bbox"):
            vertices = self._box(annotation, image, where)
            yield Shape("box", vertices, "corner", where, name, extra=extra, **common)
        elif not points and not polygons:
            self.left_out.add("annotation", "no keypoints, no polygon and no box")

    def _points(
        self, annotation: dict[str, Any], category: dict[str, Any], where: str, common: Any
    ) -> Iterator[Shape]:
        """The labelled keypoints. Visibility 0 means not labelled."""
        name, names = text_of(category.get("name")), category.get("keypoints")
        names = names if isinstance(names, list) else []
        for vertex, x, y, visibility in _keypoints(annotation, self.path, where):
            if not visibility:
                self.left_out.add("keypoint", "not labelled (visibility 0)")
                continue
            label = text_of(names[vertex]) if vertex < len(names) else f"{name}_{vertex}"
            extra = self.extra(name, str(visibility))
            place = f"{where}, {label}"
            yield Shape(
                "point",
                [(x, y)],
                self.keypoints,
                place,
                label,
                vertex=vertex,
                extra=extra,
                **common,
            )

    def _polygon(self, polygon: Any, image: str, where: str) -> Vertices:
        if not isinstance(polygon, list) or len(polygon) % 2 or not polygon:
            raise LabelError("a polygon is not a list x1, y1, x2, y2, …", self.path, where)
        numbers = [number(value, self.path, where) for value in polygon]
        vertices = list(zip(numbers[::2], numbers[1::2], strict=True))
        return self._cut(vertices, image, polygon, self.polygons)

    def _box(self, annotation: dict[str, Any], image: str, where: str) -> Vertices:
        numbers = member(annotation, "bbox", list, self.path, where)
        if len(numbers) != 4:
            raise LabelError("bbox is not [x, y, width, height]", self.path, where)
        attributes = annotation.get("attributes")
        if isinstance(attributes, dict) and attributes.get("rotation"):
            raise LabelError(
                "the box is rotated, but COCO has no rotated boxes; export it in the tool's own"
                " format",
                self.path,
                where,
            )
        x, y, width, height = (number(value, self.path, where) for value in numbers)
        return self._cut(box(x, y, x + width, y + height), image, numbers, "corner")

    def _cut(
        self, vertices: Vertices, image: str, written: list[Any], origin: PixelOrigin
    ) -> Vertices:
        """Cut an area at the edge of the image, if the file states the size of the image."""
        if image not in self.sizes:
            return vertices
        return self.edges.cut(vertices, self.sizes[image], last_digit(written), origin)


def _keypoints(
    annotation: dict[str, Any], path: Path, where: str
) -> list[tuple[int, float, float, int]]:
    """(number in the category, x, y, visibility) of all keypoints."""
    flat = annotation.get("keypoints") or []
    if not isinstance(flat, list) or len(flat) % 3:
        raise LabelError("keypoints are not a list x1, y1, v1, x2, y2, v2, …", path, where)
    triples = enumerate(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    return [
        (n, number(x, path, where), number(y, path, where), whole(v, path, where, "visibility"))
        for n, (x, y, v) in triples
    ]


def _recognises(path: Path, head: bytes) -> bool:
    keys = json_keys(head)
    images = {(1, "images"), (3, "file_name")} <= keys
    annotations = {(1, "annotations"), (3, "image_id"), (3, "category_id")} <= keys
    return images or annotations


READER = Reader(
    "coco", _TOOL, "center for whole-numbered keypoints, corner for the rest", _recognises, _read
)
