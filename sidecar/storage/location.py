"""What the rest of the house asks of a place with files, whatever is behind it.

A location is the name of a file or folder; nothing is looked up before it is asked. `Location` is
for reading and is all that a scan needs: an archive has only that. `WritableLocation` is for
reading and writing, as an export needs. `sidecar.storage.locate` makes them of paths and URLs.

Faults of looking, reading and removing are OSErrors, faults of writing OutputErrors. Both say what
is wrong in plain words, and neither names a path of this machine, an address or a credential.
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

#: Bytes fetched at a time from a remote file where it is read in small steps, as headers are.
HEADER_BLOCK = 1 << 16

#: Size in bytes, and what changes with the content: the time of change in ns, or an object's ETag.
Stamp = tuple[int, int | str]


@dataclass(frozen=True)
class Listing:
    """What is in a folder and in folders below.

    ``files``: the names, relative to the folder, of all files that can be read, in the order of
    their parts. ``passed_by``: the names of what can not, by kind.
    """

    files: tuple[str, ...]
    passed_by: dict[str, list[str]] = field(default_factory=dict)


class Location(Protocol):
    """A file or folder that can be read. Locations are values: those of one name are equal."""

    def __hash__(self) -> int: ...

    @property
    def name(self) -> str:
        """The last part, for messages; empty for the folder one is in."""

    @property
    def parent(self) -> Self: ...

    def __truediv__(self, name: str) -> Self:
        """The file or folder of that name in this folder; parts are separated by "/"."""

    def resolved(self) -> Self:
        """The same without links and dots."""

    def relative_to(self, folder: Location) -> str | None:
        """The name by which ``folder / name`` is this location, by their spelling; "." where they
        are the same, None where this one lies elsewhere.
        """

    def exists(self) -> bool: ...

    def is_file(self) -> bool: ...

    def is_folder(self) -> bool: ...

    def stamp(self) -> Stamp:
        """Size and time of change, by which a file that was changed is noticed."""

    def recent_stamp(self) -> Stamp:
        """The same as it was a few seconds ago at most, for what is read in many small pieces: of
        what is far away, every question takes as long as a piece.
        """

    def is_packed(self) -> bool:
        """Whether any byte of this file can only be had by unpacking all before it, as in an
        archive.

        Then `open` and `ranges` reach as far as headers do, and `read_bytes` unpacks it once.
        """

    def stamps(self, names: Collection[str]) -> dict[str, Stamp]:
        """Of these files of this folder, as they are now: nothing that was remembered is used."""

    def names(self) -> list[str]:
        """What is in this folder, sorted."""

    def listing(self) -> Listing:
        """All files in this folder and in folders below; links are followed, each file is met once.

        SourceError where a folder cannot be read: it may hold some of the slices.
        """

    def open(self, block: int = HEADER_BLOCK) -> BinaryIO:
        """The file, to be read from its start and sought in.

        What is far away is fetched ``block`` bytes at a time, longer reads as they are asked for.
        """

    def ranges(self, block: int = HEADER_BLOCK, size: int | None = None) -> Ranges:
        """The file, to be read at given positions by as few calls as can be. ``size``: that of the
        file where it is known, which then need not be asked for.
        """

    def read_bytes(self) -> bytes: ...


class WritableLocation(Location, Protocol):
    """A file or folder that can be read and written."""

    @property
    def local(self) -> Path | None:
        """The path on this machine, for what only a file system can do; None where there is
        none.
        """

    def is_link(self) -> bool:
        """Whether it is a link, to wherever."""

    def make_folder(self) -> None:
        """Make this folder and those above it, as far as they are not there, such that they outlast
        a power failure. OSError.
        """

    def put(self, data: bytes) -> None:
        """Write the file: whole or not at all, and such that it outlasts a power failure."""

    def put_unsynced(self, data: bytes) -> None:
        """Write the file whole or not at all, much faster than `put`, by any number of workers.

        Only `sync` makes it outlast a power failure: after one it may be damaged or gone.
        """

    def sync(self, names: Iterable[str]) -> None:
        """Return when the files ``names`` of this folder would outlast a power failure."""

    def whole(self) -> AbstractContextManager[Path]:
        """A new file of this machine to be written, which becomes this one in the end as by `put`.

        Nothing of it stays where the ``with`` is left by an exception. OSErrors within are told as
        faults of writing.
        """

    def remove(self) -> None:
        """Remove this file, if there is one."""

    def remove_folder(self) -> None:
        """Remove this folder, which is empty."""

    def lease(self, on_wait: Callable[[], object] = lambda: None) -> AbstractContextManager[Lease]:
        """Make this file and hold it, so that nobody else can; it goes in the end.

        TakenError where another program holds it. ``on_wait`` is called where it takes a while to
        find out.
        """
