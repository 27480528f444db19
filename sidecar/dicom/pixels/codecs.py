"""Compressed frames → stored values.

imagecodecs decodes every compressed transfer syntax. It has a BSD licence and one abi3 wheel for
each platform, and its decoders release the GIL, so that threads scale. Milliseconds for a noisy
1024 x 1024 slice of 16 bits (8 and 12 for JPEG .50 and .51):

    1.2.840.10008.1.2…                decoder         ms   others measured
    .5      RLE Lossless              packbits         1   pylibjpeg-rle 2, pydicom 8
    .4.50   JPEG Baseline             libjpeg-turbo    2   Pillow 3, GDCM 13, pylibjpeg 12
    .4.51   JPEG Extended, 8, 12 bit  libjpeg-turbo    9   pylibjpeg 34
    .4.57   JPEG Lossless             libjpeg-turbo    7   liblj92 16, jpegsof3 18, GDCM 45,
                                                           pylibjpeg 52
    .4.70   its predictor 1           libjpeg-turbo    7   the same
    .4.80   JPEG-LS; .81 lossy        CharLS          21   pyjpegls 32, GDCM 66, pylibjpeg 93
    .4.90   JPEG 2000; .91 lossy      OpenJPEG       172   Pillow 169, pylibjpeg 175, ITK 181,
                                                           GDCM 198
    .4.201  HTJ2K; .202, .203         OpenJPEG        15   OpenJPH 7, pylibjpeg 16

All these decoders of JPEG 2000 contain OpenJPEG, and are equally fast within the noise. On another
machine GDCM took 139, imagecodecs 170 and Pillow 198. OpenJPH is faster but not used: its binding
ignores decoding errors and returns a half-filled array. isal inflates deflated files, see
`sidecar.dicom.deflated`.

JPEG and JPEG 2000 have no checksum. A stream that is cut short is refused. A flipped bit within the
entropy-coded data cannot be noticed. Standard: PS3.5 section 8 and annex A (encodings), PS3.3
C.7.6.3 (Image Pixel module).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.pixels.codestream import Codestream, jpeg_2000_header, jpeg_header
from sidecar.dicom.pixels.layout import JPEG_2000_COLOUR, PixelLayout, pixel_bytes
from sidecar.dicom.pixels.native import native_values, within_bits
from sidecar.dicom.transfer_syntaxes import (
    CONVERT,
    COPY_AGAIN,
    ENCAPSULATED_UNCOMPRESSED,
    READ_ERRORS,
)
from sidecar.errors import PixelError, counted

_DECODED_LIMIT = 1 << 30  # bytes of one decompressed frame


def decompress(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    """The stored values of a compressed frame, and their photometric interpretation."""
    decode = _DECODERS.get(layout.transfer_syntax)
    if decode is None:
        from pydicom.uid import UID

        raise PixelError(
            f"there is no decoder for the transfer syntax {UID(layout.transfer_syntax).name};"
            f" {CONVERT}"
        )
    if layout.rows * layout.columns * layout.samples * layout.dtype.itemsize > _DECODED_LIMIT:
        raise PixelError(
            f"a frame of {layout.columns} x {layout.rows} pixels is too large to decompress in"
            " memory"
        )
    try:
        return decode(stream, layout)
    except PixelError:
        raise
    except (RuntimeError, *READ_ERRORS) as error:  # the codecs' own errors are RuntimeErrors
        raise PixelError(
            f"the compressed image cannot be decoded ({error}): it is damaged, or this program does"
            f" not know its kind; {CONVERT}"
        ) from error


def _jpeg(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    from imagecodecs import jpeg8_decode

    image = jpeg_header(stream, b"\xc0\xc1\xc2\xc3")
    _check_agreement(image, layout)
    # the same colour space in and out leaves the components as coded
    space = "YCBCR" if image.samples == 3 else None
    decoded = jpeg8_decode(
        stream, colorspace=space, outcolorspace=space, out=_place_for(image, layout)
    )
    bits = (
        image.precision
        if layout.transfer_syntax in _LOSSY and not layout.signed
        else layout.bits_stored
    )
    return _as_stored(decoded, layout, bits), image.photometric or layout.photometric


def _jpeg_ls(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    from imagecodecs import jpegls_decode

    image = jpeg_header(stream, b"\xf7")
    _check_agreement(image, layout)
    decoded = jpegls_decode(stream, out=_place_for(image, layout))
    values = _as_stored(decoded, layout, _bits_that_count(image, layout))
    return values, image.photometric or layout.photometric


def _jpeg_2000(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    """JPEG 2000 and HTJ2K.

    The decoder reverses the component transform, so that YBR_RCT and YBR_ICT become RGB.
    """
    from imagecodecs import jpeg2k_decode

    image = jpeg_2000_header(stream)
    _check_agreement(image, layout)
    photometric = "RGB" if layout.photometric in JPEG_2000_COLOUR else layout.photometric
    decoded = jpeg2k_decode(stream, planar=False)
    return _as_stored(decoded, layout, _bits_that_count(image, layout)), photometric


def _rle(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    """One PackBits segment for each byte of each sample, most significant first (PS3.5 annex G)."""
    from imagecodecs import packbits_decode

    count, *starts = struct.unpack_from("<16L", stream)
    pixels, size = layout.rows * layout.columns, layout.dtype.itemsize
    bounds = [*starts[:count], len(stream)]
    if count != layout.samples * size or bounds != sorted(bounds):
        raise PixelError(
            f"the compressed image has {counted(count, 'segment')}, but Samples per Pixel and Bits"
            f" Allocated ask for {layout.samples * size}, one after the other: the header does not"
            " belong to these pixels"
        )
    values = np.zeros((pixels, layout.samples), f"<u{size}")
    for number, (start, stop) in enumerate(pairwise(bounds)):
        # some writers encode their padding too
        segment = packbits_decode(stream[start:stop], out=pixels + 256)
        if len(segment) < pixels:
            raise PixelError(f"the compressed image is cut short; {COPY_AGAIN}")
        sample = values[:, number // size]
        sample <<= 8
        sample |= np.frombuffer(segment, np.uint8, pixels)
    return (
        native_values(values.reshape(-1).view(np.uint8), replace(layout, planar=0)),
        layout.photometric,
    )


def _uncompressed(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    raw = np.frombuffer(stream, np.uint8, pixel_bytes(layout, 1))
    return native_values(raw.copy(), layout), layout.photometric


_JPEG = "1.2.840.10008.1.2.4."
_LOSSY = frozenset(_JPEG + process for process in ("50", "51", "81", "91", "203"))
_DECODERS: dict[str, Callable[[bytes, PixelLayout], tuple[NDArray[Any], str]]] = {
    ENCAPSULATED_UNCOMPRESSED: _uncompressed,
    "1.2.840.10008.1.2.5": _rle,
    **{_JPEG + process: _jpeg for process in ("50", "51", "57", "70")},
    **{_JPEG + process: _jpeg_ls for process in ("80", "81")},
    **{_JPEG + process: _jpeg_2000 for process in ("90", "91", "201", "202", "203")},
}


def _bits_that_count(image: Codestream, layout: PixelLayout) -> int:
    """Bits of a decoded sample that hold its value.

    In a lossless stream these are BitsStored bits; the others may be an overlay. In a lossy stream
    they are all bits, because its values overshoot.
    """
    return (
        image.precision
        if layout.transfer_syntax in _LOSSY
        else min(image.precision, layout.bits_stored)
    )


def _place_for(image: Codestream, layout: PixelLayout) -> NDArray[Any]:
    """Memory for the decoded pixels. A decoder that finds another size in the header of the
    stream refuses it.
    """
    return np.empty(_shape(layout), np.uint8 if image.precision <= 8 else np.uint16)


def _shape(layout: PixelLayout) -> tuple[int, ...]:
    return (layout.rows, layout.columns, layout.samples)[: 2 if layout.samples == 1 else 3]


def _as_stored(decoded: NDArray[Any], layout: PixelLayout, bits: int) -> NDArray[Any]:
    """Decoded samples with the sign that the DICOM header states. ``bits``: bits that hold the
    value.

    Streams can disagree with the header about the sign. JPEG has no sign, and JPEG 2000 often
    declares signed data unsigned.
    """
    shape = _shape(layout)
    if decoded.shape != shape:
        raise PixelError(
            f"the compressed image decodes to {decoded.shape}, but the header says {shape}"
        )
    values = within_bits(
        np.ascontiguousarray(decoded.astype(layout.dtype, copy=False)), bits, bits - 1
    )
    # cutting bits off values that overshoot would turn white into black
    if bits > layout.bits_stored:
        lowest = -(1 << (layout.bits_stored - 1)) if layout.signed else 0
        np.clip(values, lowest, lowest + (1 << layout.bits_stored) - 1, out=values)
    return values


def _check_agreement(image: Codestream, layout: PixelLayout) -> None:
    """Compare the stream with the header before a decoder runs, which would allocate what the
    stream asks for.
    """
    if (image.columns, image.rows, image.samples) != (layout.columns, layout.rows, layout.samples):
        raise PixelError(
            f"the compressed image is {image.columns} x {image.rows} x {image.samples} (columns,"
            f" rows, samples), but the header says {layout.columns} x {layout.rows} x"
            f" {layout.samples}; one of them is wrong"
        )
    if not 0 < image.precision <= layout.bits_allocated:
        raise PixelError(
            f"the compressed image has {image.precision} bits, but BitsAllocated is"
            f" {layout.bits_allocated}; one of them is wrong"
        )
