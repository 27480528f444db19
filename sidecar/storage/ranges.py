"""Files that are read at given positions: the interface by which pixels and headers are read."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, Protocol, Self

#: Most bytes of one read. Some systems take no more than 2 GiB.
_AT_ONCE = 1 << 30


class Ranges(Protocol):
    """An open file. The ``with`` statement closes it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def size(self) -> int:
        """The size of the whole file in bytes."""

    def read(self, at: int, count: int) -> bytes:
        """Up to ``count`` bytes from position ``at``. There are fewer, or none, where the file
        ends.
        """

    def fill(self, at: int, *views: memoryview) -> int:
        """Fill the views, one after the other, with the bytes from position ``at``. Return how many
        there were.

        Fewer bytes than fit do not mean that the file ends. No bytes do.
        """


def filled(read: Callable[[int, int], bytes], at: int, views: Iterable[memoryview]) -> int:
    """`Ranges.fill`, done with `Ranges.read`. It stops at the first view that is not full."""
    done = 0
    for view in views:
        data = read(at + done, len(view))
        view[: len(data)] = data
        done += len(data)
        if len(data) < len(view):
            break
    return done


class PositionedFile:
    """A file on this machine, read with as few calls as possible. Each call leaves the
    interpreter and lets another thread run.
    """

    __slots__ = ("_number",)

    def __init__(self, path: str) -> None:
        self._number = os.open(path, os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._number)

    def size(self) -> int:
        return os.fstat(self._number).st_size

    def read(self, at: int, count: int) -> bytes:
        return os.pread(self._number, count, at)

    def fill(self, at: int, *views: memoryview) -> int:
        return os.preadv(self._number, [view[:_AT_ONCE] for view in views], at)


class StreamRanges:
    """Ranges of any file that can be sought in: a remote file, or bytes in memory."""

    __slots__ = ("_file",)

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def size(self) -> int:
        return self._file.seek(0, io.SEEK_END)

    def read(self, at: int, count: int) -> bytes:
        self._file.seek(at)
        return self._file.read(count)

    def fill(self, at: int, *views: memoryview) -> int:
        self._file.seek(at)
        done = 0
        for view in views:
            count: int = self._file.readinto(view)  # type: ignore[attr-defined]
            done += count
            if count < len(view):
                break  # else the next view would get bytes that belong to this one
        return done


class Section:
    """A part of another file, read as a file of its own."""

    __slots__ = ("_file", "_size", "_start")

    def __init__(self, file: Ranges, start: int, size: int) -> None:
        self._file, self._start, self._size = file, start, size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.__exit__()

    def size(self) -> int:
        return self._size

    def read(self, at: int, count: int) -> bytes:
        return self._file.read(self._start + at, min(count, max(self._size - at, 0)))

    def fill(self, at: int, *views: memoryview) -> int:
        left, inside = self._size - at, []
        for view in views:
            inside.append(view[: max(left, 0)])
            left -= len(view)
        return self._file.fill(self._start + at, *inside)


class RangesFile(io.RawIOBase):
    """Ranges as a file object, which reads on from its current position."""

    def __init__(self, ranges: Ranges, name: str) -> None:
        self._ranges, self._at = ranges, 0
        self.name = name  # pydicom asks for it

    def close(self) -> None:
        if not self.closed:
            self._ranges.__exit__()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence == io.SEEK_END:
            offset += self._ranges.size()
        if offset < 0:
            raise OSError(errno.EINVAL, "a position before the start of the file")
        self._at = offset
        return offset

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = self._ranges.fill(self._at, memoryview(buffer))
        self._at += count
        return count
