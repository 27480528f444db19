"""COCO JSON: keypoints, polygons and boxes.

Polygons and boxes are *corner*: the box [0, 0, 1, 1] encloses the first pixel
(pycocotools/mask.py). Keypoints are by definition 0-based pixel numbers, which is *center*; but
tools that let users click between pixels write their own *corner* positions unchanged (CVAT,
Datumaro, Roboflow). So: any fractional keypoint → corner, else center, with a note. Source:
cocodataset.org, Data format; detectron2, docs/tutorials/datasets.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.shapes import Shape, box, labels_of
from sidecar.labels.text import json_keys, load_json, member, number, text_of, whole

_TOOL = "COCO"
_WHOLE = (
    "All keypoints are whole numbers: taken as pixel numbers (center), as COCO defines them. If the"
    " tool rounds positions, as Label Studio's export does, give --pixel-origin corner"
)
_FRACTIONAL = (
    "Some keypoints are fractional, so they cannot be the pixel numbers that COCO defines: taken as"
    " the labelling tool's own positions (corner). If they count from the middle of the first"
    " pixel, give --pixel-origin center"
)


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    document = load_json(path)
    images = _by_id(document, "images", path)
    categories = _by_id(document, "categories", path)
    annotations = member(document, "annotations", list, path)
    keypoints_origin, assumed = _keypoints_origin(annotations, path)
    notes = [] if options.pixel_origin else assumed
    shapes: list[Shape] = []
    for n, annotation in enumerate(annotations, 1):
        where = f"annotation {n}"
        image = _referred(annotation, "image_id", images, path, where)
        category = _referred(annotation, "category_id", categories, path, where)
        name = member(image, "file_name", str, path, where).replace("\\", "/")
        shapes += _shapes(annotation, name, category, keypoints_origin, path, where)
    masks = sum(isinstance(annotation.get("segmentation"), dict) for annotation in annotations)
    if masks:
        notes.append(
            f"{masks} mask(s) left out, their boxes were read: masks are areas of pixels, use"
            " map-mask"
        )
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes={
            image["file_name"].replace("\\", "/"): (
                whole(image["width"], path),
                whole(image["height"], path),
            )
            for image in images.values()
            if isinstance(image.get("file_name"), str) and "width" in image and "height" in image
        },
        notes=notes,
    )


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


def _shapes(
    annotation: dict[str, Any],
    image: str,
    category: dict[str, Any],
    keypoints: PixelOrigin,
    path: Path,
    where: str,
) -> Iterator[Shape]:
    """All that the annotation states; its box only when nothing finer is there, because then it is
    derived from that.
    """
    common: dict[str, Any] = {"image": image, "id": text_of(annotation.get("id"))}
    name = text_of(category.get("name"))
    names = category.get("keypoints")
    points = _keypoints(annotation, path, where)
    for vertex, x, y, visibility in points:
        label = (
            text_of(names[vertex])
            if isinstance(names, list) and vertex < len(names)
            else f"{name}_{vertex}"
        )
        extra = {"category": name, "visibility": str(visibility)}
        yield Shape(
            "point",
            [(x, y)],
            keypoints,
            f"{where}, {label}",
            label,
            vertex=vertex,
            extra=extra,
            **common,
        )
    polygons = annotation.get("segmentation")
    polygons = polygons if isinstance(polygons, list) else []
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) % 2 or not polygon:
            raise LabelError("a polygon is not a list x1, y1, x2, y2, …", path, where)
        numbers = [number(value, path, where) for value in polygon]
        vertices = list(zip(numbers[::2], numbers[1::2], strict=True))
        yield Shape("polygon", vertices, "corner", where, name, extra={"category": name}, **common)
    if not points and not polygons and annotation.get("bbox"):
        yield Shape(
            "box",
            _box(annotation, path, where),
            "corner",
            where,
            name,
            extra={"category": name},
            **common,
        )


def _keypoints(
    annotation: dict[str, Any], path: Path, where: str
) -> list[tuple[int, float, float, int]]:
    """(number in the category, x, y, visibility) of the labelled keypoints: visibility 0 means not
    labelled.
    """
    flat = annotation.get("keypoints") or []
    if not isinstance(flat, list) or len(flat) % 3:
        raise LabelError("keypoints are not a list x1, y1, v1, x2, y2, v2, …", path, where)
    triples = enumerate(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    numbers = [
        (n, number(x, path, where), number(y, path, where), whole(v, path, where, "visibility"))
        for n, (x, y, v) in triples
    ]
    return [keypoint for keypoint in numbers if keypoint[3] != 0]


def _keypoints_origin(annotations: list[Any], path: Path) -> tuple[PixelOrigin, list[str]]:
    found = [
        (x, y)
        for n, annotation in enumerate(annotations, 1)
        if isinstance(annotation, dict)
        for _, x, y, _ in _keypoints(annotation, path, f"annotation {n}")
    ]
    if not found:
        return "center", []
    if all(x.is_integer() and y.is_integer() for x, y in found):
        return "center", [_WHOLE]
    return "corner", [_FRACTIONAL]


def _box(annotation: dict[str, Any], path: Path, where: str) -> list[tuple[float, float]]:
    numbers = member(annotation, "bbox", list, path, where)
    if len(numbers) != 4:
        raise LabelError("bbox is not [x, y, width, height]", path, where)
    attributes = annotation.get("attributes")
    if isinstance(attributes, dict) and attributes.get("rotation"):
        raise LabelError(
            "the box is rotated, which COCO does not define; export it in the tool's own format",
            path,
            where,
        )
    x, y, width, height = (number(value, path, where) for value in numbers)
    return list(box(x, y, x + width, y + height))


def _recognises(path: Path, head: bytes) -> bool:
    keys = json_keys(head)
    images = {(1, "images"), (3, "file_name")} <= keys
    annotations = {(1, "annotations"), (3, "image_id"), (3, "category_id")} <= keys
    return images or annotations


READER = Reader(
    "coco", _TOOL, "center for whole-numbered keypoints, corner for the rest", _recognises, _read
)
