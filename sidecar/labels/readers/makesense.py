"""make-sense CSV, without a header: points, lines and rectangles.

    points      label,x,y,image,width,height
    lines       label,x1,y1,x2,y2,image,width,height
    rectangles  label,x,y,w,h,image,width,height

Coordinates are *corner*, rounded to whole numbers by the tool: each is up to half a pixel from
where the user clicked. Lines and rectangles look alike; the file name does not tell either, so the
user has to unless the numbers do. Source: SkalskiP/make-sense, src/logic/export:
PointLabelsExport.ts, LineLabelExport.ts, RectLabelsExporter.ts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.shapes import Shape, Vertices, box, labels_of
from sidecar.labels.text import head_text, number, read_text, whole

_TOOL = "make-sense"
_ROW = re.compile(r"[^,]*,-?\d+,-?\d+,(-?\d+,-?\d+,)?[^,]+\.\w+,\d+,\d+", re.ASCII)
_ROUNDED = (
    "make-sense rounds positions to whole numbers: each is up to half a PNG pixel from where it"
    " was set"
)

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
    }  # make-sense quotes nothing
    for n, row in rows.items():
        if len(row) not in (6, 8):
            message = (
                f"has {len(row)} fields where 6 or 8 belong; make-sense does not quote commas: take"
                " them out of label names"
            )
            raise LabelError(message, path, f"row {n}")
    values = {n: [number(cell, path, f"row {n}") for cell in row[1:-3]] for n, row in rows.items()}
    sizes = {
        n: (whole(row[-2], path, f"row {n}"), whole(row[-1], path, f"row {n}"))
        for n, row in rows.items()
    }
    twos = [n for n, row in rows.items() if len(row) == 8]
    kind = pair or (_told_by_numbers([(values[n], sizes[n]) for n in twos], path) if twos else None)
    notes = [_ROUNDED] + [_dropped(n) for n in [len(lines) - len(rows)] if n]
    if twos and pair is None:
        notes.append(
            "The second points lie where no rectangle of the image could: the rows were read as"
            " lines"
        )
    return labels_of(
        path,
        [
            Shape(
                *_vertices(values[n], kind),
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
        sizes={row[-3]: sizes[n] for n, row in rows.items()},
        notes=notes,
    )


def _vertices(values: list[float], kind: Pair | None) -> tuple[str, Vertices]:
    if len(values) == 2:
        return "point", [(values[0], values[1])]
    x, y, a, b = values
    return ("box", box(x, y, x + a, y + b)) if kind == "box" else ("line", [(x, y), (a, b)])


def _told_by_numbers(rows: list[tuple[list[float], tuple[int, int]]], path: Path) -> Pair:
    """A rectangle cannot reach beyond the image (x and width are rounded each on its own: by more
    than one). Else: refused.
    """
    if any(x + a > width + 1 or y + b > height + 1 for (x, y, a, b), (width, height) in rows):
        return "line"
    raise LabelError(
        "holds lines or rectangles, which make-sense writes alike; say which: --from"
        " makesense-lines or makesense-boxes",
        path,
    )


def _dropped(count: int) -> str:
    return f"{count} empty row(s): make-sense does not export shapes that have no label"


def _recognises(path: Path, head: bytes) -> bool:
    lines = head_text(head).splitlines()
    complete = lines[:-1] if len(lines) > 1 else lines  # the last one may be cut
    rows = [line for line in complete if line.strip()]
    return bool(rows) and all(_ROW.fullmatch(line) for line in rows)


def _never(path: Path, head: bytes) -> bool:
    """Only the user can say."""
    return False


READER = Reader("makesense", _TOOL, "corner", _recognises, _read)
READER_LINES = Reader("makesense-lines", f"{_TOOL} (lines)", "corner", _never, _read_lines)
READER_BOXES = Reader("makesense-boxes", f"{_TOOL} (rectangles)", "corner", _never, _read_boxes)
