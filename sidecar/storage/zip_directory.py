"""The directory of a zip: its members, held against what an archive of files can be before any of
them is read.

The directory is read by `zipfile`. What is refused here, `zipfile` would hand out: paths that lead
elsewhere, members that lie over each other, sizes that no deflated data can have.
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

#: Bytes of a directory: that of 200,000 files with long names.
_MOST = 1 << 26
#: Of a remote archive so much of its end is fetched at a time: a directory, or what leads to it.
_BLOCK = 1 << 17
#: A local header without its name (APPNOTE 4.3.7).
LOCAL_HEADER = 30
#: No more bytes than this can come from one deflated byte: 258 of every two bits (RFC 1951).
_MOST_FROM_ONE = 1032
#: Encrypted, strongly encrypted, and local headers masked (APPNOTE 4.4.4).
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_AES = 99
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_DRIVE = re.compile(r"[A-Za-z]:")
#: Made by programs of DOS and Windows (APPNOTE 4.4.2).
_OF_WINDOWS = (0, 10, 14)

_UNPACK = "unpack it, and give the folder"
_MAKE_AGAIN = "it is damaged, or made to do harm: have it made again"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a zip.

    ``offset, end``: where its local header begins, and what it ends before. ``packed, size``:
    bytes in the archive, and bytes of the file. ``crc``: CRC-32 of the file.
    """

    offset: int
    end: int
    packed: int
    size: int
    crc: int
    is_deflated: bool
    is_link: bool


def read_directory(file: Location, size: int) -> dict[str, Member]:
    """The files of a zip of ``size`` bytes by their names in it, whose parts are separated by "/".

    Raises SourceError for what is damaged, encrypted, packed in a way that cannot be read in place,
    or made to do harm; OSError where the archive cannot be read.
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
    """An archive of which no more than a directory can be is read at once."""

    def __init__(self, ranges: Ranges, name: str) -> None:
        super().__init__(ranges, name)
        self.fault: OSError | None = None

    def read(self, size: int = -1) -> bytes | None:
        if size > _MOST:
            raise SourceError(
                f"{self.name}: its directory has {size:,} bytes, more than one of files can have;"
                f" {_UNPACK}"
            )
        try:
            return super().read(size)
        except OSError as error:  # to zipfile, any is a sign of damage
            self.fault = error
            raise


def _entries(file: Location, size: int) -> tuple[list[zipfile.ZipInfo], int]:
    """What the directory holds, and where it begins."""
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
                f"{file.name}: it begins as a zip archive, but the directory that stands at the end"
                " of one is missing or damaged; copy it again from where it came from, or unpack"
                " it, all parts together where it has several"
            ) from None


def _fault(entry: zipfile.ZipInfo) -> str | None:
    """Why an archive with this in it is not read; None where nothing is wrong."""
    name, kind = _shown(entry.orig_filename), entry.compress_type
    if entry.flag_bits & _ENCRYPTED or kind == _AES:
        return f"{name} in it is encrypted; unpack it with its password, and give the folder"
    if _leads_elsewhere(_path(entry)) or "\0" in entry.orig_filename:
        return f"it names {name}, which is no place within an archive; {_MAKE_AGAIN}"
    if kind not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _METHODS.get(kind, f"method {kind}")
        return f"{name} in it is packed by {method}, which cannot be read in place; {_UNPACK}"
    most = entry.compress_size * (_MOST_FROM_ONE if kind == zipfile.ZIP_DEFLATED else 1)
    if entry.file_size > most or (kind == zipfile.ZIP_STORED and entry.file_size != most):
        return (
            f"{name} in it would have {entry.file_size:,} bytes, which {entry.compress_size:,}"
            f" packed ones cannot hold; {_MAKE_AGAIN}"
        )
    return None


def _path(entry: zipfile.ZipInfo) -> str:
    """The name of an entry with "/" between its parts. The standard wants it so (APPNOTE 4.4.17);
    some programs of Windows write a backslash, which is no part of a name there.
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
    """What each member ends before, by where it begins: the next one, or the directory.

    SourceError where two lie over each other: data that are read several times make an archive of
    any size.
    """
    in_order = sorted(entries, key=lambda entry: entry.header_offset)
    starts = [entry.header_offset for entry in in_order] + [end]
    for entry, (start, following) in zip(in_order, pairwise(starts), strict=True):
        if start < 0 or start + LOCAL_HEADER + entry.compress_size > following:
            raise SourceError(
                f"{file.name}: {_shown(entry.filename)} in it lies over what follows it;"
                f" {_MAKE_AGAIN}"
            )
    return dict(pairwise(starts))


def _relative(name: str) -> str:
    """Some programs begin every name with "./"."""
    return "/".join(part for part in name.split("/") if part != ".")


def _shown(name: str) -> str:
    return repr(printable(name)[:100])
