"""The header of a JPEG, JPEG-LS or JPEG 2000 stream, read before anything is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sidecar.dicom.transfer_syntaxes import CONVERT, COPY_AGAIN
from sidecar.errors import PixelError

END_OF_IMAGE = b"\xff\xd9"

#: The segments that may stand before a frame header: Huffman tables, arithmetic conditioning,
#: quantization tables, restart interval, application data, comments (ISO/IEC 10918-1 B.2.1), and
#: parameters of JPEG-LS (ISO/IEC 14495-1 C.2.4). Decoders disagree on the length of any other
#: segment.
_BEFORE_FRAME_HEADER = frozenset({0xC4, 0xCC, 0xDB, 0xDD, 0xFE, 0xF8, *range(0xE0, 0xF0)})
_START_2000 = b"\xff\x4f\xff\x51"
_JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
#: Bytes that OpenJPEG allocates for each tile before it decodes any, and most bytes for all tiles.
_TILE_BYTES, _TILES_BYTES = 10_000, 1 << 27


@dataclass(frozen=True, slots=True)
class Codestream:
    """The facts of a JPEG, JPEG-LS or JPEG 2000 stream. ``photometric`` is set where it
    overrules the DICOM header.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    photometric: str | None = None


def jpeg_header(stream: bytes, frame_markers: bytes) -> Codestream:
    """Read the marker segments up to the frame header (ISO/IEC 10918-1 B.2.2; JPEG-LS: ISO/IEC
    14495-1 C.2.2).
    """
    photometric, at = None, 2
    if stream[:2] != b"\xff\xd8":
        raise PixelError(f"{_begins(stream)}, but a JPEG image begins with FFD8; {CONVERT}")
    # libjpeg would fill the rest with grey, and CharLS would take seconds to fail
    if END_OF_IMAGE not in stream[-16:]:
        raise PixelError(f"the compressed image is cut short; {COPY_AGAIN}")
    while True:
        while stream[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        prefix, marker, length = struct.unpack_from(">BBH", stream, at)
        body = stream[at + 4 : at + 2 + length]
        if prefix != 0xFF or length < 2 or marker == 0xDA:
            raise PixelError(f"the compressed image has no frame header; {COPY_AGAIN}")
        if marker in frame_markers:
            break
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            raise PixelError(
                f"the compressed image is a JPEG of type SOF{marker & 0x3F}, which does not belong"
                f" to its transfer syntax; {CONVERT}"
            )
        if marker not in _BEFORE_FRAME_HEADER:
            raise PixelError(
                f"the compressed image has a marker FF{marker:02X} before its frame header, where"
                f" the standard allows none; {COPY_AGAIN}"
            )
        if (marker == 0xE0 and body[:4] == b"JFIF") or (
            marker == 0xEE and body[:5] == b"Adobe" and body[11:12] == b"\x01"
        ):
            photometric = "YBR_FULL"
        at += 2 + length
    precision, rows, columns, samples = struct.unpack_from(">BHHB", body)
    if body[6::3] in (b"RGB", b"rgb"):  # component identifiers
        photometric = "RGB"
    return Codestream(rows, columns, samples, precision, photometric if samples == 3 else None)


def _begins(stream: bytes) -> str:
    return f"the compressed data begin with {stream[:4].hex().upper() or 'nothing'}"


def jpeg_2000_header(stream: bytes) -> Codestream:
    """The SIZ marker segment (ISO/IEC 15444-1 A.5.1), also where JP2 boxes enclose the codestream.

    Nothing before it may look like another SIZ segment, which a decoder could read instead.
    """
    at = _start_in_jp2(stream) if stream.startswith(_JP2_SIGNATURE) else 0
    found = stream.find(_START_2000)
    if found < 0:
        raise PixelError(f"{_begins(stream)}, and there is no JPEG 2000 image in them; {CONVERT}")
    if at != found:
        raise PixelError(
            f"{_begins(stream)}, and something that looks like another JPEG 2000 image comes before"
            f" the image itself; {COPY_AGAIN}"
        )
    right, bottom, left, top, width, height, tiles_left, tiles_top, samples, depth = (
        struct.unpack_from(">8LHB", stream, at + 8)
    )
    if not width or not height:
        raise PixelError(
            f"the compressed image has tiles of {width} x {height} pixels; {COPY_AGAIN}"
        )
    tiles = -((tiles_left - right) // width) * -((tiles_top - bottom) // height)
    if tiles * _TILE_BYTES > _TILES_BYTES:
        raise PixelError(
            f"the compressed image is cut into {tiles} tiles of {width} x {height} pixels, which"
            f" are too many to decode; {CONVERT}"
        )
    return Codestream(bottom - top, right - left, samples, (depth & 0x7F) + 1)


def _start_in_jp2(stream: bytes) -> int:
    """Where the codestream begins among the JP2 boxes (ISO/IEC 15444-1 I.4); -1 where there is
    none.
    """
    at = 0
    while at + 8 <= len(stream):
        length, kind = struct.unpack_from(">L4s", stream, at)
        head = 8
        if length == 1 and at + 16 <= len(stream):
            length, head = int.from_bytes(stream[at + 8 : at + 16], "big"), 16
        if kind == b"jp2c":
            return at + head
        if length < head:
            return -1
        at += length
    return -1
