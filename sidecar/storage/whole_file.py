"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.errors import OutputError, reason
from sidecar.storage.location import open_read, remote

if TYPE_CHECKING:
    from sidecar.storage.object_store import Remote


PART_SUFFIX = ".part"


#: Bytes of a remote file fetched at a time for its digest: most PNGs at once.
_DIGEST_BLOCK = 1 << 22


#: The kernel makes names in a folder one after the other, and threads that wait for it there keep
#: their processors busy.
_naming = threading.Lock()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it, so that it is there whole or not at all; what is
    remote is so by itself.
    """
    far = remote(path)
    if far is not None:
        return _put(far, data)
    # two workers may be at the same PNG when one seemed lost
    part = f"{path}.{os.urandom(4).hex()}{PART_SUFFIX}"
    try:
        with _naming:
            _write_new(part, data)
            os.replace(part, path)  # noqa: PTH105
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(part)  # noqa: PTH108
        raise OutputError(f"{path.name} cannot be written: {reason(error)}") from None


def _write_new(name: str, data: bytes) -> None:
    """Without a Path, which takes as long to make as the file, or a file object, which asks the
    system more than it has to.
    """
    number = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]
    finally:
        os.close(number)


def _put(far: Remote, data: bytes) -> None:
    try:
        far.put(data)
    except OSError as error:
        raise OutputError(f"{far.name} cannot be written: {reason(error)}") from None


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with open_read(path, _DIGEST_BLOCK) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
