"""One file with pixel data: how it is opened, and where its pixel data element is."""

from __future__ import annotations

import io
import struct
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

from sidecar.dicom.deflated import inflated, read_data_set, read_header, read_plain_deflated
from sidecar.dicom.header_scanner import PIXEL_DATA, read_plain
from sidecar.dicom.pixels.layout import FrameLocator, PixelLayout, pixel_bytes
from sidecar.dicom.transfer_syntaxes import DEFLATED, EXPLICIT_BIG, READ_ERRORS
from sidecar.errors import PixelError
from sidecar.storage.location import HEADER_BLOCK, Location

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

UNDEFINED_LENGTH = 0xFFFFFFFF
_HEADER_ALLOWANCE = 1 << 26  # bytes a header may take in an inflated file


@dataclass(frozen=True, slots=True)
class PixelFile:
    """A file as it is now: the key under which facts about it are remembered."""

    path: Location
    modified: int | str
    size: int
    layout: PixelLayout
    frames: int

    @classmethod
    def of(cls, path: Location, frame: FrameLocator) -> PixelFile:
        size, modified = path.stamp()
        return cls(path, modified, size, frame.layout, frame.frames)

    def open(self, block: int = HEADER_BLOCK) -> BinaryIO:
        """The file, inflated where it is deflated; ``block``: see `Location.open`."""
        if self.layout.transfer_syntax == DEFLATED:
            return io.BytesIO(_inflated(self))
        return self.path.open(block)


@dataclass(frozen=True, slots=True)
class Element:
    """The pixel data element: where its value starts, its VR (empty when implicit), and the
    Extended Offset Table if any.
    """

    offset: int
    vr: bytes
    extended_offsets: tuple[int, ...]


@lru_cache(maxsize=4)
def pixel_element(source: PixelFile) -> Element:
    read = read_plain_deflated if source.layout.transfer_syntax == DEFLATED else read_plain
    plain = read(source.path) if source.frames == 1 else None  # one frame needs no offset table
    if plain is not None and plain.pixel_keyword == source.layout.keyword:
        return Element(plain.pixel_start, b"", ())
    with source.open() as file:
        dataset = header_of(source, file, "ExtendedOffsetTable")
        start = file.tell()  # pydicom stops where the element begins
        head = file.read(12)
    group, number = struct.unpack(
        ">HH" if source.layout.transfer_syntax == EXPLICIT_BIG else "<HH", head[:4].ljust(4)
    )
    if len(head) < 8 or PIXEL_DATA.get(group << 16 | number) != source.layout.keyword:
        raise PixelError(
            f"the file holds no {source.layout.keyword} any more: it was changed after its header"
            " was read; begin anew"
        )
    # An implicit element has its length here, and an even one, while the first letter of each of
    # these VRs is odd.
    explicit = head[4:6] in (b"OB", b"OW", b"OF", b"OD", b"UN")
    table = dataset.get("ExtendedOffsetTable") or b""
    offsets = struct.unpack_from(f"<{len(table) // 8}Q", table)
    return Element(start + (12 if explicit else 8), head[4:6] if explicit else b"", offsets)


def header_of(source: PixelFile, file: BinaryIO, *keywords: str) -> Dataset:
    """The named attributes, from what ``source.open()`` gave; the file is left at the pixel data
    element.
    """
    read = read_data_set if source.layout.transfer_syntax == DEFLATED else read_header
    try:
        return read(file, keywords)
    except READ_ERRORS as error:
        raise PixelError(
            "the header cannot be read: its elements are not as DICOM lays them out"
            f" ({type(error).__name__})"
        ) from error


_memory = threading.local()


def _inflated(source: PixelFile) -> bytes:
    """All of a deflated file. Each thread remembers the last it had, as element and frame are read
    one after the other; a file of many frames is remembered for all.
    """
    if source.frames > 1:
        return _shared(source)
    if getattr(_memory, "source", None) != source:
        _memory.source = _memory.data = None
        _memory.data = _inflate(source)
        _memory.source = source
    data: bytes = _memory.data
    return data


def _inflate(source: PixelFile) -> bytes:
    with source.path.open() as file:
        return inflated(file, pixel_bytes(source.layout, source.frames) + _HEADER_ALLOWANCE)


_shared = lru_cache(maxsize=1)(_inflate)
