"""Decoders, one for each transfer syntax: the image that the header describes, or a PixelError.

No codec of DICOM has a checksum, so damage may go unseen in what is decoded; never in its shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kit import pixel_files
from numpy.typing import NDArray

from fuzz.target import Target, refusals
from sidecar.dicom.pixels.codecs import decompress
from sidecar.dicom.pixels.layout import PixelLayout

_SHAPE = (20, 24)
_LOSSY = {
    "JPEG baseline": (pixel_files.BASELINE, 8),
    "JPEG extended": (pixel_files.EXTENDED, 12),
}


def _layout(syntax: str, bits: int) -> PixelLayout:
    return PixelLayout(
        transfer_syntax=syntax,
        rows=_SHAPE[0],
        columns=_SHAPE[1],
        samples=1,
        photometric="MONOCHROME2",
        planar=0,
        bits_allocated=8 if bits == 8 else 16,
        bits_stored=bits,
        high_bit=bits - 1,
        signed=False,
        keyword="PixelData",
    )


def _attempt(layout: PixelLayout, data: bytes, folder: Path) -> None:
    with refusals(folder):
        values, _ = decompress(data, layout)
    assert values.shape == _SHAPE and values.dtype == layout.dtype
    assert int(values.max()) < 1 << layout.bits_stored


def _streams(encode: Callable[[NDArray[Any], int], bytes], bits: int) -> list[bytes]:
    return [encode(pixel_files.smooth(bits, _SHAPE), bits)]


def _lossy(image: NDArray[Any], bits: int) -> bytes:
    return pixel_files.encoder("jpeg8_encode")(image, 90, bitspersample=bits)


def _wrapped(image: NDArray[Any], bits: int) -> bytes:
    """With the boxes of a JP2 file around the codestream."""
    return pixel_files.encoder("jpeg2k_encode")(image, 0, codecformat="JP2", reversible=True)


_TRIED = {
    **{
        name: (syntax, encode, 16)
        for name, (syntax, encode) in pixel_files.ENCODERS.items()
        if not re.search("predictor [2-7]", name)
    },
    "JPEG 2000 in JP2": (pixel_files.J2K, _wrapped, 16),
    **{name: (syntax, _lossy, bits) for name, (syntax, bits) in _LOSSY.items()},
    "uncompressed, in fragments": (
        pixel_files.UNCOMPRESSED,
        lambda image, bits: np.ascontiguousarray(image).tobytes(),
        16,
    ),
}
#: Transfer syntaxes of the streams that are tried.
SYNTAXES = frozenset(syntax for syntax, _, _ in _TRIED.values())
TARGETS = [
    Target(
        f"decoder {name}",
        partial(_streams, encode, bits),
        partial(_attempt, _layout(syntax, bits)),
    )
    for name, (syntax, encode, bits) in _TRIED.items()
]
