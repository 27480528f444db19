"""Copies on this machine of archives that a web server sends as a whole only.

Some servers pack an archive while they send it, such as Orthanc the archive of a study. They know
neither its size nor parts of it, so it cannot be read in place.
"""

from __future__ import annotations

import errno
import itertools
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.errors import SourceError
from sidecar.storage.archive import HEAD, ZIP, Archive, kind_of
from sidecar.storage.local import Local
from sidecar.storage.location import Location
from sidecar.storage.names import is_plain

if TYPE_CHECKING:
    from sidecar.storage.object_store import Remote

#: Most characters of a name of a copy. File systems take 255 bytes, and some fewer.
_LONGEST = 60


@dataclass(frozen=True)
class Fetched:
    """An archive that was copied to this machine, and its size in bytes."""

    archive: Archive
    size: int

    def __str__(self) -> str:
        return (
            f"{self.archive.name} was copied to this machine as a whole ({self.size:,} bytes),"
            " because its server sends whole files only; the copy is not kept"
        )


def fetched(source: Location, on_bytes: Callable[[int], object]) -> Fetched | None:
    """A copy of a zip at a web address, where its server sends whole files only. None for anything
    else.

    ``on_bytes`` is called with the number of bytes of each piece. The copy lies among temporary
    files. It exists as long as the location of the whole archive does, and takes at most half of
    the free space.

    SourceError where it cannot be fetched as a whole, or needs more space.
    """
    page = _page(source)
    try:
        if page is None or not page.is_sent_whole():
            return None
        with page.stream() as pieces:
            head = b""
            while len(head) < HEAD and (piece := next(pieces, b"")):
                head += piece
            if kind_of(head) != ZIP:
                return None
            return _copied(itertools.chain([head], pieces), page.name, on_bytes)
    except OSError as error:
        raise SourceError(f"{source.name} cannot be fetched: {error.strerror}") from None


def _page(source: Location) -> Remote | None:
    """The location of a web address. The module for URLs is loaded for URLs only."""
    if isinstance(source, Local | Archive):
        return None
    from sidecar.storage.object_store import Remote

    return source if isinstance(source, Remote) else None


def _copied(pieces: Iterable[bytes], name: str, on_bytes: Callable[[int], object]) -> Fetched:
    """OSError where the copy takes more than half of the free space."""
    copy = _Copy()
    most, size = shutil.disk_usage(copy.folder).free // 2, 0
    path = copy.folder / (name if is_plain(name) and len(name) <= _LONGEST else "archive.zip")
    with path.open("xb") as file:
        for piece in pieces:
            size += len(piece)
            if size > most:
                raise OSError(
                    errno.ENOSPC,
                    "its server sends whole files only, and a copy would take more than half of the"
                    f" {2 * most / 1e9:.1f} GB that are free for temporary files; let the variable"
                    " TMPDIR name a folder on a larger disk, or download the file, and give that",
                )
            file.write(piece)
            on_bytes(len(piece))
    return Fetched(Archive(Local.at(path), copy=copy), size)


class _Copy:
    """A folder for temporary files, which is removed with this object or at the end of the
    program. Only this user can read it.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sidecar-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
