"""Native pixels against what was packed here: stored bits, packed bits, floats, files cut short."""

from __future__ import annotations

import mmap
import os
import struct
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kit.pixel_files import (
    BIG,
    DEFLATED,
    IMPLICIT,
    LITTLE,
    SEED,
    Array,
    noise,
    pixels_of,
    read,
    write,
)

from sidecar.dicom.pixels import FrameLocator, PixelLayout, frame_buffer, read_frame
from sidecar.errors import PixelError
from sidecar.storage.local import Local


@st.composite
def native_cases(draw: st.DrawFn) -> tuple[Array, bytes, dict[str, Any], str]:
    """Values, the bytes that hold them among bits that mean nothing, and the header that says
    so.
    """
    bits = draw(st.sampled_from([8, 16, 32]))
    stored = draw(st.integers(1, bits))
    high = draw(st.integers(stored - 1, bits - 1))
    signed = draw(st.booleans())
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    low = -(1 << stored - 1) if signed else 0
    generator = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    values = generator.integers(low, low + (1 << stored), shape)
    values.flat[0], values.flat[-1] = low, low + (1 << stored) - 1
    mask = (1 << stored) - 1
    words = (values & mask) << (high + 1 - stored) | generator.integers(0, 1 << bits, shape) & ~(
        mask << (high + 1 - stored)
    )
    syntax = draw(st.sampled_from([IMPLICIT, LITTLE, BIG, DEFLATED]))
    order = ">" if syntax == BIG else "<"
    data = (words & ((1 << bits) - 1)).astype(f"{order}u{bits // 8}").tobytes()
    data += b"\0" * (len(data) % 2)
    if syntax == BIG and bits == 8:  # OW: bytes swapped in pairs
        data = np.frombuffer(data, "u2").byteswap().tobytes()
    header = {
        "BitsAllocated": bits,
        "BitsStored": stored,
        "HighBit": high,
        "PixelRepresentation": int(signed),
    }
    dtype = f"{'i' if signed else 'u'}{bits // 8}"
    return values.astype(dtype), data, header | {"NumberOfFrames": shape[0]}, syntax


@settings(deadline=None, max_examples=60)
@given(case=native_cases(), with_offset=st.booleans(), reuse=st.booleans())
def test_native_values_are_the_stored_bits_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[Array, bytes, dict[str, Any], str],
    with_offset: bool,
    reuse: bool,
) -> None:
    values, data, header, syntax = case
    path = write(tmp_path_factory.mktemp("native"), data, values.shape[1:], syntax, **header)
    for number in reversed(range(len(values))):
        pixels = pixels_of(path, number, with_offset and syntax != DEFLATED)
        frame = read_frame(
            Local.at(path.parent), pixels, frame_buffer(pixels.layout) if reuse else None
        )
        assert frame.dtype == values.dtype
        assert frame.dtype.isnative
        np.testing.assert_array_equal(frame, values[number])


@settings(deadline=None, max_examples=30)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 1 << 30),
    encoding=st.sampled_from([(LITTLE, "OB"), (LITTLE, "OW"), (BIG, "OB"), (BIG, "OW")]),
)
@example(shape=(4, 4, 7), seed=0, encoding=(BIG, "OW"))
def test_packed_bits_start_anywhere_in_a_byte(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[int, int, int],
    seed: int,
    encoding: tuple[str, str],
) -> None:
    masks = np.random.default_rng(seed).integers(0, 2, shape, dtype=np.uint8)
    data = np.packbits(masks, bitorder="little").tobytes()
    data += b"\0" * (len(data) % 2)
    if encoding == (BIG, "OW"):
        data = np.frombuffer(data, "u2").byteswap().tobytes()
    path = write(
        tmp_path_factory.mktemp("bits"),
        data,
        shape[1:],
        *encoding,
        BitsAllocated=1,
        NumberOfFrames=shape[0],
    )
    for number, mask in enumerate(masks):
        np.testing.assert_array_equal(read(path, number), mask)


def test_packed_bits_padded_at_each_frame_are_refused_rather_than_shifted(tmp_path: Path) -> None:
    data = b"".join(
        np.packbits(mask, bitorder="little").tobytes() for mask in np.ones((4, 33, 33), np.uint8)
    )
    path = write(tmp_path, data, (33, 33), vr="OB", BitsAllocated=1, NumberOfFrames=4)
    with pytest.raises(PixelError, match="548 bytes, but the header promises 545"):
        read(path)


@pytest.mark.parametrize("syntax", [LITTLE, BIG])
@pytest.mark.parametrize(
    ("dtype", "keyword", "vr"),
    [("f4", "FloatPixelData", "OF"), ("f8", "DoubleFloatPixelData", "OD")],
)
def test_float_pixels(tmp_path: Path, dtype: str, keyword: str, vr: str, syntax: str) -> None:
    values = SEED.normal(size=(2, 6, 5)).astype(dtype)
    data = values.astype(values.dtype.newbyteorder(">" if syntax == BIG else "<")).tobytes()
    path = write(
        tmp_path,
        data,
        (6, 5),
        syntax,
        vr,
        keyword=keyword,
        BitsAllocated=8 * values.itemsize,
        NumberOfFrames=2,
    )
    frame = read(path, 1)
    assert frame.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(frame, values[1])
    other = replace(pixels_of(path).layout, keyword="PixelData")
    with pytest.raises(PixelError, match="no longer holds PixelData"):
        read_frame(Local.at(path.parent), FrameLocator(path.name, other, 0, 2, None))


def test_plain_16_bit_is_a_view_of_the_page_aligned_buffer(tmp_path: Path) -> None:
    values = noise("u2", (2, 64, 50))
    path = write(tmp_path, values.tobytes(), (64, 50), NumberOfFrames=2)
    buffer = frame_buffer(pixels_of(path).layout)
    for number in (1, 0):
        frame = read_frame(Local.at(path.parent), pixels_of(path, number, with_offset=True), buffer)
        np.testing.assert_array_equal(frame, values[number])
        address = frame.__array_interface__["data"][0]
        assert address == np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
        assert address % mmap.PAGESIZE == 0


@pytest.mark.parametrize("in_pieces", [True, False])
@pytest.mark.parametrize("frame", [0, 1])
def test_however_the_system_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frame: int, in_pieces: bool
) -> None:
    values = noise("u2", (2, 20, 20))
    path = write(tmp_path, values.tobytes(), (20, 20), NumberOfFrames=2)
    pixels = pixels_of(path, frame, with_offset=True)
    if in_pieces:
        whole = os.preadv
        monkeypatch.setattr(
            os, "preadv", lambda number, views, at: whole(number, [views[0][:70]], at)
        )
    else:
        monkeypatch.delattr(os, "preadv")
    for buffer in (None, frame_buffer(pixels.layout)):
        np.testing.assert_array_equal(
            read_frame(Local.at(path.parent), pixels, buffer), values[frame]
        )
    path.write_bytes(path.read_bytes()[: -900 if frame == 0 else -100])
    for buffer in (None, frame_buffer(pixels.layout)):
        with pytest.raises(PixelError, match="ends 100 bytes too early"):
            read_frame(Local.at(path.parent), pixels, buffer)


@pytest.mark.skipif(sys.platform == "win32", reason="needs sparse files")
def test_one_frame_of_a_file_beyond_2_gib_costs_one_frame(tmp_path: Path) -> None:
    path = write(tmp_path, b"\0\0", (1024, 1024), NumberOfFrames=1500)
    pixels = pixels_of(path, 1499, with_offset=True)
    assert pixels.offset is not None
    values, frame_bytes = noise("u2", (1024, 1024)), 1 << 21
    with path.open("r+b") as file:
        file.seek(pixels.offset - 4)
        file.write(struct.pack("<L", 1500 * frame_bytes))
        file.seek(pixels.offset + 1499 * frame_bytes)
        file.write(values.tobytes())
    for place in (pixels, replace(pixels, offset=None)):
        tracemalloc.start()
        frame = read_frame(Local.at(path.parent), place)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        np.testing.assert_array_equal(frame, values)
        assert peak < 1.2 * frame_bytes


def test_a_file_cut_short_keeps_its_whole_frames_and_names_the_broken_one(tmp_path: Path) -> None:
    values = noise("u2", (3, 20, 20))
    path = write(tmp_path, values.tobytes(), (20, 20), NumberOfFrames=3)
    path.write_bytes(path.read_bytes()[:-100])
    np.testing.assert_array_equal(read(path, 1), values[1])
    with pytest.raises(
        PixelError, match=rf"^{path.name}, frame 3 of 3: the file ends 100 bytes too early; copy"
    ) as caught:
        read(path, 2)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("syntax", [IMPLICIT, LITTLE, BIG, DEFLATED])
def test_what_follows_short_pixel_data_is_not_taken_for_pixels(tmp_path: Path, syntax: str) -> None:
    path = write(
        tmp_path, bytes(2 * 20 * 19), (20, 20), syntax, DataSetTrailingPadding=b"\x55" * 200
    )
    with pytest.raises(
        PixelError, match=r"element holds 760 bytes, but .* ask for 800: the header does not"
    ):
        read(path)


@pytest.mark.parametrize("extra", [800, 400])
def test_pixel_data_of_another_size_than_the_header_says(tmp_path: Path, extra: int) -> None:
    with pytest.raises(
        PixelError, match=f"{800 + extra} bytes, but the header promises 800; correct Rows"
    ):
        read(write(tmp_path, bytes(800 + extra), (20, 20)))
    assert read(write(tmp_path, bytes(900), (20, 20))).shape == (20, 20)  # padding


def test_encapsulated_data_under_a_native_syntax(tmp_path: Path) -> None:
    path = write(tmp_path, bytes(800), (20, 20))
    start = pixels_of(path, with_offset=True).offset or 0
    content = path.read_bytes()
    path.write_bytes(content[: start - 4] + b"\xff\xff\xff\xff" + content[start:])
    with pytest.raises(PixelError, match="encapsulated, but the transfer syntax is a native one"):
        read_frame(
            Local.at(path.parent),
            FrameLocator(
                path.name,
                PixelLayout(LITTLE, 20, 20, 1, "MONOCHROME2", 0, 16, 16, 15, False, "PixelData"),
                0,
                1,
                start,
            ),
        )


def test_a_missing_file_and_a_missing_frame(tmp_path: Path) -> None:
    path = write(tmp_path, bytes(800), (20, 20))
    pixels = pixels_of(path, with_offset=True)
    with pytest.raises(PixelError, match=r"frame 2 of 1: there is no such frame"):
        read_frame(Local.at(path.parent), replace(pixels, index=1))
    path.unlink()
    with pytest.raises(
        PixelError, match=r"scan\d+.dcm, frame 1 of 1: the file cannot be read: No such file"
    ) as caught:
        read_frame(Local.at(path.parent), pixels)
    assert str(tmp_path) not in str(caught.value)
