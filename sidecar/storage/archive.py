"""A zip archive as a folder, on a disk or behind a URL: its members are read in place, and nothing
is unpacked to a disk.

A stored member is a part of the archive and is read by ranges. A deflated member can only be read
from its start. It is unpacked in memory: only as far as its header reaches where a header is read,
else as a whole. The whole is checked against the size and the CRC-32 in the directory.
"""

from __future__ import annotations

import errno
import io
import posixpath
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Self

from sidecar.formats.inflate import RAW, fastest
from sidecar.storage.location import HEADER_BLOCK, Listing, Location, Stamp
from sidecar.storage.ranges import Ranges, RangesFile, Section, filled

if TYPE_CHECKING:
    from sidecar.storage.zip_directory import Member

ZIP = "zip"
LINK = "link in the archive (pack the files themselves, or give the folder)"
#: The first bytes of packed files, and at which byte they stand.
_BEGINNINGS = (
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),  # an empty archive
    (0, b"PK\x07\x08", ZIP),  # the first of several parts of an archive
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (257, b"ustar", "tar"),
)
#: Bytes at the start of a file that show its kind.
HEAD = 264
#: Most bytes of a member that are unpacked when only its start is read. No header is longer.
_MOST_OF_A_START = 1 << 26
_LEAST_READ, _MOST_READ = 1 << 13, 1 << 20
#: Bytes fetched at a time from a remote member that is read whole.
_WHOLE_BLOCK = 1 << 22

_local_header = struct.Struct("<4s22xHH")


def archive_kind(file: Location) -> str | None:
    """The kind of archive or packed file by its content, such as `ZIP`.

    None for any other file, and for DICOM, whatever its preamble begins with.
    """
    with file.open(HEAD) as opened:
        return kind_of(opened.read(HEAD))


def kind_of(head: bytes) -> str | None:
    """`archive_kind` by the first bytes of a file, of which `HEAD` are needed."""
    if head[128:132] == b"DICM":
        return None
    return next((kind for at, magic, kind in _BEGINNINGS if head.startswith(magic, at)), None)


@dataclass(frozen=True, slots=True)
class Archive:
    """A file or folder in a zip. See `Location`.

    ``inside``: its name in the archive; empty for the whole archive. ``copy`` is not used. The
    location of the whole archive holds it, so that a temporary copy of an archive is there while
    that location is. Locations in it do not: caches keep them.

    Every method raises SourceError where the archive itself cannot be used.
    """

    file: Location
    inside: str = ""
    copy: object = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.inside.rpartition("/")[2] or self.file.name

    @property
    def parent(self) -> Self:
        """The folder above. The parent of the whole archive is the archive itself: nothing above
        belongs to it.
        """
        return replace(self, inside=self.inside.rpartition("/")[0])

    def __truediv__(self, name: str) -> Self:
        return type(self)(self.file, posixpath.join(self.inside, name))

    def resolved(self) -> Self:
        inside = posixpath.normpath(f"/{self.inside}").strip("/")
        return type(self)(self.file.resolved(), inside, self.copy)

    def relative_to(self, folder: Location) -> str | None:
        if not isinstance(folder, Archive) or folder.file != self.file:
            return None
        path, base = PurePosixPath(self.inside), PurePosixPath(folder.inside)
        return path.relative_to(base).as_posix() if path.is_relative_to(base) else None

    def exists(self) -> bool:
        return self.is_file() or self.is_folder()

    def is_file(self) -> bool:
        return self.inside in self._directory.members

    def is_folder(self) -> bool:
        return not self.inside or any(
            name.startswith(f"{self.inside}/") for name in self._directory.members
        )

    def is_packed(self) -> bool:
        return self._member.is_deflated

    def stamp(self) -> Stamp:
        """Size and CRC-32 of the content. A file keeps its stamp when the archive is written
        again.
        """
        member = self._member
        return member.size, f"{member.crc:08x}"

    recent_stamp = stamp

    def stamps(self, names: Collection[str]) -> dict[str, Stamp]:
        return {name: (self / name).stamp() for name in names}

    def names(self) -> list[str]:
        return sorted({name.partition("/")[0] for name in self.listing().files})

    def listing(self) -> Listing:
        """All files. Links are reported in ``passed_by``; nearly no program puts links into
        archives.
        """
        prefix = f"{self.inside}/" if self.inside else ""
        inside = sorted(
            (name.removeprefix(prefix).split("/"), member.is_link)
            for name, member in self._directory.members.items()
            if name.startswith(prefix)
        )
        files, links = (
            ["/".join(parts) for parts, is_link in inside if is_link == wanted]
            for wanted in (False, True)
        )
        return Listing(tuple(files), {LINK: links} if links else {})

    def open(self, block: int = HEADER_BLOCK) -> BinaryIO:
        return io.BufferedReader(RangesFile(self.ranges(block), self.name), max(block, 1))

    def ranges(self, block: int = HEADER_BLOCK, size: int | None = None) -> Ranges:
        file, start, member = self._opened(block)
        section = Section(file, start, member.packed)
        return _Start(section, member) if member.is_deflated else section

    def read_bytes(self) -> bytes:
        file, start, member = self._opened(min(self._member.packed, _WHOLE_BLOCK))
        with Section(file, start, member.packed) as section:
            if not member.is_deflated:
                return section.read(0, member.size)
            unpacked = io.BytesIO()  # getvalue returns the bytes without another copy
            for piece in _pieces(section, member):
                unpacked.write(piece)
        return unpacked.getvalue()

    @property
    def _directory(self) -> _Directory:
        """The directory of the archive as it is now. An archive that was written again has
        another stamp.
        """
        return _directory(self.file, self.file.recent_stamp())

    @property
    def _member(self) -> Member:
        return self._directory.member(self.inside)

    def _opened(self, block: int) -> tuple[Ranges, int, Member]:
        """The open archive, where the data of this member begin in it, and the member's facts."""
        directory = self._directory
        member = directory.member(self.inside)
        file = self.file.ranges(block + _local_header.size + len(self.inside), directory.size)
        try:
            start = directory.starts.get(member.offset)
            if start is None:
                start = directory.starts[member.offset] = _data_start(file, member)
        except BaseException:
            file.__exit__()
            raise
        return file, start, member


@dataclass(frozen=True, slots=True)
class _Directory:
    """``size``: bytes of the archive.

    ``starts``: where the data of a member begin, by where its local header begins. It holds those
    that were read so far.
    """

    size: int
    members: dict[str, Member]
    starts: dict[int, int] = field(default_factory=dict)

    def member(self, name: str) -> Member:
        member = self.members.get(name)
        if member is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such file in the archive")
        return member


@lru_cache(maxsize=8)
def _directory(file: Location, stamp: Stamp) -> _Directory:
    from sidecar.storage.zip_directory import read_directory  # not loaded without an archive

    return _Directory(stamp[0], read_directory(file, stamp[0]))


def _data_start(file: Ranges, member: Member) -> int:
    """Where the data begin: behind the local header, whose name and extra field have their own
    lengths.
    """
    head = file.read(member.offset, _local_header.size)
    if len(head) == _local_header.size:
        signature, name, extra = _local_header.unpack(head)
        start: int = member.offset + _local_header.size + name + extra
        if signature == b"PK\x03\x04" and start + member.packed <= member.end:
            return start
    raise _damaged("its header there does not fit the directory of the archive")


class _Start:
    """The start of a deflated member, unpacked as far as it is read. See `Ranges`."""

    __slots__ = ("_bytes", "_pieces", "_section", "_size")

    def __init__(self, section: Section, member: Member) -> None:
        self._section, self._size, self._bytes = section, member.size, bytearray()
        self._pieces = _pieces(section, member)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._section.__exit__()

    def size(self) -> int:
        return self._size

    def read(self, at: int, count: int) -> bytes:
        self._reach(at + count)
        return bytes(self._bytes[at : at + count])

    def fill(self, at: int, *views: memoryview) -> int:
        return filled(self.read, at, views)

    def _reach(self, stop: int) -> None:
        stop = min(stop, self._size)
        if stop > _MOST_OF_A_START:
            raise OSError(
                errno.EFBIG,
                f"the part that is needed lies behind {_MOST_OF_A_START >> 20} MiB of packed data;"
                " unpack the archive, and give the folder",
            )
        while len(self._bytes) < stop:
            piece = next(self._pieces, None)
            if piece is None:  # the damage was reported when it was found
                raise _damaged("its packed data cannot be unpacked this far")
            self._bytes += piece


def _pieces(section: Section, member: Member) -> Iterator[bytes]:
    """The bytes of a deflated member, in pieces that grow to 1 MiB. OSError where it is damaged."""
    inflater, crc, done, at, waiting = fastest.decompressobj(RAW), 0, 0, 0, b""
    wanted = _LEAST_READ
    while not inflater.eof:
        data = waiting or section.read(at, wanted)
        at += 0 if waiting else len(data)
        try:  # allow one byte more than is stated, to notice data that are too long
            piece = inflater.decompress(data, min(wanted, member.size - done + 1))
        except fastest.error:
            raise _damaged("its packed data do not follow the rules of their method") from None
        waiting, done = inflater.unconsumed_tail, done + len(piece)
        if done > member.size:
            raise _damaged(f"it unpacks to more than the {member.size:,} bytes that are stated")
        if not (data or piece):
            raise _damaged("its packed data have no end")
        crc, wanted = fastest.crc32(piece, crc), min(2 * wanted, _MOST_READ)
        yield piece
    if done < member.size:
        raise _damaged(f"it unpacks to {done:,} of the {member.size:,} bytes that are stated")
    if crc != member.crc:
        raise _damaged("its CRC-32 is not the one that is stated")


def _damaged(what: str) -> OSError:
    return OSError(errno.EIO, f"it is damaged in the archive: {what}; copy the archive again")
