"""The directory of a zip: its members, checked before any of them is read.

`zipfile` reads the directory. This module refuses what `zipfile` would accept: paths that lead
elsewhere, members that overlap, and sizes that no deflated data can have.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sidecar.errors import SourceError, printable
from sidecar.storage.location import Location
from sidecar.storage.ranges import Ranges, RangesFile

#: Most bytes of a directory. That of 200,000 files with long names is shorter.
_MOST = 1 << 26
#: Bytes fetched at a time from the end of a remote archive, where its directory stands.
_BLOCK = 1 << 17
#: A local header without its name (APPNOTE 4.3.7).
LOCAL_HEADER = 30
#: Most bytes that one deflated byte can become: 258 bytes from two bits (RFC 1951).
_MOST_FROM_ONE = 1032
#: Flags: encrypted, strongly encrypted, and local headers masked (APPNOTE 4.4.4).
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_AES = 99
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_DRIVE = re.compile(r"[A-Za-z]:")
#: Systems of origin that are DOS or Windows (APPNOTE 4.4.2).
_OF_WINDOWS = (0, 10, 14)

_UNPACK = "unpack it, and give the folder"
_MAKE_AGAIN = "the archive is damaged, or made to do harm: have it made again"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a zip.

    ``offset``: where its local header begins. ``end``: where the next member, or the directory,
    begins.
    ``packed``: bytes in the archive. ``size``: bytes of the file. ``crc``: CRC-32 of the file.
    """

    offset: int
    end: int
    packed: int
    size: int
    crc: int
    is_deflated: bool
    is_link: bool


def read_directory(file: Location, size: int) -> dict[str, Member]:
    """The files of a zip of ``size`` bytes by their names in it, with "/" between the parts of a
    name.

    Raises SourceError for an archive that is damaged, encrypted, packed by a method that cannot be
    read in place, or made to do harm. OSError where the archive cannot be read.
    """
    entries, end = _entries(file, size)
    for entry in entries:
        fault = _fault(entry)
        if fault is not None:
            raise SourceError(f"{file.name}: {fault}")
    ends = _ends(file, entries, end)
    members: dict[str, Member] = {}
    for entry in entries:
        if entry.is_dir():
            continue
        name = _relative(_path(entry))
        if name in members:
            raise SourceError(f"{file.name}: it holds two files called {_shown(name)}; {_UNPACK}")
        members[name] = Member(
            entry.header_offset,
            ends[entry.header_offset],
            entry.compress_size,
            entry.file_size,
            entry.CRC,
            entry.compress_type == zipfile.ZIP_DEFLATED,
            stat.S_ISLNK(entry.external_attr >> 16),
        )
    return members


class _Bounded(RangesFile):
    """An archive in which no single read may be longer than a directory can be."""

    def __init__(self, ranges: Ranges, name: str) -> None:
        super().__init__(ranges, name)
        self.fault: OSError | None = None

    def read(self, size: int = -1) -> bytes | None:
        if size > _MOST:
            raise SourceError(
                f"{self.name}: its directory has {size:,} bytes, which is more than a list of files"
                f" can have; {_UNPACK}"
            )
        try:
            return super().read(size)
        except OSError as error:  # zipfile takes any OSError as damage
            self.fault = error
            raise


def _entries(file: Location, size: int) -> tuple[list[zipfile.ZipInfo], int]:
    """The entries of the directory, and where it begins."""
    with _Bounded(file.ranges(_BLOCK, size), file.name) as opened:
        try:
            with zipfile.ZipFile(opened) as archive:  # type: ignore[call-overload]
                return archive.infolist(), archive.start_dir
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            ValueError,
            OverflowError,
            struct.error,
        ) as error:
            if opened.fault is not None:
                raise opened.fault from None
            if isinstance(error, SourceError):
                raise
            raise SourceError(
                f"{file.name}: it begins as a zip archive, but the directory at its end is missing"
                " or damaged; copy it again from where it came from, or unpack it (if it has"
                " several parts, all of them together)"
            ) from None


def _fault(entry: zipfile.ZipInfo) -> str | None:
    """Why an archive with this entry is refused; None where nothing is wrong."""
    name, kind = _shown(entry.orig_filename), entry.compress_type
    if entry.flag_bits & _ENCRYPTED or kind == _AES:
        return f"{name} in it is encrypted; unpack it with its password, and give the folder"
    if _leads_elsewhere(_path(entry)) or "\0" in entry.orig_filename:
        return f"it names {name}, which is not a place inside an archive; {_MAKE_AGAIN}"
    if kind not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _METHODS.get(kind, f"method {kind}")
        return f"{name} in it is packed by {method}, which cannot be read in place; {_UNPACK}"
    most = entry.compress_size * (_MOST_FROM_ONE if kind == zipfile.ZIP_DEFLATED else 1)
    if entry.file_size > most or (kind == zipfile.ZIP_STORED and entry.file_size != most):
        return (
            f"{name} in it would have {entry.file_size:,} bytes, which is more than"
            f" {entry.compress_size:,} packed bytes can hold; {_MAKE_AGAIN}"
        )
    return None


def _path(entry: zipfile.ZipInfo) -> str:
    """The name of an entry with "/" between its parts, as the standard requires (APPNOTE 4.4.17).

    Some programs on Windows write a backslash instead. On Windows a name cannot contain one.
    """
    if entry.create_system in _OF_WINDOWS and "/" not in entry.filename:
        return entry.filename.replace("\\", "/")
    return entry.filename


def _leads_elsewhere(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    return (
        ".." in parts
        or "" in parts
        or (parts[-1:] == ["."] and not name.endswith("/"))
        or "\\" in name
        or "\0" in name
        or _DRIVE.match(name) is not None
    )


def _ends(file: Location, entries: Sequence[zipfile.ZipInfo], end: int) -> dict[int, int]:
    """Where the next member, or the directory, begins, by where each member begins.

    SourceError where two members overlap: an archive that reads the same data several times can
    unpack to any size.
    """
    in_order = sorted(entries, key=lambda entry: entry.header_offset)
    starts = [entry.header_offset for entry in in_order] + [end]
    for entry, (start, following) in zip(in_order, pairwise(starts), strict=True):
        if start < 0 or start + LOCAL_HEADER + entry.compress_size > following:
            raise SourceError(
                f"{file.name}: {_shown(entry.filename)} in it overlaps the file that follows it;"
                f" {_MAKE_AGAIN}"
            )
    return dict(pairwise(starts))


def _relative(name: str) -> str:
    """The name without "." parts. Some programs begin every name with "./"."""
    return "/".join(part for part in name.split("/") if part != ".")


def _shown(name: str) -> str:
    return repr(printable(name)[:100])
