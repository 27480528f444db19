"""JSON of LabelMe (wkentaro) and of its successor X-AnyLabeling: one file for each image.

Coordinates are *corner*: the canvas measures from the outer corner of the image, and allows points
on 0..width. A rectangle has two opposite corners in LabelMe, all four in X-AnyLabeling. Source:
labelme/widgets/canvas.py, _transform_point_widget_to_image and _is_out_of_image; labelme/shape.py.
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError, counted
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import refuse_two_images
from sidecar.labels.shapes import Shape, box, labels_of
from sidecar.labels.text import json_keys, load_json, member, pairs, text_of, whole

_TOOL = "LabelMe"
#: LabelMe shape type → our shape type, and how many points it may have (empty: any number).
_TYPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "point": ("point", (1,)),
    "line": ("line", (2,)),
    "linestrip": ("polyline", ()),
    "polygon": ("polygon", ()),
    "rectangle": ("box", (2, 4)),
    "circle": ("circle", (2,)),
    "oriented_rectangle": ("box", (4,)),
    "rotation": ("box", (4,)),  # X-AnyLabeling's name for it
    "quadrilateral": ("polygon", (4,)),
}


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    document = load_json(path)
    image = member(document, "imagePath", str, path).replace("\\", "/")
    refuse_two_images(path, [image], stack)
    shapes = list(enumerate(member(document, "shapes", list, path), 1))
    drawn = [
        (number, shape)
        for number, shape in shapes
        if not (isinstance(shape, dict) and shape.get("shape_type") == "mask")
    ]
    sizes, edges = _sizes(document, image, path), Edges(options.pixel_origin)
    size = sizes.get(image, (stack.columns, stack.rows))
    left_out = LeftOut()
    left_out.add("mask", "masks are areas of pixels, so use map-mask", len(shapes) - len(drawn))
    return labels_of(
        path,
        [edges.cut_shape(_shape(shape, image, path, number), size) for number, shape in drawn],
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=sizes,
        notes=edges.notes,
        left_out=left_out.sentences,
        embedded={image: partial(_image_data, path)} if _carries_image(document) else None,
    )


def _shape(shape: Any, image: str, path: Path, number: int) -> Shape:
    where = f"shape {number}"
    points = pairs(member(shape, "points", list, path, where), path, where)
    kind = shape.get("shape_type", "polygon")  # before version 3.3 there was no other type
    if not isinstance(kind, str) or kind not in _TYPES:
        raise LabelError(
            f"shape type {text_of(kind)!r} is not known; delete the shape or draw it as a polygon",
            path,
            where,
        )
    type_, counts = _TYPES[kind]
    if not points or (counts and len(points) not in counts):
        raise LabelError(
            f"a {kind} cannot have {counted(len(points), 'point')}; delete the shape or draw it"
            " again",
            path,
            where,
        )
    flags = shape.get("flags")
    return Shape(
        type_,
        box(*points[0], *points[1]) if type_ == "box" and len(points) == 2 else points,
        "corner",
        where,
        label=text_of(shape.get("label")),
        image=image,
        id=str(number),
        extra={
            "group_id": text_of(shape.get("group_id")),
            "description": text_of(shape.get("description")),
            "flags": (
                ";".join(name for name, on in flags.items() if on)
                if isinstance(flags, dict)
                else ""
            ),
        },
    )


def _carries_image(document: Any) -> bool:
    data = document.get("imageData")
    return isinstance(data, str) and bool(data)


def _image_data(path: Path) -> bytes:
    """The image that the file carries; b"" where it is no base64, because LabelMe itself then uses
    imagePath.

    LabelMe encodes the image again, so its pixels are compared, not its texts.
    """
    try:
        return base64.b64decode(member(load_json(path), "imageData", str, path), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _sizes(document: Any, image: str, path: Path) -> dict[str, tuple[int, int]]:
    if document.get("imageWidth") is None or document.get("imageHeight") is None:
        return {}
    return {
        image: (
            whole(document["imageWidth"], path, name="imageWidth"),
            whole(document["imageHeight"], path, name="imageHeight"),
        )
    }


def _recognises(path: Path, head: bytes) -> bool:
    keys = json_keys(head)
    in_shapes = (1, "shapes") in keys and (
        (1, "imagePath") in keys or {(3, "points"), (3, "shape_type")} <= keys
    )
    before_shapes = (1, "imageData") in keys and not keys.isdisjoint({(1, "flags"), (1, "version")})
    return in_shapes or before_shapes


READER = Reader("labelme", _TOOL, "corner", _recognises, _read)
