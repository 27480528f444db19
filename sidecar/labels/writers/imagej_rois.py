"""ImageJ's RoiSet.zip at source resolution: one ROI per shape, on its source slice.

Source pixels are *center*. ImageJ takes points and lines by the middle of a pixel, as they are, and
areas by its corner, so these get half a pixel (ij/gui/Roi.java, class comment). The header version
says so: points by the middle are version 228 and later.
``position`` is the nearest source slice from 1, in position order, that of ``planes`` in the
sidecar; ImageJ must show the stack in that order. ROIs have 32-bit floats: 0.001 pixel at column
16,000.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import MissingExtraError
from sidecar.grid.axis import nearest
from sidecar.grid.space import Space
from sidecar.labels.mapped import MappedPoints, Writer
from sidecar.labels.mapped_shapes import MappedShape, require_one_scan, shapes_of
from sidecar.labels.vertices import AREAS

_VERSION = 229
#: ImageJ's coordinate of the middle of the first pixel, in areas.
_AREA_MIDDLE = 0.5
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> None:
    try:
        import roifile
    except ImportError:
        raise MissingExtraError("Writing ImageJ ROIs", "imagej") from None
    require_one_scan(parts, "a RoiSet")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate(shapes_of(parts), start=1):
            name = re.sub(r"[^\w.-]+", "_", one.name)[:80]
            archive.writestr(
                zipfile.ZipInfo(f"{number:04d}-{name}.roi", _FIXED_TIME),
                _roi(roifile, one).tobytes(),
            )


def _roi(roifile: Any, one: MappedShape) -> Any:
    source, kinds = one.outline().source, roifile.ROI_TYPE
    xy = source[:, :2] + _AREA_MIDDLE if one.type in AREAS else source[:, :2]
    roi = roifile.ImagejRoi.frompoints(xy, name=one.name, position=_slice(one, source[:, 2]))
    roi.version = _VERSION
    roi.options = roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.roitype = {"point": kinds.POINT, "line": kinds.LINE, "polyline": kinds.POLYLINE}.get(
        one.type, kinds.POLYGON
    )
    if one.type == "line":
        (roi.x1, roi.y1), (roi.x2, roi.y2) = xy.tolist()
    return roi


def _slice(one: MappedShape, along: NDArray[np.float64]) -> int:
    """The 0-based source slice nearest to the shape; halfway between two the lower one, as for
    instances.
    """
    slices = np.unique(nearest(along)).astype(int)
    if len(slices) > 1:
        span = f"from source slice {slices[0] + 1} to {slices[-1] + 1}"
        raise one.error(
            f"this {one.type} runs {span}, and an ImageJ ROI lies on one: write slicer, json or csv"
        )
    if not 0 <= slices[0] < len(one.points.sidecar.document.source.planes):
        raise one.error("lies beyond the first or last source slice, where ImageJ has none")
    return int(slices[0])


WRITER = Writer("imagej", (".zip",), _write)
