"""What an image that a label file carries, or that lies beside it, says of an export.

PNGs of an export hold texts: series, slice and tag. Tools that load and save an image drop them,
and then its pixels tell: two PNGs of one source slice and one decimation differ by window and bits
only, that is by a straight line from gray value to gray value.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.formats.png_text import PngHead, read_head
from sidecar.labels.exports import Export
from sidecar.labels.references import named_path

#: ``same``: it is this PNG. ``other``: it is another one. ``unknown``: it does not tell.
Verdict = Literal["same", "other", "unknown"]

#: Part of the variance of one image that a curve of the other explains; less than that makes two
#: images. What lies above and is no straight line (a lossy copy) tells nothing. Of what is no PNG,
#: and may be lossy itself, less is asked.
_ALIKE, _LOSSY = 0.9, 0.3
#: Fewer pixels than this that neither image clips tell nothing.
_FEWEST_PIXELS = 64
_LEVELS = 256


@dataclass(frozen=True, slots=True)
class Seen:
    """An image: ``data`` gives the one that a label file carries, or ``path`` is a file beside it.

    ``where``: what messages call it. ``pixels_tell``: whether its pixels are those of a PNG, which
    those of a mask are not.
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
        """Size and texts; None where it is no PNG or cannot be read."""
        try:
            with self._open() as file:
                return read_head(file)
        except OSError:
            return None

    def pixels(self, size: tuple[int, int]) -> NDArray[Any] | None:
        """(rows, columns[, channels]) where it is an image of ``size``, columns and rows."""
        try:
            with self._open() as file:
                return _pixels(file, size)
        except OSError:
            return None


def image_beside(path: Path, reference: str) -> Seen | None:
    """The image that a reference means in the folder of the label file ``path`` or below it.

    What lies elsewhere, by its name or by a link, is not looked at.
    """
    home = path.absolute().parent
    written = named_path(reference)
    for name in dict.fromkeys((written, written.rpartition("/")[2])):
        if not name or "\0" in name:
            continue
        place = home / name
        try:
            inside = place.resolve().is_relative_to(home.resolve())
            if inside and place.is_file() and not place.samefile(path):
                return Seen(f"{place.name} beside the label file", path=place)
        except OSError:
            continue
    return None


def verdict_of(seen: Seen, export: Export, slice_: int) -> Verdict:
    """What an image says of PNG ``slice_`` of an export."""
    name = export.sidecar.document.images.files[slice_].name
    png = None if export.folder is None else export.folder / name
    if seen.path is not None and png is not None and _is_same_file(seen.path, str(png)):
        return "same"
    told = _verdict_of_texts(seen.head, export, slice_)
    if told != "unknown" or png is None or not seen.pixels_tell:
        return told
    try:
        with png.open() as file:
            own = _pixels(file, export.png_size)
    except OSError:
        return "unknown"
    other = seen.pixels(export.png_size)
    if own is None or other is None:
        return "unknown"
    return _verdict_of_pixels(other, own, _ALIKE if seen.head is not None else _LOSSY)


def _is_same_file(one: Path, other: str) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _verdict_of_texts(head: PngHead | None, export: Export, slice_: int) -> Verdict:
    """What the texts of one of our PNGs say of a PNG of an export."""
    if head is None or "Sidecar" not in head.texts:
        return "unknown"
    series, number = head.texts.get("SeriesInstanceUID"), head.texts.get("Slice")
    tag = head.texts.get("Tag")
    if series != export.sidecar.document.source.series_instance_uid or number != str(slice_):
        return "other"
    if tag is not None and export.tag is not None:
        return "same" if tag == export.tag else "other"
    if head.size != export.png_size:
        return "other"
    return "same" if export.tag is None else "unknown"


def _verdict_of_pixels(one: NDArray[Any], other: NDArray[Any], alike: float) -> Verdict:
    """What two images of one size say of each other. Pixels that either clips are left out, since
    windows differ.
    """
    one, other = _gray(one), _gray(other)
    if one.shape != other.shape:
        return "unknown"
    a, b = one.ravel().astype(np.float64), other.ravel().astype(np.float64)
    free = (a > a.min()) & (a < a.max()) & (b > b.min()) & (b < b.max())
    if np.count_nonzero(free) < _FEWEST_PIXELS:
        free = np.ones(a.shape, dtype=np.bool_)
    a, b = a[free], b[free]
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return "unknown"
    if _is_line(a, b):
        return "same"
    return "other" if max(_explained(a, b), _explained(b, a)) < alike else "unknown"


def _gray(image: NDArray[Any]) -> NDArray[Any]:
    """A gray image that was saved in colour has three equal channels."""
    equal = image.ndim == 3 and bool(np.all(image == image[..., :1]))
    return image[..., 0] if equal else image


def _is_line(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether ``b`` is a straight line of ``a``, up to the rounding of both to whole numbers."""
    slope, offset = np.polyfit(a, b, 1)
    left = np.abs(b - (slope * a + offset))
    rounding = 0.5 + 0.5 * abs(slope)
    return bool(left.max() <= 1.5 * rounding and np.mean(left**2) <= (1 - _ALIKE) * b.var())


def _explained(given: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The correlation ratio: the variance of the means of ``values`` at each level of ``given``,
    over all of it.
    """
    total = float(values.var())
    if total == 0:
        return 0.0
    low, span = float(given.min()), max(float(np.ptp(given)), 1.0)
    levels = ((given - low) * ((_LEVELS - 1) / span)).astype(np.intp)
    counts = np.bincount(levels, minlength=_LEVELS)
    means = np.bincount(levels, values, minlength=_LEVELS) / np.maximum(counts, 1)
    return float((counts * (means - values.mean()) ** 2).sum() / len(values) / total)


def _pixels(file: BinaryIO, size: tuple[int, int]) -> NDArray[Any] | None:
    """An image of ``size``; None where it is of another size, or cannot be decoded."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            if image.size != size:
                return None
            kept = image.mode in ("L", "I;16", "I", "RGB")
            return np.asarray(image if kept else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
