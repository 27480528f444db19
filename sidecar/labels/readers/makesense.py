"""make-sense CSV, without a header: points, lines and rectangles.

    points      label,x,y,image,width,height
    lines       label,x1,y1,x2,y2,image,width,height
    rectangles  label,x,y,w,h,image,width,height

Coordinates are *corner*, rounded to whole numbers by the tool: each is up to half a pixel from the
place of the click. Lines and rectangles look alike, and the file name does not tell them apart. So
the user must say which it is, unless the numbers do. Source: SkalskiP/make-sense, src/logic/export:
PointLabelsExport.ts, LineLabelExport.ts, RectLabelsExporter.ts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from sidecar.errors import LabelError, counted
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import stated_sizes
from sidecar.labels.shapes import Shape, Vertices, box, labels_of
from sidecar.labels.text import head_text, number, read_text, whole

_TOOL = "make-sense"
_ROW = re.compile(r"[^,]*,-?\d+,-?\d+,(-?\d+,-?\d+,)?[^,]+\.\w+,\d+,\d+", re.ASCII)
_ROUNDED = (
    "make-sense rounds positions to whole numbers, so each is up to half a PNG pixel from where it"
    " was set"
)

#: Largest error, in pixels, of the sum of a corner and a size that are both rounded.
_ROUNDING = 1.0

Pair = Literal["line", "box"]


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    return _labels(path, options.pixel_origin, None)


def _read_lines(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    return _labels(path, options.pixel_origin, "line")


def _read_boxes(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    return _labels(path, options.pixel_origin, "box")


def _labels(path: Path, origin: PixelOrigin | None, pair: Pair | None) -> Labels:
    lines = read_text(path).rstrip().splitlines()
    rows = {
        n: line.split(",") for n, line in enumerate(lines, 1) if line.strip()
    }  # make-sense writes no quotes
    for n, row in rows.items():
        if len(row) not in (6, 8):
            message = (
                f"has {counted(len(row), 'field')}, but it must have 6 or 8. make-sense does not"
                " quote commas; remove commas from the names of labels"
            )
            raise LabelError(message, path, f"row {n}")
    values = {n: [number(cell, path, f"row {n}") for cell in row[1:-3]] for n, row in rows.items()}
    sizes = {
        n: (whole(row[-2], path, f"row {n}"), whole(row[-1], path, f"row {n}"))
        for n, row in rows.items()
    }
    twos = [n for n, row in rows.items() if len(row) == 8]
    kind = pair or (_told_by_numbers([(values[n], sizes[n]) for n in twos], path) if twos else None)
    left_out = LeftOut()
    left_out.add(
        "empty row",
        "make-sense writes an empty row for a shape without a label",
        len(lines) - len(rows),
    )
    edges = Edges(origin)
    notes = [_ROUNDED]
    if twos and pair is None:
        notes.append(
            "The rows were read as lines, because rectangles with these numbers would reach beyond"
            " the image"
        )
    return labels_of(
        path,
        [
            Shape(
                *_vertices(values[n], kind, sizes[n], edges),
                "corner",
                f"row {n}",
                label=row[0],
                image=row[-3],
                id=str(n),
            )
            for n, row in rows.items()
        ],
        tool=_TOOL,
        origin="corner",
        forced=origin,
        sizes=stated_sizes(path, ((row[-3], sizes[n]) for n, row in rows.items())),
        notes=[*notes, *edges.notes],
        left_out=left_out.sentences,
    )


def _vertices(
    values: list[float], kind: Pair | None, size: tuple[int, int], edges: Edges
) -> tuple[str, Vertices]:
    if len(values) == 2:
        return "point", [(values[0], values[1])]
    x, y, a, b = values
    if kind == "box":
        return "box", edges.cut(box(x, y, x + a, y + b), size, _ROUNDING)
    return "line", [(x, y), (a, b)]


def _told_by_numbers(rows: list[tuple[list[float], tuple[int, int]]], path: Path) -> Pair:
    """Whether rows are lines or rectangles. LabelError where the numbers do not tell.

    A rectangle cannot reach beyond the image by more than one pixel (x and width are rounded
    separately).
    """
    if any(x + a > width + 1 or y + b > height + 1 for (x, y, a, b), (width, height) in rows):
        return "line"
    raise LabelError(
        "holds lines or rectangles, and make-sense writes both in the same form; choose with"
        " --from makesense-lines or makesense-boxes",
        path,
    )


def _recognises(path: Path, head: bytes) -> bool:
    lines = head_text(head).splitlines()
    complete = lines[:-1] if len(lines) > 1 else lines  # the last line may be cut
    rows = [line for line in complete if line.strip()]
    return bool(rows) and all(_ROW.fullmatch(line) for line in rows)


def _never(path: Path, head: bytes) -> bool:
    """Never: only the user can choose this format."""
    return False


READER = Reader("makesense", _TOOL, "corner", _recognises, _read)
READER_LINES = Reader("makesense-lines", f"{_TOOL} (lines)", "corner", _never, _read_lines)
READER_BOXES = Reader("makesense-boxes", f"{_TOOL} (rectangles)", "corner", _never, _read_boxes)
