"""CVAT XML 1.1, "for images" and "for video".

Coordinates are *corner* (an SVG canvas), with two decimals. A rotated box or ellipse is rotated
clockwise about its centre. Frames of a video are the numbers of the uploaded images, in order
(see `cvat_frames`). Source: CVAT's docs, dataset_management/formats/format-xml.md;
cvat/apps/dataset_manager/formats/cvat.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.cvat_frames import Frames, frames_of
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import stated_sizes
from sidecar.labels.shapes import Shape, Vertices, box, ellipse, labels_of, rotated
from sidecar.labels.text import load_xml, number, whole, xml_start

_TOOL = "CVAT"
_LEFT_OUT = {
    "mask": "masks are areas of pixels, so use map-mask",
    "cuboid": "not flat shapes",
    "tag": "about a whole image, not about a place in it",
}
_RECOGNISED = re.compile(r"<annotations>\s*<version>")


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    root = load_xml(path)
    if root.tag != "annotations":
        raise LabelError("is not CVAT XML: its root element is not <annotations>", path)
    images, tracks = root.findall("image"), root.findall("track")
    frames = frames_of(root, tracks, stack, path) if tracks else Frames()
    left_out, edges = LeftOut(), Edges(options.pixel_origin)
    sizes = stated_sizes(path, _sizes(images, path))
    shapes = [
        *_of_images(root, left_out, path),
        *_of_tracks(tracks, frames, left_out, path),
    ]
    return labels_of(
        path,
        [
            edges.cut_shape(shape, sizes.get(shape.image) or (stack.columns, stack.rows))
            for shape in shapes
        ],
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=sizes,
        notes=[*([frames.note] if tracks else []), *edges.notes],
        left_out=left_out.sentences,
    )


def _sizes(images: list[Element], path: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for image in images:
        if "width" in image.attrib and "height" in image.attrib:
            width, height = (_whole(image, key, path, "image") for key in ("width", "height"))
            yield image.get("name", ""), (width, height)


def _task_names(root: Element) -> dict[str, str]:
    """Id → name of the tasks of a project."""
    return {
        task.findtext("id") or "": f"task {task.findtext('id')} ({task.findtext('name')})"
        for task in root.iterfind("meta//task")
    }


def images_of(root: Element) -> Iterator[tuple[Element, str]]:
    """Each <image>, and a text that tells images of one name apart: their task, and, where files
    were merged, their id.
    """
    tasks, images = _task_names(root), root.findall("image")
    often = Counter((image.get("name"), image.get("task_id", "")) for image in images)
    for image in images:
        name, task = image.get("name"), image.get("task_id", "")
        entry = tasks.get(task, task and f"task {task}")
        if often[name, task] > 1:
            entry = f"{entry} image {image.get('id')}".strip()
        yield image, entry


def _of_images(root: Element, left_out: LeftOut, path: Path) -> Iterator[Shape]:
    number_ = 0
    for image, entry in images_of(root):
        name = image.get("name")
        if not name:
            raise LabelError("an <image> has no name", path)
        for element in image:
            if not _is_shape(element):
                left_out.add(element.tag, _LEFT_OUT.get(element.tag, "not known here"))
                continue
            _count_unset(element, left_out)
            number_ += 1
            where, label = f"{name}, shape {number_}", element.get("label", "")
            for shape in _shapes(element, path, where, name, None, str(number_), label):
                yield replace(shape, entry=entry)


def _of_tracks(
    tracks: list[Element], frames: Frames, left_out: LeftOut, path: Path
) -> Iterator[Shape]:
    for track in tracks:
        id_, label = track.get("id", ""), track.get("label", "")
        for element in track:
            if not _is_shape(element):
                left_out.add(element.tag, _LEFT_OUT.get(element.tag, "not known here"))
            elif element.get("keyframe", "1") != "1":
                left_out.add(
                    "interpolated shape", "computed by CVAT between keyframes, not set by a person"
                )
            elif _is_set(element):
                _count_unset(element, left_out)
                frame = _whole(element, "frame", path, f"track {id_}")
                where = f"track {id_}, frame {frame}"
                slice_ = frames.slice_of(frame, path, where)
                yield from _shapes(element, path, where, "", slice_, id_, label)


def _is_shape(element: Element) -> bool:
    return element.tag in _VERTICES or element.tag == "skeleton"


def _is_set(element: Element) -> bool:
    """Whether somebody placed this element of a track on this frame (a keyframe), and did not mark
    it as absent (outside).
    """
    return element.get("keyframe", "1") == "1" and element.get("outside", "0") == "0"


def _count_unset(element: Element, left_out: LeftOut) -> None:
    """Count the points of a skeleton that nobody placed as left out."""
    points = element.findall("points")
    unset = sum(not _is_set(point) for point in points)
    left_out.add("skeleton point", "not set (outside)", unset)


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
    """The named attributes as numbers, then the rotation in degrees; 0 if the file has none."""
    return [
        *(number(element.get(name), path, where, name) for name in names),
        number(element.get("rotation", "0"), path, where),
    ]


def _whole(element: Element, name: str, path: Path, where: str) -> int:
    return whole(element.get(name), path, where, name)


def _recognises(path: Path, head: bytes) -> bool:
    return _RECOGNISED.match(xml_start(head)) is not None


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
