"""The layout of pixel data in a file, checked as far as a header allows (PS3.3 C.7.6.3, Image
Pixel module).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sidecar.dicom.transfer_syntaxes import (
    CONVERT,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    NATIVE,
    READ_ERRORS,
)
from sidecar.errors import PixelError
from sidecar.storage.location import Stamp

_SAMPLES = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1}
_SAMPLES |= dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"), 3)
_WRITE = "no converter helps; write it again in the program that made it,"
_JPEG_2000, JPEG_2000_COLOUR = (
    ("1.2.840.10008.1.2.4.9", "1.2.840.10008.1.2.4.20"),
    ("YBR_RCT", "YBR_ICT"),
)
_BITS_ALLOCATED = {
    "PixelData": (1, 8, 16, 32),
    "FloatPixelData": (32,),
    "DoubleFloatPixelData": (64,),
}


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """The layout of pixel data in one file. All slices of a series share it.

    The fields are those of the Image Pixel module (PS3.3 C.7.6.3).
    """

    transfer_syntax: str
    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    keyword: str  # "PixelData" | "FloatPixelData" | "DoubleFloatPixelData"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values, in native byte order."""
        kind = "f" if self.keyword != "PixelData" else "i" if self.signed else "u"
        return np.dtype(f"{kind}{max(self.bits_allocated, 8) // 8}")

    @property
    def frame_bits(self) -> int:
        """Length of one native frame in bits. Frames of 1-bit data need not start on a byte."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


@dataclass(frozen=True, slots=True)
class FrameLocator:
    """Where the pixels of one frame are, and the line from its stored values to modality values.

    ``file``: relative to the source, with forward slashes. ``index``: 0-based number among the
    ``frames`` of the file.
    ``offset``: bytes from the start of the file to the value of the pixel data element. It is None
    where the data are compressed or deflated, or where it is not known; then it is looked up.
    ``rescale``: modality value = slope · stored value + intercept.
    ``stamp, instance``: stamp of the file, and SOP Instance UID, from when its header was read (see
    `unchanged`). They are None and "" where nothing is compared.
    """

    file: str
    layout: PixelLayout
    index: int
    frames: int
    offset: int | None
    rescale: tuple[float, float] = (1.0, 0.0)
    stamp: Stamp | None = None
    instance: str = ""

    @property
    def bytes(self) -> int:
        """Uncompressed size of the frame."""
        layout = self.layout
        return layout.rows * layout.columns * layout.samples * layout.bits_allocated // 8


def layout_of(dataset: Any, keyword: str | None = None) -> PixelLayout:
    """Pixel layout of a header, which may have been read with ``stop_before_pixels=True``.

    ``keyword`` names the pixel data element, if it is known. Otherwise an Image Pixel module
    without BitsStored and PixelRepresentation is taken as the Floating Point one (PS3.3 C.7.6.24),
    which has neither.

    Raises PixelError for attributes that are missing, contradict each other, or describe pixels
    that cannot be decoded.
    """
    rows, columns, bits, samples = (
        _count(dataset, name) for name in ("Rows", "Columns", "BitsAllocated", "SamplesPerPixel")
    )
    if keyword is None:
        keyword = next(
            (name for name in _BITS_ALLOCATED if name in dataset), None
        ) or _keyword_by_module(dataset, bits)
    if keyword == "PixelData":
        stored, signed = _count(dataset, "BitsStored"), _count(dataset, "PixelRepresentation")
        high = _count(dataset, "HighBit", stored - 1)
    else:
        stored, signed, high = bits, 1, bits - 1
    photometric = str(dataset.get("PhotometricInterpretation") or "").strip().upper()
    planar = _count(dataset, "PlanarConfiguration") if samples > 1 else 0
    syntax = _transfer_syntax(dataset)
    native, in_place = syntax in NATIVE, high + 1 == stored
    for right, complaint in (
        (rows and columns, f"Rows {rows} and Columns {columns} leave no image"),
        (
            photometric in _SAMPLES,
            _unsupported(photometric, native),
        ),
        (
            samples == _SAMPLES.get(photometric),
            f"SamplesPerPixel is {samples}, which does not fit {photometric}",
        ),
        (
            bits != 12,
            "BitsAllocated is 12 (packed pixels, retired); gdcmconv --raw --force (GDCM) unpacks"
            " them to 16",
        ),
        (bits in _BITS_ALLOCATED[keyword], f"BitsAllocated {bits} is not supported for {keyword}"),
        (
            0 < stored <= high + 1 <= bits,
            f"BitsAllocated {bits}, BitsStored {stored} and HighBit {high} contradict each other",
        ),
        (
            signed in (0, 1) and planar in (0, 1),
            "PixelRepresentation and PlanarConfiguration must be 0 or 1",
        ),
        (native or keyword == "PixelData", f"compressed {keyword} is not supported; {CONVERT}"),
        (
            native or (bits > 1 and in_place),
            f"compressed pixels of 1 bit, or left-justified, are not supported; {CONVERT}",
        ),
        (
            samples == 1 or (bits in (8, 16) and not signed),
            f"{'signed colour' if signed else 'colour'} of {bits} bits a sample is not supported;"
            f" {_WRITE} with 8 or 16 bits a sample, unsigned",
        ),
        (
            bits == 8 or photometric != "YBR_FULL_422",
            f"YBR_FULL_422 of {bits} bits is not supported; {_WRITE} as RGB",
        ),
        (
            not native or photometric != "YBR_FULL_422" or columns % 2 == 0,
            "YBR_FULL_422 needs an even number of Columns",
        ),
        (
            photometric not in JPEG_2000_COLOUR or syntax.startswith(_JPEG_2000),
            f"{photometric} belongs to JPEG 2000 only",
        ),
    ):
        if not right:
            raise PixelError(complaint)
    return PixelLayout(
        syntax,
        rows,
        columns,
        samples,
        photometric,
        planar,
        bits,
        stored,
        high,
        bool(signed),
        keyword,
    )


def _unsupported(photometric: str, native: bool) -> str:
    if not photometric:
        return (
            "PhotometricInterpretation is missing, so it is not known whether the pixels are gray"
            " or colour; add it in the program that made the file (gray pixels have MONOCHROME2)"
        )
    way = f"{_WRITE} as MONOCHROME2 or RGB" if native else CONVERT
    return f"PhotometricInterpretation {photometric} is not supported; {way}"


def pixel_bytes(layout: PixelLayout, frames: int) -> int:
    return math.ceil(frames * layout.frame_bits / 8)


def _count(dataset: Any, keyword: str, default: int | None = None) -> int:
    try:
        value = dataset.get(keyword, default)
    except READ_ERRORS as error:
        raise PixelError(f"{keyword} cannot be read") from error
    if not isinstance(value, int) or value < 0:
        state = "is missing" if value is None else f"is {str(value)[:20]!r}, not a count"
        raise PixelError(f"{keyword} {state}; without it the pixels cannot be understood")
    return int(value)


def _keyword_by_module(dataset: Any, bits: int) -> str:
    if "BitsStored" in dataset or "PixelRepresentation" in dataset:
        return "PixelData"
    return {32: "FloatPixelData", 64: "DoubleFloatPixelData"}.get(bits, "PixelData")


def _transfer_syntax(dataset: Any) -> str:
    declared = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if declared:
        return str(declared)
    # without meta information, the encoding is the one that pydicom found
    implicit, little = dataset.original_encoding
    if not little:
        return EXPLICIT_BIG
    return IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE
