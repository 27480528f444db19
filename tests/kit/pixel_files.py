"""Files whose pixel data was packed or encoded here, and the same frames by other decoders.

`write` puts any value under any header, `write_encoded` encloses compressed streams, `read` reads a
frame both ways that the package has and holds the two against each other. `ENCODERS` makes lossless
streams of every codec; `oracle` decodes a frame with a decoder that is not the package's.
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from sidecar.dicom.pixels import FrameLocator, frame_buffer, layout_of, read_frame
from sidecar.errors import PixelError
from sidecar.storage.local import Local

Array = NDArray[Any]
IMPLICIT, LITTLE, BIG, DEFLATED = (f"1.2.840.10008.1.2{tail}" for tail in ("", ".1", ".2", ".1.99"))
UNCOMPRESSED, RLE = "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.5"
(
    BASELINE,
    EXTENDED,
    LOSSLESS,
    LOSSLESS_1,
    JPEG_LS,
    NEAR_LOSSLESS,
    J2K,
    J2K_LOSSY,
    HTJ2K,
    HTJ2K_RPCL,
    HTJ2K_LOSSY,
) = (
    f"1.2.840.10008.1.2.4.{process}" for process in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)
)
SEED = np.random.default_rng(7)
_numbers = count()


def write(
    folder: Path,
    value: bytes,
    shape: Sequence[int],
    syntax: str = LITTLE,
    vr: str = "OW",
    **attributes: Any,
) -> Path:
    """A file with this pixel data value;
    (rows, columns) or (rows, columns, 3), unsigned full-range 16 bit unless told.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.SamplesPerPixel = 3 if len(shape) == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        dataset.PlanarConfiguration = 0
    keyword = attributes.pop("keyword", "PixelData")
    bits = attributes.get("BitsAllocated", 16)
    if keyword == "PixelData":
        stored = attributes.get("BitsStored", bits)
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = stored, stored - 1, 0
    dataset.BitsAllocated = bits
    for name, attribute in attributes.items():
        setattr(dataset, name, attribute)
    dataset.add_new(keyword, vr, value)
    if vr == "OB" and value[:4] == b"\xfe\xff\x00\xe0":
        dataset[keyword].is_undefined_length = True
    path = (
        folder / f"scan{next(_numbers)}.dcm"
    )  # never the same name twice: facts about a file may be remembered
    dataset.save_as(
        path, implicit_vr=syntax == IMPLICIT, little_endian=syntax != BIG, enforce_file_format=True
    )
    return path


def write_encoded(
    folder: Path, streams: list[bytes], image: Array, syntax: str, **attributes: Any
) -> Path:
    frames = {"NumberOfFrames": len(streams)} if len(streams) > 1 else {}
    attributes = {"BitsAllocated": 8 * image.itemsize, **frames, **attributes}
    return write(folder, encapsulate(streams), image.shape, syntax, "OB", **attributes)


def pixels_of(path: Path, frame: int = 0, with_offset: bool = False) -> FrameLocator:
    with path.open("rb") as file:
        dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        offset = file.tell() + (8 if dataset.original_encoding[0] else 12) if with_offset else None
    return FrameLocator(
        path.name, layout_of(dataset), frame, int(dataset.get("NumberOfFrames") or 1), offset
    )


def read(path: Path, frame: int = 0) -> Array:
    """A frame as it is read into memory of its own; into a buffer it is the same, or refused in the
    same words.
    """
    pixels = pixels_of(path, frame)
    try:
        buffered = read_frame(Local.at(path.parent), pixels, frame_buffer(pixels.layout)).copy()
    except PixelError as error:
        with pytest.raises(PixelError, match=f"^{re.escape(str(error))}$"):
            read_frame(Local.at(path.parent), pixels)
        raise
    own = read_frame(Local.at(path.parent), pixels)
    np.testing.assert_array_equal(own, buffered)
    return own


def noise(dtype: str, shape: Sequence[int] = (33, 21), bits: int | None = None) -> Array:
    kind = np.dtype(dtype)
    low, high = (
        (-(1 << bits - 1), 1 << bits - 1)
        if bits and kind.kind == "i"
        else (0, 1 << (bits or 8 * kind.itemsize))
    )
    if not bits and kind.kind == "i":
        low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max) + 1
    return SEED.integers(low, high, shape).astype(kind)


def smooth(bits: int, shape: tuple[int, int] = (64, 80)) -> Array:
    row, column = np.indices(shape)
    waves = np.sin(row / 9) + np.cos(column / 7) + SEED.normal(0, 0.02, shape)
    return (
        ((waves + 2.2) / 4.4 * ((1 << bits) - 1))
        .clip(0, (1 << bits) - 1)
        .astype(np.uint8 if bits <= 8 else np.uint16)
    )


def colours(shape: tuple[int, int] = (48, 64)) -> NDArray[np.uint8]:
    plane = smooth(8, shape)
    return np.stack([plane, plane[::-1], 255 - plane[:, ::-1]], axis=-1)


def rle(image: Array) -> bytes:
    """PS3.5 annex G, written from the text: literal runs only."""
    planes = np.moveaxis(image.reshape(*image.shape[:2], -1), -1, 0)
    segments = []
    for plane in planes:
        for byte in reversed(range(image.itemsize)):
            data = (plane >> 8 * byte & 0xFF).astype(np.uint8).tobytes()
            segment = b"".join(
                bytes([len(data[at : at + 128]) - 1]) + data[at : at + 128]
                for at in range(0, len(data), 128)
            )
            segments.append(segment + b"\x80" * (len(segment) % 2))
    starts = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16L", len(segments), *starts, *[0] * (15 - len(starts))) + b"".join(
        segments
    )


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(data)) + data


END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def lossless_jpeg(predictor: int) -> Callable[[Array, int], bytes]:
    return lambda image, bits: encoder("jpeg8_encode")(
        image, lossless=True, predictor=predictor, bitspersample=bits
    )


def encoder(name: str) -> Callable[..., bytes]:
    return getattr(pytest.importorskip("imagecodecs"), name)  # type: ignore[no-any-return]


ENCODERS: dict[str, tuple[str, Callable[[Array, int], bytes]]] = {
    "RLE": (RLE, lambda image, bits: rle(image)),
    **{
        f"JPEG Lossless, predictor {number}": (LOSSLESS, lossless_jpeg(number))
        for number in range(1, 8)
    },
    "JPEG Lossless SV1": (LOSSLESS_1, lossless_jpeg(1)),
    "JPEG-LS": (JPEG_LS, lambda image, bits: encoder("jpegls_encode")(image)),
    "JPEG 2000": (
        J2K,
        lambda image, bits: encoder("jpeg2k_encode")(image, 0, codecformat="J2K", reversible=True),
    ),
    "HTJ2K": (HTJ2K, lambda image, bits: encoder("htj2k_encode")(image, reversible=True)),
    "HTJ2K RPCL": (
        HTJ2K_RPCL,
        lambda image, bits: encoder("htj2k_encode")(image, reversible=True, tlm=True),
    ),
    "HTJ2K, any": (
        HTJ2K_LOSSY,
        lambda image, bits: encoder("htj2k_encode")(image, reversible=True),
    ),
}


def oracle(path: Path, plugin: str, frame: int = 0, module: str | None = None) -> Array:
    """The same frame from pydicom with the decoder named; the test is skipped where it is not
    installed.
    """
    pytest.importorskip(module or plugin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.pixels.pixel_array(
            pydicom.dcmread(path), index=frame, decoding_plugin=plugin
        )
