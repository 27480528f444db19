"""Pages of a TIFF mask: their number, channels and bits. Also reads pages that Pillow cannot
read, with samples of 64 bits or floats of 16 bits.
"""

from __future__ import annotations

import contextlib
import mmap
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, counted
from sidecar.formats import tiff
from sidecar.masks.class_check import RawPlane

#: Dimensions in ImageJ's description of a stack.
_HYPERSTACK = re.compile(rb"^(channels|slices|frames)=(\d+)\s*$", re.MULTILINE)
_RGB, _CMYK, _YCBCR = 2, 5, 6
_ALPHA = (1, 2)
_FLOAT = 3
#: Errors of imagecodecs for damaged pages, besides its own. IndexError means a page that libtiff
#: does not reach.
_DECODING = (ValueError, RuntimeError, MemoryError, IndexError)


def check_pages(path: Path, slices: int) -> bool:
    """Whether there are samples that only `wide_planes` reads.

    LabelError where there is not exactly one page, with one channel, for each of ``slices``.
    """
    with _faults(path), path.open("rb") as file:
        pages = list(tiff.directories(file))
        for n, page in enumerate(pages, 1):
            _check_channels(page, n, path)
        is_wide = any(map(_is_wide, pages))
        if len(pages) != slices or len(_dimensions(pages)) > 1:
            raise _other_count(pages, slices, path)
    return is_wide


@contextlib.contextmanager
def _faults(path: Path) -> Iterator[None]:
    """LabelErrors for a file that cannot be read, and for one that is not a TIFF."""
    try:
        yield
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", path) from error
    except tiff.TiffError as error:
        raise LabelError("cannot be read as a TIFF; copy or save it again", path) from error


def _other_count(pages: Sequence[tiff.Directory], slices: int, path: Path) -> LabelError:
    """The error for another number of pages. A description by ImageJ says what the pages are."""
    for kind, count in _dimensions(pages).items():
        if kind != "slices":
            return LabelError(
                f"has {count} {kind}, but a mask has one. In ImageJ choose Image > Hyperstacks >"
                " Reduce Dimensionality, and save the one with the labels",
                path,
            )
    each = f" ({len(pages) // slices} for each PNG)" if len(pages) % slices == 0 else ""
    return LabelError(
        f"has {counted(len(pages), 'page')}{each}, but there are {counted(slices, 'PNG')}; save"
        " one page for each PNG",
        path,
    )


def _dimensions(pages: Sequence[tiff.Directory]) -> dict[str, int]:
    """The dimensions of an ImageJ stack that have more than one place."""
    text = pages[0].data(tiff.DESCRIPTION) if pages and tiff.DESCRIPTION in pages[0] else b""
    found = {kind.decode(): int(count) for kind, count in _HYPERSTACK.findall(text[:4096])}
    return {kind: count for kind, count in found.items() if count > 1}


def _check_channels(page: tiff.Directory, number: int, path: Path) -> None:
    """LabelError for samples that are neither gray nor colours nor opacity: these are channels."""
    samples = page.number(tiff.SAMPLES, 1)
    color = page.number(tiff.PHOTOMETRIC, 1)
    extra = [kind for kind in page.numbers(tiff.EXTRA_SAMPLES) if kind not in _ALPHA]
    colors = {_RGB: 3, _YCBCR: 3, _CMYK: 4}.get(color, 1)
    if extra or samples - colors > 1:
        raise LabelError(
            f"has {samples} channels, but a mask has one channel or is RGB; save the channel with"
            " the labels alone",
            path,
            f"page {number}",
        )


def _is_wide(page: tiff.Directory) -> bool:
    bits = page.number(tiff.BITS, 1)
    is_float = page.number(tiff.SAMPLE_FORMAT, 1) == _FLOAT
    return bits == 64 or (bits == 16 and is_float)


def wide_planes(
    path: Path, pages: Sequence[int | None], size: tuple[int, int]
) -> Iterator[RawPlane | None]:
    """The planes, read one at a time from the memory-mapped file; None for a page that is None.

    LabelError names the page.
    """
    import imagecodecs

    columns, rows = size
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        with _faults(path):
            directories = tiff.directories(file)
            sizes = [(d.number(tiff.WIDTH), d.number(tiff.HEIGHT)) for d in directories]
        for k in pages:
            if k is None:
                yield None
                continue
            error = partial(LabelError, path=path, where=f"page {k + 1}")
            if sizes[k] != size:
                raise error(
                    f"has {sizes[k][0]} × {sizes[k][1]} pixels, but the PNGs have {columns} ×"
                    f" {rows}. Masks that were resized or cropped cannot be put back; paint at the"
                    " size of the PNGs"
                )
            try:
                samples = np.asarray(imagecodecs.tiff_decode(data, index=k))
            except (*_DECODING, imagecodecs.TiffError) as cause:
                raise error("is damaged; copy or save it again") from cause
            if samples.shape != (rows, columns):
                raise error("is damaged; copy or save it again")
            yield RawPlane(whole_keys(samples, error))


def whole_keys(samples: NDArray[Any], error: Any) -> NDArray[np.int32]:
    """Samples as keys.

    ``error(message)`` makes the error for samples that are not whole numbers, or are far too large
    for labels.
    """
    if np.issubdtype(samples.dtype, np.floating):
        fractional = samples != np.floor(samples)
        if fractional.any() or not np.isfinite(samples).all():
            raise error(
                f"has pixels that are not whole numbers ({int(fractional.sum())}), so it was"
                " resized or smoothed, or is not a mask; save the labels as whole numbers"
            )
    most = np.iinfo(np.int32).max
    if samples.size and max(float(samples.max()), -float(samples.min())) > most:
        raise error("holds values that cannot be labels; labels are 1 to 65535")
    return samples.astype(np.int32)
