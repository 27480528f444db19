"""Selections in a TIFF that ImageJ or Fiji saved: its overlay, and the selection that was active.

The selections are in tag 50839 of the first directory of the file. The same tag holds the labels of
the slices; these are the PNGs' names if a sequence of PNGs was opened. Only this directory and its
tags are read. Source: ij/io/TiffEncoder.java (writeMetaData), TiffDecoder.java (getMetaData).
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

import numpy as np

from sidecar.errors import LabelError, counted
from sidecar.formats import tiff
from sidecar.formats.tiff import Directory, directories
from sidecar.labels.model import ImageReference, Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.imagej_selections import labels_of_selections
from sidecar.labels.references import bare_key, is_png_name, looks_like_slice
from sidecar.labels.tables.columns import Made

_TOOL = "ImageJ/Fiji overlay"
_COUNTS, _METADATA = 50838, 50839
_MAGIC = 0x494A494A  # "IJIJ"
_ROI, _OVERLAY, _LABELS = 0x726F6920, 0x6F766572, 0x6C61626C  # "roi ", "over", "labl"
_IMAGES = re.compile(rb"^images=(\d+)\s*$", re.MULTILINE)

_ALL_READ = (
    "The overlay was read, with the selection that was active when the image was saved. Pixels"
    " were not read; map-mask reads them"
)
_BY_LABEL = "The labels of the slices in the TIFF say which PNGs they are"


@dataclass(frozen=True, slots=True)
class _Tiff:
    """The content of the first directory: size and number of the images, and ImageJ's metadata."""

    width: int
    height: int
    images: int
    rois: Sequence[bytes] = ()
    slice_labels: Sequence[str] = field(default=())


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    try:
        with path.open("rb") as file:
            saved = _parsed(file, path)
    except OSError as error:
        raise LabelError(
            f"cannot be read: {error.strerror or 'input/output error'}", path
        ) from error
    if not saved.rois:
        raise LabelError(
            "holds neither an overlay nor a selection of ImageJ; add the selections to the overlay"
            " and save again",
            path,
        )
    selections = [(f"{n:04d}", roi) for n, roi in enumerate(dict.fromkeys(saved.rois), 1)]
    named, notes = _named_slices(saved, stack), [_ALL_READ, _BY_LABEL]
    if not named and saved.images == 1 and is_png_name(bare_key(path.name), stack):
        named, notes = [path.name], [_ALL_READ]
    if named:
        own = replace(stack, slices=saved.images)
        labels = labels_of_selections(path, selections, own, options, tool=_TOOL, notes=notes)
        return _with_names(labels, named, saved)
    _refuse_other_stack(saved, stack, path)
    return labels_of_selections(path, selections, stack, options, tool=_TOOL, notes=[_ALL_READ])


def slices_by_label(path: Path, stack: PngStack) -> list[str]:
    """The image of each page of a TIFF, from the label that ImageJ saved for it; [] where there are
    no labels, or not all labels name images.
    """
    try:
        with path.open("rb") as file:
            return _named_slices(_parsed(file, path), stack)
    except (OSError, LabelError):
        return []


def _named_slices(saved: _Tiff, stack: PngStack) -> list[str]:
    """The image of each slice, from its label; [] where not all labels name images.

    Images of another stack are included; they are refused later.
    """
    names = [label.partition("\n")[0].strip() for label in saved.slice_labels]
    is_whole = len(names) == saved.images and all(
        is_png_name(bare_key(name), stack) or looks_like_slice(name) for name in names
    )
    return names if is_whole else []


def _refuse_other_stack(saved: _Tiff, stack: PngStack, path: Path) -> None:
    if saved.images not in (1, stack.slices):
        raise LabelError(
            f"has {counted(saved.images, 'image')}, but the stack has"
            f" {counted(stack.slices, 'PNG')}, and the labels of the images do not say which PNG"
            " each one is; open all PNGs as one stack",
            path,
        )
    if saved.images > 1 and (saved.width, saved.height) != (stack.columns, stack.rows):
        raise LabelError(
            f"has images of {saved.width} × {saved.height} pixels, but the PNGs have"
            f" {stack.columns} × {stack.rows}. It was resized or cropped, or belongs to another"
            " export; open the PNGs of this export as they are",
            path,
        )


def _with_names(labels: Labels, named: Sequence[str], saved: _Tiff) -> Labels:
    """The labels with the names of PNGs instead of positions in the TIFF."""
    for index, slice_ in enumerate(labels.slice.tolist()):
        if not 0 <= slice_ < len(named):
            raise labels.error(
                index, f"lies on slice {slice_ + 1:g}, but the TIFF has {len(named)}"
            )
    reference = labels.slice.astype(np.intp)
    cells = {
        **labels.columns,
        "image": [named[k] for k in reference.tolist()],
        "slice": [""] * len(labels),
    }
    size = (saved.width, saved.height)
    return replace(
        labels,
        images=tuple(ImageReference(name, size) for name in named),
        reference=reference,
        slice=labels.slice * float("nan"),
        columns=Made.of(cells, len(labels)),
    )


def _parsed(file: BinaryIO, path: Path) -> _Tiff:
    try:
        first = next(directories(file))
        width, height = first.number(tiff.WIDTH), first.number(tiff.HEIGHT)
        text = first.data(tiff.DESCRIPTION) if tiff.DESCRIPTION in first else b""
        entries = _metadata(first) if _METADATA in first else []
    except (struct.error, StopIteration, IndexError, ValueError) as error:
        raise LabelError(
            "is damaged, or is not a TIFF of ImageJ; save it from ImageJ again", path
        ) from error
    found = _IMAGES.search(text)
    code = "utf-16-le" if first.order == "<" else "utf-16-be"
    return _Tiff(
        width,
        height,
        int(found[1]) if found else 1,
        [data for type_, data in entries if type_ in (_OVERLAY, _ROI)],
        [data.decode(code, "replace") for type_, data in entries if type_ == _LABELS],
    )


def _metadata(first: Directory) -> list[tuple[int, bytes]]:
    """Type and bytes of each entry. The first entry states how many there are of each type."""
    lengths, data = first.numbers(_COUNTS), first.data(_METADATA)
    if sum(lengths) > len(data):
        raise ValueError("cut short")
    words = lengths[0] // 4
    header = struct.unpack(f"{first.order}{words}I", data[: words * 4])
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
    """A TIFF with metadata of ImageJ in its first directory, which ImageJ writes at the start."""
    if not head.startswith(tiff.MAGICS):
        return False
    with contextlib.suppress(tiff.TiffError, StopIteration):
        return _METADATA in next(directories(io.BytesIO(head)))
    with contextlib.suppress(tiff.TiffError, StopIteration, OSError), path.open("rb") as file:
        return _METADATA in next(directories(file))
    return False


READER = Reader(
    "imagej-tiff",
    _TOOL,
    "center for points and lines, corner for areas and angles",
    _recognises,
    _read,
)
