"""Conversion of YBR and palette colours to RGB (PS3.3 C.7.6.3.1.2, C.7.6.3.1.5 and C.7.6.3.1.6)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.pixels.layout import PixelLayout
from sidecar.dicom.pixels.pixel_file import PixelFile, header_of
from sidecar.dicom.transfer_syntaxes import CONVERT, EXPLICIT_BIG, READ_ERRORS
from sidecar.errors import PixelError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def rgb_of_ybr(ybr: NDArray[Any]) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import convert_color_space

    if ybr.dtype != np.uint8:
        raise PixelError(f"YBR colour of {ybr.dtype.itemsize * 8} bits is not supported; {CONVERT}")
    rgb: NDArray[np.uint8] = convert_color_space(ybr, "YBR_FULL", "RGB")
    return rgb


@lru_cache(maxsize=4)
def palette(source: PixelFile) -> tuple[int, NDArray[np.uint8]]:
    """The stored value of the first entry, and the entries as (n, 3) RGB (PS3.3 C.7.6.3.1.5 and
    C.7.6.3.1.6).
    """
    from pydicom.errors import BytesLengthException

    names = [f"{colour}PaletteColorLookupTable" for colour in ("Red", "Green", "Blue")]
    segmented = [f"Segmented{name}Data" for name in names]
    keywords = [f"{name}{part}" for name in names for part in ("Descriptor", "Data")]
    with source.open() as file:
        dataset = header_of(source, file, "PixelRepresentation", *keywords, *segmented)
    try:
        count, first, _ = (int(value) for value in dataset[f"{names[0]}Descriptor"].value)
        count = count or 1 << 16
        first = (first + 0x8000) % 0x10000 - 0x8000 if source.layout.signed else first % 0x10000
        if segmented[0] in dataset:
            table = _segmented_palette(dataset, first, count)
        else:
            table = np.stack(
                [
                    _palette_entries(dataset[f"{name}Data"].value, count, source.layout)
                    for name in names
                ],
                axis=-1,
            )
    except (*READ_ERRORS, BytesLengthException) as error:
        raise PixelError(f"the palette cannot be read ({error}); {CONVERT}") from error
    # 16-bit entries fill their range, except in files that store 8-bit values in them.
    return first, (table >> 8 if table.max() > 0xFF else table).astype(np.uint8)


def _palette_entries(data: bytes, count: int, layout: PixelLayout) -> NDArray[Any]:
    if layout.transfer_syntax == EXPLICIT_BIG:  # always words (OW), for entries of any size
        data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
    return np.frombuffer(data, "<u2" if len(data) >= 2 * count else "u1", count)


def _segmented_palette(dataset: Dataset, first: int, count: int) -> NDArray[Any]:
    from pydicom.pixels.processing import apply_color_lut

    table: NDArray[Any] = apply_color_lut(np.arange(first, first + count), dataset)
    if table.dtype == np.uint8 and count > 256:  # pydicom counts entries in their own type
        raise PixelError("a segmented palette of more than 256 8-bit colours is not supported")
    return table[:, :3]
