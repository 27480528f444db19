"""Directories of TIFF files: the tags of every image in a file, without its pixels.

TIFF 6.0, section 2. BigTIFF has the same structure with numbers of 64 bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

#: The first bytes of a file, with its byte order for `struct` and whether it is a BigTIFF.
_KINDS = {
    b"II*\0": ("<", False),
    b"MM\0*": (">", False),
    b"II+\0": ("<", True),
    b"MM\0+": (">", True),
}
MAGICS = tuple(_KINDS)
WIDTH, HEIGHT, BITS, DESCRIPTION, SAMPLES = 256, 257, 258, 270, 277
PHOTOMETRIC, EXTRA_SAMPLES, SAMPLE_FORMAT = 262, 338, 339
#: `struct` code of each TIFF type that is read.
_CODES = {1: "B", 2: "s", 3: "H", 4: "I", 16: "Q"}
#: Most bytes of one tag, and most images of one file.
MAX_TAG_BYTES = 128 * 2**20
MAX_IMAGES = 1 << 20


class TiffError(ValueError):
    """A file that is no TIFF, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of one image: type, number of values, and the place of the value or of its
    address.
    """

    file: BinaryIO
    order: str
    is_big: bool
    tags: dict[int, tuple[int, int, int]]

    def __contains__(self, tag: int) -> bool:
        return tag in self.tags

    def data(self, tag: int) -> bytes:
        """The bytes of a tag's values. TiffError where the image has no such tag."""
        if tag not in self.tags:
            raise TiffError(f"has no tag {tag}")
        type_, length, place = self.tags[tag]
        if type_ not in _CODES:
            raise TiffError(f"has a tag {tag} of another type")
        count = length * (1 if type_ == 2 else struct.calcsize(f"={_CODES[type_]}"))
        inline = 8 if self.is_big else 4
        if count > inline:
            (place,) = _unpacked(self.file, place, f"{self.order}{'Q' if self.is_big else 'I'}")
        return _at(self.file, place, count)

    def numbers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The values of a tag; ``default`` where the image has no such tag. TiffError for texts."""
        if tag not in self.tags:
            return default
        type_, length, _ = self.tags[tag]
        if type_ not in _CODES or type_ == 2:
            raise TiffError(f"has a tag {tag} that is not a whole number")
        return struct.unpack(f"{self.order}{length}{_CODES[type_]}", self.data(tag))

    def number(self, tag: int, default: int | None = None) -> int:
        """The first value of a tag. TiffError where there is neither a value nor a default."""
        values = self.numbers(tag) or (() if default is None else (default,))
        if not values:
            raise TiffError(f"has no tag {tag}")
        return values[0]


def directories(file: BinaryIO) -> Iterator[Directory]:
    """The directory of each image, in order. TiffError for a file that is no TIFF or is cut
    short.
    """
    magic = _at(file, 0, 4)
    if magic not in _KINDS:
        raise TiffError("is not a TIFF")
    order, is_big = _KINDS[magic]
    word, count_code, size = ("Q", "Q", 20) if is_big else ("I", "H", 12)
    (place,) = _unpacked(file, 8 if is_big else 4, f"{order}{word}")
    seen: set[int] = set()
    while place:
        if place in seen or len(seen) >= MAX_IMAGES:
            raise TiffError("has directories that go in a circle")
        seen.add(place)
        (count,) = _unpacked(file, place, f"{order}{count_code}")
        start = place + struct.calcsize(f"={count_code}")
        if count > 1 << 16:
            raise TiffError("has a directory of too many tags")
        table = _at(file, start, size * count)
        tags: dict[int, tuple[int, int, int]] = {}
        for n in range(count):
            tag, type_, length = struct.unpack_from(f"{order}HH{word}", table, size * n)
            # some programs write a tag twice; every reader takes the first
            tags.setdefault(tag, (type_, length, start + size * n + (12 if is_big else 8)))
        yield Directory(file, order, is_big, tags)
        (place,) = _unpacked(file, start + size * count, f"{order}{word}")


def _unpacked(file: BinaryIO, start: int, code: str) -> tuple[int, ...]:
    return struct.unpack(code, _at(file, start, struct.calcsize(code)))


def _at(file: BinaryIO, start: int, count: int) -> bytes:
    if count > MAX_TAG_BYTES:
        raise TiffError("holds a tag that is too large")
    try:
        file.seek(start)
        data = file.read(count)
    except (ValueError, OverflowError) as error:
        raise TiffError("is damaged") from error
    if len(data) < count:
        raise TiffError("is cut short")
    return data
