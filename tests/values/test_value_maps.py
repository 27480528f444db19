"""Stored values → PNG values → back by the sidecar's line; and the PNG files themselves, read by
other software.
"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sidecar.formats.png import Compression, encode
from sidecar.values.value_maps import Linear, Stored, dicom_window, robust_range


@given(
    st.booleans(), st.integers(2, 16), st.booleans(), st.floats(0.01, 50), st.floats(-2000, 2000)
)
def test_stored_values_come_back_without_loss(
    signed: bool, bits: int, inverted: bool, slope: float, intercept: float
) -> None:
    lowest = -(1 << (bits - 1)) if signed else 0
    highest = lowest + (1 << bits) - 1
    stored = np.array([lowest, lowest + 1, 0, highest], dtype=np.int32)
    values = Stored(lowest, highest, 16, inverted, (slope, intercept))
    png = values.apply(stored, (slope, intercept))
    assert png.dtype == np.uint16
    line = values.line
    assert np.allclose(line.slope * png + line.intercept, stored * slope + intercept)


@given(
    st.booleans(),
    st.sampled_from([8, 16]),
    st.floats(-3000, 3000),
    st.floats(1, 5000),
    st.floats(0.1, 4),
    st.floats(-1000, 1000),
)
def test_a_window_loses_at_most_half_a_step(
    inverted: bool, bits: int, lower: float, width: float, slope: float, intercept: float
) -> None:
    values = Linear(lower, lower + width, bits, inverted)  # type: ignore[arg-type]
    stored = ((lower + width * np.linspace(0, 1, 41) - intercept) / slope).astype(np.float32)
    png = values.apply(stored, (slope, intercept))
    back = values.line.slope * png.astype(np.float64) + values.line.intercept
    step = abs(values.line.slope)
    assert (
        np.abs(back - (stored.astype(np.float64) * slope + intercept)).max() <= 0.502 * step + 1e-3
    )
    outside = values.apply(np.array([-1e9, 1e9], dtype=np.float32), (slope, intercept))
    assert sorted(outside.tolist()) == [0, 2**bits - 1]
    assert (outside[0] > outside[1]) == inverted


def test_the_dicom_window_is_that_of_the_standard() -> None:
    """PS3.3 C.11.2.1.2.1, its own example: centre 2048, width 4096 spans 0 to 4095."""
    assert dicom_window(2048, 4096) == (0, 4095)


def test_a_few_bright_voxels_do_not_make_the_window() -> None:
    values = np.concatenate([np.linspace(0, 100, 100_000), [1e6] * 5])
    lower, upper = robust_range(values)
    assert 0 <= lower < 1 and 99 < upper <= 100
    assert robust_range(np.full(10, 7.0)) == (7.0, 8.0)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (33, 64), (4, 5, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", ["fast", "small"])
def test_pngs_are_read_by_others(
    shape: tuple[int, ...], dtype: type, compression: Compression
) -> None:
    pixels = np.random.default_rng(3).integers(
        0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True
    )
    data = encode(pixels, {"SeriesInstanceUID": "1.2.3"}, (0.25, 0.5), compression)
    assert np.array_equal(decoded(data, shape, dtype), pixels)
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.text["SeriesInstanceUID"] == "1.2.3"  # type: ignore[attr-defined]
    assert image.info["dpi"] == pytest.approx((4000 * 0.0254, 2000 * 0.0254), rel=1e-3)
    if not (len(shape) == 3 and dtype == np.uint16):  # which Pillow cuts to 8 bits
        assert np.array_equal(np.asarray(image), pixels)


def decoded(data: bytes, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """A reader of its own: checks every CRC, inflates, undoes the filter by the letter of the
    standard.
    """
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        chunks[kind] = body
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(shape[0], -1)
    (kind_of_filter,) = set(lines[:, 0].tolist())
    samples = lines[:, 1:].astype(np.uint64)
    if kind_of_filter == 2:
        samples = np.cumsum(samples, axis=0)
    else:
        assert kind_of_filter == 3
        pixel = np.dtype(dtype).itemsize * (3 if len(shape) == 3 else 1)
        for row in range(samples.shape[0]):
            for at in range(samples.shape[1]):
                left = int(samples[row, at - pixel]) if at >= pixel else 0
                above = int(samples[row - 1, at]) if row else 0
                samples[row, at] = (int(samples[row, at]) + (left + above) // 2) % 256
    samples = samples.astype(np.uint8)
    return samples.copy().view(np.dtype(dtype).newbyteorder(">")).reshape(shape).astype(dtype)


@pytest.mark.parametrize("compression", ["fast", "small"])
def test_the_window_that_a_png_names_is_enough(compression: Compression) -> None:
    """Readers hold no more of what they inflated than the stream's own header asks for; every 1,500
    bytes repeat, to tempt it further.
    """
    pixels = (
        np.random.default_rng(4)
        .integers(0, 255, (1, 1500), dtype=np.uint8)
        .repeat(40, axis=0)
        .reshape(10, -1)
    )
    data = encode(pixels, {}, None, compression)
    at = data.index(b"IDAT")
    stream = rest = data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at], "big")]
    reader, inflated = zlib.decompressobj(8 + (stream[0] >> 4)), []
    while rest:
        inflated.append(
            reader.decompress(rest, 256)
        )  # what was given out is no longer in reach, save in the window
        rest = reader.unconsumed_tail
    assert b"".join([*inflated, reader.flush()]) == zlib.decompress(stream)


def test_pngs_are_whole_without_fast_deflate() -> None:
    """Where isal and zlib-ng have no wheel, zlib does it."""
    script = (
        "import sys, io; sys.modules['isal'] = sys.modules['zlib_ng'] = None\n"
        "import numpy as np; from PIL import Image; from sidecar.formats.png import encode\n"
        "a = (np.arange(600, dtype=np.uint16) * 37).reshape(20, 30)\n"
        "assert (np.asarray(Image.open(io.BytesIO(encode(a, {}, None)))) == a).all()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
