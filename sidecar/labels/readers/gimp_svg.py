"""Paths exported by GIMP as SVG. Pixel origin: corner.

The viewBox is the image: its coordinates are pixels from the outer corner of the first pixel. Width
and height, in millimetres, do not matter. A stroke begins with M and consists of cubic segments. A
straight segment has its handles on its anchors. The file names no image inside, but its own name
may be that of a PNG. Seen in GIMP 2.10.34; app/vectors/gimpvectors-export.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import png_in_name
from sidecar.labels.shapes import Shape, Vertices, labels_of
from sidecar.labels.text import load_xml, number, whole, xml_start

_TOOL = "GIMP path"
_NAMESPACE = "{http://www.w3.org/2000/svg}"
#: The style of every path of GIMP. No other program has it by default.
_STYLE = re.compile(r'fill="none"\s+stroke="black"\s+stroke-width="1"')
_TOKEN = re.compile(r"([A-Za-z])|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|([\s,]+)", re.ASCII)
#: The number of coordinate pairs of each command.
_PAIRS = {"M": 1, "L": 1, "C": 3, "Z": 0}
#: Number of straight pieces that replace a curved segment.
_PIECES = 16
_CURVES = f"Curved segments were read as {_PIECES} straight pieces each"


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    root = load_xml(path, has_doctype=True)
    if root.tag not in (f"{_NAMESPACE}svg", "svg"):
        raise LabelError("is not SVG: its root element is not <svg>", path)
    (image, note), size = _image(path, stack), _size(root, path)
    slice_ = None if image else 0
    left_out, edges = LeftOut(), Edges(options.pixel_origin)
    shapes: list[Shape] = []
    is_curved = False
    for n, element in enumerate(root, 1):
        tag = element.tag.removeprefix(_NAMESPACE) if isinstance(element.tag, str) else "comment"
        if tag != "path":
            left_out.add(f"<{tag}> element", "only <path> elements are read")
            continue
        name = element.get("id", "")
        where = f"path {name!r}" if name else f"path {n}"
        if "transform" in element.attrib:
            raise LabelError(
                "has a transform, which GIMP does not write; export the path from GIMP again",
                path,
                where,
            )
        strokes = list(_strokes(element.get("d", ""), path, where))
        if not strokes:
            left_out.add("path", "no points")
        for s, stroke in enumerate(strokes, 1):
            vertices, curved = _flattened(stroke)
            is_curved = is_curved or curved
            type_ = _type(vertices, stroke.is_closed)
            id_ = f"{n}.{s}"
            shape = Shape(type_, vertices, "corner", where, name, image, slice_, id_)
            shapes.append(edges.cut_shape(shape, size))
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes={image: size},
        notes=[note, *[_CURVES] * is_curved, *edges.notes],
        left_out=left_out.sentences,
    )


def _image(path: Path, stack: PngStack) -> tuple[str, str]:
    """The PNG that the file is named after, or "" where there is only one PNG; and a note."""
    name = png_in_name(path, stack)
    if name is None and stack.is_single:
        return "", "The file names no image; its paths were taken to lie on the only PNG"
    if name is None:
        raise LabelError(
            "names no image; rename the file so that its name begins with that of the PNG on which"
            " the paths lie",
            path,
        )
    return name, f"The paths lie on {name}, by the name of the file"


def _size(root: Element, path: Path) -> tuple[int, int]:
    box = root.get("viewBox", "").replace(",", " ").split()
    if len(box) != 4:
        raise LabelError(
            "has no viewBox of four numbers, which states the size of the image; export the path"
            " from GIMP again",
            path,
        )
    x, y = (number(value, path, "viewBox") for value in box[:2])
    if (x, y) != (0, 0):
        raise LabelError(
            "its viewBox does not begin at 0 0, as GIMP writes it; export the path from GIMP again",
            path,
        )
    width, height = (whole(value, path, "viewBox", "size") for value in box[2:])
    return width, height


class _Stroke:
    """The segments of one stroke. Each has its handles, if any, and the anchor at its end."""

    def __init__(self, start: tuple[float, float]) -> None:
        self.start = start
        self.segments: list[list[tuple[float, float]]] = []
        self.is_closed = False


def _strokes(data: str, path: Path, where: str) -> Iterator[_Stroke]:
    """The strokes of a path. LabelError for commands that GIMP does not write, such as relative
    ones.
    """
    stroke: _Stroke | None = None
    for command, pairs in _commands(data, path, where):
        if command == "M":
            if stroke:
                yield stroke
            stroke = _Stroke(pairs[0])
            pairs = pairs[1:]
        if stroke is None:
            raise LabelError("does not begin with the command M", path, where)
        step = _PAIRS[command]
        stroke.is_closed = stroke.is_closed or command == "Z"
        stroke.segments += [pairs[i : i + step] for i in range(0, len(pairs), step or 1)]
    if stroke:
        yield stroke


def _commands(data: str, path: Path, where: str) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Each command with its coordinates."""
    command, numbers = "", list[float]()
    for token in [*_tokens(data, path, where), ""]:
        if token and not token.isalpha():
            numbers.append(number(token, path, where))
            continue
        if command or numbers:
            step = 2 * _PAIRS.get(command, 0)
            if not (numbers and step and len(numbers) % step == 0) and (numbers or command != "Z"):
                raise LabelError(
                    f"has {len(numbers)} numbers after {command or 'nothing'!r}", path, where
                )
            yield command, list(zip(numbers[::2], numbers[1::2], strict=True))
        command, numbers = token, []


def _tokens(data: str, path: Path, where: str) -> Iterator[str]:
    place = 0
    while place < len(data):
        found = _TOKEN.match(data, place)
        if found is None or (found[1] and found[1] not in _PAIRS):
            raise LabelError(
                f"holds {data[place : place + 10]!r}, but GIMP writes only the commands"
                f" {', '.join(_PAIRS)}; export the path from GIMP again",
                path,
                where,
            )
        if not found[3]:
            yield found[0]
        place = found.end()


def _flattened(stroke: _Stroke) -> tuple[Vertices, bool]:
    """The vertices of a stroke, with curves as straight pieces; and whether there are curves."""
    vertices, is_curved = [stroke.start], False
    for *handles, end in stroke.segments:
        start = vertices[-1]
        if handles and (handles[0] != start or handles[1] != end):
            is_curved = True
            vertices += _curve(start, handles[0], handles[1], end)
        else:
            vertices.append(end)
    if stroke.is_closed and len(vertices) > 1 and vertices[0] == vertices[-1]:
        vertices.pop()
    return vertices, is_curved


def _curve(*points: tuple[float, float]) -> Vertices:
    """Points along a cubic Bézier curve, without its start."""
    t = np.linspace(0, 1, _PIECES + 1)[1:, None]
    a, b, c, d = (np.array(point) for point in points)
    along = a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3
    return [(x, y) for x, y in along.tolist()]


def _type(vertices: Vertices, is_closed: bool) -> str:
    if len(vertices) == 1:
        return "point"
    if len(vertices) == 2:
        return "line"
    return "polygon" if is_closed else "polyline"


def _recognises(path: Path, head: bytes) -> bool:
    text = xml_start(head)
    return text.startswith("<svg") and "viewBox" in text and _STYLE.search(text) is not None


READER = Reader("gimp", _TOOL, "corner", _recognises, _read)
