"""Compare an image that a label file carries, or that lies beside it, with the PNGs of an export.

PNGs of an export hold texts: series, slice and tag. Tools that load and save an image drop these
texts. Then the pixels are compared (`sidecar.labels.identity.likeness`).
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sidecar.document.tag import composed
from sidecar.formats.png_text import PngHead, read_head
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import is_resize
from sidecar.labels.identity.likeness import Verdict, compared, is_surely_another
from sidecar.labels.references import named_path, names_image, without_upload_prefix

#: Larger images are not read: nobody resizes PNGs to such a size.
_MOST_PIXELS = 64_000_000
#: The ways to write one name: as it is, and with letters and their accents together or apart.
_FORMS = (str, composed, partial(unicodedata.normalize, "NFD"))


@dataclass(frozen=True, slots=True)
class Seen:
    """An image: ``data`` returns the image that a label file carries, or ``path`` is a file beside
    it.

    ``where``: its name in messages. ``pixels_tell``: whether its pixels can be those of a PNG; the
    pixels of a mask cannot.
    """

    where: str
    data: Callable[[], bytes] | None = None
    path: Path | None = None
    pixels_tell: bool = True

    def _open(self) -> BinaryIO:
        if self.data is not None:
            return io.BytesIO(self.data())
        assert self.path is not None
        return self.path.open("rb")

    @property
    def head(self) -> PngHead | None:
        """Size and texts of the image; None where it is no PNG or cannot be read."""
        try:
            with self._open() as file:
                return read_head(file)
        except OSError:
            return None

    @property
    def size(self) -> tuple[int, int] | None:
        """Columns and rows; None where it cannot be read."""
        head = self.head
        if head is not None:
            return head.size
        try:
            with self._open() as file:
                return _size(file)
        except OSError:
            return None

    def pixels(self, size: tuple[int, int]) -> NDArray[Any] | None:
        """(rows, columns[, channels]), resized to ``size`` (columns, rows)."""
        try:
            with self._open() as file:
                return _pixels(file, size)
        except OSError:
            return None


def image_beside(path: Path, reference: str) -> Seen | None:
    """The image that a reference names in the folder of the label file ``path`` or below it.

    Files elsewhere, by name or by a link, are not read.
    """
    home = path.absolute().parent
    written = named_path(reference)
    if not written or "\0" in written:
        return None
    full = written if names_image(reference) else f"{written}.png"
    own = full.rpartition("/")[2]
    names = (full, own, without_upload_prefix(own))
    for name in dict.fromkeys(form(name) for name in names for form in _FORMS):
        place = home / name
        try:
            inside = place.resolve().is_relative_to(home.resolve())
            if inside and place.is_file() and not place.samefile(path):
                return Seen(f"{place.name} beside the label file", path=place)
        except OSError:
            continue
    return None


def size_beside(path: Path, reference: str) -> tuple[int, int] | None:
    """Columns and rows of the image that a reference names beside the label file ``path``; None
    where there is none.

    Readers need it whose coordinates depend on the size of the image, which the file does not
    state.
    """
    seen = image_beside(path, reference)
    return None if seen is None else seen.size


def verdict_of(seen: Seen, export: Export, slice_: int) -> Verdict:
    """Whether an image is PNG ``slice_`` of an export, by its texts, or else by its pixels."""
    told = verdict_of_texts(seen, export, slice_)
    if told != "unknown" or not seen.pixels_tell:
        return told
    return _verdict_of_pixels(seen, export, slice_)


def verdict_beside_tag(seen: Seen, export: Export, slice_: int) -> Verdict:
    """The verdict on an image whose name has the tag of the export, and so proves it: its texts can
    contradict, or else its pixels, where they are surely those of another PNG, or turned.
    """
    told = verdict_of_texts(seen, export, slice_)
    if told != "unknown" or not seen.pixels_tell:
        return told
    if seen.size != export.png_size:  # resized, or a crop of the same shape
        return _verdict_of_pixels(seen, export, slice_)
    image, own, neighbours = _compared_pixels(seen, export, slice_, export.png_size)
    if image is None or own is None:
        return "unknown"
    return "other" if is_surely_another(image, own, neighbours) else "unknown"


def verdict_of_texts(seen: Seen, export: Export, slice_: int) -> Verdict:
    """Whether an image is a PNG of an export: it has the texts of our PNGs, or is the same file.

    No pixel is read.
    """
    head, is_file = seen.head, _is_file_of(seen, export, slice_)
    if head is None or "Sidecar" not in head.texts:
        return "same" if is_file else "unknown"
    series, number = head.texts.get("SeriesInstanceUID"), head.texts.get("Slice")
    tag = head.texts.get("Tag")
    if series != export.series_uid or number != str(slice_):
        return "other"
    if tag is not None:
        return "same" if tag == export.mapping_tag else "other"
    if head.size != export.png_size:
        return "other"
    return "same" if is_file else "unknown"


def _is_file_of(seen: Seen, export: Export, slice_: int) -> bool:
    if seen.path is None or export.folder is None:
        return False
    name = export.sidecar.document.images.files[slice_].name
    try:
        return seen.path.samefile(str(export.folder / name))
    except OSError:
        return False


def _verdict_of_pixels(seen: Seen, export: Export, slice_: int) -> Verdict:
    """Whether an image is a PNG of an export, by its pixels."""
    shown, size = seen.size, export.png_size
    if shown is None or not is_resize(shown, size) or shown[0] * shown[1] > _MOST_PIXELS:
        return "unknown"
    common = min(shown, size)
    image, own, neighbours = _compared_pixels(seen, export, slice_, common)
    if image is None or own is None:
        return "unknown"
    lossless = seen.head is not None and shown == size
    told = compared(image, own, neighbours, lossless)
    return "unknown" if told == "same" and shown != size else told


def _compared_pixels(
    seen: Seen, export: Export, slice_: int, size: tuple[int, int]
) -> tuple[NDArray[Any] | None, NDArray[Any] | None, list[NDArray[Any]]]:
    """The pixels of an image, of a PNG, and of the PNGs before and after it, in one size."""
    beside = (_png(export, k, size) for k in (slice_ - 1, slice_ + 1))
    neighbours = [png for png in beside if png is not None]
    return seen.pixels(size), _png(export, slice_, size), neighbours


def _png(export: Export, slice_: int, size: tuple[int, int]) -> NDArray[Any] | None:
    """The pixels of a PNG of an export, resized to ``size``; None where it is missing or cannot be
    read.
    """
    if export.folder is None or not 0 <= slice_ < export.sidecar.size[2]:
        return None
    try:
        with (export.folder / export.sidecar.document.images.files[slice_].name).open() as file:
            return _pixels(file, size)
    except OSError:
        return None


def _size(file: BinaryIO) -> tuple[int, int] | None:
    from PIL import Image

    try:
        with Image.open(file) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _pixels(file: BinaryIO, size: tuple[int, int]) -> NDArray[Any] | None:
    """An image resized to ``size``; None where it cannot be decoded."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            kept = image if image.mode in ("L", "I;16", "I", "RGB") else image.convert("RGB")
            if image.size == size:
                return np.asarray(kept)
            plain = kept.convert("F") if kept.mode.startswith("I") else kept
            return np.asarray(plain.resize(size, Image.Resampling.BOX))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
