"""PNG files, read by other software; and the line of grey values that a PNG names."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from sidecar.formats.png import Compression, encode


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
