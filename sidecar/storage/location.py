"""The interface of places with files: folders of this machine, archives, and storage behind URLs.

A location is the name of a file or folder. Making one does not access the storage. `Location` is
for reading, and all that a scan needs; an archive offers only this. `WritableLocation` is for
reading and writing, as an export needs. `sidecar.storage.locate` makes locations from paths and
URLs.

Faults of looking, reading and removing are OSErrors. Faults of writing are OutputErrors. Both say
what is wrong in plain words. Neither names a path of this machine, an address or a credential.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

if TYPE_CHECKING:
    from sidecar.storage.lease import Lease
    from sidecar.storage.ranges import Ranges

#: Bytes fetched at a time from a remote file that is read in small steps, such as headers.
HEADER_BLOCK = 1 << 16

#: Size in bytes, and a mark that changes with the content: the time of change in ns, or the ETag of
#: an object.
Stamp = tuple[int, int | str]


@dataclass(frozen=True)
class Listing:
    """The files in a folder and in the folders below it.

    ``files``: names, relative to the folder, of all files that can be read, sorted by their parts.
    ``passed_by``: names of entries that are passed by, by kind.
    """

    files: tuple[str, ...]
    passed_by: dict[str, list[str]] = field(default_factory=dict)


class Location(Protocol):
    """A file or folder that can be read. Locations are values: two locations of one name are
    equal.
    """

    def __hash__(self) -> int: ...

    @property
    def name(self) -> str:
        """The last part, for messages. It is empty for the current folder."""

    @property
    def parent(self) -> Self: ...

    def __truediv__(self, name: str) -> Self:
        """The file or folder of that name in this folder; parts are separated by "/"."""

    def resolved(self) -> Self:
        """The same location without links and dots."""

    def relative_to(self, folder: Location) -> str | None:
        """The name for which ``folder / name`` is this location, by spelling alone.

        It is "." where both are the same, and None where this location lies elsewhere.
        """

    def exists(self) -> bool: ...

    def is_file(self) -> bool: ...

    def is_folder(self) -> bool: ...

    def stamp(self) -> Stamp:
        """Size and time of change, by which a changed file is noticed."""

    def recent_stamp(self) -> Stamp:
        """The stamp as it was a few seconds ago at most.

        It is for files that are read in many small pieces: on a remote storage, every request for a
        stamp takes as long as reading a piece.
        """

    def is_packed(self) -> bool:
        """Whether reading a byte of this file means unpacking all bytes before it, as in an
        archive.

        `open` and `ranges` then reach as far as headers do. `read_bytes` unpacks the whole file
        once.
        """

    def stamps(self, names: Collection[str]) -> dict[str, Stamp]:
        """The stamps of these files of this folder as they are now. Nothing is taken from a
        cache.
        """

    def names(self) -> list[str]:
        """The names in this folder, sorted."""

    def listing(self) -> Listing:
        """All files in this folder and in the folders below it. Links are followed, and each file
        is listed once.

        SourceError where a folder cannot be read: it may hold some of the slices.
        """

    def open(self, block: int = HEADER_BLOCK) -> BinaryIO:
        """The file, opened at its start for reading and seeking.

        A remote file is fetched ``block`` bytes at a time. A longer read is one request.
        """

    def ranges(self, block: int = HEADER_BLOCK, size: int | None = None) -> Ranges:
        """The file, opened for reading at given positions with as few calls as possible.

        ``size``: the size of the file, where it is known. It then needs no request.
        """

    def read_bytes(self) -> bytes: ...


class WritableLocation(Location, Protocol):
    """A file or folder that can be read and written."""

    @property
    def local(self) -> Path | None:
        """The path on this machine, for operations that only a file system has. None where there
        is no path.
        """

    def is_link(self) -> bool:
        """Whether it is a link, even one that leads nowhere."""

    def make_folder(self) -> None:
        """Make this folder, and those above it that do not exist, so that they survive a power
        failure. OSError.
        """

    def put(self, data: bytes) -> None:
        """Write the file, whole or not at all, so that it survives a power failure."""

    def put_unsynced(self, data: bytes) -> None:
        """Write the file, whole or not at all, much faster than `put`. Any number of workers may
        write.

        Only `sync` makes it safe. After a power failure before that, the file may be damaged or
        gone.
        """

    def sync(self, names: Iterable[str]) -> None:
        """Return when the files ``names`` of this folder would survive a power failure."""

    def whole(self) -> AbstractContextManager[Path]:
        """A new file on this machine for writing. In the end it becomes this file, as by `put`.

        An exception within the ``with`` removes it. OSErrors within are reported as faults of
        writing.
        """

    def remove(self) -> None:
        """Remove this file, if it exists."""

    def remove_folder(self) -> None:
        """Remove this folder, which must be empty."""

    def lease(self, on_wait: Callable[[], object] = lambda: None) -> AbstractContextManager[Lease]:
        """Make this file and hold it, so that no other program can. It is removed in the end.

        TakenError where another program holds it. ``on_wait`` is called where finding out takes a
        while.
        """


def called(place: Location | Path) -> str:
    """The name of a place for messages. The current folder has no name of its own."""
    return place.name or "this folder"
