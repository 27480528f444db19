"""Selections in a TIFF that ImageJ or Fiji saved: its overlay, and the selection that was active.

They lie in the first directory of the file, in tag 50839, beside the labels of the slices, which
are the PNGs' names where a sequence of PNGs was opened. Only that directory and those tags are
read. Source: ij/io/TiffEncoder.java (writeMetaData), TiffDecoder.java (getMetaData).
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.imagej_selections import labels_of_selections
from sidecar.labels.references import bare_key
from sidecar.mapping import image_key

_TOOL = "ImageJ/Fiji overlay"
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_WIDTH, _HEIGHT, _DESCRIPTION, _COUNTS, _METADATA = 256, 257, 270, 50838, 50839
#: Bytes of a value by its TIFF type: those that these tags have.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4}
_MAGIC = 0x494A494A  # "IJIJ"
_ROI, _OVERLAY, _LABELS = 0x726F6920, 0x6F766572, 0x6C61626C  # "roi ", "over", "labl"
_IMAGES = re.compile(r"^images=(\d+)\s*$", re.MULTILINE | re.ASCII)
#: All that is read of one file.
MAX_BYTES = 128 * 2**20

_ALL_READ = (
    "The overlay was read, and the selection that was active when the image was saved; pixels were"
    " not (map-mask reads those)"
)
_BY_LABEL = "Slices are named by the labels that the TIFF has for them"


@dataclass(frozen=True, slots=True)
class _Tiff:
    """What the first directory says: size of the images, how many, and ImageJ's metadata."""

    width: int
    height: int
    images: int
    rois: Sequence[bytes] = ()
    slice_labels: Sequence[str] = field(default=())


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    try:
        with path.open("rb") as file:
            tiff = _parsed(file, path)
    except OSError as error:
        raise LabelError(
            f"cannot be read: {error.strerror or 'input/output error'}", path
        ) from error
    if not tiff.rois:
        raise LabelError("holds no overlay and no selection of ImageJ", path)
    selections = [(f"{n:04d}", roi) for n, roi in enumerate(dict.fromkeys(tiff.rois), 1)]
    named = _named_slices(tiff, stack)
    if not named:
        _refuse_other_stack(tiff, stack, path)
    alone = path.name if tiff.images == 1 and bare_key(path.name) in _keys(stack) else ""
    labels = labels_of_selections(
        path,
        selections,
        replace(stack, slices=tiff.images) if named else stack,
        options,
        tool=_TOOL,
        image=alone,
        sizes={alone: (tiff.width, tiff.height)} if alone else None,
        notes=[_ALL_READ],
    )
    return _with_names(labels, named, tiff) if named else labels


def _keys(stack: PngStack) -> set[str]:
    return {image_key(name) for name in stack.names}


def _named_slices(tiff: _Tiff, stack: PngStack) -> list[str]:
    """The PNG of each image by its label; [] where not all of them are PNGs."""
    names = [label.partition("\n")[0].strip() for label in tiff.slice_labels]
    keys = _keys(stack)
    is_whole = len(names) == tiff.images and all(bare_key(name) in keys for name in names)
    return names if is_whole else []


def _refuse_other_stack(tiff: _Tiff, stack: PngStack, path: Path) -> None:
    if tiff.images not in (1, stack.slices):
        raise LabelError(
            f"has {tiff.images} images, there are {stack.slices} PNGs, and their labels do not tell"
            " which is which; open all PNGs as one stack",
            path,
        )
    if tiff.images > 1 and (tiff.width, tiff.height) != (stack.columns, stack.rows):
        raise LabelError(
            f"has images of {tiff.width} × {tiff.height} pixels, the PNGs have {stack.columns} ×"
            f" {stack.rows}: it was resized or cropped, or is of another export",
            path,
        )


def _with_names(labels: Labels, named: Sequence[str], tiff: _Tiff) -> Labels:
    """Positions in the TIFF replaced by the names of the PNGs there."""
    for index, slice_ in enumerate(labels.slice.tolist()):
        if not 0 <= slice_ < len(named):
            raise labels.error(index, f"lies on slice {slice_ + 1:g} of {len(named)}")
    images = [named[int(slice_)] for slice_ in labels.slice.tolist()]
    unknown = [""] * len(images)
    return replace(
        labels,
        image=images,
        slice=labels.slice * float("nan"),
        columns={**labels.columns, "image": images, "slice": unknown},
        sizes=dict.fromkeys(images, (tiff.width, tiff.height)),
        notes=(*labels.notes, _BY_LABEL),
    )


def _parsed(file: BinaryIO, path: Path) -> _Tiff:
    try:
        tags, order = _first_directory(file)
        width, height = (_numbers(file, tags[tag], order)[0] for tag in (_WIDTH, _HEIGHT))
        text = (
            _bytes(file, tags[_DESCRIPTION], order).decode("latin-1")
            if _DESCRIPTION in tags
            else ""
        )
        found = _IMAGES.search(text)
        entries = _metadata(file, tags, order) if _METADATA in tags else []
    except (struct.error, KeyError, IndexError, ValueError) as error:
        raise LabelError("is damaged, or no TIFF of ImageJ", path) from error
    rois = [data for type_, data in entries if type_ in (_OVERLAY, _ROI)]
    code = "utf-16-le" if order == "<" else "utf-16-be"
    names = [data.decode(code, "replace") for type_, data in entries if type_ == _LABELS]
    return _Tiff(width, height, int(found[1]) if found else 1, rois, names)


#: Type, number of values, and where the tag's own four bytes are.
_Tag = tuple[int, int, int]


def _first_directory(file: BinaryIO) -> tuple[dict[int, _Tag], str]:
    """The tags of the first directory of a classic TIFF, and its byte order."""
    order = _BYTE_ORDERS[_at(file, 0, 4)]
    (start,) = struct.unpack(f"{order}I", _at(file, 4, 4))
    (count,) = struct.unpack(f"{order}H", _at(file, start, 2))
    tags = {}
    for n in range(count):
        place = start + 2 + 12 * n
        tag, type_, length = struct.unpack(f"{order}HHI", _at(file, place, 8))
        tags[tag] = (type_, length, place + 8)
    return tags, order


def _at(file: BinaryIO, start: int, count: int) -> bytes:
    if count > MAX_BYTES:
        raise ValueError("more than is read of one file")
    file.seek(start)
    data = file.read(count)
    if len(data) < count:
        raise ValueError("cut short")
    return data


def _bytes(file: BinaryIO, tag: _Tag, order: str) -> bytes:
    type_, length, place = tag
    count = _SIZES[type_] * length
    if count > 4:
        (place,) = struct.unpack(f"{order}I", _at(file, place, 4))
    return _at(file, place, count)


def _numbers(file: BinaryIO, tag: _Tag, order: str) -> tuple[int, ...]:
    code = {1: "B", 3: "H", 4: "I"}[tag[0]]
    return struct.unpack(f"{order}{tag[1]}{code}", _bytes(file, tag, order))


def _metadata(file: BinaryIO, tags: dict[int, _Tag], order: str) -> list[tuple[int, bytes]]:
    """Type and bytes of each entry: the first says how many there are of which type."""
    lengths = _numbers(file, tags[_COUNTS], order)
    data = _bytes(file, tags[_METADATA], order)
    if sum(lengths) > len(data):
        raise ValueError("cut short")
    header = struct.unpack(f"{order}{lengths[0] // 4}I", data[: lengths[0] // 4 * 4])
    if header[0] != _MAGIC:
        raise ValueError("no metadata of ImageJ")
    types = [
        type_
        for type_, count in zip(header[1::2], header[2::2], strict=True)
        for _ in range(min(count, len(lengths)))
    ]
    ends = list(accumulate(lengths))
    parts = zip(types, ends[:-1], ends[1:], strict=True)
    return [(type_, data[start:end]) for type_, start, end in parts]


def _recognises(path: Path, head: bytes) -> bool:
    """A TIFF whose first directory, which ImageJ writes first of all, has metadata of ImageJ."""
    if head[:4] not in _BYTE_ORDERS:
        return False
    with contextlib.suppress(struct.error, ValueError):
        return _METADATA in _first_directory(io.BytesIO(head))[0]
    with contextlib.suppress(struct.error, ValueError, OSError), path.open("rb") as file:
        return _METADATA in _first_directory(file)[0]
    return False


READER = Reader(
    "imagej-tiff",
    _TOOL,
    "center for points and lines, corner for areas and angles",
    _recognises,
    _read,
)
