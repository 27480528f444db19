"""ImageJ's RoiSet.zip at source resolution: one ROI per shape, on its source slice.

Source pixels are *center*. ImageJ takes points and lines by the middle of a pixel, as they are, and areas by its corner, so
these get half a pixel (ij/gui/Roi.java, class comment). The header version says so: points by the middle are version 228 and later.
``position`` is the nearest source slice from 1, in position order, the order of ``planes`` in the sidecar; ImageJ must show
the stack in that order. ROIs have 32-bit floats: 0.001 pixel at column 16,000.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, MissingExtraError
from sidecar.points.shapes import AREAS, Shape, outline, shapes_of
from sidecar.points.table import MappedPoints, Space, Writer

_VERSION = 229
#: ImageJ's coordinate of the middle of the first pixel, in areas.
_AREA_MIDDLE = 0.5
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def _write(points: MappedPoints, path: Path, space: Space) -> None:
    try:
        import roifile
    except ImportError:
        raise MissingExtraError("Writing ImageJ ROIs", "imagej") from None
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, shape in enumerate(shapes_of(points.columns, len(points)), start=1):
            source = outline(points, shape).source
            roi = _roi(roifile, shape, source[:, :2], _position(points, shape, source[:, 2]))
            name = re.sub(r"[^\w.-]+", "_", shape.name)[:80]
            archive.writestr(zipfile.ZipInfo(f"{number:04d}-{name}.roi", _FIXED_TIME), roi.tobytes())


def _roi(roifile: Any, shape: Shape, column_row: NDArray[np.float64], position: int) -> Any:
    xy = column_row + _AREA_MIDDLE if shape.type in AREAS else column_row
    roi = roifile.ImagejRoi.frompoints(xy, name=shape.name, position=position - 1)
    roi.version = _VERSION
    roi.options = roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    kinds = roifile.ROI_TYPE
    roi.roitype = {"point": kinds.POINT, "line": kinds.LINE, "polyline": kinds.POLYLINE}.get(shape.type, kinds.POLYGON)
    if shape.type == "line":
        (roi.x1, roi.y1), (roi.x2, roi.y2) = xy.tolist()
    return roi


def _position(points: MappedPoints, shape: Shape, along: NDArray[np.float64]) -> int:
    """The source slice, from 1, nearest to the shape; halfway between two the lower one, as for instances."""
    slices = np.unique(np.ceil(along - 0.5)).astype(int) + 1
    if len(slices) > 1:
        problem = f"this {shape.type} runs from source slice {slices[0]} to {slices[-1]}, and an ImageJ ROI lies on one"
        raise LabelError(f"{problem}: write csv or json, or mrk.json", where=shape.where)
    if not 1 <= slices[0] <= len(points.sidecar.document.source.planes):
        raise LabelError("lies beyond the first or last source slice, where ImageJ has none", where=shape.where)
    return int(slices[0])


WRITER = Writer("imagej", (".zip",), _write)
