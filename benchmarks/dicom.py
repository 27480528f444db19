"""DICOM headers by hand, Explicit VR Little Endian: a thousand files in a second, and nothing of
the package that is measured.

Encoding: PS3.5 7.1.2 (explicit VR) and A.4 (encapsulated pixels), PS3.10 7.1 (preamble and file
meta information).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

NATIVE = "1.2.840.10008.1.2.1"
ENCAPSULATED = "1.2.840.10008.1.2.1.98"
_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_SECONDARY_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.7.3"
_LONG = frozenset(("OB", "OW", "SQ", "UN", "UT"))
#: Any root does for files that stay here (PS3.5 B.2).
_STUDY, _SERIES, _FRAME_OF_REFERENCE = (
    f"2.25.31415926535897932384626433832795{k}" for k in range(3)
)

#: Window of the micro-CT in `scan`: Center and Width.
WINDOW = (24000, 44000)


@dataclass(frozen=True)
class Kind:
    """What all files of one input have in common."""

    size: int
    signed: bool = False
    syntax: str = NATIVE
    series: str = _SERIES


def element(tag: int, vr: str, value: str | bytes | int) -> bytes:
    """One data element, padded to an even length."""
    data = (
        struct.pack("<H", value)
        if isinstance(value, int)
        else value.encode()
        if isinstance(value, str)
        else value
    )
    data += (b"\0" if vr in ("UI", "OB") else b" ") * (len(data) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return (
        head
        + (struct.pack("<2xI", len(data)) if vr in _LONG else struct.pack("<H", len(data)))
        + data
    )


def slice_header(kind: Kind, k: int) -> tuple[bytes, bytes]:
    """(preamble and file meta information, data set up to the pixels) of slice ``k`` of a CT with
    all that a scanner writes.
    """
    instance, spacing, edge = f"{kind.series}.{k + 1}", "0.0100", kind.size * 0.005
    center = WINDOW[0] - (1 << 15 if kind.signed else 0)
    elements = (
        (0x00080005, "CS", "ISO_IR 100"), (0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        (0x00080012, "DA", "20240101"), (0x00080013, "TM", "120000"),
        (0x00080016, "UI", _CT_IMAGE), (0x00080018, "UI", instance),
        (0x00080020, "DA", "20240101"), (0x00080021, "DA", "20240101"),
        (0x00080022, "DA", "20240101"), (0x00080023, "DA", "20240101"),
        (0x00080030, "TM", "120000"), (0x00080031, "TM", "120000"), (0x00080032, "TM", "120000"),
        (0x00080033, "TM", "120000"), (0x00080050, "SH", "1"), (0x00080060, "CS", "CT"),
        (0x00080070, "LO", "Benchmark"), (0x00080080, "LO", "Laboratory"), (0x00080090, "PN", ""),
        (0x00081010, "SH", "uCT"), (0x00081030, "LO", "micro-CT"),
        (0x0008103E, "LO", "reconstruction"), (0x00081090, "LO", "Made up 1"),
        (0x00100010, "PN", "Specimen"), (0x00100020, "LO", "S1"), (0x00100030, "DA", ""),
        (0x00100040, "CS", "O"), (0x00180015, "CS", "EXTREMITY"), (0x00180050, "DS", spacing),
        (0x00180060, "DS", "80"), (0x00180090, "DS", "50"), (0x00181020, "LO", "1"),
        (0x00181030, "LO", "standard"), (0x00181100, "DS", f"{2 * edge:.4f}"),
        (0x00181120, "DS", "0"), (0x00181140, "CS", "CW"), (0x00181150, "IS", "1000"),
        (0x00181151, "IS", "1"), (0x00181152, "IS", "1"), (0x00181160, "SH", "AL"),
        (0x00181210, "SH", "SHARP"), (0x00185100, "CS", "HFS"), (0x0020000D, "UI", _STUDY),
        (0x0020000E, "UI", kind.series), (0x00200010, "SH", "1"), (0x00200011, "IS", "1"),
        (0x00200012, "IS", "1"), (0x00200013, "IS", str(k + 1)),
        (0x00200032, "DS", f"{-edge:.4f}\\{-edge:.4f}\\{k * 0.01:.4f}"),
        (0x00200037, "DS", "1\\0\\0\\0\\1\\0"), (0x00200052, "UI", _FRAME_OF_REFERENCE),
        (0x00201040, "LO", ""), (0x00201041, "DS", f"{k * 0.01:.4f}"), *_pixel_module(kind),
        (0x00280030, "DS", f"{spacing}\\{spacing}"), *_samples(kind),
        (0x00281050, "DS", str(center)), (0x00281051, "DS", str(WINDOW[1])),
        (0x00281052, "DS", "0"), (0x00281053, "DS", "1"), (0x00281054, "LO", "US"),
    )  # fmt: skip
    return _meta(_CT_IMAGE, instance, kind.syntax), b"".join(element(*e) for e in elements)


def multiframe_header(kind: Kind, frames: int) -> tuple[bytes, bytes]:
    """The same of one file of ``frames`` frames, a Multi-frame Grayscale Word Secondary Capture: it
    has no patient geometry.
    """
    elements = (
        (0x00080016, "UI", _SECONDARY_MULTIFRAME), (0x00080018, "UI", _SERIES + ".1"),
        (0x00080060, "CS", "OT"), (0x0020000D, "UI", _STUDY), (0x0020000E, "UI", _SERIES),
        (0x00200011, "IS", "1"), (0x00200013, "IS", "1"), *_pixel_module(kind, frames),
        *_samples(kind),
    )  # fmt: skip
    return _meta(_SECONDARY_MULTIFRAME, _SERIES + ".1", kind.syntax), b"".join(
        element(*e) for e in elements
    )


def native_pixels(length: int) -> bytes:
    """Head of the native pixel data element whose value of ``length`` bytes follows."""
    return struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OW", length)


def encapsulated_pixels(frame: bytes) -> bytes:
    """The whole pixel data element of one compressed frame."""
    item = (
        struct.pack("<HHI", 0xFFFE, 0xE000, len(frame) + len(frame) % 2)
        + frame
        + b"\0" * (len(frame) % 2)
    )
    return undefined_length_pixels() + item + SEQUENCE_END


def undefined_length_pixels() -> bytes:
    """Head of the encapsulated pixel data element with its empty Basic Offset Table; items
    follow.
    """
    return struct.pack("<HH2s2xIHHI", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF, 0xFFFE, 0xE000, 0)


def item_head(length: int) -> bytes:
    """Head of a fragment whose ``length`` bytes follow."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, length)


SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def _meta(sop_class: str, instance: str, syntax: str) -> bytes:
    body = (
        element(0x00020001, "OB", b"\0\1")
        + element(0x00020002, "UI", sop_class)
        + element(0x00020003, "UI", instance)
    )
    body += element(0x00020010, "UI", syntax) + element(0x00020012, "UI", _STUDY)
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(body))) + body


def _pixel_module(kind: Kind, frames: int | None = None) -> tuple[tuple[int, str, str | int], ...]:
    count = () if frames is None else ((0x00280008, "IS", str(frames)),)
    return (
        (0x00280002, "US", 1), (0x00280004, "CS", "MONOCHROME2"), *count,
        (0x00280010, "US", kind.size), (0x00280011, "US", kind.size),
    )  # fmt: skip


def _samples(kind: Kind) -> tuple[tuple[int, str, int], ...]:
    return (
        (0x00280100, "US", 16), (0x00280101, "US", 16), (0x00280102, "US", 15),
        (0x00280103, "US", int(kind.signed)),
    )  # fmt: skip
