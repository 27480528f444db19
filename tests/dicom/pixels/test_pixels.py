"""Pixels against truth by construction (what was packed or encoded here) and against independent
decoders on real files.
"""

from __future__ import annotations

import io
import mmap
import os
import random
import re
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended

from sidecar.dicom import scan as headers
from sidecar.dicom.pixels import FramePixels, PixelLayout, frame_buffer, layout_of, read_frame
from sidecar.errors import PixelError, SourceError

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

# --- writing ---


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
    dataset.file_meta.TransferSyntaxUID = syntax
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


def pixels_of(path: Path, frame: int = 0, with_offset: bool = False) -> FramePixels:
    with path.open("rb") as file:
        dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        offset = file.tell() + (8 if dataset.original_encoding[0] else 12) if with_offset else None
    return FramePixels(layout_of(dataset), frame, int(dataset.get("NumberOfFrames") or 1), offset)


def read(path: Path, frame: int = 0) -> Array:
    """A frame as it is read into memory of its own; into a buffer it is the same, or refused in the
    same words.
    """
    pixels = pixels_of(path, frame)
    try:
        buffered = read_frame(path, pixels, frame_buffer(pixels.layout)).copy()
    except PixelError as error:
        with pytest.raises(PixelError, match=f"^{re.escape(str(error))}$"):
            read_frame(path, pixels)
        raise
    own = read_frame(path, pixels)
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


# --- native ---


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
        frame = read_frame(path, pixels, frame_buffer(pixels.layout) if reuse else None)
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
    with pytest.raises(PixelError, match="548 bytes where the header promises 545"):
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
    with pytest.raises(PixelError, match="holds no PixelData"):
        read_frame(path, FramePixels(other, 0, 2, None))


def test_plain_16_bit_is_a_view_of_the_page_aligned_buffer(tmp_path: Path) -> None:
    values = noise("u2", (2, 64, 50))
    path = write(tmp_path, values.tobytes(), (64, 50), NumberOfFrames=2)
    buffer = frame_buffer(pixels_of(path).layout)
    for number in (1, 0):
        frame = read_frame(path, pixels_of(path, number, with_offset=True), buffer)
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
        np.testing.assert_array_equal(read_frame(path, pixels, buffer), values[frame])
    path.write_bytes(path.read_bytes()[: -900 if frame == 0 else -100])
    for buffer in (None, frame_buffer(pixels.layout)):
        with pytest.raises(PixelError, match="ends 100 bytes too early"):
            read_frame(path, pixels, buffer)


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
        frame = read_frame(path, place)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        np.testing.assert_array_equal(frame, values)
        assert peak < 1.2 * frame_bytes


# --- what must be refused ---


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
    with pytest.raises(PixelError, match="cut short: 760 bytes where the header promises 800"):
        read(path)


@pytest.mark.parametrize("extra", [800, 400])
def test_pixel_data_of_another_size_than_the_header_says(tmp_path: Path, extra: int) -> None:
    with pytest.raises(
        PixelError, match=f"{800 + extra} bytes where the header promises 800; correct Rows"
    ):
        read(write(tmp_path, bytes(800 + extra), (20, 20)))
    assert read(write(tmp_path, bytes(900), (20, 20))).shape == (20, 20)  # padding


def test_encapsulated_data_under_a_native_syntax(tmp_path: Path) -> None:
    path = write(tmp_path, bytes(800), (20, 20))
    start = pixels_of(path, with_offset=True).offset or 0
    content = path.read_bytes()
    path.write_bytes(content[: start - 4] + b"\xff\xff\xff\xff" + content[start:])
    with pytest.raises(PixelError, match="encapsulated although"):
        read_frame(
            path,
            FramePixels(
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
        read_frame(path, replace(pixels, frame=1))
    path.unlink()
    with pytest.raises(
        PixelError, match=r"scan\d+.dcm, frame 1 of 1: the file cannot be read: No such file"
    ) as caught:
        read_frame(path, pixels)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Rows": None}, "Rows is missing"),
        ({"Rows": 0}, "leave no image"),
        ({"BitsAllocated": None}, "BitsAllocated is missing"),
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, "packed pixels, retired"),
        ({"BitsAllocated": 24}, "BitsAllocated 24 is not supported"),
        ({"BitsStored": 17, "HighBit": 16}, "contradict"),
        ({"BitsStored": 12, "HighBit": 7}, "contradict"),
        ({"PixelRepresentation": None}, "PixelRepresentation is missing"),
        ({"PixelRepresentation": 2}, "must be 0 or 1"),
        ({"PhotometricInterpretation": "CMYK"}, "CMYK is not supported"),
        ({"PhotometricInterpretation": None}, "PhotometricInterpretation is missing"),
        ({"PhotometricInterpretation": "RGB"}, "does not fit RGB"),
        (
            {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
            "PlanarConfiguration is missing",
        ),
        (
            {
                "SamplesPerPixel": 3,
                "PhotometricInterpretation": "YBR_RCT",
                "PlanarConfiguration": 0,
            },
            "belongs to JPEG 2000",
        ),
        (
            {
                "SamplesPerPixel": 3,
                "PhotometricInterpretation": "YBR_FULL_422",
                "PlanarConfiguration": 0,
            },
            "YBR_FULL_422 of 16",
        ),
    ],
)
def test_headers_that_make_no_sense(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    dataset = pydicom.dcmread(write(tmp_path, bytes(800), (20, 20)))
    for name, attribute in change.items():
        if attribute is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, attribute)
    with pytest.raises(PixelError, match=message):
        layout_of(dataset)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection"),
        ("1.2.840.10008.1.2.4.55", "JPEG Full Progression"),
        ("1.2.840.10008.1.2.4.102", "MPEG-4"),
        ("1.2.3.4.5", "1.2.3.4.5"),
    ],
)
def test_a_transfer_syntax_without_decoder_is_named_with_the_way_out(
    tmp_path: Path, syntax: str, name: str
) -> None:
    path = write_encoded(tmp_path, [b"\xff\xd8\xff\xd9"], noise("u2"), syntax)
    with pytest.raises(PixelError, match=rf"no decoder for the transfer syntax {name}.*dcmdjpeg"):
        read(path)


# --- deflated ---


def test_deflated_frames_and_what_may_go_wrong(tmp_path: Path) -> None:
    values = noise("i2", (2, 30, 20))
    path = write(
        tmp_path, values.tobytes(), (30, 20), DEFLATED, PixelRepresentation=1, NumberOfFrames=2
    )
    np.testing.assert_array_equal(read(path, 1), values[1])
    content, pixels = path.read_bytes(), pixels_of(path)
    path.write_bytes(content[:-200])
    with pytest.raises(PixelError, match="deflated data end early"):
        read_frame(path, pixels)
    start = 144 + int.from_bytes(content[140:144], "little")
    path.write_bytes(
        content[:start] + b"\xff" * 50 + content[start + 50 :]
    )  # a block type that does not exist
    with pytest.raises(PixelError, match="deflated data are damaged"):
        read_frame(path, pixels)


def test_a_small_file_that_inflates_vastly_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, bytes(800), (20, 20), DEFLATED)
    pixels, meta = pixels_of(path), path.read_bytes()
    meta = meta[: 144 + int.from_bytes(meta[140:144], "little")]
    deflater = zlib.compressobj(1, wbits=-15)
    path.write_bytes(meta + deflater.compress(bytes(90 << 20)) + deflater.flush())
    assert path.stat().st_size < 1 << 20
    with pytest.raises(PixelError, match="inflates to more than 64 MiB"):
        read_frame(path, pixels)


def test_the_headers_of_a_file_that_inflates_vastly_are_not_read_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, bytes(800), (20, 20), DEFLATED)
    content = path.read_bytes()
    whole = len(zlib.decompress(content[144 + int.from_bytes(content[140:144], "little") :], -15))
    monkeypatch.setattr("sidecar.dicom.deflated.INFLATED_LIMIT", whole)
    assert [len(headers.scan(path).frames), headers.scan(path).damaged] == [1, []]
    monkeypatch.setattr("sidecar.dicom.deflated.INFLATED_LIMIT", whole - 1)
    assert headers.scan(path).frames == []
    (told,) = headers.scan(path).damaged
    assert str(told).startswith(f"{path.name}: it inflates to more than 0 MiB")
    directory = path.rename(tmp_path / "DICOMDIR")
    with pytest.raises(SourceError, match=r"DICOMDIR .*inflates to more than 0 MiB"):
        headers.scan(directory)


def test_a_deflated_file_without_preamble_or_within_another_is_never_inflated_unbounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("inflated without a bound")

    content = write(tmp_path, bytes(800), (20, 20), DEFLATED).read_bytes()
    start = 144 + int.from_bytes(content[140:144], "little")
    deflater = zlib.compressobj(1, wbits=-15)
    inner = (
        b"\x08\0\x01\0LO\x78\0" + content[8:]
    )  # a data set, and with these 128 bytes for a preamble a deflated file as well
    nested = content[:start] + deflater.compress(inner) + deflater.flush()
    monkeypatch.setattr(zlib, "decompress", never)
    for number, data in enumerate((content[132:], nested)):
        path = tmp_path / f"odd{number}.dcm"
        path.write_bytes(data)
        found = headers.scan(path)
        assert (found.frames, len(found.damaged)) == ([], 1)
    layout = PixelLayout(DEFLATED, 20, 20, 1, "MONOCHROME2", 0, 16, 16, 15, False, "PixelData")
    with pytest.raises(PixelError):
        read_frame(path, FramePixels(layout, 0, 1, None))


# --- encapsulated: finding the frame ---

FRAMES = [noise("u2", (12, 10)) for _ in range(5)]


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


def without_table(streams: list[bytes]) -> bytes:
    return encapsulate(streams, has_bot=False)


def with_overflowed_table(streams: list[bytes]) -> bytes:
    starts = [sum(len(stream) + 8 for stream in streams[:number]) for number in range(len(streams))]
    starts[-1] = 4  # as beyond 4 GiB, where 32 bits start again
    return item(struct.pack(f"<{len(starts)}L", *starts)) + b"".join(map(item, streams)) + END


@pytest.mark.parametrize("enclose", [encapsulate, without_table, with_overflowed_table])
def test_frames_are_found_by_their_tables_or_by_their_items(
    tmp_path: Path, enclose: Callable[[list[bytes]], bytes]
) -> None:
    value = enclose([rle(frame) for frame in FRAMES])
    path = write(tmp_path, value, (12, 10), RLE, "OB", NumberOfFrames=5)
    for number, frame in enumerate(FRAMES):
        np.testing.assert_array_equal(read(path, number), frame)


def test_frames_are_found_by_the_extended_offset_table(tmp_path: Path) -> None:
    value, offsets, lengths = encapsulate_extended([rle(frame) for frame in FRAMES])
    tables = {"ExtendedOffsetTable": offsets, "ExtendedOffsetTableLengths": lengths}
    path = write(tmp_path, value, (12, 10), RLE, "OB", NumberOfFrames=5, **tables)
    for number, frame in enumerate(FRAMES):
        np.testing.assert_array_equal(read(path, number), frame)


@pytest.mark.parametrize("extended", [False, True])
def test_only_the_wanted_frame_is_looked_at(tmp_path: Path, extended: bool) -> None:
    streams = [rle(frame) for frame in FRAMES]
    start, tables = 8 + 4 * len(streams), {}
    value = bytearray(encapsulate(streams))
    if extended:
        plain, offsets, lengths = encapsulate_extended(streams)
        value, start, tables = (
            bytearray(plain),
            8,
            {"ExtendedOffsetTable": offsets, "ExtendedOffsetTableLengths": lengths},
        )
    third = start + sum(len(stream) + 8 for stream in streams[:2])
    value[start:third] = b"\xee" * (third - start)
    path = write(tmp_path, bytes(value), (12, 10), RLE, "OB", NumberOfFrames=5, **tables)
    np.testing.assert_array_equal(read(path, 2), FRAMES[2])


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("table", [True, False])
def test_frames_of_several_fragments(tmp_path: Path, fragments: int, table: bool) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    frames = [smooth(16) for _ in range(3)]
    streams = [imagecodecs.jpegls_encode(frame) for frame in frames]
    value = encapsulate(streams, fragments_per_frame=fragments, has_bot=table)
    path = write(tmp_path, value, frames[0].shape, JPEG_LS, "OB", NumberOfFrames=3)
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(read(path, number), frame)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (item(b"") + item(rle(FRAMES[0])) + END, "promises 2 frames, the compressed data hold 1"),
        (
            item(b"") + b"".join(item(rle(frame)) for frame in FRAMES) + END,
            "promises 2 frames, the compressed data hold 1",
        ),
        (item(b"") + END, "promises 2 frames, the compressed data hold 0"),
        (item(b"") + b"garbage!" * 4 + END, "damaged"),
        (item(b"") + item(b"") + item(b"") + END, "damaged"),
        (
            item(struct.pack("<2L", 0, 30)) + item(rle(FRAMES[0])) + item(rle(FRAMES[1])) + END,
            "does not fit the fragments",
        ),
    ],
)
def test_encapsulations_that_do_not_hold_the_frames(
    tmp_path: Path, value: bytes, message: str
) -> None:
    with pytest.raises(PixelError, match=message):
        read(write(tmp_path, value, (12, 10), RLE, "OB", NumberOfFrames=2))


def test_an_encapsulated_file_cut_short(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        encapsulate([rle(frame) for frame in FRAMES]),
        (12, 10),
        RLE,
        "OB",
        NumberOfFrames=5,
    )
    path.write_bytes(path.read_bytes()[:-60])
    np.testing.assert_array_equal(read(path, 3), FRAMES[3])
    with pytest.raises(PixelError, match=r"frame 5 of 5: the file ends \d+ bytes too early"):
        read(path, 4)


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = write_encoded(tmp_path, [rle(frame) for frame in FRAMES], FRAMES[0], RLE)
    np.testing.assert_array_equal(read(path, 4), FRAMES[4])
    other = write_encoded(
        tmp_path, [rle(frame) for frame in FRAMES[::-1]], FRAMES[0], RLE, StudyID="a longer header"
    )
    other.replace(path)
    np.testing.assert_array_equal(read(path, 4), FRAMES[0])


@pytest.mark.parametrize(
    "image", [noise("u2"), noise("u1", (7, 9, 3)), noise("i2", bits=12)], ids=["u16", "rgb", "i12"]
)
def test_encapsulated_uncompressed(tmp_path: Path, image: Array) -> None:
    header = {"PixelRepresentation": 1, "BitsStored": 12} if image.dtype.kind == "i" else {}
    np.testing.assert_array_equal(
        read(write_encoded(tmp_path, [image.tobytes()], image, UNCOMPRESSED, **header)), image
    )


# --- decoders ---


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


@pytest.mark.parametrize("codec", ENCODERS)
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    "make",
    [smooth, lambda bits: noise("u1" if bits <= 8 else "u2", bits=bits)],
    ids=["smooth", "noise"],
)
def test_lossless_is_lossless(
    tmp_path: Path, codec: str, bits: int, make: Callable[[int], Array]
) -> None:
    syntax, encode = ENCODERS[codec]
    image = make(bits)
    frame = read(write_encoded(tmp_path, [encode(image, bits)], image, syntax, BitsStored=bits))
    assert frame.dtype == image.dtype
    np.testing.assert_array_equal(frame, image)


@pytest.mark.parametrize("codec", [name for name in ENCODERS if "predictor" not in name])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_signed_pixels_behind_a_codec_that_was_not_told(
    tmp_path: Path, codec: str, bits: int
) -> None:
    """The stream holds the two's complement bits as unsigned samples; only the DICOM header knows
    that they are signed.
    """
    syntax, encode = ENCODERS[codec]
    image = noise("i1" if bits <= 8 else "i2", bits=bits)
    coded = image.view(f"u{image.itemsize}") & np.array((1 << bits) - 1, f"u{image.itemsize}")
    if bits == 12 and syntax in (JPEG_LS, J2K, HTJ2K, HTJ2K_RPCL, HTJ2K_LOSSY):
        coded = image.view(
            "u2"
        )  # these encoders write 16 bits whatever is asked: sign-extended words, as scanners do
    path = write_encoded(
        tmp_path, [encode(coded, bits)], image, syntax, BitsStored=bits, PixelRepresentation=1
    )
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("stored", [12, 13])
def test_a_jpeg_2000_stream_of_few_bits_and_the_wrong_sign(tmp_path: Path, stored: int) -> None:
    encode, image = encoder("jpeg2k_encode"), noise("i2", bits=stored)
    coded = encode(
        image.view("u2") & np.uint16((1 << stored) - 1),
        0,
        codecformat="J2K",
        reversible=True,
        bitspersample=stored,
    )
    assert coded[42] == stored - 1  # Ssiz: unsigned, this many bits
    np.testing.assert_array_equal(
        read(
            write_encoded(tmp_path, [coded], image, J2K, BitsStored=stored, PixelRepresentation=1)
        ),
        image,
    )
    as_it_should_be = encode(image, 0, codecformat="J2K", reversible=True)
    path = write_encoded(
        tmp_path, [as_it_should_be], image, J2K, BitsStored=stored, PixelRepresentation=1
    )
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS, J2K])
@pytest.mark.parametrize("dtype", ["u2", "i2"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_streams_of_the_encoders_that_pydicom_uses(
    tmp_path: Path, syntax: str, dtype: str, bits: int
) -> None:
    """Unlike the encoders above, these tell the stream how many bits are stored."""
    plugin, module = {
        RLE: ("pydicom", "pydicom"),
        JPEG_LS: ("pyjpegls", "jpeg_ls"),
        J2K: ("pylibjpeg", "openjpeg"),
    }[syntax]
    pytest.importorskip(module)
    image = noise(dtype, (40, 48), bits)
    path = write(
        tmp_path,
        image.tobytes(),
        image.shape,
        BitsStored=bits,
        PixelRepresentation=int(dtype == "i2"),
    )
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, encoding_plugin=plugin)
    dataset.save_as(tmp_path / "compressed.dcm")
    frame = read(tmp_path / "compressed.dcm")
    assert frame.dtype == image.dtype
    np.testing.assert_array_equal(frame, image)


def test_lossy_white_that_overshoots_the_stored_bits_stays_white(tmp_path: Path) -> None:
    checks = np.kron(np.indices((12, 12)).sum(axis=0) % 2, np.ones((5, 5)))
    unsigned, signed = (checks * 1023).astype(np.uint16), (checks * 1023 - 512).astype(np.int16)
    jpeg = encoder("jpeg8_encode")(unsigned, 70, bitspersample=12)
    wavelets = [
        encoder("jpeg2k_encode")(image, 70, codecformat="J2K") for image in (unsigned, signed)
    ]
    for syntax, stream, image in (
        (EXTENDED, jpeg, unsigned),
        (J2K_LOSSY, wavelets[0], unsigned),
        (J2K_LOSSY, wavelets[1], signed),
    ):
        header = {"BitsStored": 10, "PixelRepresentation": int(image is signed)}
        frame = read(write_encoded(tmp_path, [stream], image, syntax, **header)).astype(int)
        assert (frame.min(), frame.max()) == (image.min(), image.max())
        assert np.abs(frame - image).max() < 300
        beyond = read(
            write_encoded(tmp_path, [stream], image, syntax, **header | {"BitsStored": 12})
        )
        assert beyond.max() > image.max()  # what the encoder made of it


@pytest.mark.parametrize("codec", ["RLE", "JPEG Lossless SV1", "JPEG-LS", "JPEG 2000", "HTJ2K"])
def test_overlay_bits_do_not_leak_out_of_lossless_streams(tmp_path: Path, codec: str) -> None:
    image, overlay = noise("u2", bits=12), noise("u2") & np.uint16(0xF000)
    syntax, encode = ENCODERS[codec]
    path = write_encoded(tmp_path, [encode(image | overlay, 16)], image, syntax, BitsStored=12)
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("codec", ENCODERS)
def test_lossless_colour(tmp_path: Path, codec: str) -> None:
    syntax, encode = ENCODERS[codec]
    image = colours()
    if "JPEG Lossless" in codec:
        stream = encoder("jpeg8_encode")(
            image, lossless=True, predictor=1, colorspace="RGB", outcolorspace="RGB"
        )
    else:
        stream = encode(image, 8)
    frame = read(write_encoded(tmp_path, [stream], image, syntax))
    np.testing.assert_array_equal(frame, image)


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


@pytest.mark.parametrize("syntax", [LOSSLESS, JPEG_LS, J2K])
def test_lossless_streams_as_gdcm_decodes_them(tmp_path: Path, syntax: str) -> None:
    encode = dict(ENCODERS.values())[syntax]
    for image in (smooth(16), noise("u2"), smooth(8)):
        path = write_encoded(tmp_path, [encode(image, 8 * image.itemsize)], image, syntax)
        np.testing.assert_array_equal(read(path), oracle(path, "gdcm"))


def test_near_lossless_is_near(tmp_path: Path) -> None:
    image = smooth(16)
    path = write_encoded(tmp_path, [encoder("jpegls_encode")(image, 3)], image, NEAR_LOSSLESS)
    frame = read(path)
    assert 0 < np.abs(frame.astype(int) - image).max() <= 3
    np.testing.assert_array_equal(frame, oracle(path, "pyjpegls", module="jpeg_ls"))


@pytest.mark.parametrize("syntax", [J2K_LOSSY, HTJ2K_LOSSY])
def test_lossy_wavelets(tmp_path: Path, syntax: str) -> None:
    image = smooth(16)
    if syntax == HTJ2K_LOSSY:
        stream = encoder("htj2k_encode")(image, 0.0005, reversible=False)
    else:
        stream = encoder("jpeg2k_encode")(image, 80, codecformat="J2K")
    path = write_encoded(tmp_path, [stream], image, syntax)
    frame = read(path)
    assert 0 < np.abs(frame.astype(int) - image).max() < 2000
    assert np.abs(frame.astype(int) - oracle(path, "pylibjpeg", module="openjpeg")).max() <= 1


@pytest.mark.parametrize("bits", [8, 12])
def test_lossy_jpeg(tmp_path: Path, bits: int) -> None:
    """Inverse cosine transforms may differ by one in rounding (ISO/IEC 10918-2)."""
    image = smooth(bits)
    stream = encoder("jpeg8_encode")(image, 97, bitspersample=bits)
    path = write_encoded(
        tmp_path, [stream], image, BASELINE if bits == 8 else EXTENDED, BitsStored=bits
    )
    frame = read(path)
    assert np.abs(frame.astype(int) - image).max() <= 1 << bits - 5
    assert np.abs(frame.astype(int) - oracle(path, "pylibjpeg", module="libjpeg")).max() <= 1


# --- damaged streams ---


def damaged(stream: bytes, seed: int, times: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(times):
        broken = bytearray(stream)
        for _ in range(chance.choice((1, 2, 8))):
            at = chance.randrange(len(broken) if chance.random() < 0.5 else min(len(broken), 150))
            broken[at] = chance.choice((0, 255, broken[at] ^ 1 << chance.randrange(8)))
        if chance.random() < 0.2:
            at = chance.randrange(len(broken))
            del broken[at : at + chance.randrange(60)]
        yield bytes(broken)


LOSSY: dict[str, tuple[str, Callable[[Array, int], bytes]]] = {
    "JPEG baseline": (
        BASELINE,
        lambda image, bits: encoder("jpeg8_encode")((image >> 8).astype(np.uint8), 90),
    ),
    "JPEG 12 bit": (
        EXTENDED,
        lambda image, bits: encoder("jpeg8_encode")(image >> 4, 90, bitspersample=12),
    ),
}
STREAMS = {name: ENCODERS[name] for name in ENCODERS if name[-1] not in "234567y"} | LOSSY


@pytest.mark.parametrize("codec", STREAMS)
def test_a_stream_cut_anywhere_is_refused_and_never_padded(tmp_path: Path, codec: str) -> None:
    syntax, encode = STREAMS[codec]
    image = smooth(16, (40, 40))
    stream = encode(image, 16)
    bits = {"JPEG baseline": 8, "JPEG 12 bit": 12}.get(codec, 16)
    whole = write_encoded(tmp_path, [stream], image, syntax, BitsStored=bits)
    assert read(whole).shape == image.shape
    for cut in sorted(
        {
            0,
            2,
            20,
            64,
            len(stream) // 3,
            len(stream) // 2,
            len(stream) * 9 // 10,
            len(stream) - 20,
            len(stream) - 4,
        }
    ):
        value = item(b"") + item(stream[:cut] + b"\0" * (cut % 2)) + END
        path = write(
            tmp_path,
            value,
            image.shape,
            syntax,
            "OB",
            BitsAllocated=8 if bits == 8 else 16,
            BitsStored=bits,
        )
        with pytest.raises(PixelError, match=f"{path.name}, frame 1 of 1: "):
            read(path)


@pytest.mark.parametrize("codec", STREAMS)
def test_a_damaged_stream_is_an_error_or_an_image_but_never_a_crash(
    tmp_path: Path, codec: str
) -> None:
    """No codec here has a checksum, so damage may go unseen; an image must then have the right
    shape.
    """
    syntax, encode = STREAMS[codec]
    image = smooth(16, (40, 40))
    refused = 0
    for stream in damaged(encode(image, 16), 3, 60):
        path = write_encoded(tmp_path, [stream], image, syntax)
        try:
            assert read(path).shape == image.shape
        except PixelError:
            refused += 1
    assert refused


def test_a_stream_that_contradicts_its_header_is_refused_before_it_is_decoded(
    tmp_path: Path,
) -> None:
    image = smooth(16)
    for name in ("JPEG Lossless SV1", "JPEG-LS", "JPEG 2000", "HTJ2K"):
        syntax, encode = ENCODERS[name]
        for other in (image[:-1], image[:, :-1], image.T.copy()):
            path = write_encoded(tmp_path, [encode(other.copy(), 16)], image, syntax)
            with pytest.raises(
                PixelError, match=r"is \d+ x \d+ x 1 .*, the header says 80 x 64 x 1"
            ):
                read(path)
        path = write_encoded(tmp_path, [encode(image, 16)], image.astype(np.uint8), syntax)
        with pytest.raises(PixelError, match="has 16 bits, BitsAllocated is 8"):
            read(path)


def test_rle_segments_that_are_too_few_or_too_short(tmp_path: Path) -> None:
    image = noise("u2")
    with pytest.raises(PixelError, match="has 1 segments where 2 are due"):
        read(write_encoded(tmp_path, [rle(noise("u1"))], image, RLE))
    with pytest.raises(PixelError, match="cut short"):
        read(write_encoded(tmp_path, [rle(image[:-1])], image, RLE))


def test_rle_of_a_writer_that_encodes_the_padding_byte_too(tmp_path: Path) -> None:
    image = noise("u1", (3, 5))
    padded = np.append(image.ravel(), np.uint8(0)).reshape(2, 8)
    np.testing.assert_array_equal(read(write_encoded(tmp_path, [rle(padded)], image, RLE)), image)


def test_memory_is_bounded_by_what_a_frame_can_be(tmp_path: Path) -> None:
    image = noise("u2")
    with pytest.raises(PixelError, match="compressed bytes are more than one frame can be"):
        read(write_encoded(tmp_path, [bytes(2 << 20)], image, RLE))
    path = write_encoded(tmp_path, [rle(image)], image, RLE)
    pixels = pixels_of(path)
    with pytest.raises(PixelError, match="a frame of 65535 x 65535 pixels is too large"):
        read_frame(path, replace(pixels, layout=replace(pixels.layout, rows=65535, columns=65535)))


# --- colour ---


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
        match=r"144 bytes where the header promises 96; correct .*PhotometricInterpretation",
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


# --- files that other people made ---

#: For a compressed transfer syntax: a decoder that is not the one used here, and the module that
#: brings it.
INDEPENDENT = {
    RLE: ("pydicom", "pydicom"),
    BASELINE: ("gdcm", "gdcm"),
    EXTENDED: ("pylibjpeg", "libjpeg"),
    **dict.fromkeys(
        (LOSSLESS, LOSSLESS_1, JPEG_LS, NEAR_LOSSLESS, J2K, J2K_LOSSY), ("gdcm", "gdcm")
    ),
}
NATIVE = ("1.2.840.10008.1.2", LITTLE, BIG, DEFLATED)


SAMPLES = """
    693_J2KI CT_small ExplVR_BigEnd GDCMJ2K_TextGBR J2K_pixelrep_mismatch JPEG2000 JPEGLSNearLossless_08 JPEGLSNearLossless_16
    JPGExtended MR_small_RLE MR_small_bigendian MR_small_jp2klossless MR_small_jpeg_ls_lossless MR_small_padded
    SC_jpeg_no_color_transform SC_jpeg_no_color_transform_2 SC_rgb_dcmtk_+eb+cr SC_rgb_dcmtk_+eb+cy+n1 SC_rgb_dcmtk_+eb+cy+np
    SC_rgb_dcmtk_+eb+cy+s2 SC_rgb_dcmtk_+eb+cy+s4 SC_rgb_gdcm_KY SC_rgb_jls_lossy_line SC_rgb_jls_lossy_sample SC_rgb_jpeg
    SC_rgb_jpeg_gdcm SC_rgb_jpeg_lossy_gdcm SC_rgb_rle SC_rgb_rle_16bit_2frame SC_rgb_small_odd SC_rgb_small_odd_big_endian
    SC_rgb_small_odd_jpeg SC_ybr_full_422_uncompressed examples_jpeg2k examples_overlay examples_palette examples_ybr_color
    image_dfl liver_1frame rtdose rtdose_expb rtdose_rle
"""


def by_pydicom(path: Path, syntax: str, frame: int) -> Array:
    if syntax in NATIVE:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, force=True)
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
            array = pydicom.pixels.pixel_array(dataset, index=frame)
    else:
        array = oracle(path, *INDEPENDENT[syntax][:1], frame, INDEPENDENT[syntax][1])
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        array = pydicom.pixels.apply_color_lut(array, dataset)
        return array if array.dtype == np.uint8 else (array >> 8).astype(np.uint8)
    return array


def check_against_pydicom(path: Path) -> int:
    """Compare first, middle and last frame; how many there were."""
    pixels = pixels_of(path)
    numbers = sorted({0, pixels.frames // 2, pixels.frames - 1})
    for number in numbers:
        expected = by_pydicom(path, pixels.layout.transfer_syntax, number)
        frame = read_frame(path, replace(pixels, frame=number))
        assert frame.shape == expected.shape, path.name
        assert frame.dtype == expected.dtype.newbyteorder("="), path.name
        # lossy 12-bit JPEG: inverse cosine transforms may differ by one in rounding
        most = int(np.abs(frame.astype(float) - expected).max())
        assert most <= (1 if pixels.layout.transfer_syntax == EXTENDED else 0), path.name
    return len(numbers)


def images_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            except (ValueError, TypeError):  # a text file
                continue
            if "Rows" in dataset and "BitsAllocated" in dataset:
                yield path


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_every_real_scan_against_independent_decoders(shared_data: Path) -> None:
    frames, refused = 0, []
    for path in images_in(shared_data):
        try:
            frames += check_against_pydicom(path)
        except KeyError as error:
            assert "1.2.840.10008.1.2.4.5" in str(error)
            with pytest.raises(PixelError, match="no decoder for the transfer syntax JPEG"):
                read(path)
            refused.append(path.name)
    assert len(refused) == 2  # the retired processes 1.2.840.10008.1.2.4.53 and .55
    assert frames > 300


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("name", SAMPLES.split())
def test_the_sample_files_of_pydicom(name: str) -> None:
    path = pydicom.data.get_testdata_file(f"{name}.dcm", download=False)
    if path is None:
        pytest.skip("not shipped with this pydicom")
    assert check_against_pydicom(Path(str(path)))


def test_importing_the_module_loads_neither_pydicom_nor_codecs() -> None:
    code = (
        "import sys, sidecar.pixels; print([name for name in ('pydicom', 'imagecodecs', 'PIL') if"
        " name in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
