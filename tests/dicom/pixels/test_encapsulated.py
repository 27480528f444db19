"""Encapsulated frames are found by their tables or by their items, and by nothing else."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kit.pixel_files import (
    END,
    JPEG_LS,
    RLE,
    UNCOMPRESSED,
    Array,
    item,
    noise,
    read,
    rle,
    smooth,
    write,
    write_encoded,
)
from pydicom.encaps import encapsulate, encapsulate_extended

from sidecar.errors import PixelError

FRAMES = [noise("u2", (12, 10)) for _ in range(5)]


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
        (
            item(b"") + item(rle(FRAMES[0])) + END,
            "is 2, but the file has 1 compressed fragment: the header does not belong to these pixels",
        ),
        (
            item(b"") + b"".join(item(rle(frame)) for frame in FRAMES) + END,
            "is 2, but the file has 5 compressed fragments: it is not known which of them make one frame",
        ),
        (item(b"") + END, "is 2, but the file has 0 compressed fragments: the header does not"),
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


def test_a_sequence_of_fragments_that_does_not_end_is_cut_short(tmp_path: Path) -> None:
    path = write(
        tmp_path, item(b"") + item(rle(FRAMES[0])) + END, (12, 10), RLE, "OB", NumberOfFrames=2
    )
    path.write_bytes(path.read_bytes().removesuffix(END).removesuffix(END))
    with pytest.raises(PixelError, match=r"1 compressed fragment: the file is cut short.*copy"):
        read(path)


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
