"""The head of a PNG: size and texts, whatever stands around them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sidecar.formats.png import encode
from sidecar.formats.png_text import SIGNATURE, PngHead, read_head


def test_our_own_pngs_tell_what_was_written_into_them() -> None:
    texts = {"SeriesInstanceUID": "1.2.3", "Slice": "7"}
    data = encode(np.zeros((5, 9), np.uint8), texts, None, "fast")
    assert read_head(io.BytesIO(data)) == PngHead((9, 5), texts)


def test_another_writer_is_read_alike() -> None:
    info = PngInfo()
    info.add_text("Tag", "bcdfgh")
    file = io.BytesIO()
    Image.new("RGB", (31, 17)).save(file, "PNG", pnginfo=info)
    file.seek(0)
    assert read_head(file) == PngHead((31, 17), {"Tag": "bcdfgh"})


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_an_endless_row_of_chunks_is_not_followed() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0))
    many = b"".join(chunk(b"tEXt", b"k%d\0v" % i) for i in range(10_000))
    head = read_head(io.BytesIO(SIGNATURE + header + many))
    assert head is not None and len(head.texts) < 100


def test_a_text_of_gigabytes_is_not_read() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0))
    data = SIGNATURE + header + struct.pack(">I", 0x7FFFFFFF) + b"tEXt" + b"k\0v"
    assert read_head(io.BytesIO(data)) == PngHead((4, 4), {})


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG", b"\xff\xd8\xff\xe0JFIF", SIGNATURE, SIGNATURE + b"\0" * 20]
)
def test_what_is_no_png_has_no_head(data: bytes) -> None:
    assert read_head(io.BytesIO(data)) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_a_fault(data: bytes) -> None:
    read_head(io.BytesIO(SIGNATURE + data))
