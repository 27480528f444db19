"""Input: a made-up micro-CT of 16 bits with noise and structure, whole, sparse (pixels are a hole)
or compressed.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import dicom
from benchmarks.dicom import Kind

#: Slices that are really computed; the others are these, turned by quarters.
ORIGINALS = 8
NOISE = 600

Pixels = NDArray[np.uint16]


def planes(size: int, count: int) -> Iterator[Pixels]:
    """``count`` slices of size × size: air, a body with trabeculae and rods in it, white noise,
    zeros outside of the field of view.
    """
    originals = [_plane(size, k) for k in range(min(ORIGINALS, count))]
    for k in range(count):
        yield np.ascontiguousarray(np.rot90(originals[k % len(originals)], k // len(originals) % 4))


def _plane(size: int, k: int) -> Pixels:
    noise = np.random.default_rng(k)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    radius = np.hypot(x, y)
    body = _inside(0.86 - radius, 60)
    values = 2500 + body * (11000 + 1500 * np.sin(5 * x + 0.3 * k) * np.cos(6 * y))
    for n in range(5):
        angle = 2 * np.pi * n / 5 + 0.1 * k
        rod = np.hypot(x - 0.5 * np.cos(angle), y - 0.5 * np.sin(angle))
        values += 28000 * _inside(0.035 - np.abs(rod - 0.15), 120)
        values += 5000 * _inside(0.11 - rod, 50) * np.sin(55 * (x - y) + n) ** 2
    values += noise.standard_normal(values.shape, dtype=np.float32) * NOISE
    return np.where(radius < 0.98, np.rint(values.clip(1, 65535)), 0).astype("<u2")


def _inside(distance: Any, steepness: float) -> Any:
    """1 well inside, 0 well outside of an edge."""
    return 1 / (1 + np.exp(-distance * steepness))


def write_scan(folder: Path, kind: Kind, slices: int) -> Path:
    """One file for each slice, with pixels; nothing is written again that is there."""

    def write(part: Path) -> None:
        encode = ENCODERS[kind.syntax]
        for k, plane in enumerate(planes(kind.size, slices)):
            stored = (
                plane ^ np.uint16(0x8000) if kind.signed else plane
            )  # as int16 the same image, 32768 lower
            meta, header = dicom.slice_header(kind, k)
            (part / _name(k)).write_bytes(meta + encode(header, stored))

    return _once(folder, write)


def write_sparse_scan(folder: Path, kind: Kind, slices: int) -> Path:
    """The same with a hole for pixels, which reads as zeros and takes no room: for memory and
    headers.
    """

    def write(part: Path) -> None:
        length = 2 * kind.size**2
        for k in range(slices):
            meta, header = dicom.slice_header(kind, k)
            with (part / _name(k)).open("wb") as file:
                file.write(meta + header + dicom.native_pixels(length))
                file.truncate(file.tell() + length)

    return _once(folder, write)


def write_sparse_multiframe(folder: Path, size: int, frames: int) -> Path:
    """One file of any length: uncompressed frames, each a hole in a fragment of its own, as native
    pixels end at 4 GiB.
    """

    def write(part: Path) -> None:
        meta, header = dicom.multiframe_header(Kind(size, syntax=dicom.ENCAPSULATED), frames)
        with (part / "frames.dcm").open("wb") as file:
            file.write(meta + header + dicom.undefined_length_pixels())
            for _ in range(frames):
                file.write(dicom.item_head(2 * size**2))
                file.seek(2 * size**2, 1)
            file.write(dicom.SEQUENCE_END)

    return _once(folder, write)


def _name(k: int) -> str:
    return f"slice_{k:05d}.dcm"


def _once(folder: Path, write: Callable[[Path], None]) -> Path:
    """``folder`` as ``write`` fills it, or as it was filled before."""
    if not folder.exists():
        part = folder.with_name(folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        write(part)
        part.rename(folder)
    return folder


def _native(header: bytes, plane: Pixels) -> bytes:
    return header + dicom.native_pixels(plane.nbytes) + plane.tobytes()


def _deflated(header: bytes, plane: Pixels) -> bytes:
    deflate = zlib.compressobj(
        6, wbits=-zlib.MAX_WBITS
    )  # the whole data set, without a zlib header (PS3.5 A.5)
    return deflate.compress(_native(header, plane)) + deflate.flush()


def _rle(plane: Pixels) -> bytes:
    """PackBits of the high bytes, then of the low ones, row by row, behind a table of 16 words
    (PS3.5 annex G).
    """
    from imagecodecs import packbits_encode

    segments = [
        b"".join(packbits_encode(row.tobytes()) for row in half)
        for half in ((plane >> 8).astype("u1"), plane.astype("u1"))
    ]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    starts = [64, 64 + len(segments[0])]
    return struct.pack("<16I", 2, *starts, *[0] * 13) + b"".join(segments)


def _jpeg_lossless(plane: Pixels) -> bytes:
    from imagecodecs import jpeg8_encode

    return bytes(jpeg8_encode(plane, lossless=True, predictor=1, bitspersample=16))


def _jpeg_ls(plane: Pixels) -> bytes:
    from imagecodecs import jpegls_encode

    return bytes(jpegls_encode(plane))


def _jpeg_2000(plane: Pixels) -> bytes:
    from imagecodecs import jpeg2k_encode

    return bytes(jpeg2k_encode(plane, codecformat="j2k", reversible=True))


def _encapsulated(compress: Callable[[Pixels], bytes]) -> Callable[[bytes, Pixels], bytes]:
    @lru_cache(maxsize=4 * ORIGINALS)  # so many slices are different
    def element(pixels: bytes, shape: tuple[int, int]) -> bytes:
        return dicom.encapsulated_pixels(compress(np.frombuffer(pixels, "<u2").reshape(shape)))

    return lambda header, plane: header + element(plane.tobytes(), (plane.shape[0], plane.shape[1]))


#: Data set of a slice by transfer syntax, from its header and its pixels.
ENCODERS: dict[str, Callable[[bytes, Pixels], bytes]] = {
    dicom.NATIVE: _native,
    "1.2.840.10008.1.2.1.99": _deflated,
    "1.2.840.10008.1.2.5": _encapsulated(_rle),
    "1.2.840.10008.1.2.4.70": _encapsulated(_jpeg_lossless),
    "1.2.840.10008.1.2.4.80": _encapsulated(_jpeg_ls),
    "1.2.840.10008.1.2.4.90": _encapsulated(_jpeg_2000),
}
#: Compressed transfer syntaxes by the names that people know.
COMPRESSED = {
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG Lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "deflated": "1.2.840.10008.1.2.1.99",
}
