"""What a target is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import SidecarError


class RefusedError(Exception):
    """The file was refused as it is to be: by one error of ours that a user can read."""


@dataclass(frozen=True)
class Target:
    """Something that reads a file.

    ``seeds()``  whole files, which it takes.
    ``attempt``  (bytes, an empty folder) writes the bytes as a file there and reads it. It returns
                 where the file is taken, and what was read is as promised; raises RefusedError
                 where it is refused as promised; whatever else it raises is a fault.
    """

    name: str
    seeds: Callable[[], list[bytes]]
    attempt: Callable[[bytes, Path], None]


@contextlib.contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """Errors of ours as RefusedError, if they say something, and no path of this machine."""
    try:
        yield
    except SidecarError as error:
        told = str(error)
        assert told
        assert str(folder) not in told, "a message with a path of this machine"
        raise RefusedError(told) from error


def written(folder: Path, name: str, data: bytes) -> Path:
    """A file of these bytes."""
    path = folder / name
    path.write_bytes(data)
    return path
