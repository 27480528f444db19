"""Colour: RGB, YBR and palettes, native and in JPEG, against what was written and against pydicom."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from kit.pixel_files import (
    BASELINE,
    BIG,
    IMPLICIT,
    LITTLE,
    Array,
    colours,
    encoder,
    noise,
    read,
    write,
    write_encoded,
)

from sidecar.errors import PixelError


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_native_rgb(tmp_path: Path, planar: int, dtype: str) -> None:
    frames = noise(dtype, (2, 5, 7, 3))
    data = (np.moveaxis(frames, -1, 1) if planar else frames).tobytes()
    header = {
        "BitsAllocated": 8 * frames.itemsize,
        "PlanarConfiguration": planar,
        "NumberOfFrames": 2,
    }
    path = write(tmp_path, data, frames.shape[1:], **header)
    frame = read(path, 1)
    assert frame.dtype == frames.dtype
    np.testing.assert_array_equal(frame, frames[1])


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_native_ybr_as_pydicom_converts_it(tmp_path: Path, photometric: str) -> None:
    samples = 3 if photometric == "YBR_FULL" else 2
    data = noise("u1", (6 * 8 * samples,)).tobytes()
    path = write(
        tmp_path, data, (6, 8, 3), vr="OB", BitsAllocated=8, PhotometricInterpretation=photometric
    )
    np.testing.assert_array_equal(read(path), pydicom.dcmread(path).pixel_array)


def test_full_resolution_ybr_that_is_called_422(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        bytes(6 * 8 * 3),
        (6, 8, 3),
        vr="OB",
        BitsAllocated=8,
        PhotometricInterpretation="YBR_FULL_422",
    )
    with pytest.raises(
        PixelError,
        match=r"144 bytes, but the header promises 96; correct .*PhotometricInterpretation",
    ):
        read(path)


@pytest.mark.parametrize("declared", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("subsampling", [0, 1])
def test_jpeg_colour_is_converted_once_whatever_the_header_calls_it(
    tmp_path: Path, declared: str, subsampling: int
) -> None:
    """Pillow writes YCbCr with a JFIF marker, which overrules a header that says RGB."""
    image_module = pytest.importorskip("PIL.Image")
    file, image = io.BytesIO(), colours()
    image_module.fromarray(image).save(file, "JPEG", quality=97, subsampling=subsampling)
    path = write_encoded(
        tmp_path, [file.getvalue()], image, BASELINE, PhotometricInterpretation=declared
    )
    frame = read(path).astype(int)
    assert (
        np.abs(frame - np.asarray(image_module.open(file))).max() <= 2
    )  # one rounding there, another here
    assert np.abs(frame - image).mean() < 6


def without_jfif(stream: bytes, instead: bytes = b"") -> bytes:
    at = stream.find(b"\xff\xe0")
    return (
        stream
        if at < 0
        else stream[:at]
        + instead
        + stream[at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big") :]
    )


ADOBE_YCC = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\x01"


@pytest.mark.parametrize(
    ("declared", "space", "marker"),
    [
        ("RGB", "RGB", b""),
        ("YBR_FULL", "YCBCR", b""),
        ("RGB", "YCBCR", ADOBE_YCC),
        ("YBR_FULL_422", "RGB", b""),
    ],
    ids=["header says RGB", "header says YBR", "Adobe marker says YBR", "component names say RGB"],
)
def test_jpeg_colour_without_jfif(tmp_path: Path, declared: str, space: str, marker: bytes) -> None:
    image = colours()
    coded = encoder("jpeg8_encode")(
        image, 97, colorspace="RGB", outcolorspace=space, subsampling="444"
    )
    stream = without_jfif(coded, marker)
    assert (b"Adobe" in stream) == bool(marker or space == "RGB")
    frame = read(
        write_encoded(tmp_path, [stream], image, BASELINE, PhotometricInterpretation=declared)
    )
    assert np.abs(frame.astype(int) - image).mean() < 6


def palette_header(entries: Array, first: int, bits: int, order: str = "<") -> dict[str, Any]:
    header: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, channel in zip(("Red", "Green", "Blue"), entries.T, strict=True):
        data = channel.astype(f"{order}u{bits // 8}").tobytes()
        data += b"\0" * (len(data) % 2)
        if order == ">" and bits == 8:
            data = np.frombuffer(data, "u2").byteswap().tobytes()
        header[f"{colour}PaletteColorLookupTableDescriptor"] = [len(entries) % 65536, first, bits]
        header[f"{colour}PaletteColorLookupTableData"] = data
    return header


@pytest.mark.parametrize("syntax", [LITTLE, BIG, IMPLICIT])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("count", "first", "dtype"),
    [(256, 0, "u1"), (255, 0, "u1"), (65536, 0, "u2"), (700, -300, "i2")],
)
def test_palette_colours(
    tmp_path: Path, count: int, first: int, dtype: str, bits: int, syntax: str
) -> None:
    entries = noise(f"u{bits // 8}", (count, 3))
    entries[0, 0] = np.iinfo(entries.dtype).max  # so that 16-bit entries are seen to be such
    order, stored = ">" if syntax == BIG else "<", noise(dtype, (40, 30))
    header = palette_header(entries, first, bits, order) | {"BitsAllocated": 8 * stored.itemsize}
    data, vr = (
        stored.astype(stored.dtype.newbyteorder(order)).tobytes(),
        "OB" if stored.itemsize == 1 and syntax != IMPLICIT else "OW",
    )
    path = write(
        tmp_path, data, stored.shape, syntax, vr, PixelRepresentation=int(dtype == "i2"), **header
    )
    expected = entries[np.clip(stored.astype(int) - first, 0, count - 1)] >> (bits - 8)
    frame = read(path)
    assert frame.dtype == np.uint8
    np.testing.assert_array_equal(frame, expected)


def test_a_segmented_palette_as_pydicom_expands_it(tmp_path: Path) -> None:
    stored = noise("u1", (20, 20))
    header: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR", "BitsAllocated": 8}
    for number, colour in enumerate(("Red", "Green", "Blue")):
        header[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        # one discrete entry, then a line over 255 (PS3.3 C.7.9.2)
        header[f"Segmented{colour}PaletteColorLookupTableData"] = struct.pack(
            "<6H", 0, 1, 256 * number, 1, 255, 65280 - number
        )
    path = write(tmp_path, stored.tobytes(), stored.shape, vr="OB", **header)
    dataset = pydicom.dcmread(path)
    np.testing.assert_array_equal(read(path), pydicom.pixels.apply_color_lut(stored, dataset) >> 8)


def test_a_segmented_palette_that_pydicom_would_get_wrong(tmp_path: Path) -> None:
    stored = noise("u2", (20, 20), bits=9)
    header: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        header[f"{colour}PaletteColorLookupTableDescriptor"] = [512, 0, 8]
        header[f"Segmented{colour}PaletteColorLookupTableData"] = bytes(
            (0, 2, 0, 255, 1, 255, 7, 1, 255, 99)
        )
    with pytest.raises(PixelError, match="more than 256 8-bit colours"):
        read(write(tmp_path, stored.tobytes(), stored.shape, **header))


def test_palettes_that_cannot_be_read(tmp_path: Path) -> None:
    stored = noise("u1", (20, 20))
    header = palette_header(noise("u1", (256, 3)), 0, 8) | {"BitsAllocated": 8}
    with pytest.raises(PixelError, match="palette cannot be read"):
        read(
            write(
                tmp_path,
                stored.tobytes(),
                stored.shape,
                vr="OB",
                **header | {"GreenPaletteColorLookupTableData": b"\0" * 20},
            )
        )
    del header["BluePaletteColorLookupTableData"]
    with pytest.raises(PixelError, match="palette cannot be read"):
        read(write(tmp_path, stored.tobytes(), stored.shape, vr="OB", **header))
