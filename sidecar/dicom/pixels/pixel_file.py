"""A file with pixel data: how it is opened, and where its pixel data element is."""

from __future__ import annotations

import io
import struct
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

from sidecar.dicom.deflated import (
    INFLATED_LIMIT,
    inflated,
    read_data_set,
    read_header,
    read_plain_deflated,
)
from sidecar.dicom.header_scanner import PIXEL_DATA, read_plain
from sidecar.dicom.pixels.layout import FrameLocator, PixelLayout, pixel_bytes
from sidecar.dicom.transfer_syntaxes import DEFLATED, EXPLICIT_BIG, READ_ERRORS
from sidecar.errors import PixelError
from sidecar.storage.location import HEADER_BLOCK, Location

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

UNDEFINED_LENGTH = 0xFFFFFFFF
_HEADER_ALLOWANCE = 1 << 26  # most bytes besides the pixels in a file that is unpacked


@dataclass(frozen=True, slots=True)
class PixelFile:
    """A file as it is now. It is the key under which facts about the file are cached."""

    path: Location
    modified: int | str
    size: int
    layout: PixelLayout
    frames: int

    @classmethod
    def of(cls, path: Location, frame: FrameLocator) -> PixelFile:
        size, modified = path.stamp()
        return cls(path, modified, size, frame.layout, frame.frames)

    @property
    def is_unpacked_first(self) -> bool:
        """Whether the whole file must be unpacked before any part of it is read. It is a
        deflated file (PS3.5 A.5), or one that an archive has packed.
        """
        return self.layout.transfer_syntax == DEFLATED or self.path.is_packed()

    @property
    def unpacked_bytes(self) -> int:
        """Approximate size of the unpacked file in bytes."""
        if self.layout.transfer_syntax == DEFLATED:
            return pixel_bytes(self.layout, self.frames)
        return self.size

    def open(self, block: int = HEADER_BLOCK) -> BinaryIO:
        """The file, unpacked where needed. ``block``: see `Location.open`."""
        return io.BytesIO(_unpacked(self)) if self.is_unpacked_first else self.path.open(block)


@dataclass(frozen=True, slots=True)
class Element:
    """The pixel data element: where its value starts, its VR (empty when implicit), and the
    Extended Offset Table, if any.
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
        start = file.tell()  # pydicom stops at the start of the element
        head = file.read(12)
    group, number = struct.unpack(
        ">HH" if source.layout.transfer_syntax == EXPLICIT_BIG else "<HH", head[:4].ljust(4)
    )
    if len(head) < 8 or PIXEL_DATA.get(group << 16 | number) != source.layout.keyword:
        raise PixelError(
            f"the file no longer holds {source.layout.keyword}: it was changed after its header was"
            " read; run the command again"
        )
    # An implicit element has its length here. That length is even, while the first letter of each
    # of these VRs is odd.
    explicit = head[4:6] in (b"OB", b"OW", b"OF", b"OD", b"UN")
    table = dataset.get("ExtendedOffsetTable") or b""
    offsets = struct.unpack_from(f"<{len(table) // 8}Q", table)
    return Element(start + (12 if explicit else 8), head[4:6] if explicit else b"", offsets)


def header_of(source: PixelFile, file: BinaryIO, *keywords: str) -> Dataset:
    """The named attributes, from the file that ``source.open()`` returned. Afterwards the file
    stands at the pixel data element.
    """
    read = read_data_set if source.layout.transfer_syntax == DEFLATED else read_header
    try:
        return read(file, keywords)
    except READ_ERRORS as error:
        raise PixelError(
            "the header cannot be read: its elements are not laid out as DICOM requires"
            f" ({type(error).__name__})"
        ) from error


def refuse_out_of_proportion(size: int, layout: PixelLayout, frames: int) -> None:
    """PixelError for a packed file that is too large.

    ``size``: its unpacked bytes. They must fit in memory, and be no more than a DICOM file of these
    frames can have.
    """
    promised = pixel_bytes(layout, frames)
    if size > promised + _HEADER_ALLOWANCE:
        raise PixelError(
            f"it unpacks to {size:,} bytes, but the pixels that its header promises take only"
            f" {promised:,}: it is damaged, or made to do harm; have the archive made again"
        )
    if size > INFLATED_LIMIT:
        raise PixelError(
            f"it unpacks to {size:,} bytes. All of them would have to be in memory at once, and the"
            f" limit is {INFLATED_LIMIT >> 20} MiB; unpack the archive, and give the folder"
        )


def _unpack(source: PixelFile) -> bytes:
    """All of a file that is deflated, packed, or both."""
    most = pixel_bytes(source.layout, source.frames) + _HEADER_ALLOWANCE
    if not source.path.is_packed():
        with source.path.open() as file:
            return inflated(file, most)
    refuse_out_of_proportion(source.size, source.layout, source.frames)
    data = source.path.read_bytes()
    if source.layout.transfer_syntax == DEFLATED:
        return inflated(io.BytesIO(data), most)
    return data


_memory = threading.local()


def _unpacked(source: PixelFile) -> bytes:
    """All of a file that must be unpacked.

    Each thread keeps the last file of one frame, because element and frame are read one after the
    other. Files of many frames are kept for all threads.
    """
    if source.frames > 1:
        return _held.get(source)
    if getattr(_memory, "source", None) != source:
        _memory.source = _memory.data = None
        _memory.data = _unpack(source)
        _memory.source = source
    data: bytes = _memory.data
    return data


class _Held:
    """Files of many frames that had to be unpacked. Each is unpacked once, and the last ones are
    kept within the bound.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[PixelFile, bytes] = {}

    def get(self, source: PixelFile) -> bytes:
        with self._lock:  # a thread that needs the same file waits for it
            data = self._files.pop(source, None)
            if data is None:
                self._make_room(source.unpacked_bytes)
                data = _unpack(source)
            self._files[source] = data
            return data

    def _make_room(self, size: int) -> None:
        while self._files and sum(map(len, self._files.values())) + size > INFLATED_LIMIT:
            del self._files[next(iter(self._files))]


_held = _Held()
