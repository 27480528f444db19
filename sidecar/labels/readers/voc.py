"""Boxes in Pascal VOC XML, one file per PNG.

Two rules are in use, and the file does not say which. Label tools write 0-based *corner*
coordinates, mostly whole numbers (labelImg cuts off the fraction and never goes below 1, make-sense
rounds). This rule is used unless the user chooses the other. The Pascal VOC development kit defines
the numbers of the first and last pixel inside, counted from 1, so in corner coordinates the box
reaches from xmin - 1 to xmax. Both rules agree on the right and bottom edges, and differ by one
pixel on the others.

For this format ``origin`` chooses between them: *corner* is the first rule, *center* (pixel
numbers) the second. Source of the first: labelImg libs/labelFile.py, convert_points_to_bnd_box.

The image is named three times: by the name of the file, by <filename> in <folder>, and by <path>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import refuse_two_images
from sidecar.labels.shapes import Shape, Vertices, box, labels_of
from sidecar.labels.text import load_xml, number, whole, xml_start

_TOOL = "Pascal VOC"
_ROOT = re.compile(r"<annotation[\s>]")

_NOTES: dict[PixelOrigin, str] = {
    "corner": (
        "Numbers were taken as edges of boxes counted from 0, as labelImg and other label tools"
        " write them. If xmin and ymin are pixel numbers counted from 1, as Pascal VOC defines"
        " them, give --pixel-origin center (left and top edges move by one pixel)"
    ),
    "center": (
        "Numbers were taken as pixel numbers counted from 1, with the last pixel inside the box,"
        " as Pascal VOC defines them"
    ),
}
_CUT = (
    "All numbers are whole: labelImg cuts fractions off, so an edge can lie up to one PNG pixel"
    " further right or down"
)
#: Label Studio cuts x and width separately; xmax is their sum.
_CUT_TWICE = (
    "Label Studio wrote this file and cut fractions off twice: left and top edges can lie up to"
    " one PNG pixel further right or down, and right and bottom edges up to two. Its export called"
    " JSON does not cut"
)


def recognises(path: Path, head: bytes) -> bool:
    """An <annotation> with the size or the boxes of VOC. The XML of MIT's LabelMe has the same
    root, but neither of them.
    """
    text = xml_start(head)
    return _ROOT.match(text) is not None and ("<bndbox>" in text or "<size>" in text)


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """The boxes of the objects on one PNG, and of their parts. Raises LabelError."""
    root = load_xml(path)
    if root.tag != "annotation":
        raise LabelError("is not Pascal VOC XML: its root element is not <annotation>", path)
    image = _image(root, path, stack)
    shapes = [
        shape
        for n, element in enumerate(root.findall("object"), start=1)
        for shape in _shapes(element, n, image, options.pixel_origin, path)
    ]
    sizes, edges = _sizes(root, image, path), Edges(options.pixel_origin)
    size = sizes.get(image, (stack.columns, stack.rows))
    cut = [edges.cut_shape(shape, size) for shape in shapes]
    notes = [_NOTES[options.pixel_origin or "corner"], *edges.notes]
    if shapes and all(value.is_integer() for shape in shapes for xy in shape.xy for value in xy):
        notes.append(_CUT_TWICE if _text(root, "owner/name") == "Label Studio" else _CUT)
    left_out = LeftOut()
    left_out.add(
        "polygon",
        "only their boxes were read; export polygons in another format",
        len(root.findall("object/polygon")),
    )
    return labels_of(
        path,
        cut,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=sizes,
        notes=notes,
        left_out=left_out.sentences,
    )


def _image(root: Element, path: Path, stack: PngStack) -> str:
    """The image: <filename> in its <folder>, unchanged.

    LabelError where <path>, or the name of the file, is that of another PNG.
    """
    name, folder, whole_path = (_text(root, key) for key in ("filename", "folder", "path"))
    refuse_two_images(path, (name, whole_path), stack)
    if not name:
        return whole_path or path.stem
    has_folder = "/" in name or "\\" in name
    return f"{folder}/{name}" if folder and not has_folder else name


def _shapes(
    element: Element, n: int, image: str, origin: PixelOrigin | None, path: Path
) -> Iterator[Shape]:
    where, label = f"object {n}", _text(element, "name")
    extra = {key: _text(element, key) for key in ("pose", "truncated", "difficult")}
    yield Shape(
        "box",
        _box(element, origin, path, where),
        "corner",
        where,
        label,
        image,
        None,
        str(n),
        0,
        extra,
    )
    for p, part in enumerate(element.findall("part"), start=1):
        place = f"{where}, part {p}"
        name = f"{label}.{_text(part, 'name')}"
        yield Shape(
            "box", _box(part, origin, path, place), "corner", place, name, image, None, f"{n}.{p}"
        )


def _box(element: Element, origin: PixelOrigin | None, path: Path, where: str) -> Vertices:
    edges = element.find("bndbox")
    if edges is None:
        raise LabelError(
            "has no <bndbox>, and only upright boxes are read from Pascal VOC; export it in"
            " another format",
            path,
            where,
        )
    x0, y0, x1, y1 = (
        number(_text(edges, key), path, where, key) for key in ("xmin", "ymin", "xmax", "ymax")
    )
    if x1 < x0 or y1 < y0:
        raise LabelError("xmax or ymax is smaller than xmin or ymin; correct the box", path, where)
    if (
        origin == "center"
    ):  # the middle of pixel n, counted from 1, is at n - 1; the box reaches half a pixel further
        return box(x0 - 1.5, y0 - 1.5, x1 - 0.5, y1 - 0.5)
    return box(x0, y0, x1, y1)


def _sizes(root: Element, image: str, path: Path) -> dict[str, tuple[int, int]]:
    """The size of the image. Tools that do not know it leave it out or write 0."""
    size = root.find("size")
    if size is None:
        return {}
    width, height = (
        whole(_text(size, key) or "0", path, "size", key) for key in ("width", "height")
    )
    return {image: (width, height)} if width and height else {}


def _text(element: Element, key: str) -> str:
    return (element.findtext(key) or "").strip()


READER = Reader("voc", _TOOL, "corner", recognises, read)
