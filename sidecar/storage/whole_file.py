"""Files and folders of this machine that are there whole or not at all.

What is written comes first beside its place, under a name that ends in ``.part`` and that nothing
had before, not even a link that leads nowhere. It is renamed when it is whole and the disk has it:
a power failure leaves the old file or the new one.
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

#: Files that the disk is asked for at the same time: it takes many in one go.
_SYNCED_TOGETHER = 8
#: What the system says of folders that it cannot sync: those of some network file systems, and
#: those that may be written to but not read.
_NOT_FOR_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES})
#: Windows syncs only what may be written.
_TO_SYNC = os.O_RDONLY if os.name == "posix" else os.O_RDWR
_NEW = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

#: The kernel makes names in a folder one after the other, and threads that wait for it there keep
#: their processors busy.
_naming = threading.Lock()


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A new, empty file beside ``path`` to be written, which becomes ``path`` when the ``with``
    ends, safe from a power failure; it goes when the ``with`` is left by an exception.

    OutputError where the new file's name is taken, or anything within raises an OSError.
    """
    with _beside(path, _make_file, os.unlink) as part:
        yield part
        _sync(part)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The same for a folder of files; ``path`` may be an empty folder, which it replaces."""
    with _beside(path, os.mkdir, shutil.rmtree) as part:
        yield part
        sync_files(part, [entry.name for entry in part.iterdir()])
        if path.is_dir():
            path.rmdir()


def is_part(name: str) -> bool:
    """Whether a file is named as one that is not whole yet."""
    return name.endswith(PART_SUFFIX)


def without_part(name: str) -> str:
    """The name that a file gets when it is whole; of any other file its own."""
    return _PART.sub("", name)


def refuse_taken_part(path: Path) -> None:
    """OutputError where something lies in the place that `whole_file` and `whole_folder` write to
    first.
    """
    part = _part_of(path)
    if os.path.lexists(part):
        raise _in_the_way(part)


def write_unsynced(path: str, data: bytes) -> None:
    """Write a file whole or not at all, which only `sync_files` makes safe from a power failure.

    Without a Path, which takes as long to make as the file. OutputError where it cannot be written.
    """
    # two workers may be at the same PNG when one seemed lost
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
    """Return when the disk has these files of a folder, and the folder their names. OSError."""
    from concurrent.futures import ThreadPoolExecutor  # not loaded where one file is written

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
    """Without a file object, which asks the system more than it has to."""
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
    """Return when the disk has the names in a folder. Windows has no such thing. OSError."""
    if os.name != "posix":
        return
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _NOT_FOR_FOLDERS:
            raise
