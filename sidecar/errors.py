"""Every error that a user can meet, and nothing else.

    SidecarError                 root: the command line prints its message and ends with exit code 1
    ├── UsageError               options that contradict each other or make no sense (exit code 2)
    ├── SourceError              the DICOM source: nothing there, ambiguous, corrupt
    │   ├── AmbiguousSeriesError more than one stack fits: names them and how to choose
    │   ├── GeometryError        positions and orientations that do not make a stack
    │   └── PixelError           pixel data that cannot be decoded
    ├── DocumentError            a sidecar.json that is missing, damaged, or too new
    ├── ImageError               images of another program that cannot be adopted
    ├── LabelError               a label or point file, with the row it is about
    ├── ColumnError              a column that points do not have
    ├── OutputError              the place that the output goes to
    ├── BatchError               several errors, of things that were read together
    ├── WorkersLostError         a cluster whose workers keep dying
    └── MissingExtraError        an optional package that is not installed

Errors about a value are also ValueErrors. ColumnError is also a KeyError, and OutputError an
OSError. So code that does not know this package can still catch what it expects.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Protocol


class _PathLike(Protocol):
    """`os.PathLike`, which this module must not import: pure modules import this one."""

    def __fspath__(self) -> str: ...


def _file_name(path: str | _PathLike) -> str:
    """The last part of a path. Messages never tell where on a machine a file is."""
    return str(path).replace("\\", "/").rstrip("/").rpartition("/")[2]


class SidecarError(Exception):
    """Something is wrong that the user can correct. The message says what, where and how."""


class UsageError(SidecarError, ValueError):
    """Options or arguments that contradict each other or make no sense."""


class SourceError(SidecarError, ValueError):
    """The DICOM source cannot be used as it is."""


class AmbiguousSeriesError(SourceError):
    """More than one stack of slices fits the choice of the user."""


class GeometryError(SourceError):
    """Positions, orientations or spacings that do not make a stack of slices."""


class PixelError(SourceError):
    """Pixel data that is missing, cut short or cannot be decoded."""


class DocumentError(SidecarError, ValueError):
    """A sidecar document that is missing, damaged, inconsistent or from a newer major version."""


class LabelError(SidecarError, ValueError):
    """A label or point file that cannot be read or mapped.

    ``path`` names the file, and ``where`` the place in it ("row 7", "shape 3"), as the user sees
    both.
    """

    def __init__(
        self, message: str, path: str | _PathLike | None = None, where: str | None = None
    ) -> None:
        place = ", ".join(part for part in (_file_name(path) if path else None, where) if part)
        super().__init__(f"{place}: {message}" if place else message)
        self.path = path
        self.where = where


class ImageError(SidecarError, ValueError):
    """Images of another program that cannot be read, or are not, or not surely, slices of a scan.

    ``path``: the image or its folder.
    """

    def __init__(self, message: str, path: str | _PathLike | None = None) -> None:
        super().__init__(f"{_file_name(path)}: {message}" if path else message)
        self.path = path


class ColumnError(SidecarError, KeyError):
    """A column that points do not have. The message names the columns that they have."""

    __str__ = Exception.__str__  # a KeyError shows its message in quotes


class OutputError(SidecarError, OSError):
    """The output cannot be written, or something of the user's is in its place."""


class BatchError(SidecarError):
    """Several faults, of sources or stacks that were read together.

    ``faults``: the errors. ``outcome``: the result in spite of them.
    """

    def __init__(self, faults: Sequence[SidecarError], outcome: str) -> None:
        lines = [str(fault).replace("\n", "\n  ") for fault in faults]
        super().__init__(f"{outcome}:" + "".join(f"\n- {line}" for line in lines))
        self.faults = tuple(faults)


def reason(error: OSError) -> str:
    """Why the system did not write. For a full disk it also says what to do.

    The message of a library is never used: it may contain a whole path.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space and run the same command again"
    return error.strerror or "input/output error"


class WorkersLostError(SidecarError, RuntimeError):
    """The workers of a cluster were lost more often than work is given out again. What was
    written can be resumed.
    """

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}; run the same command again to go on where it stopped")


class MissingExtraError(SidecarError, ImportError):
    """A feature needs an optional package. The message names the extra that installs it."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs an optional package: pip install 'dicom-sidecar[{extra}]'"
        )


def printable(text: str) -> str:
    """Text from other sources, with every character escaped that is not printed. Such characters
    could control a terminal.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def named(names: Sequence[str]) -> str:
    """The first three names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(printable, names[:3])) + more


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 slice", "2 slices". ``many``: a plural that does not end in s."""
    return f"{count} {one if count == 1 else many or one + 's'}"
