"""ImageJ and Fiji, Save As > XY Coordinates: x and y of one selection. The file does not say which
kind of selection it is.

Points, multi-points and lines are *center*; areas and angles are *corner*. Source:
ij/plugin/filter/XYWriter.java; ij/gui/Roi.java (class comment, isLine).
"""

from __future__ import annotations

import re
from pathlib import Path

from sidecar.errors import LabelError, counted
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.references import png_in_name
from sidecar.labels.shapes import Shape, labels_of
from sidecar.labels.text import head_text, number, read_text, table

_TOOL = "ImageJ/Fiji"
_XY = re.compile(r"-?\d+(\.\d+)?\t-?\d+(\.\d+)?", re.ASCII)
_UNCALIBRATED = (
    "X and Y were taken as pixels. The file does not say whether the image was calibrated. If it"
    " was, choose Analyze > Set Scale > Click to Remove Scale and save again"
)


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    rows, origin = table(read_text(path), path, "\t"), options.pixel_origin
    if origin is None:
        message = (
            "does not say what was selected; give --pixel-origin center if it was points or a line"
        )
        raise LabelError(f"{message}, or corner if it was an area or an angle", path)
    own = png_in_name(path, stack) or ""
    if not stack.is_single and not own:
        raise LabelError(
            "does not say on which slice the coordinates lie; rename the file so that its name"
            " begins with that of the PNG, or save the selection as .roi and give that file",
            path,
        )
    points = []
    for n, row in enumerate(rows, 1):
        if row and len(row) != 2:
            raise LabelError(
                f"has {counted(len(row), 'field')}, but it must have two, x and y", path, f"row {n}"
            )
        if row:
            points.append(
                (number(row[0], path, f"row {n}", "x"), number(row[1], path, f"row {n}", "y"))
            )
    slice_ = None if own else 0
    shape = Shape("point", points, origin, "selection", image=own, slice=slice_, id="1")
    shapes = [shape] if points else []
    return labels_of(path, shapes, tool=_TOOL, origin=origin, forced=origin, notes=[_UNCALIBRATED])


def _recognises(path: Path, head: bytes) -> bool:
    lines = head_text(head).splitlines()
    complete = lines[:-1] if len(lines) > 1 else lines  # the last line may be cut
    return bool(complete) and all(_XY.fullmatch(line) for line in complete)


READER = Reader(
    "imagej-xy",
    f"{_TOOL} XY Coordinates",
    "to be given: center for points, corner for areas and angles",
    _recognises,
    _read,
)
