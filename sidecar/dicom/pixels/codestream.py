"""What a JPEG, JPEG-LS or JPEG 2000 stream says of itself before any of it is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sidecar.dicom.transfer_syntaxes import CONVERT, COPY_AGAIN
from sidecar.errors import PixelError

END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Codestream:
    """What a JPEG, JPEG-LS or JPEG 2000 stream says of itself;
    ``photometric`` where it overrules the DICOM header.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    photometric: str | None = None


def jpeg_header(stream: bytes, frame_markers: bytes) -> Codestream:
    """Walk the marker segments up to the frame header (ISO/IEC 10918-1 B.2.2;
    JPEG-LS: ISO/IEC 14495-1 C.2.2).
    """
    photometric, at = None, 2
    if stream[:2] != b"\xff\xd8":
        raise PixelError(f"{_begins(stream)}, and a JPEG image with FFD8; {CONVERT}")
    if (
        END_OF_IMAGE not in stream[-16:]
    ):  # libjpeg would fill the rest with grey, CharLS takes seconds to give up
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
                f"the compressed image is a JPEG of type SOF{marker & 0x3F}, not of its transfer"
                f" syntax; {CONVERT}"
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
    """The SIZ marker segment (ISO/IEC 15444-1 A.5.1), also when a JP2 box is wrapped around the
    codestream.
    """
    at = stream.find(b"\xff\x4f\xff\x51", 0, 4096)
    if at < 0:
        raise PixelError(f"{_begins(stream)}, and hold no JPEG 2000 image; {CONVERT}")
    right, bottom, left, top, *_, samples, depth = struct.unpack_from(">8LHB", stream, at + 8)
    return Codestream(bottom - top, right - left, samples, (depth & 0x7F) + 1)
