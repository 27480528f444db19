"""Paths behind fsspec URLs: UPath, read by exact ranges, written whole, its errors told in plain
words and never with a credential.

An object store has no locks, no links, no folders and no rename; what it has is that a PUT takes
place whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import PurePosixPath
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, cast

from upath import UPath
from upath.extensions import ProxyUPath
from upath.implementations.cloud import CloudPath

#: What storages call that which changes with the content of a file, the best first.
_STAMPS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "created")

P = ParamSpec("P")
T = TypeVar("T")


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Whatever a storage client raises, as an OSError in our words: its own may hold addresses and
    keys.
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
        raise OSError(number, f"the storage reports: {os.strerror(number)}") from error
    except Exception as error:
        kind = type(error).__name__
        if "Credential" in kind:
            raise PermissionError(
                errno.EACCES,
                "there are no complete credentials for this storage: set them up first",
            ) from error
        raise OSError(errno.EIO, f"the storage cannot be reached ({kind})") from error


def _plainly(method: Callable[Concatenate[Remote, P], T]) -> Callable[Concatenate[Remote, P], T]:
    @wraps(method)
    def with_plain_errors(self: Remote, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with plain_errors():
            return method(self, *args, **kwargs)

    return with_plain_errors


class Remote(ProxyUPath):
    """A file or folder behind a URL."""

    __slots__ = ()

    @classmethod
    def at(cls, url: str) -> Self:
        """The path of a URL. What was remembered of listings is forgotten: others may have written
        since.

        ImportError without the client that its scheme needs, ValueError for an unknown scheme or a
        URL without a place.
        """
        path = cls._from_upath(UPath(url))
        path.fs.invalidate_cache()
        return path

    @property
    def name(self) -> str:
        """The last part, also where that is a bucket; never what stands before an @."""
        return super().name or self.path.strip("/").rpartition("@")[2]

    exists = _plainly(ProxyUPath.exists)
    is_dir = _plainly(ProxyUPath.is_dir)
    is_file = _plainly(ProxyUPath.is_file)
    stat = _plainly(ProxyUPath.stat)
    rmdir = _plainly(ProxyUPath.rmdir)

    @_plainly
    def iterdir(self) -> Iterator[Self]:
        return iter(list(super().iterdir()))

    @_plainly
    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a folder where there are folders; to an object store it would mean a bucket, which
        is the user's to make.
        """
        if not isinstance(self.__wrapped__, CloudPath):
            super().mkdir(mode, parents, exist_ok)

    @_plainly
    def read_bytes(self) -> bytes:
        return cast("bytes", self.fs.cat_file(self.path))

    def read_text(
        self, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> str:
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    @_plainly
    def put(self, data: bytes) -> None:
        """Write the whole file. An object store has it whole or not at all."""
        self.fs.pipe_file(self.path, data)

    @_plainly
    def create(self, data: bytes) -> bool:
        """Write the whole file where there is none, and tell whether that was so: in one step,
        where the storage knows how.
        """
        if self._is_there():
            return False
        try:
            self.fs.pipe_file(self.path, data, mode="create")
        except (NotImplementedError, TypeError):
            self.fs.pipe_file(self.path, data)
        except OSError as error:
            if error.errno == errno.ENOSYS:
                self.fs.pipe_file(self.path, data)
            elif (
                not isinstance(error, FileExistsError) and not self._is_there()
            ):  # storages say in many ways that it is
                raise
            else:
                return False
        return True

    def _is_there(self) -> bool:
        """Asked of the storage itself: what was remembered of a listing may be old."""
        try:
            self.fs.cat_file(self.path)
        except FileNotFoundError:
            return False
        return True

    @_plainly
    def unlink(self, missing_ok: bool = False) -> None:
        """Remove this file, and none that its name would match as a pattern."""
        try:
            self.fs.rm_file(self.path)
        except FileNotFoundError:
            if not missing_ok:
                raise

    @_plainly
    def stamp(self) -> tuple[int, str]:
        """Size in bytes, and the ETag or time of change."""
        info = self.fs.info(self.path)
        return int(info["size"]), next((str(info[key]) for key in _STAMPS if info.get(key)), "")

    def files(self) -> list[Self]:
        """All files below this folder, sorted by the parts of their names as local paths are. One
        listing, not one for each folder.

        OSError also for keys that no relative path can name.
        """
        base = self.path.rstrip("/") + "/"
        with plain_errors():
            found = self.fs.find(self.path, detail=True)
        names = [
            name.removeprefix(base)
            for name, info in found.items()
            if info["type"] == "file" and name.startswith(base)
        ]
        parts = sorted(name.split("/") for name in names if name and not name.endswith("/"))
        if any(".." in part or str(PurePosixPath(*part)) != "/".join(part) for part in parts):
            raise OSError(
                errno.EINVAL,
                "it holds a key with an empty or dotted part, which cannot be a file name;"
                " rename it",
            )
        return [self.joinpath(*part) for part in parts]

    def reader(self, block: int) -> io.BufferedReader:
        """The file for reading by ranges, ``block`` bytes at a time; what is longer than a block is
        fetched as asked for.
        """
        return io.BufferedReader(_Ranges(self), max(block, 1))


class _Ranges(io.RawIOBase):
    """A remote file of which every read is one request for just these bytes."""

    def __init__(self, path: Remote) -> None:
        self._path, self._size, self._at = path, path.stamp()[0], 0
        self.name = path.name  # pydicom asks for it

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if self._at < 0:
            raise ValueError("a position before the start of the file")
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        with plain_errors():
            data = self._path.fs.cat_file(self._path.path, start=self._at, end=stop)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
