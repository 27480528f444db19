"""PNG files of 8 or 16 bits, gray or RGB: rows filtered with Up, deflated by the fastest deflate there is.

Our own framing, because the deflate library is what decides speed and none of the PNG writers lets one choose it.
PNG specification (W3C, third edition): chunks in section 5, filter type 2 (Up) in 9.2, tEXt in 11.3.3.3, pHYs in 11.3.4.3.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY, _RGB = 0, 2
_UP = 2


def _fastest_deflate() -> tuple[Callable[[Any], bytes], Callable[..., int]]:
    """A zlib-format compressor and a CRC-32: isal where it has a wheel, else zlib-ng or zlib with its RLE strategy."""
    try:
        from isal import isal_zlib
    except ImportError:
        pass
    else:
        return lambda data: isal_zlib.compress(data, 1), isal_zlib.crc32
    module: Any = zlib
    with contextlib.suppress(ImportError):
        from zlib_ng import zlib_ng as module

    def run_lengths(data: Any) -> bytes:
        compressor = module.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
        return bytes(compressor.compress(data) + compressor.flush())

    return run_lengths, module.crc32


_compress, _crc32 = _fastest_deflate()


def encode(pixels: NDArray[Any], text: Mapping[str, str], pixel_mm: tuple[float, float] | None) -> list[bytes]:
    """One PNG as a list of parts to be written one after the other.

    ``pixels`` (rows, columns) or (rows, columns, 3), uint8 or uint16. ``text`` becomes tEXt chunks (Latin-1 keywords and values).
    ``pixel_mm``: size of a pixel in x and y, written as pHYs (whole pixels per metre: a hint, not the truth), or None.
    """
    rows, columns = pixels.shape[:2]
    depth = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", columns, rows, depth, _RGB if pixels.ndim == 3 else _GRAY, 0, 0, 0)
    parts = [_SIGNATURE, *_chunk(b"IHDR", header)]
    if pixel_mm is not None:
        per_metre = [min(round(1000 / mm), 2**31 - 1) for mm in pixel_mm]
        if min(per_metre) > 0:
            parts += _chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    for keyword, value in text.items():
        parts += _chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + value.encode("latin-1", "replace"))
    return [*parts, *_chunk(b"IDAT", _compress(_filtered(pixels))), *_chunk(b"IEND", b"")]


def _filtered(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """The scanlines, each behind its filter type: what is compressed."""
    rows = pixels.shape[0]
    big_endian = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder(">"))
    samples = big_endian.view(np.uint8).reshape(rows, -1)
    lines = np.empty((rows, samples.shape[1] + 1), np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = samples[0]
    np.subtract(samples[1:], samples[:-1], out=lines[1:, 1:])
    return lines


def _chunk(kind: bytes, data: bytes) -> list[bytes]:
    return [struct.pack(">I", len(data)) + kind, data, struct.pack(">I", _crc32(data, _crc32(kind)))]
