"""ImageJ's RoiSet.zip: one ROI per shape, in the pixels of the stack that ImageJ has open: that of
the PNGs, or that of the source's DICOM files.

Pixels are *center*. ImageJ takes points and lines by the middle of a pixel, as they are, and areas
by its corner, so these get half a pixel (ij/gui/Roi.java, class comment). The header version says
so: points by the middle are version 228 and later. ROIs have 32-bit floats: 0.001 pixel at column
16,000.

``position`` is the number of the slice from 1, in the order in which ImageJ opens the stack: see
`imagej_order`.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, MissingExtraError
from sidecar.grid.axis import nearest
from sidecar.grid.space import Space
from sidecar.labels.imagej_stamp import Over, Stamp
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.mapped_shapes import MappedShape, Outline, outputs_for, shapes_of
from sidecar.labels.vertices import AREAS
from sidecar.labels.writers.imagej_order import png_numbers, source_numbers
from sidecar.mapping import Sidecar

_VERSION = 229
#: ImageJ's coordinate of the middle of the first pixel, in areas.
_AREA_MIDDLE = 0.5
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class _Stack:
    """A stack as ImageJ has it open.

    ``over``      which it is.
    ``slice``     what messages call one of its slices.
    ``vertices``  (M, 3) pixel x, y and slice of an outline on it.
    ``numbers``   the number that ImageJ gives to each of its slices, from 1.
    ``identity``  equal for exports for which it is the same stack.
    ``note``      how it has to be opened.
    """

    over: Over
    slice: str
    vertices: Callable[[Outline], NDArray[np.float64]]
    numbers: Callable[[Sidecar], Sequence[int]]
    identity: Callable[[Sidecar], Hashable]
    note: str


def _write(stack: _Stack, parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    try:
        import roifile
    except ImportError:
        raise MissingExtraError("Writing ImageJ ROIs", "imagej") from None
    _require_one(stack, parts)
    numbers = stack.numbers(parts[0].sidecar) if parts else ()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate(shapes_of(parts), start=1):
            name = re.sub(r"[^\w.-]+", "_", one.name)[:80]
            archive.writestr(
                zipfile.ZipInfo(f"{number:04d}-{name}.roi", _FIXED_TIME),
                _roi(roifile, one, stack, numbers).tobytes(),
            )
    return (stack.note,)


def _require_one(stack: _Stack, parts: Sequence[MappedPoints]) -> None:
    first: dict[Hashable, MappedPoints] = {}
    for part in parts:
        first.setdefault((part.series_uid, stack.identity(part.sidecar)), part)
    if len(first) > 1:
        names = " and ".join(dict.fromkeys(part.specimen for part in first.values()))
        raise LabelError(
            f"the labels are on {len(first)} stacks of {stack.slice}s ({names}), but a RoiSet is"
            " for one; write each stack separately"
        )


def _roi(roifile: Any, one: MappedShape, stack: _Stack, numbers: Sequence[int]) -> Any:
    vertices, kinds = stack.vertices(one.outline()), roifile.ROI_TYPE
    xy = vertices[:, :2] + _AREA_MIDDLE if one.type in AREAS else vertices[:, :2]
    number = numbers[_slice(one, vertices[:, 2], stack, len(numbers))]
    roi = roifile.ImagejRoi.frompoints(xy, name=one.name, position=number - 1)
    roi.version = _VERSION
    tag = one.points.sidecar.document.images.tag
    roi.props = str(Stamp(stack.over, tag, one.series))
    roi.options = roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.roitype = {"point": kinds.POINT, "line": kinds.LINE, "polyline": kinds.POLYLINE}.get(
        one.type, kinds.POLYGON
    )
    if one.type == "line":
        (roi.x1, roi.y1), (roi.x2, roi.y2) = xy.tolist()
    return roi


def _slice(one: MappedShape, along: NDArray[np.float64], stack: _Stack, count: int) -> int:
    """The slice nearest to the shape; halfway between two the lower one, as for instances."""
    slices = np.unique(nearest(along)).astype(int)
    if len(slices) > 1:
        in_space = () if one.type in AREAS else ("dicom-sr", "dicom-rtstruct")
        raise one.error(
            f"this {one.type} runs from {stack.slice} {slices[0]} to {slices[-1]}, but an ImageJ"
            f" ROI lies on one; write {outputs_for(one.type, *in_space)}"
        )
    if not 0 <= slices[0] < count:
        raise one.error(
            f"lies beyond the first or last {stack.slice}, and ImageJ has none there; correct it,"
            " or write csv or json"
        )
    return int(slices[0])


_STACKS: dict[Over, _Stack] = {
    "png": _Stack(
        over="png",
        slice="PNG",
        vertices=lambda outline: outline.png,
        numbers=png_numbers,
        identity=lambda sidecar: (sidecar.document.images.tag, sidecar.decimation),
        note=(
            "the selections are for the PNGs; in ImageJ open all PNGs as one stack (File › Import"
            " › Image Sequence…). For selections on the DICOM files give --over source"
        ),
    ),
    "source": _Stack(
        over="source",
        slice="source slice",
        vertices=lambda outline: outline.source,
        numbers=source_numbers,
        identity=lambda sidecar: tuple(
            (plane.sop_instance_uid, plane.frame_number) for plane in sidecar.document.source.planes
        ),
        note=(
            "the selections are for the DICOM files of this stack, in the order of ImageJ: by"
            " Instance Number, and frames as in their file. Open them as one stack (File › Import"
            " › Image Sequence…) from a folder that holds no other files. Other importers may use"
            " another order"
        ),
    ),
}

#: By which stack ImageJ has open.
OVER: dict[Over, Writer] = {
    over: Writer("imagej", (".zip",), partial(_write, stack)) for over, stack in _STACKS.items()
}
WRITER = OVER["png"]
