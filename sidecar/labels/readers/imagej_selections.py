"""Selections (ROIs) of ImageJ and Fiji as shapes, read by roifile.

Points and lines count from the middle of a pixel (*center*), areas and angles from its corner
(*corner*: isLine() ends at FREELINE). ImageJ before 1.52u (March 2020; file version up to 227)
stored points as the mouse position, which is *corner*. Its points with whole numbers may also be
pixel numbers from a macro, and its lines are undocumented, so these are refused. Version 228 was in
use for seven weeks before the change; it is taken as new.

Positions are 1-based. 0 means no position; then the name that ImageJ gave to the selection tells
the slice. In a hyperstack the slice is z. If only channel or frame has a position, it is unknown
which of them the PNGs are. Source: ij/gui/Roi.java (class comment, isLine, getMask), PointRoi.java
(makeXArray),
ij/io/RoiDecoder.java, RoiEncoder.java, ij/plugin/frame/RoiManager.java (getLabel, getSliceNumber);
imagej/ImageJ#182.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sidecar.errors import LabelError, MissingExtraError
from sidecar.labels.imagej_stamp import Stamp
from sidecar.labels.model import Labels, PixelOrigin, PngStack, ReadOptions
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import png_against_slices
from sidecar.labels.shapes import Shape, Vertices, box, ellipse, labels_of

#: Last file version of ImageJ versions that stored points as mouse positions.
_LAST_OLD_VERSION = 227
#: The name that ImageJ gives to a selection in a stack: slice from 1, and y and x of the middle of
#: its bounds.
_GIVEN_NAME = re.compile(r"(\d{4,6})-(\d{4,6})-(\d{4,6})", re.ASCII)
#: Number of vertices of each rounded corner.
_CORNER_STEPS = 32

_LINES = {"LINE": "line", "POLYLINE": "polyline", "FREELINE": "polyline"}
_OUTLINES = {"POLYGON": "polygon", "FREEHAND": "polygon", "TRACED": "polygon", "ANGLE": "polyline"}
_LEFT_OUT = {
    "TEXT": ("text selection", "a caption is not a label"),
    "IMAGE": ("image selection", "an image is not a label"),
}
_OLD = (
    "An ImageJ before 1.52u (March 2020) wrote this file, so points were taken as corner. If they"
    " are pixel numbers, give --pixel-origin center"
)
_NEW = (
    "Points were taken as center. If they were made with ImageJ 1.52t (January to March 2020),"
    " give --pixel-origin corner"
)
_OUTLINED = (
    "Freehand, rotated and elliptic areas were read as polygons of the vertices that ImageJ saved"
)
_ROUNDED = "Rectangles with rounded corners were read as polygons along their edges"
_OTHER_CHANNELS = "Selections in other channels or frames: {}; their slices were taken anyway"
_AS_SLICES = (
    "in ImageJ turn the PNGs into slices (Image > Properties, or Image > Hyperstacks > Re-order"
    " Hyperstack) and add the selection again"
)


def labels_of_selections(
    path: Path,
    selections: Sequence[tuple[str, bytes]],
    stack: PngStack,
    options: ReadOptions,
    *,
    tool: str,
    image: str = "",
    notes: Sequence[str] = (),
    left_out: LeftOut | None = None,
) -> Labels:
    """The labels of encoded selections, by name.

    ``image``: the PNG that the file is named after, "" where there is none. A LabelError names the
    selection.
    """
    roifile = _roifile()
    rois = [_decoded(roifile, data, path, name) for name, data in selections]
    file = _Set(path, stack, options.pixel_origin, image, rois, left_out or LeftOut())
    shapes = [shape for n, roi in enumerate(rois, 1) for shape in file.shapes(roi, str(n))]
    labels = labels_of(
        path,
        shapes,
        tool=tool,
        origin="center",
        forced=options.pixel_origin,
        notes=[*notes, *file.notes],
        left_out=file.left_out.sentences,
    )
    stamp = _only_stamp(rois, path)
    if stamp is None:
        return labels
    images = (replace(image, tag=stamp.tag, series_uid=stamp.series_uid) for image in labels.images)
    return replace(labels, images=tuple(images))


def _only_stamp(rois: Sequence[_Roi], path: Path) -> Stamp | None:
    """The export that selections state. It also holds for selections that state none.

    LabelError for selections on the DICOM files, and where two selections state different exports.
    """
    first: Stamp | None = None
    for roi in rois:
        stamp = Stamp.read(roi.roi.props)
        if stamp is None:
            continue
        if stamp.over == "source":
            raise LabelError(
                "is a selection for the DICOM files (map-points --over source wrote it), not for"
                " the PNGs; map the labels that it was made from, or write it for the PNGs with"
                " --over png",
                path,
                roi.where,
            )
        if stamp != (first := first or stamp):
            raise LabelError(
                f"is for the PNGs with tag {stamp.tag}, but another selection in this file is for"
                f" the PNGs with tag {first.tag}; keep the selections of each export in a file of"
                " its own",
                path,
                roi.where,
            )
    return first


def _roifile() -> ModuleType:
    try:
        import roifile
    except ImportError as error:
        raise MissingExtraError("Reading ImageJ ROIs", "imagej") from error
    return roifile


@dataclass(frozen=True, slots=True)
class _Roi:
    """One selection of roifile, and the coordinates of its parts, without any shift."""

    name: str
    roi: Any
    parts: list[Vertices]

    @property
    def kind(self) -> str:
        return str(self.roi.roitype.name)

    @property
    def where(self) -> str:
        return f"selection {self.name!r}"

    @property
    def is_old(self) -> bool:
        return int(self.roi.version) <= _LAST_OLD_VERSION

    @property
    def channel_slice_frame(self) -> tuple[int, int, int]:
        return int(self.roi.c_position), int(self.roi.z_position), int(self.roi.t_position)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it lies in another channel or frame than the first one."""
        channel, _, frame = self.channel_slice_frame
        return channel > 1 or frame > 1


def _decoded(roifile: ModuleType, data: bytes, path: Path, name: str) -> _Roi:
    where = f"selection {name!r}"
    damaged = LabelError("is damaged, or is not an ImageJ selection", path, where)
    try:
        roi = roifile.ImagejRoi.frombytes(data)
        with np.errstate(invalid="ignore"):  # NaN, refused below
            parts = [
                np.asarray(part, np.float64).reshape(-1, 2) for part in roi.coordinates(multi=True)
            ]
    except NotImplementedError as error:
        raise LabelError(
            "has curved segments, which are not read; convert it to a polygon in ImageJ",
            path,
            where,
        ) from error
    except (ValueError, TypeError, struct.error, OverflowError, IndexError, RuntimeError) as error:
        raise damaged from error
    box_ = (roi.left, roi.top, roi.right, roi.bottom, roi.xd, roi.yd, roi.widthd, roi.heightd)
    if not all(np.isfinite(part).all() for part in [np.array(box_), *parts]):
        raise damaged
    vertices: list[Vertices] = [[(x, y) for x, y in part.tolist()] for part in parts]
    return _Roi(roi.name or name, roi, vertices)


@dataclass(frozen=True)
class _Set:
    """The selections of one file. The meaning of one selection depends on the others."""

    path: Path
    stack: PngStack
    forced: PixelOrigin | None
    image: str
    rois: Sequence[_Roi]
    left_out: LeftOut

    @cached_property
    def has_depth(self) -> bool:
        """Whether any selection lies on a slice beyond the first. Then z is the slice."""
        return any(roi.channel_slice_frame[1] > 1 for roi in self.rois)

    @cached_property
    def is_hyperstack(self) -> bool:
        return any(roi.is_elsewhere for roi in self.rois)

    @cached_property
    def against(self) -> str:
        """The PNG that the file is named after, to compare with positions on the stack."""
        return png_against_slices(self.path, self.stack)

    @property
    def notes(self) -> list[str]:
        points = {roi.is_old for roi in self.rois if roi.kind == "POINT"}
        news = any(
            roi.kind == "POINT" and int(roi.roi.version) == _LAST_OLD_VERSION + 1
            for roi in self.rois
        )
        others = sum(roi.is_elsewhere for roi in self.rois)
        return [
            *([_OLD] if self.forced is None and True in points else []),
            *([_NEW] if self.forced is None and news else []),
            *([_OUTLINED] if any(r.kind in ("FREEHAND", "TRACED") for r in self.rois) else []),
            *([_ROUNDED] if any(r.roi.rounded_rect_arc_size > 0 for r in self.rois) else []),
            *([_OTHER_CHANNELS.format(others)] if others else []),
        ]

    def shapes(self, roi: _Roi, id_: str) -> Iterator[Shape]:
        if roi.roi.subtype.name in _LEFT_OUT:
            self.left_out.add(*_LEFT_OUT[roi.roi.subtype.name])
            return
        origin = self._origin(roi)
        common: dict[str, Any] = {
            "origin": origin,
            "where": roi.where,
            "label": roi.name,
            "id": id_,
        }
        extra = {"group": str(roi.roi.group or "")}
        if roi.kind != "POINT":
            place = self._place(roi)
            for type_, vertices in _outlines(roi, self.path):
                yield Shape(type_, vertices, extra=extra, **place, **common)
            return
        for vertex, xy in enumerate(roi.parts[0]):
            counters = roi.roi.counters
            counter = "" if counters is None else str(counters[vertex])
            place = self._own_place(roi, vertex)
            yield Shape(
                "point", [xy], vertex=vertex, extra=extra | {"counter": counter}, **place, **common
            )

    def _origin(self, roi: _Roi) -> PixelOrigin:
        if roi.kind != "POINT" and roi.kind not in _LINES:
            return "corner"
        if not roi.is_old or self.forced is not None:
            return "center"
        if roi.kind == "POINT" and roi.roi.subpixel_coordinates is not None:
            return "corner"
        what = "whole-numbered points" if roi.kind == "POINT" else "lines"
        message = f"{what} of an ImageJ before 1.52u (March 2020) may count from either origin"
        raise LabelError(
            f"{message}; give --pixel-origin center if they are pixel numbers, or corner if not",
            self.path,
            roi.where,
        )

    def _own_place(self, roi: _Roi, vertex: int) -> dict[str, Any]:
        """The place of one point of a multi-point selection. Such a point has its own position,
        which counts through channels, slices and frames.
        """
        positions = roi.roi.counter_positions
        own = 0 if positions is None else int(positions[vertex])
        if not own:
            return self._place(roi)
        if self.is_hyperstack:
            raise LabelError(
                "is a multi-point selection on a hyperstack, where positions of points count"
                f" through channels and slices; {_AS_SLICES}",
                self.path,
                roi.where,
            )
        return self._on(own - 1)

    def _place(self, roi: _Roi) -> dict[str, Any]:
        """Slice or image of a selection. The slice is its z, or its stack position if there is no
        z.
        """
        channel, z, frame = roi.channel_slice_frame
        position = int(roi.roi.position)
        if z > 0 and (self.has_depth or not roi.is_elsewhere):
            if position not in (0, z) and not self.is_hyperstack:
                raise LabelError(
                    f"has position {position} and slice {z}, and these contradict each other; add"
                    " it to the ROI Manager again",
                    self.path,
                    roi.where,
                )
            return self._on(z - 1)
        if self.stack.is_single:
            return self._on(0)
        if roi.is_elsewhere:
            what = f"channel {channel}" if channel > 1 else f"frame {frame}"
            raise LabelError(
                f"lies on {what} and on no slice beyond the first, and the file does not say"
                f" whether channels or frames are the PNGs; {_AS_SLICES}",
                self.path,
                roi.where,
            )
        if position > 0:
            return self._on(position - 1)
        if self.image:
            return {"image": self.image}
        if (named := _slice_in_name(roi)) is not None:
            return self._on(named)
        raise LabelError(
            "has no position, so its slice is not known. Rename the file so that its name begins"
            " with that of the PNG; or show the slice in ImageJ, add the selection to the ROI"
            " Manager, and save it from there",
            self.path,
            roi.where,
        )

    def _on(self, slice_: int) -> dict[str, Any]:
        return {"slice": slice_, "image": self.against}


def _slice_in_name(roi: _Roi) -> int | None:
    """The slice in the name that ImageJ gave to a selection. ImageJ itself uses it where there is
    no position. None where the selection was moved or renamed later.
    """
    found = _GIVEN_NAME.fullmatch(roi.name)
    if found is None:
        return None
    slice_, *middle = (int(number) for number in found.groups())
    r = roi.roi
    y, x = (r.top + r.bottom) / 2, (r.left + r.right) / 2
    return slice_ - 1 if slice_ and abs(y - middle[0]) <= 1 and abs(x - middle[1]) <= 1 else None


def _outlines(roi: _Roi, path: Path) -> Iterator[tuple[str, Vertices]]:
    """Shape type and vertices of each outline. A composite area has several outlines."""
    r = roi.roi
    if r.composite:
        for part in roi.parts:  # closed by repeating the first vertex
            yield "polygon", part[:-1] if len(part) > 1 and part[0] == part[-1] else part
    elif roi.kind in ("RECT", "OVAL"):
        x0, y0, x1, y1 = r.left, r.top, r.right, r.bottom
        if r.subpixelrect:
            x0, y0, x1, y1 = r.xd, r.yd, r.xd + r.widthd, r.yd + r.heightd
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        if roi.kind == "OVAL":
            yield "ellipse", ellipse(x, y, x1 - x, y1 - y)
        elif r.rounded_rect_arc_size > 0:
            yield "polygon", _rounded(x0, y0, x1, y1, r.rounded_rect_arc_size)
        else:
            yield "box", box(x0, y0, x1, y1)
    elif roi.kind in _LINES or roi.kind in _OUTLINES:
        yield (_LINES | _OUTLINES)[roi.kind], roi.parts[0]
    else:
        raise LabelError(
            f"is a selection of an unknown kind ({roi.kind}); delete it", path, roi.where
        )


def _rounded(x0: float, y0: float, x1: float, y1: float, diameter: float) -> Vertices:
    """The outline of a rectangle with rounded corners, clockwise from the top left.

    Each corner is a quarter of an ellipse of this diameter, or of the size of the rectangle if that
    is smaller.
    """
    rx, ry = min(diameter, x1 - x0) / 2, min(diameter, y1 - y0) / 2
    middles = ((x0 + rx, y0 + ry), (x1 - rx, y0 + ry), (x1 - rx, y1 - ry), (x0 + rx, y1 - ry))
    return [
        (x + rx * math.cos(angle), y + ry * math.sin(angle))
        for quarter, (x, y) in enumerate(middles, 2)
        for step in range(_CORNER_STEPS + 1)
        for angle in [math.pi / 2 * (quarter + step / _CORNER_STEPS)]
    ]
