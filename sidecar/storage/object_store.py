"""Files behind fsspec URLs, read by exact ranges and written whole. Errors are told in plain words,
without credentials.

An object store has no locks, links, folders or renaming. But a PUT takes place whole or not at all,
and what it wrote stays.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Self, cast

from upath import UPath
from upath.implementations.cloud import CloudPath

from sidecar.errors import OutputError, SourceError, reason
from sidecar.storage.lease import Lease, lease_object
from sidecar.storage.location import HEADER_BLOCK, Listing, Location, Stamp
from sidecar.storage.ranges import Ranges, RangesFile, StreamRanges, filled

#: Names under which storages report a mark that changes with the content of a file, the best first.
_STAMPS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "created")

#: Seconds for which a stamp counts as recent.
_RECENT = 5
#: Protocols of web servers. They have no folders, and some do not serve ranges.
_WEB = ("http", "https")
#: Seconds until the next bytes of a file that a server packs while it sends it, and how many bytes
#: are taken at a time.
_PATIENCE, _PIECE = 300, 1 << 20
#: HTTP status codes of refused access, and the first of those of faults of the server.
_REFUSALS, _FIRST_FAULT = (401, 403, 407), 500
_DOWNLOAD = "download the file, and give that"


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn any exception of a storage client into an OSError in our words. Its own message may
    hold addresses and keys.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "there is no such bucket, folder or file") from error
    except PermissionError as error:
        raise PermissionError(
            errno.EACCES,
            "the storage refuses access: check the credentials, and what they may do there",
        ) from error
    except TimeoutError as error:
        raise TimeoutError(errno.ETIMEDOUT, "the storage did not answer in time") from error
    except OSError as error:
        number = error.errno or errno.EIO
        if number < 0:  # of a host that is not found (socket.gaierror)
            raise OSError(
                errno.EHOSTUNREACH,
                "no server of this name is found: check the address and the network",
            ) from error
        raise OSError(number, f"the storage reports: {os.strerror(number)}") from error
    except Exception as error:
        kind, status = type(error).__name__, getattr(error, "status", None)
        if isinstance(status, int) and status in _REFUSALS:
            raise PermissionError(
                errno.EACCES,
                f"the server refuses access (HTTP {status}): check the address, the key in it, and"
                " what it may read",
            ) from error
        if isinstance(status, int) and status >= _FIRST_FAULT:
            raise OSError(
                errno.EIO, f"the server reports a fault of its own (HTTP {status}): try again later"
            ) from error
        if "Payload" in kind:
            raise OSError(
                errno.EIO, "the transfer ended before the whole file was there: try again"
            ) from error
        if "Credential" in kind:
            raise PermissionError(
                errno.EACCES,
                "there are no complete credentials for this storage: set them up first",
            ) from error
        raise OSError(errno.EIO, f"the storage cannot be reached ({kind})") from error


@dataclass(frozen=True, slots=True)
class Remote:
    """A file or folder behind a URL. See `WritableLocation`."""

    path: UPath

    @classmethod
    def at(cls, url: str) -> Remote:
        """The location of a URL. Cached listings are dropped, since other programs may have written
        since.

        ImportError without the client that the scheme needs. ValueError for an unknown scheme, or a
        URL without a place.
        """
        path = UPath(url)
        path.fs.invalidate_cache()
        _stamp_at.cache_clear()
        return cls(path)

    @property
    def _fs(self) -> Any:
        return self.path.fs

    @property
    def _protocol(self) -> str:
        return self.path.protocol

    @property
    def name(self) -> str:
        """The last part of the address, even where that is a bucket.

        It leaves out the part before an @, and the query and the fragment of a web address: each
        may hold a key.
        """
        address = self.path.path
        if self._protocol in _WEB:  # a key in the query may have slashes
            address = re.split("[?#]", address, maxsplit=1)[0]
        return address.strip("/").rpartition("/")[2].rpartition("@")[2]

    @property
    def parent(self) -> Remote:
        return Remote(self.path.parent)

    @property
    def local(self) -> None:
        return None

    def __truediv__(self, name: str) -> Remote:
        return Remote(self.path.joinpath(*name.split("/")))

    def resolved(self) -> Remote:
        with plain_errors():
            return Remote(self.path.resolve())

    def relative_to(self, folder: Location) -> str | None:
        if not isinstance(folder, Remote) or not self.path.is_relative_to(folder.path):
            return None
        return PurePosixPath(self.path.path).relative_to(folder.path.path).as_posix()

    def exists(self) -> bool:
        with plain_errors():
            return bool(self.path.exists())

    def is_file(self) -> bool:
        with plain_errors():
            return bool(self.path.is_file())

    def is_folder(self) -> bool:
        with plain_errors():
            return bool(self.path.is_dir())

    def is_link(self) -> bool:
        return False

    def stamp(self) -> Stamp:
        with plain_errors():
            info = self._fs.info(self.path.path)
        return _stamp_in(info)

    def stamps(self, names: Collection[str]) -> dict[str, Stamp]:
        """The stamps of many files. An object store needs one listing instead of a request per
        file.
        """
        self._fs.invalidate_cache()
        if len(names) == 1 or not isinstance(self.path, CloudPath):
            return {name: (self / name).stamp() for name in names}
        with plain_errors():
            found = self._fs.find(self.path.path, detail=True)
            keys = {name: (self / name).path.path for name in names}
            if not found.keys() >= set(keys.values()):
                raise FileNotFoundError
        return {name: _stamp_in(found[key]) for name, key in keys.items()}

    def recent_stamp(self) -> Stamp:
        return _stamp_at(self, int(time.monotonic() / _RECENT))

    def is_packed(self) -> bool:
        return False

    def names(self) -> list[str]:
        with plain_errors():
            return sorted(path.name for path in self.path.iterdir())

    def listing(self) -> Listing:
        """One listing for all folders. SourceError also for keys that no relative path can name."""
        base = self.path.path.rstrip("/") + "/"
        try:
            with plain_errors():
                found = self._fs.find(self.path.path, detail=True)
        except OSError as error:
            raise SourceError(f"folder {self.name} cannot be read: {error.strerror}") from None
        names = [
            name.removeprefix(base)
            for name, info in found.items()
            if info["type"] == "file" and name.startswith(base)
        ]
        parts = sorted(name.split("/") for name in names if name and not name.endswith("/"))
        if any(".." in part or str(PurePosixPath(*part)) != "/".join(part) for part in parts):
            raise SourceError(
                f"folder {self.name} cannot be read: it holds a key with an empty or dotted part,"
                " which cannot be a file name; rename it"
            )
        return Listing(tuple("/".join(part) for part in parts))

    def open(self, block: int = HEADER_BLOCK) -> BinaryIO:
        return self._opened(block, self.stamp()[0])

    def ranges(self, block: int = HEADER_BLOCK, size: int | None = None) -> Ranges:
        return StreamRanges(self._opened(block, self.stamp()[0] if size is None else size))

    def _opened(self, block: int, size: int) -> BinaryIO:
        return io.BufferedReader(RangesFile(_Object(self, size), self.name), max(block, 1))

    def read_bytes(self) -> bytes:
        with plain_errors():
            return cast("bytes", self._fs.cat_file(self.path.path))

    def part(self, start: int, stop: int, size: int) -> bytes:
        """The bytes from ``start`` to ``stop`` of the file, which has ``size`` bytes. OSError."""
        if self._protocol in _WEB:
            return self._part_of_page(start, stop, size)
        with plain_errors():
            return cast("bytes", self._fs.cat_file(self.path.path, start=start, end=stop))

    def _part_of_page(self, start: int, stop: int, size: int) -> bytes:
        """The bytes from ``start`` to ``stop``, from a web server.

        A server that does not know ranges answers with the whole file, or with more than it was
        asked for. That answer is not read to its end, or not used, and is an OSError.
        """
        with (
            plain_errors(),
            self._fs.open(self.path.path, size=size, cache_type="none") as file,
            contextlib.suppress(ValueError),
        ):
            file.seek(start)
            data = cast("bytes", file.read(stop - start))
            if len(data) <= stop - start:  # more than was asked for begins at any place
                return data
        raise OSError(errno.EOPNOTSUPP, f"the server sends whole files only; {_DOWNLOAD}")

    def is_sent_whole(self) -> bool:
        """Whether a web server does not tell the size of this file, or does not know ranges.
        OSError.

        Where there is no such file, this is left for its reader to find.
        """
        if self._protocol not in _WEB:
            return False
        try:
            self.part(1, 2, self.stamp()[0])
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            return True
        return False

    @contextlib.contextmanager
    def stream(self) -> Iterator[Iterator[bytes]]:
        """The whole file from a web server, piece by piece. It may take hours. OSError."""
        from aiohttp import ClientTimeout

        patient = ClientTimeout(total=None, sock_read=_PATIENCE)
        with plain_errors():
            file = self._fs.open(self.path.path, block_size=0, size=1, timeout=patient)

        def piece() -> bytes:
            with plain_errors():
                return cast("bytes", file.read(_PIECE))

        with file:
            yield iter(piece, b"")

    def make_folder(self) -> None:
        """Make a folder, where the storage has folders. In an object store this would make a
        bucket, which is for the user to do.
        """
        if not isinstance(self.path, CloudPath):
            with plain_errors():
                self.path.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> None:
        with self._refuse_faults(), plain_errors():
            self._fs.pipe_file(self.path.path, data)

    put_unsynced = put

    def sync(self, names: Iterable[str]) -> None:
        """Nothing to do: a write that the storage has confirmed stays."""

    @contextlib.contextmanager
    def whole(self) -> Iterator[Path]:
        with (
            self._refuse_faults(),
            tempfile.TemporaryDirectory(prefix="sidecar-") as folder,
        ):
            part = Path(folder, self.name)
            yield part
            with plain_errors():
                self._fs.put_file(str(part), self.path.path)

    @contextlib.contextmanager
    def _refuse_faults(self) -> Iterator[None]:
        try:
            yield
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written: {reason(error)}") from None

    def create(self, data: bytes) -> bool:
        """Write the whole file if it does not exist. Return whether it was written. OSError.

        Checking and writing are one step where the storage offers that.
        """
        with plain_errors():
            return self._create(data)

    def _create(self, data: bytes) -> bool:
        fs, key = self._fs, self.path.path
        if self._is_there():
            return False
        try:
            fs.pipe_file(key, data, mode="create")
        except (NotImplementedError, TypeError):
            fs.pipe_file(key, data)
        except OSError as error:
            if error.errno == errno.ENOSYS:
                fs.pipe_file(key, data)
            # storages report in different ways that the file exists
            elif not isinstance(error, FileExistsError) and not self._is_there():
                raise
            else:
                return False
        return True

    def _is_there(self) -> bool:
        """Whether the file exists, by asking the storage itself: a cached listing may be old."""
        try:
            self._fs.cat_file(self.path.path)
        except FileNotFoundError:
            return False
        return True

    def remove(self) -> None:
        """Remove this file. Its name is not taken as a pattern."""
        with contextlib.suppress(FileNotFoundError), plain_errors():
            self._fs.rm_file(self.path.path)

    def remove_folder(self) -> None:
        with plain_errors():
            self.path.rmdir()

    def lease(self, on_wait: Callable[[], object] = lambda: None) -> AbstractContextManager[Lease]:
        return lease_object(self, on_wait)


def _stamp_in(info: Mapping[str, Any]) -> Stamp:
    if info["size"] is None:
        raise OSError(
            errno.EOPNOTSUPP, f"the server does not say how large the file is; {_DOWNLOAD}"
        )
    return int(info["size"]), next((str(info[key]) for key in _STAMPS if info.get(key)), "")


@lru_cache(maxsize=64)
def _stamp_at(location: Remote, moment: int) -> Stamp:
    """The stamp in a ``moment`` of `_RECENT` seconds."""
    return location.stamp()


class _Object:
    """A remote file in which every read is one request for exactly these bytes. See `Ranges`."""

    __slots__ = ("_location", "_size")

    def __init__(self, location: Remote, size: int) -> None:
        self._location, self._size = location, size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to close."""

    def size(self) -> int:
        return self._size

    def read(self, at: int, count: int) -> bytes:
        stop = min(at + count, self._size)
        return self._location.part(at, stop, self._size) if stop > at else b""

    def fill(self, at: int, *views: memoryview) -> int:
        return filled(self.read, at, views)
