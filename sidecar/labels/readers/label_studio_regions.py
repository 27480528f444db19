"""The common parts of all exports of Label Studio: regions in percent of their image, and tasks
that name the image.

Coordinates are percent of the image from its outer corner, so *corner*: x / 100 · original_width. A
rectangle is rotated clockwise about its top-left corner, in pixels and not in percent. An ellipse
is rotated about its centre, which is (x, y). Source: labelstud.io, guide/export, Units of image
annotations;
web/libs/editor/src/regions; label-studio#2293.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError
from sidecar.labels.readers.edges import Edges, last_digit
from sidecar.labels.references import names_image, one_image
from sidecar.labels.shapes import Vertices, box, ellipse, rotated
from sidecar.labels.text import number, pairs, text_of, whole

#: Kinds of regions that are points or outlines. Their types may end in "labels".
SHAPES = ("keypoint", "rectangle", "polygon", "ellipse")


def image_of(data: Mapping[str, Any], index: object, path: Path, where: str) -> str:
    """The image that the data of a task name; in a list of images, the one at ``index``.

    LabelError where they name no image or two images, because the file does not say which image a
    region is on.
    """
    named = {
        key: value
        for key, value in data.items()
        if _names_images(value) or (key == "image" and isinstance(value, str))
    }
    if len({_one_image(key, value) for key, value in named.items()}) > 1:
        (first, one), (second, other), *_ = named.items()
        raise LabelError(
            f"the task names two images, {first} {_shown(one)} and {second} {_shown(other)}, and"
            " the file does not say which of them a region is on; make one task for each image",
            path,
            where,
        )
    if not named:
        raise LabelError(
            "the data of the task name no image; import tasks that name it", path, where
        )
    image = named["image"] if "image" in named else next(iter(named.values()))
    if isinstance(image, str) and image.startswith("data:"):
        raise LabelError(
            "the data of the task hold the image itself and not its name; import tasks that name"
            " it",
            path,
            where,
        )
    if isinstance(image, str):
        return image
    if index is None and len(image) > 1:
        raise LabelError(
            f"the task has {len(image)} images, and the region does not say which of them it is"
            " on; make one task for each image",
            path,
            where,
        )
    at = whole(index or 0, path, where, "item_index")
    if not 0 <= at < len(image):
        raise LabelError(
            f"item_index is {at}, but the task has {len(image)} images (0 to {len(image) - 1})",
            path,
            where,
        )
    return text_of(image[at])


def _one_image(key: str, value: object) -> str:
    return one_image(value) if isinstance(value, str) else f"{key}[]"


def _names_images(value: object) -> bool:
    return any(map(names_image, value)) if isinstance(value, list) else names_image(value)


def _shown(value: object) -> str:
    return repr(value[0] if isinstance(value, list) else value)


def size_of(region: Mapping[str, Any], path: Path, where: str) -> tuple[int, int]:
    """Width and height of the image, to which percents refer. LabelError where it was rotated."""
    if number(region.get("image_rotation") or 0, path, where, "image_rotation") % 360:
        raise LabelError(
            "the image was rotated in Label Studio, so positions are those on the rotated image;"
            " rotate it back and label again",
            path,
            where,
        )
    width, height = (
        whole(region.get(f"original_{name}"), path, where, f"original_{name}")
        for name in ("width", "height")
    )
    return width, height


def label_of(names: object) -> str:
    return ";".join(map(text_of, names)) if isinstance(names, list) else text_of(names or "")


def outline_of(
    kind: str, value: Mapping[str, Any], size: tuple[int, int], edges: Edges, path: Path, where: str
) -> tuple[str, Vertices]:
    """Our shape type and the vertices, in pixels of an image of ``size``, of one of `SHAPES`."""
    width, height = (pixels / 100 for pixels in size)
    if kind == "polygon":
        percents = pairs(value.get("points"), path, where)
        rounding = last_digit(v for pair in percents for v in pair) * max(width, height)
        points = edges.cut([(x * width, y * height) for x, y in percents], size, rounding)
        return ("polyline" if value.get("closed") is False else "polygon"), points
    x, y = number(value.get("x"), path, where) * width, number(value.get("y"), path, where) * height
    if kind == "keypoint":
        return "point", [(x, y)]
    angle = number(value.get("rotation") or 0, path, where, "rotation")
    if kind == "ellipse":
        rx, ry = (number(value.get(f"radius{axis}"), path, where) for axis in "XY")
        return "ellipse", rotated(ellipse(x, y, rx * width, ry * height), angle, about=(x, y))
    w, h = (number(value.get(name), path, where) for name in ("width", "height"))
    corners = box(x, y, x + w * width, y + h * height)
    if angle:
        return "box", rotated(corners, angle, about=(x, y))
    rounding = last_digit(value[name] for name in ("x", "y", "width", "height"))
    return "box", edges.cut(corners, size, rounding * max(width, height))
