"""Zips as people have them, made of folders by `zipfile`, and as nobody should, laid out by hand
(APPNOTE 4.3).
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


def zipped(folder: Path, *methods: int, zip64: bool = False, top: str = "") -> Path:
    """A zip beside ``folder`` with all files in it, packed by each of the methods in turn, DEFLATED
    where none is given; ``top`` is put before every name.
    """
    path = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(path, "w") as archive:
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        for number, file in enumerate(files):
            info = zipfile.ZipInfo(f"{top}{file.relative_to(folder).as_posix()}")
            info.compress_type = (methods or (DEFLATED,))[number % max(len(methods), 1)]
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(file.read_bytes())
    return path


@dataclass(frozen=True)
class Entry:
    """A member as it is to be written: what is None follows from ``data``, the bytes as they lie
    in the archive. ``at``: where its directory entry says that it begins.
    """

    name: str
    data: bytes = b""
    method: int = STORED
    size: int | None = None
    crc: int | None = None
    flags: int = 0
    at: int | None = None


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(data) + packer.flush()


def write_raw(path: Path, entries: Iterable[Entry]) -> Path:
    """A zip with these entries, true or not."""
    body, directory, count = b"", b"", 0
    for entry in entries:
        name = entry.name.encode("utf-8", "surrogateescape")
        size = len(entry.data) if entry.size is None else entry.size
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        at = len(body) if entry.at is None else entry.at
        facts = (entry.flags | 0x0800, entry.method, 0, 0x21, crc, len(entry.data), size, len(name))
        if entry.at is None:
            body += struct.pack("<4sH4H3I2H", b"PK\3\4", 20, *facts, 0) + name + entry.data
        directory += struct.pack("<4sHH4H3I5H2I", b"PK\1\2", 20, 20, *facts, 0, 0, 0, 0, 0, at)
        directory += name
        count += 1
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path
