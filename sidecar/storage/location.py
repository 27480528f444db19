"""Where files are: on this machine, or behind an fsspec URL such as ``s3://bucket/scan``.

`place` makes a path of either. A remote one has pathlib's methods (see
`sidecar.storage.object_store`); the few operations that differ are here. Nothing of fsspec is
imported before a URL is met.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sidecar.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from sidecar.storage.object_store import Remote

#: Bytes fetched at a time from a remote file where it is read in small steps, as headers are.
HEADER_BLOCK = 1 << 16

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # two characters at least: C:// is a drive


def is_url(text: str | Path) -> bool:
    return isinstance(text, str) and _URL.match(text) is not None


def place(text: str | Path) -> Path:
    """A path of this machine, or for a URL a `Remote`, which has the same methods. Nothing is
    looked up; paths are returned as they are.

    Raises MissingExtraError without the packages for URLs, UsageError for a kind of URL that is not
    known.
    """
    match = _URL.match(text) if isinstance(text, str) else None
    if match is None:
        return Path(text) if isinstance(text, str) else text
    scheme = match[1].lower()
    if scheme in ("file", "local"):
        return Path(str(text)[match.end() :])
    try:
        from sidecar.storage.object_store import Remote

        return cast("Path", Remote.at(str(text)))
    except ImportError:
        raise MissingExtraError(f"{scheme}://", "cloud") from None
    except ValueError:
        raise UsageError(
            f"{scheme}:// is not a kind of place that can be read or written, or nothing follows it"
        ) from None


def remote(path: Path) -> Remote | None:
    """The path as what it is behind a URL; None for one of this machine."""
    return None if isinstance(path, Path) else cast("Remote", path)


def resolved(path: Path) -> Path:
    """The absolute path without links; what a URL names is that already."""
    return path if remote(path) else path.resolve()


def open_read(path: Path, block: int = HEADER_BLOCK) -> io.BufferedReader:
    """The file for reading.

    A remote one is fetched by ranges: ``block`` bytes at a time, longer reads as they are asked
    for.
    """
    far = remote(path)
    return path.open("rb") if far is None else far.reader(block)


def stamp(path: Path) -> tuple[int, int | str]:
    """Size in bytes and what changes with the content: the time of change in ns, or an object's
    ETag. OSError where there is no file.
    """
    far = remote(path)
    if far is not None:
        return far.stamp()
    status = path.stat()
    return status.st_size, status.st_mtime_ns
