"""How a browser is to show a stack: the contrast to start with, and copies of 16-bit PNGs that it
can show in full.

A page opened from disk may filter pixels but not read them, and browsers keep the high byte of a
16-bit PNG only: 12-bit values would be shown in 16 greys. So a 16-bit stack gets copies in which
red and green carry the two bytes of

    (PNG value − offset) · 2^(16 − bits)

with the offset and bits of the whole stack; the page's contrast filter puts them together again
without loss.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.document.model import Document
from sidecar.errors import DocumentError, OutputError, counted, reason
from sidecar.grid.axis import spread
from sidecar.parallel import in_order
from sidecar.storage.location import Location, WritableLocation
from sidecar.storage.whole_file import without_part
from sidecar.values.histogram import value_counts
from sidecar.viewer.names import VIEWER_IMAGES

#: Folder, beside the PNGs, of the copies of a 16-bit stack.
SPLIT_FOLDER = VIEWER_IMAGES
#: Images the contrast is measured on, spread over the stack.
MEASURED_IMAGES = 8
#: The darkest and brightest pixels left out when the contrast is measured, as parts of all.
CLIPPED = 0.005
#: Bytes of a remote PNG fetched at a time.
_PNG_BLOCK = 1 << 20

Range = tuple[float, float]
Counts = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """What the copies of a 16-bit stack hold:

    (PNG value − ``offset``) · 2^(16 − ``bits``), its bytes in red and green.
    """

    folder: str
    offset: int
    bits: int


@dataclass(frozen=True)
class Display:
    """PNG values: ``whole``, from the lowest to the highest there can be; ``measured``, those
    between which nearly all pixels lie; ``contrast``, those shown black and white at first: the
    measured ones of a stack around a landmark, whose window is that of the whole scan.
    """

    whole: Range
    measured: Range
    contrast: Range
    split: Split | None


def display_of(
    document: Document,
    folder: WritableLocation,
    counts: Mapping[int, Counts] = MappingProxyType({}),
) -> Display:
    """How to show the PNGs of ``document`` that lie in ``folder``; writes the copies of a 16-bit
    stack.

    ``counts``: how many pixels of an image have each value, for those of the `measured_images` that
    need not be read for it. DocumentError for a PNG that is missing, damaged or of another size or
    depth; OutputError where copies cannot be written.
    """
    measured = _measured(document, folder, counts)
    if document.images.bits == 16 and document.images.channels == 1:
        split = _write_split(document, folder)
        return Display(
            (split.offset, split.offset + 2.0**split.bits - 1), measured, measured, split
        )
    whole = (0.0, 2.0**document.images.bits - 1)
    is_small_part = document.zoom is not None
    return Display(whole, measured, measured if is_small_part else whole, None)


def remove_copies(folder: WritableLocation, names: Iterable[str]) -> None:
    """Remove what `display_of` wrote for the PNGs ``names``, and its folder when nothing else is in
    it.
    """
    copies = folder / SPLIT_FOLDER
    if not copies.is_folder() or copies.is_link():
        return
    ours = set(names)
    there = copies.names()
    going = [name for name in there if without_part(name) in ours]
    for name in going:
        (copies / name).remove()
    if len(going) == len(there):
        copies.remove_folder()


def read_image(document: Document, folder: Location, name: str) -> NDArray[Any]:
    """The pixels (rows, columns[, channels]) of one PNG, checked against the document."""
    from PIL import Image  # not loaded where nothing has to be read

    columns, rows, _ = document.images.size
    depth = np.dtype(np.uint8 if document.images.bits == 8 else np.uint16)
    shape = (rows, columns) if document.images.channels == 1 else (rows, columns, 3)
    try:
        with (
            (folder / name).open(_PNG_BLOCK) as file,
            Image.open(file, formats=["PNG"]) as image,
        ):
            size = image.size
            pixels = np.asarray(image) if size == (columns, rows) else None
    except FileNotFoundError:
        raise DocumentError(f"{name} is missing beside sidecar.json; {document.remedy}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DocumentError(f"{name} cannot be read ({error}); {document.remedy}") from None
    if pixels is None:
        raise DocumentError(
            f"{name} has {size[0]} × {size[1]} pixels, but the sidecar says {columns} × {rows};"
            f" {document.remedy}"
        )
    if pixels.dtype != depth or pixels.shape != shape:
        images = document.images
        raise DocumentError(
            f"{name} does not have {images.bits} bits and {counted(images.channels, 'channel')},"
            f" as the sidecar says; {document.remedy}"
        )
    return pixels


def measured_images(count: int) -> list[int]:
    """Those of ``count`` images on which the contrast is measured."""
    return spread(count, MEASURED_IMAGES)


def _measured(document: Document, folder: Location, counts: Mapping[int, Counts]) -> Range:
    """The PNG values between which all but the darkest and brightest pixels of a sample of images
    lie.
    """
    names = [image.name for image in document.images.files]
    chosen = measured_images(len(names))
    unread = [names[i] for i in chosen if i not in counts]
    found = in_order(lambda name: value_counts(read_image(document, folder, name)), unread)
    total = np.sum([*found, *(counts[i] for i in chosen if i in counts)], axis=0)
    parts = np.cumsum(total) / total.sum()
    lower, upper = np.searchsorted(parts, [CLIPPED, 1 - CLIPPED])
    return float(lower), float(max(upper, lower + 1))


def _write_split(document: Document, folder: WritableLocation) -> Split:
    names = [image.name for image in document.images.files]

    def extremes(name: str) -> tuple[int, int]:
        pixels = read_image(document, folder, name)
        return int(pixels.min()), int(pixels.max())

    found = list(in_order(extremes, names))
    offset = min(low for low, _ in found)
    split = Split(
        SPLIT_FOLDER, offset, max((max(high for _, high in found) - offset).bit_length(), 8)
    )

    copies = folder / SPLIT_FOLDER
    if copies.is_link():
        raise OutputError(f"{SPLIT_FOLDER} is a link to another place; remove it")
    try:
        copies.make_folder()
    except OSError as error:
        raise OutputError(f"the folder {SPLIT_FOLDER} cannot be created: {reason(error)}") from None

    def write(name: str) -> None:
        colours = split_pixels(read_image(document, folder, name), split)
        try:
            (copies / name).put_unsynced(_as_png(colours))
        except OutputError as error:  # named as the PNG that it is a copy of
            raise OutputError(f"{SPLIT_FOLDER}/{error}") from None

    for _ in in_order(write, names):
        pass
    copies.sync(names)
    return split


def _as_png(colours: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(colours).save(file, "PNG", compress_level=1)
    return file.getvalue()


def split_pixels(pixels: NDArray[np.uint16], split: Split) -> NDArray[np.uint8]:
    """uint16 (rows, columns) as red and green (rows, columns, 3)."""
    stretched = (pixels - np.uint16(split.offset)) << np.uint16(16 - split.bits)
    colours = np.zeros((*pixels.shape, 3), dtype=np.uint8)
    colours[..., 0] = stretched >> 8
    colours[..., 1] = stretched & 0xFF
    return colours
