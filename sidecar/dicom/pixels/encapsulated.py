"""Compressed frames in a file: which fragments belong to which frame (PS3.5 annex A.4)."""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import pairwise
from typing import BinaryIO

from sidecar.dicom.pixels.codestream import END_OF_IMAGE
from sidecar.dicom.pixels.layout import pixel_bytes
from sidecar.dicom.pixels.pixel_file import UNDEFINED_LENGTH, PixelFile, pixel_element
from sidecar.dicom.transfer_syntaxes import CONVERT, COPY_AGAIN
from sidecar.errors import PixelError, counted

#: Bytes fetched for each item of a remote file, where only the lengths of items are needed.
_ITEM_BLOCK = 256
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"


def encoded_frame(source: PixelFile, frame: int) -> bytes:
    """The compressed bytes of one frame, its fragments joined."""
    start, stop = _frame_starts(source)[frame : frame + 2]
    parts, size, limit = [], 0, 4 * pixel_bytes(source.layout, 1) + (1 << 20)
    # one request for the whole frame of a remote file
    with source.open(min(stop - start, limit)) as file:
        file.seek(start)
        while file.tell() < stop and (length := _item_length(file)) is not None:
            size += length
            if size > limit:
                raise PixelError(
                    f"{size:,} compressed bytes are too many for one frame: Number of Frames, Rows"
                    " and Columns do not belong to these pixels, or a length is wrong"
                )
            parts.append(file.read(length))
            if len(parts[-1]) < length:
                missing = counted(length - len(parts[-1]), "byte")
                raise PixelError(f"the file ends {missing} too early; {COPY_AGAIN}")
        if file.tell() > stop:
            raise PixelError(f"the offset table does not fit the fragments; {CONVERT}")
    return b"".join(parts)


@lru_cache(maxsize=4)
def _frame_starts(source: PixelFile) -> tuple[int, ...]:
    """Where the first item of every frame begins in the file, and the latest place where the
    last frame ends.
    """
    element = pixel_element(source)
    with source.open(_ITEM_BLOCK) as file:
        file.seek(element.offset)
        length = _item_length(file)
        if length is None:
            raise PixelError("the pixel data element is compressed, but it is empty")
        first = element.offset + 8 + length
        table = file.read(length) if length == 4 * source.frames else b""
        basic = struct.unpack_from(f"<{len(table) // 4}L", table)
        for offsets in (element.extended_offsets, basic):
            # A table that cannot be right is ignored (32 bits overflow beyond 4 GiB). The items
            # themselves then tell where frames begin.
            rising = all(a < b for a, b in pairwise((-1, *offsets, source.size - first)))
            if len(offsets) == source.frames and offsets[0] == 0 and rising:
                return (*(first + offset for offset in offsets), source.size)
        file.seek(first)
        return _starts_by_items(file, source)


def _starts_by_items(file: BinaryIO, source: PixelFile) -> tuple[int, ...]:
    found, ended, at = [], [], file.tell()
    while (length := _item_length(file)) is not None:
        found.append(at)
        at += 8 + length
        file.seek(max(at - 16, at - length))
        ended.append(END_OF_IMAGE in file.read(min(16, length)))
    starts = found
    if source.frames == 1:
        starts = found[:1]
    # several fragments in a frame: the last one contains the end of its image
    elif len(found) > source.frames:
        starts = [
            start for start, after_end in zip(found, [True, *ended], strict=False) if after_end
        ]
    if len(starts) != source.frames:
        raise PixelError(
            f"Number of Frames is {source.frames}, but the file has"
            f" {counted(len(found), 'compressed fragment')}:"
            f" {_why_not(file, at, source.frames < len(found))}"
        )
    return (*starts, at)


def _why_not(file: BinaryIO, end: int, are_many: bool) -> str:
    """Why the fragments that end at ``end`` do not match the number of frames."""
    if are_many:
        return (
            "it is not known which of them make one frame, because neither an offset table nor the"
            " end of an image says so"
        )
    file.seek(end)
    if file.read(4) == _SEQUENCE_END:
        return "the header does not belong to these pixels"
    return f"the file is cut short, because it ends before their sequence does; {COPY_AGAIN}"


def _item_length(file: BinaryIO) -> int | None:
    """Length of the item that begins here; None at the sequence delimiter or the end of the
    file.
    """
    head = file.read(8)
    if head[:4] == _SEQUENCE_END or not head:
        return None
    length = int.from_bytes(head[4:], "little")
    if len(head) < 8 or head[:4] != b"\xfe\xff\x00\xe0" or length == UNDEFINED_LENGTH:
        raise PixelError(f"the sequence of compressed fragments is damaged; {COPY_AGAIN}")
    return length
