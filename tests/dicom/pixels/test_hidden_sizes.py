"""The size that a decoder will see is bounded before it sees the stream, whatever marker or box hides
it; and so are the frames of a file.
"""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kit.pixel_files import (
    ENCODERS,
    J2K,
    JPEG_LS,
    LOSSLESS_1,
    encoder,
    noise,
    read,
    write,
    write_encoded,
)

from sidecar.dicom.pixels import codecs, read_frame
from sidecar.dicom.pixels.codestream import Codestream
from sidecar.dicom.scan import scan
from sidecar.errors import PixelError
from sidecar.storage.local import Local

COLUMNS, ROWS = 32, 24
HUGE = 65500
IMAGE = noise("uint8", (ROWS, COLUMNS))
#: Syntax, encoder and the marker of the frame header.
JPEGS = {
    "JPEG": (LOSSLESS_1, ENCODERS["JPEG Lossless SV1"][1], 0xC3),
    "JPEG-LS": (JPEG_LS, ENCODERS["JPEG-LS"][1], 0xF7),
}
NOT_BEFORE_A_FRAME_HEADER = [0x01, 0x02, 0xBF, *range(0xD0, 0xDB), 0xDC, 0xDE, 0xDF, 0xF0, 0xFD]


@pytest.fixture
def little_memory() -> Iterator[None]:
    """What numpy takes is counted too: 4.2 GB is what the decoders would ask it for."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 25


def j2k(codecformat: str = "J2K") -> bytearray:
    return bytearray(encoder("jpeg2k_encode")(IMAGE, 0, codecformat=codecformat, reversible=True))


def boxed(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", 8 + len(content), kind) + content


def resized(stream: bytes, width: int, height: int, at: int = 8) -> bytes:
    """With another image size, or with ``at=24`` tile size, in its SIZ marker segment."""
    made, start = bytearray(stream), stream.index(b"\xff\x4f\xff\x51")
    struct.pack_into(">2L", made, start + at, width, height)
    return bytes(made)


def test_the_field_case(shared_cases: Path, little_memory: None) -> None:
    folder = shared_cases / "reliability/01-hidden-frame-size/scan_jpeg"
    (frame,) = scan(folder).frames
    with pytest.raises(PixelError, match="marker FF01 before its frame header"):
        read_frame(Local.at(folder), frame.locator)


@pytest.mark.parametrize("codec", JPEGS)
@pytest.mark.parametrize("marker", NOT_BEFORE_A_FRAME_HEADER)
def test_a_frame_header_inside_of_what_is_no_segment(
    tmp_path: Path, codec: str, marker: int, little_memory: None
) -> None:
    """Decoders take some markers for two bytes, others for a segment with a length: what lies in it
    is a frame header to one and not to another.
    """
    syntax, encode, sof = JPEGS[codec]
    hidden = struct.pack(">BBHBHHBBBB", 0xFF, sof, 11, 8, HUGE, HUGE, 1, 1, 0x11, 0)
    stream = encode(IMAGE, 8)
    stream = stream[:2] + struct.pack(">BBH", 0xFF, marker, 2 + len(hidden)) + hidden + stream[2:]
    path = write_encoded(tmp_path, [stream], IMAGE, syntax)
    with pytest.raises(PixelError, match=rf"marker FF{marker:02X}|no frame header|of type SOF"):
        read(path)


@pytest.mark.parametrize("codec", JPEGS)
def test_a_decoder_that_reads_another_header_than_we_do(
    tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch, little_memory: None
) -> None:
    syntax, encode, sof = JPEGS[codec]
    stream = bytearray(encode(IMAGE, 8))
    struct.pack_into(">HH", stream, stream.index(bytes([0xFF, sof])) + 5, HUGE, HUGE)
    path = write_encoded(tmp_path, [bytes(stream)], IMAGE, syntax)
    with pytest.raises(PixelError, match="65500 x 65500"):
        read(path)
    monkeypatch.setattr(codecs, "jpeg_header", lambda *_: Codestream(ROWS, COLUMNS, 1, 8))
    with pytest.raises(PixelError, match="is damaged"):
        read(path)


def test_a_codestream_hidden_behind_a_box_with_another(tmp_path: Path, little_memory: None) -> None:
    whole, bare = bytes(j2k("JP2")), bytes(j2k())
    at = whole.index(b"jp2c") - 4
    small_first = whole[:at] + boxed(b"uuid", bare) + resized(whole[at:], HUGE, HUGE)
    before_all = boxed(b"free", bare) + resized(whole, HUGE, HUGE)
    for stream in (small_first, before_all, b"\0\0\0\0" + bare):
        path = write_encoded(tmp_path, [stream], IMAGE, J2K)
        with pytest.raises(
            PixelError, match=r"looks like another|no JPEG 2000 image|65500 x 65500"
        ):
            read(path)


def test_boxes_around_a_codestream_are_read(tmp_path: Path) -> None:
    whole = bytes(j2k("JP2"))
    at = whole.index(b"jp2c") - 4
    for stream in (whole, whole[:at] + boxed(b"uuid", bytes(5000)) + whole[at:]):
        path = write_encoded(tmp_path, [stream], IMAGE, J2K)
        np.testing.assert_array_equal(read(path), IMAGE)


@pytest.mark.parametrize("tile", [(1, 1), (0, 8), (8, 0), (2, 1)])
def test_tiles_without_number(tmp_path: Path, tile: tuple[int, int], little_memory: None) -> None:
    image = noise("uint8", (200, 250))
    stream = encoder("jpeg2k_encode")(image, 0, codecformat="J2K", reversible=True)
    path = write_encoded(tmp_path, [resized(stream, *tile, at=24)], image, J2K)
    with pytest.raises(PixelError, match="tiles of"):
        read(path)


@pytest.mark.parametrize("bits", [1, 8])
def test_more_frames_than_the_bytes_of_a_file_can_mean(
    tmp_path: Path, bits: int, little_memory: None
) -> None:
    frames = 8 << 20
    path = write(
        tmp_path,
        bytes(frames * bits // 8),
        (1, 1),
        vr="OB",
        BitsAllocated=bits,
        NumberOfFrames=frames,
    )
    found = scan(path)
    assert not found.frames
    assert "Number of Frames is 8,388,608, which is more than a file of" in found.damaged[0].reason


def test_more_compressed_frames_than_items(tmp_path: Path, little_memory: None) -> None:
    path = write_encoded(tmp_path, [bytes(j2k())], IMAGE, J2K, NumberOfFrames=60_000)
    assert "cut short" in scan(path).damaged[0].reason


def test_many_small_frames_are_taken(tmp_path: Path) -> None:
    path = write(tmp_path, bytes(3000), (1, 1), vr="OB", BitsAllocated=8, NumberOfFrames=3000)
    assert len(scan(path).frames) == 3000
