"""VGG Image Annotator 2 (and 1): CSV, JSON and project files.

Coordinates are *corner*: a position on the canvas times the scale, rounded to whole numbers by the
tool. So they are not pixel numbers, and each is up to half a pixel from the place of the click.
`theta` of an ellipse: radians, clockwise. Source: gitlab.com/vgg/via, via-2.x.y/via.js (Math.round
of canvas position times _via_canvas_scale), import_annotations_from_csv.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError, counted
from sidecar.labels.identity.evidence import size_beside
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.shapes import Shape, Vertices, box, circle, ellipse, labels_of, rotated
from sidecar.labels.text import (
    head_text,
    json_keys,
    member,
    number,
    parse_json,
    read_text,
    table,
    text_of,
)

_TOOL = "VGG Image Annotator"
_HEADER = (
    "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
    "region_attributes"
)
_ROUNDED = (
    "VIA rounds positions to whole numbers, so each is up to half a PNG pixel from where it was set"
)
#: Largest error, in pixels, of the sum of a corner and a size that are both rounded.
_ROUNDING = 1.0
#: Region attributes that usually hold the name of a region, in the order in which they are tried.
_NAMES = ("label", "name", "landmark", "class", "type")


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    text = read_text(path)
    shapes = list(
        _of_json(parse_json(text, path), path)
        if text.lstrip().startswith("{")
        else _of_csv(text, path)
    )
    edges, own = Edges(options.pixel_origin), (stack.columns, stack.rows)
    beside = {image: size_beside(path, image) for image in {shape.image for shape in shapes}}
    cut = [edges.cut_shape(shape, beside[shape.image] or own, _ROUNDING) for shape in shapes]
    return labels_of(
        path,
        cut,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        notes=[_ROUNDED, *edges.notes],
    )


def _of_csv(text: str, path: Path) -> Iterator[Shape]:
    rows = table(text, path)
    if not rows or ",".join(rows[0]).removeprefix("#") != _HEADER:
        raise LabelError("does not begin with the header of a VIA CSV file", path)
    for n, row in enumerate(rows[1:], 2):
        where = f"row {n}"
        if row and len(row) != 7:
            raise LabelError(f"has {counted(len(row), 'field')}, but it must have 7", path, where)
        if row and (shape := parse_json(row[5], path, where)):
            named = parse_json(row[6], path, where)
            yield replace(_shape(shape, named, row[0], row[4], path, where), entry=_entry(row[1]))


def _of_json(document: Any, path: Path) -> Iterator[Shape]:
    images = document.get("_via_img_metadata", document) if isinstance(document, dict) else None
    if not isinstance(images, dict):
        raise LabelError("is not a VIA file: it has no images", path)
    for key, image in images.items():
        name = member(image, "filename", str, path, f"image {key!r}")
        regions = image.get("regions")
        if not isinstance(regions, dict):  # VIA 1: {"0": …}
            regions = dict(enumerate(member(image, "regions", list, path, f"image {name!r}")))
        for n, region in regions.items():
            where = f"image {name!r}, region {n}"
            shape = member(region, "shape_attributes", dict, path, where)
            named = region.get("region_attributes")
            yield replace(
                _shape(shape, named, name, str(n), path, where), entry=_entry(image.get("size"))
            )


def _entry(size: object) -> str:
    """The text that tells images of one name apart: the size of their files, -1 where unknown."""
    return "" if size in (None, "", -1, "-1") else f"file of {text_of(size)} bytes"


def _shape(shape: Any, attributes: Any, image: str, id_: str, path: Path, where: str) -> Shape:
    named = (
        {key: _value(value) for key, value in attributes.items()}
        if isinstance(attributes, dict)
        else {}
    )
    type_, vertices = _vertices(shape, path, where)
    return Shape(type_, vertices, "corner", where, _label(named), image, id=id_, extra=named)


def _value(value: object) -> str:
    """A region attribute. For a checkbox ({"a": true, "b": false}), the names that are ticked."""
    return (
        ";".join(name for name, on in value.items() if on)
        if isinstance(value, dict)
        else text_of(value)
    )


def _label(attributes: dict[str, str]) -> str:
    """The label: the only attribute, or the one in `_NAMES`; "" if there is neither.

    All attributes are copied to the output in any case.
    """
    if len(attributes) == 1:
        return next(iter(attributes.values()))
    lower = {key.casefold(): value for key, value in attributes.items()}
    return next((lower[name] for name in _NAMES if name in lower), "")


def _vertices(shape: Any, path: Path, where: str) -> tuple[str, Vertices]:
    name = member(shape, "name", str, path, where)
    if name in ("polygon", "polyline"):
        xs, ys = (member(shape, f"all_points_{axis}", list, path, where) for axis in "xy")
        if len(xs) != len(ys) or not xs:
            raise LabelError(
                f"a {name} has {len(xs)} values of x and {len(ys)} of y; delete the region or draw"
                " it again",
                path,
                where,
            )
        return name, [
            (number(x, path, where), number(y, path, where)) for x, y in zip(xs, ys, strict=True)
        ]

    def value(key: str) -> float:
        return number(shape.get(key), path, where, key)

    match name:
        case "point":
            return "point", [(value("cx"), value("cy"))]
        case "rect":
            return "box", box(
                value("x"), value("y"), value("x") + value("width"), value("y") + value("height")
            )
        case "circle":
            return "circle", circle(value("cx"), value("cy"), value("r"))
        case "ellipse":
            x, y, angle = (
                value("cx"),
                value("cy"),
                number(shape.get("theta", 0), path, where, "theta"),
            )
            return "ellipse", rotated(
                ellipse(x, y, value("rx"), value("ry")), math.degrees(angle), about=(x, y)
            )
    raise LabelError(
        f"region shape {name!r} is not known; delete the region or draw it as a polygon",
        path,
        where,
    )


def _recognises(path: Path, head: bytes) -> bool:
    keys = json_keys(head)
    csv = head_text(head).lstrip().removeprefix("#").startswith(_HEADER)
    project = not keys.isdisjoint({(1, "_via_settings"), (1, "_via_img_metadata")})
    return csv or project or {(2, "filename"), (2, "size"), (2, "regions")} <= keys


READER = Reader("via", _TOOL, "corner", _recognises, _read)
