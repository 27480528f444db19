"""ImageJ and Fiji selections: `.roi`, and the ROI Manager's RoiSet.zip, read by roifile.

Points and lines count from the middle of a pixel (*center*), areas from its corner (*corner*).
Points that ImageJ wrote before 1.52u (March 2020; file version up to 227) were stored as the mouse
position, which is *corner*; its whole-numbered points may also be pixel numbers set by a macro, and
its lines are undocumented: those are refused. Version 228 was in use seven weeks before the change,
so it is taken as new. Positions are 1-based, 0 is none; a selection names no image. Source:
ij/gui/Roi.java (class comment), PointRoi.java (makeXArray), ij/io/RoiDecoder.java, RoiEncoder.java;
imagej/ImageJ#182.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import numpy as np

from sidecar.errors import LabelError, MissingExtraError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.shapes import Shape, Vertices, box, ellipse, labels_of
from sidecar.labels.text import read_bytes

_TOOL = "ImageJ/Fiji ROIs"
#: A zip of more selections, or of more bytes packed or unpacked, is refused.
MAX_SELECTIONS = 65536
MAX_BYTES = 128 * 2**20
#: Last file version of the ImageJ that stored points as mouse positions.
_LAST_OLD_VERSION = 227
_ROI, _ZIP, _ZIP_ENTRY = b"Iout", b"PK\x03\x04", b"PK\x01\x02"

#: What zipfile raises for damaged archives; RuntimeError for encrypted ones.
_UNPACKING = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
    struct.error,
)

_LINES = {"LINE": "line", "POLYLINE": "polyline", "FREELINE": "polyline", "ANGLE": "polyline"}
_OUTLINES = ("POLYGON", "FREEHAND", "TRACED")
_OLD = (
    "Written by an ImageJ before 1.52u (March 2020): points were taken as corner; if they are not,"
    " give --pixel-origin center"
)
_NEW = (
    "Points were taken as center; if they were made with ImageJ 1.52t (January to March 2020), give"
    " --pixel-origin corner"
)
_OUTLINED = (
    "Freehand, rotated and elliptic areas were read as polygons of the vertices that ImageJ saved"
)


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    roifile = _roifile()
    rois = [(name, *_decoded(roifile, data, path, name)) for name, data in _files(path)]
    shapes = [
        shape
        for n, (name, roi, parts) in enumerate(rois, 1)
        for shape in _shapes(roi, parts, name, str(n), stack, options.pixel_origin, path)
    ]
    notes = []
    versions = {int(roi.version) for _, roi, _ in rois if roi.roitype.name == "POINT"}
    if options.pixel_origin is None and any(version <= _LAST_OLD_VERSION for version in versions):
        notes.append(_OLD)
    if options.pixel_origin is None and _LAST_OLD_VERSION + 1 in versions:
        notes.append(_NEW)
    if any(roi.roitype.name in ("FREEHAND", "TRACED") for _, roi, _ in rois):
        notes.append(_OUTLINED)
    return labels_of(
        path, shapes, tool=_TOOL, origin="center", forced=options.pixel_origin, notes=notes
    )


def _roifile() -> ModuleType:
    try:
        import roifile
    except ImportError as error:
        raise MissingExtraError("Reading ImageJ ROIs", "imagej") from error
    return roifile


def _files(path: Path) -> list[tuple[str, bytes]]:
    """Name and bytes of each selection. Names out of a zip are only ever shown, never opened."""
    data = read_bytes(path, MAX_BYTES)
    if not data.startswith(_ZIP):
        return [(path.stem, data)]
    files = _unpacked(data, path) if data.count(_ZIP_ENTRY) <= MAX_SELECTIONS else None
    if files is None:
        raise LabelError(
            "holds more than a ROI Manager's zip would; unpack it and choose what you need", path
        )
    return files


def _unpacked(data: bytes, path: Path) -> list[tuple[str, bytes]] | None:
    """The selections in a zip, None when they would be larger than MAX_BYTES; no entry gives more
    than the size it states.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [
                entry for entry in archive.infolist() if entry.filename.lower().endswith(".roi")
            ]
            if any(
                entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                for entry in entries
            ):
                raise NotImplementedError("a compression that ImageJ does not use")
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                return None
            return [(PurePosixPath(entry.filename).stem, archive.read(entry)) for entry in entries]
    except _UNPACKING as error:
        raise LabelError(f"cannot be unpacked: {error}", path) from error


def _decoded(roifile: ModuleType, data: bytes, path: Path, name: str) -> tuple[Any, list[Vertices]]:
    """The selection and the coordinates of its parts, as roifile gives them: without any shift."""
    damaged = LabelError("is damaged, or not an ImageJ selection", path, f"selection {name!r}")
    try:
        roi = roifile.ImagejRoi.frombytes(data)
        with np.errstate(invalid="ignore"):  # NaN, refused below
            parts = [
                np.asarray(part, np.float64).reshape(-1, 2) for part in roi.coordinates(multi=True)
            ]
    except NotImplementedError as error:
        raise LabelError(
            "has curved segments; convert it to a polygon in ImageJ", path, f"selection {name!r}"
        ) from error
    except (ValueError, TypeError, struct.error, OverflowError, IndexError, RuntimeError) as error:
        raise damaged from error
    box_ = (roi.left, roi.top, roi.right, roi.bottom, roi.xd, roi.yd, roi.widthd, roi.heightd)
    if not all(np.isfinite(part).all() for part in [np.array(box_), *parts]):
        raise damaged
    return roi, [[(x, y) for x, y in part.tolist()] for part in parts]


def _shapes(
    roi: Any,
    parts: list[Vertices],
    name: str,
    id_: str,
    stack: PngStack,
    forced: PixelOrigin | None,
    path: Path,
) -> Iterator[Shape]:
    where = f"selection {roi.name or name!r}"
    origin = _origin(roi, forced, path, where)
    common: dict[str, Any] = {
        "origin": origin,
        "where": where,
        "label": roi.name or name,
        "id": id_,
    }
    extra = {"group": str(roi.group or "")}
    if roi.roitype.name != "POINT":
        for type_, vertices in _outlines(roi, parts, path, where):
            yield Shape(
                type_, vertices, slice=_slice(roi, stack, path, where), extra=extra, **common
            )
        return
    for vertex, xy in enumerate(parts[0]):
        counter = "" if roi.counters is None else str(roi.counters[vertex])
        own = 0 if roi.counter_positions is None else int(roi.counter_positions[vertex])
        slice_ = own - 1 if own else _slice(roi, stack, path, where)
        yield Shape(
            "point", [xy], slice=slice_, vertex=vertex, extra=extra | {"counter": counter}, **common
        )


def _origin(roi: Any, forced: PixelOrigin | None, path: Path, where: str) -> PixelOrigin:
    kind = roi.roitype.name
    if kind != "POINT" and kind not in _LINES:
        return "corner"
    if roi.version > _LAST_OLD_VERSION or forced is not None:
        return "center"
    if kind == "POINT" and roi.subpixel_coordinates is not None:
        return "corner"
    what = "whole-numbered points" if kind == "POINT" else "lines"
    message = f"{what} of an ImageJ before 1.52u (March 2020) may count from either origin"
    raise LabelError(
        f"{message}; give --pixel-origin center if they are pixel numbers, corner if not",
        path,
        where,
    )


def _slice(roi: Any, stack: PngStack, path: Path, where: str) -> int:
    """0-based. In a hyperstack of a PNG stack all but one of channel, slice and frame are 1."""
    places = [roi.c_position, roi.z_position, roi.t_position]
    position = max(roi.position, *places)
    if sum(place > 1 for place in places) > 1:
        raise LabelError(
            "lies in a hyperstack with more than one dimension beside x and y", path, where
        )
    if position > 0:
        return int(position) - 1
    if stack.slices == 1:
        return 0
    message = (
        "has no position, so its slice is not known; in ImageJ add it to the ROI Manager with its"
        " slice on display"
    )
    raise LabelError(f"{message}, and save it from there", path, where)


def _outlines(
    roi: Any, parts: list[Vertices], path: Path, where: str
) -> Iterator[tuple[str, Vertices]]:
    """Shape type and vertices; several for a composite area."""
    kind = roi.roitype.name
    if roi.composite:
        for part in parts:  # closed by repeating the first vertex
            yield "polygon", part[:-1] if len(part) > 1 and part[0] == part[-1] else part
    elif kind in ("RECT", "OVAL"):
        x0, y0, x1, y1 = roi.left, roi.top, roi.right, roi.bottom
        if roi.subpixelrect:
            x0, y0, x1, y1 = roi.xd, roi.yd, roi.xd + roi.widthd, roi.yd + roi.heightd
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        yield (
            ("box", box(x0, y0, x1, y1))
            if kind == "RECT"
            else ("ellipse", ellipse(x, y, x1 - x, y1 - y))
        )
    elif kind in _LINES or kind in _OUTLINES:
        yield _LINES.get(kind, "polygon"), parts[0]
    else:
        raise LabelError(f"is of a kind that is not known ({kind}); delete it", path, where)


def _recognises(path: Path, head: bytes) -> bool:
    if head.startswith(_ZIP):
        length = int.from_bytes(
            head[26:28], "little"
        )  # of the first entry's name: local file header, APPNOTE 4.3.7
        return head[30 : 30 + length].lower().endswith(b".roi")
    return head.startswith(_ROI)


READER = Reader(
    "imagej-roi", _TOOL, "center for points and lines, corner for areas", _recognises, _read
)
