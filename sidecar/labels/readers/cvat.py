"""CVAT XML 1.1, "for images" and "for video".

Coordinates are *corner* (an SVG canvas), written with two decimals. A rotated box or ellipse is
turned clockwise about its centre. Frames of a video are 0-based numbers of the uploaded images in
their order: here, of the PNG slices. Source: CVAT's docs, dataset_management/formats/format-xml.md;
cvat/apps/dataset_manager/formats/cvat.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.shapes import Shape, Vertices, box, ellipse, labels_of, rotated
from sidecar.labels.text import head_text, load_xml, number, whole

_TOOL = "CVAT"
_LEFT_OUT = {"mask": "they are areas of pixels, use map-mask", "cuboid": "they are not flat shapes"}
_RECOGNISED = re.compile(
    r"\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*<annotations>\s*<version>", re.DOTALL
)


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    root = load_xml(path)
    if root.tag != "annotations":
        raise LabelError("is not CVAT XML: its root element is not <annotations>", path)
    images, tracks = root.findall("image"), root.findall("track")
    notes = [
        f"{count} {tag}(s) left out: {why}"
        for tag, why in _LEFT_OUT.items()
        if (count := len(root.findall(f"*/{tag}")))
    ]
    if tracks:
        _check_frames(root, tracks, stack, path)
        notes.append(
            "Frame numbers were taken as PNG slice numbers, from 0: all slices uploaded, in order"
        )
        notes.append(
            "Only keyframes were read: what CVAT interpolates between them was not set by anyone"
        )
    return labels_of(
        path,
        [*_of_images(images, path), *_of_tracks(tracks, path)],
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes={
            image.get("name", ""): (
                _whole(image, "width", path, "image"),
                _whole(image, "height", path, "image"),
            )
            for image in images
            if "width" in image.attrib and "height" in image.attrib
        },
        notes=notes,
    )


def _of_images(images: list[Element], path: Path) -> Iterator[Shape]:
    number_ = 0
    for image in images:
        name = image.get("name")
        if not name:
            raise LabelError("an <image> has no name", path)
        for element in image:
            if element.tag in _VERTICES or element.tag == "skeleton":
                number_ += 1
                yield from _shapes(
                    element,
                    path,
                    f"{name}, shape {number_}",
                    name,
                    None,
                    str(number_),
                    element.get("label", ""),
                )


def _of_tracks(tracks: list[Element], path: Path) -> Iterator[Shape]:
    for track in tracks:
        id_, label = track.get("id", ""), track.get("label", "")
        for element in track:
            if (element.tag in _VERTICES or element.tag == "skeleton") and _is_set(element):
                frame = _whole(element, "frame", path, f"track {id_}")
                yield from _shapes(
                    element, path, f"track {id_}, frame {frame}", "", frame, id_, label
                )


def _is_set(element: Element) -> bool:
    """Of a track: placed by someone on this frame (a keyframe), and not marked as gone
    (outside).
    """
    return element.get("keyframe", "1") == "1" and element.get("outside", "0") == "0"


def _shapes(
    element: Element, path: Path, where: str, image: str, slice_: float | None, id_: str, label: str
) -> Iterator[Shape]:
    if element.tag != "skeleton":
        yield Shape(
            _TYPES[element.tag],
            _VERTICES[element.tag](element, path, where),
            "corner",
            where,
            label=label,
            image=image,
            slice=slice_,
            id=id_,
            extra=_extra(element),
        )
        return
    for vertex, point in enumerate(element.findall("points")):
        if _is_set(point):
            name = point.get("label", "")
            ((x, y),) = _points(point, path, f"{where}, point {name!r}", only=1)
            extra = {"skeleton": label} | _extra(element) | _extra(point)
            yield Shape(
                "point",
                [(x, y)],
                "corner",
                f"{where}, point {name!r}",
                name,
                image,
                slice_,
                id_,
                vertex,
                extra,
            )


def _extra(element: Element) -> dict[str, str]:
    own = {
        name: element.attrib[name] for name in ("occluded", "group_id") if name in element.attrib
    }
    return own | {child.get("name", ""): child.text or "" for child in element.findall("attribute")}


def _points(element: Element, path: Path, where: str, only: int | None = None) -> Vertices:
    cells = [pair.split(",") for pair in element.get("points", "").split(";")]
    if any(len(pair) != 2 for pair in cells) or len(cells) != (only or len(cells)):
        raise LabelError(f"the points of <{element.tag}> are not x,y;x,y", path, where)
    return [(number(x, path, where), number(y, path, where)) for x, y in cells]


def _box(element: Element, path: Path, where: str) -> Vertices:
    left, top, right, bottom, angle = _numbers(element, path, where, "xtl", "ytl", "xbr", "ybr")
    return rotated(box(left, top, right, bottom), angle, ((left + right) / 2, (top + bottom) / 2))


def _ellipse(element: Element, path: Path, where: str) -> Vertices:
    x, y, rx, ry, angle = _numbers(element, path, where, "cx", "cy", "rx", "ry")
    return rotated(ellipse(x, y, rx, ry), angle, (x, y))


def _numbers(element: Element, path: Path, where: str, *names: str) -> list[float]:
    """The named attributes as numbers, then the rotation in degrees, which is 0 when it is not
    written.
    """
    return [
        *(number(element.get(name), path, where, name) for name in names),
        number(element.get("rotation", "0"), path, where),
    ]


def _whole(element: Element, name: str, path: Path, where: str) -> int:
    return whole(element.get(name), path, where, name)


def _check_frames(root: Element, tracks: list[Element], stack: PngStack, path: Path) -> None:
    """Tracks name no image: refuse what shows that the frames are not exactly these PNGs."""
    way_out = 'export it as "CVAT for images 1.1", which names the images'
    for size in root.iterfind("meta//original_size"):
        width, height = (
            whole(size.findtext(name), path, "original_size", name) for name in ("width", "height")
        )
        if (width, height) != (stack.columns, stack.rows):
            raise LabelError(
                f"was made on frames of {width} x {height} pixels, the PNGs have {stack.columns} x"
                f" {stack.rows}",
                path,
            )
    for size in root.iterfind("meta//size"):
        if (frames := whole(size.text, path, "meta", "size")) != stack.slices:
            raise LabelError(
                f"was made on {frames} frames, there are {stack.slices} PNGs: which is which is not"
                f" told; {way_out}",
                path,
            )
    if len({track.get("task_id") for track in tracks}) > 1:
        raise LabelError(
            f"holds tracks of several tasks, each counting its own frames; {way_out}", path
        )


def _recognises(path: Path, head: bytes) -> bool:
    return _RECOGNISED.match(head_text(head)) is not None


_VERTICES: dict[str, Callable[[Element, Path, str], Vertices]] = {
    "points": _points,
    "polyline": _points,
    "polygon": _points,
    "box": _box,
    "ellipse": _ellipse,
}
_TYPES = {
    "points": "point",
    "polyline": "polyline",
    "polygon": "polygon",
    "box": "box",
    "ellipse": "ellipse",
}

READER = Reader("cvat", _TOOL, "corner", _recognises, _read)
