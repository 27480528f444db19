"""Label Studio JSON (the export called "JSON", not "JSON-MIN").

Coordinates are percent of the image from its outer corner, so *corner*: x / 100 · original_width. A
rectangle is turned clockwise about its top-left corner, in pixels and not in percent; an ellipse
about its centre, where x and y are. Uploaded files get a hashed prefix, and `image` keeps the name
as it is in the file. Source: labelstud.io, guide/export, Units of image annotations;
web/libs/editor/src/regions; label-studio#2293.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.shapes import Shape, Vertices, box, ellipse, labels_of, rotated
from sidecar.labels.text import (
    head_text,
    json_keys,
    load_json,
    member,
    number,
    pairs,
    text_of,
    whole,
)

_TOOL = "Label Studio"
_SHAPES = ("keypoint", "rectangle", "polygon", "ellipse")
_LEFT_OUT = {"brush": "masks (use map-mask)", "bitmask": "masks (use map-mask)", "vector": "curves"}


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    tasks = load_json(path)
    if not isinstance(tasks, list):
        raise LabelError('is not a list of tasks; export it from Label Studio as "JSON"', path)
    sizes: dict[str, tuple[int, int]] = {}
    left_out: Counter[str] = Counter()
    shapes: list[Shape] = []
    for n, task in enumerate(tasks, 1):
        annotations = member(task, "annotations", list, path, f"task {n}")
        where = f"task {text_of(task.get('id')) or n}"
        data = member(task, "data", dict, path, where)
        left_out["task(s) with model predictions: those were"] += bool(task.get("predictions"))
        for annotation in annotations:
            results = member(annotation, "result", list, path, where)
            if annotation.get("was_cancelled"):
                left_out["cancelled annotation(s)"] += 1
                continue
            extra = {
                "annotation": text_of(annotation.get("id")),
                "completed_by": _person(annotation),
            }
            shapes += _shapes(results, data, extra, sizes, left_out, path, where)
    notes = [f"{count} {what} left out" for what, count in left_out.items() if count]
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=sizes,
        notes=notes,
    )


def _person(annotation: Mapping[str, Any]) -> str:
    """The annotator's number; some exports hold the whole account, of which the number is
    enough.
    """
    person = annotation.get("completed_by")
    return text_of(person.get("id") if isinstance(person, dict) else person)


def _shapes(
    results: list[Any],
    data: Mapping[str, Any],
    extra: Mapping[str, str],
    sizes: dict[str, tuple[int, int]],
    left_out: Counter[str],
    path: Path,
    task: str,
) -> Iterator[Shape]:
    """The shapes of one annotation; fills in image ``sizes`` and counts what is ``left_out``."""
    names = {
        text_of(result.get("id")): result["value"].get("labels")
        for result in results
        if isinstance(result, dict)
        and result.get("type") == "labels"
        and isinstance(result.get("value"), dict)
    }
    for result in results:
        type_ = member(result, "type", str, path, task)
        kind = type_.removesuffix("labels")
        if kind in _LEFT_OUT:
            left_out[f"{kind} region(s), {_LEFT_OUT[kind]},"] += 1
        if kind not in _SHAPES:
            continue
        id_ = text_of(result.get("id"))
        where = f"{task}, region {id_}"
        value = member(result, "value", dict, path, where)
        image = _image(result, data, path, where)
        size = _size(result, path, where)
        if sizes.setdefault(image, size) != size:
            raise LabelError(
                f"the size of {image!r} differs from that of another region", path, where
            )
        labels = value.get(type_) or names.get(id_) or []
        shape, vertices = _vertices(kind, value, size, path, where)
        label = (
            ";".join(text_of(name) for name in labels)
            if isinstance(labels, list)
            else text_of(labels)
        )
        yield Shape(shape, vertices, "corner", where, label, image, id=id_, extra=extra)


def _image(result: Mapping[str, Any], data: Mapping[str, Any], path: Path, where: str) -> str:
    """The image as the task names it: under the key "image", or else the only value that looks like
    a PNG.
    """
    candidates = {key: value for key, value in data.items() if _names_png(value)}
    if "image" not in candidates and len(candidates) != 1:
        raise LabelError(
            f"the task's data name {len(candidates)} PNG images where one belongs", path, where
        )
    image = candidates["image"] if "image" in candidates else next(iter(candidates.values()))
    if isinstance(image, str):
        return image
    index = whole(result.get("item_index", 0), path, where, "item_index")
    if not 0 <= index < len(image):
        raise LabelError(
            f"item_index {index} is none of the task's {len(image)} images", path, where
        )
    return text_of(image[index])


def _names_png(value: object) -> bool:
    """An image name, URL or signed URL; or a list of them (a task of several images)."""
    return (
        any(map(_names_png, value))
        if isinstance(value, list)
        else isinstance(value, str) and ".png" in value.lower()
    )


def _size(result: Mapping[str, Any], path: Path, where: str) -> tuple[int, int]:
    if number(result.get("image_rotation") or 0, path, where, "image_rotation") % 360:
        message = (
            "the image was rotated in Label Studio, and its positions count on the rotated image;"
            " rotate it back and label again"
        )
        raise LabelError(message, path, where)
    width, height = (
        whole(result.get(f"original_{name}"), path, where, f"original_{name}")
        for name in ("width", "height")
    )
    return width, height


def _vertices(
    kind: str, value: Mapping[str, Any], size: tuple[int, int], path: Path, where: str
) -> tuple[str, Vertices]:
    width, height = (pixels / 100 for pixels in size)
    if kind == "polygon":
        points = [(x * width, y * height) for x, y in pairs(value.get("points"), path, where)]
        return ("polyline" if value.get("closed") is False else "polygon"), points
    x, y = number(value.get("x"), path, where) * width, number(value.get("y"), path, where) * height
    if kind == "keypoint":
        return "point", [(x, y)]
    angle = number(value.get("rotation") or 0, path, where, "rotation")
    if kind == "ellipse":
        rx, ry = (
            number(value.get("radiusX"), path, where),
            number(value.get("radiusY"), path, where),
        )
        return "ellipse", rotated(ellipse(x, y, rx * width, ry * height), angle, about=(x, y))
    w, h = number(value.get("width"), path, where), number(value.get("height"), path, where)
    return "box", rotated(box(x, y, x + w * width, y + h * height), angle, about=(x, y))


def _recognises(path: Path, head: bytes) -> bool:
    keys = json_keys(head)
    listed = head_text(head).lstrip().startswith("[")
    return (
        listed and (2, "annotations") in keys and not keys.isdisjoint({(2, "data"), (4, "result")})
    )


READER = Reader("label-studio", _TOOL, "corner", _recognises, _read)
