"""Files and folders on this machine that are written whole or not at all.

New content is written beside its place first, under a name that ends in ``.part``. Nothing may
exist under that name, not even a link that leads nowhere. The file is renamed when it is whole and
on the disk. So a power failure leaves the old file or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sidecar.errors import OutputError, reason

PART_SUFFIX = ".part"
_PART = re.compile(r"(\.[0-9a-f]{8})?" + re.escape(PART_SUFFIX) + "$")

#: Files that are synced at the same time. The disk handles many at once.
_SYNCED_TOGETHER = 8
#: Errors of the system for folders that it cannot sync: folders of some network file systems, and
#: folders that may be written to but not read.
_NOT_FOR_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES})
#: Windows syncs only files that are open for writing.
_TO_SYNC = os.O_RDONLY if os.name == "posix" else os.O_RDWR
_NEW = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

#: The kernel makes names in a folder one after the other. Threads that wait for it there keep their
#: processors busy, so they wait here instead.
_naming = threading.Lock()


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A new, empty file beside ``path`` for writing. When the ``with`` ends, it becomes ``path``,
    safe from a power failure. An exception within the ``with`` removes it.

    OutputError where the name of the new file is taken, or where anything within raises an OSError.
    """
    with _beside(path, _make_file, os.unlink) as part:
        yield part
        _sync(part)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """`whole_file` for a folder of files. ``path`` may be an empty folder, which is replaced."""
    with _beside(path, os.mkdir, shutil.rmtree) as part:
        yield part
        sync_files(part, [entry.name for entry in part.iterdir()])
        if path.is_dir():
            path.rmdir()


def is_part(name: str) -> bool:
    """Whether a name is that of a file that is not whole yet."""
    return name.endswith(PART_SUFFIX)


def without_part(name: str) -> str:
    """The name that a file has when it is whole. Any other name is returned unchanged."""
    return _PART.sub("", name)


def refuse_taken_part(path: Path) -> None:
    """OutputError where something exists under the name that `whole_file` and `whole_folder`
    write to first.
    """
    part = _part_of(path)
    if os.path.lexists(part):
        raise _in_the_way(part)


def write_unsynced(path: str, data: bytes) -> None:
    """Write a file, whole or not at all. Only `sync_files` makes it safe from a power failure.

    This function makes no Path, as that takes as long as writing the file. OutputError where the
    file cannot be written.
    """
    # Two workers may write the same PNG, when one of them seemed lost.
    part = f"{path}.{os.urandom(4).hex()}{PART_SUFFIX}"
    try:
        with _naming:
            _write_new(part, data)
            os.replace(part, path)  # noqa: PTH105
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(part)  # noqa: PTH108
        name = os.path.basename(path)  # noqa: PTH119
        raise OutputError(f"{name} cannot be written: {reason(error)}") from None


def sync_files(folder: Path, names: Iterable[str]) -> None:
    """Return when the disk has these files of a folder and their names. OSError."""
    from concurrent.futures import ThreadPoolExecutor  # not needed to write one file

    paths = [os.path.join(folder, name) for name in names]  # noqa: PTH118
    with ThreadPoolExecutor(_SYNCED_TOGETHER, thread_name_prefix="sync") as threads:
        shares = [paths[i::_SYNCED_TOGETHER] for i in range(_SYNCED_TOGETHER)]
        list(threads.map(_sync_all, shares))
    sync_folder(folder)


@contextlib.contextmanager
def _beside(
    path: Path, make: Callable[[Path], object], discard: Callable[[Path], object]
) -> Iterator[Path]:
    part = _part_of(path)
    try:
        try:
            make(part)
        except FileExistsError:
            raise _in_the_way(part) from None
        try:
            yield part
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                discard(part)
            raise
        sync_folder(path.parent)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path.name} cannot be written: {reason(error)}") from None


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + PART_SUFFIX)


def _in_the_way(part: Path) -> OutputError:
    return OutputError(f"{part.name} is in the way; move it away, or give another name")


def _make_file(path: Path) -> None:
    os.close(os.open(path, _NEW, 0o666))


def _write_new(name: str, data: bytes) -> None:
    """Write a new file without a file object, which makes more system calls than needed."""
    number = os.open(name, _NEW, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]
    finally:
        os.close(number)


def _sync_all(paths: Iterable[str]) -> None:
    for path in paths:
        _sync(path)


def _sync(path: str | Path) -> None:
    number = os.open(path, _TO_SYNC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def sync_folder(folder: Path) -> None:
    """Return when the disk has the names in a folder. On Windows there is nothing to do.
    OSError.
    """
    if os.name != "posix":
        return
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _NOT_FOR_FOLDERS:
            raise
