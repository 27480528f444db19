"""Files that are read at given positions: what pixels and headers are read by."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, Protocol, Self

#: Bytes read at a time: some systems take no more than 2 GiB.
_AT_ONCE = 1 << 30


class Ranges(Protocol):
    """An open file, which the ``with`` statement closes."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def size(self) -> int:
        """Bytes of the whole file."""

    def read(self, at: int, count: int) -> bytes:
        """Up to ``count`` bytes from position ``at``: fewer, or none, where the file ends."""

    def fill(self, at: int, *views: memoryview) -> int:
        """Fill the views one after the other with the bytes from position ``at``, and return how
        many there were. Fewer than fit do not mean that the file ends; none do.
        """


class PositionedFile:
    """A file of this machine, read by as few calls as can be: each is a step out of the
    interpreter, and another thread's turn.
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
    """The same of any file that can be sought in: a remote one, or bytes in memory."""

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
        return sum(self._file.readinto(view) for view in views)  # type: ignore[attr-defined]
