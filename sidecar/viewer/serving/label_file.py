"""``labels.csv`` of a page: read, checked, and saved so that no writer overwrites what another
one did.

Who saves says which revision its work began from. Where the file is another one by then, nothing is
written, and the writer is given what is there. Each file that is replaced is kept as one of the
last `VERSIONS` in a hidden folder.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.errors import LabelError, OutputError, reason
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions, load_points
from sidecar.labels.text import read_bytes
from sidecar.storage.whole_file import PART_SUFFIX, whole_file
from sidecar.viewer.names import (
    KEPT_FOLDER,
    LABELS_NAME,
    LOCK_NAME,
    version_name,
    version_number,
)

#: Earlier files that are kept.
VERSIONS = 10
#: Bytes of a labels.csv, at most: the page has 20,000 landmarks at most.
LARGEST = 16 * 2**20
#: The columns of labels.csv that the page reads and writes.
COLUMNS = (
    "image", "slice", "label", "x", "y", "specimen", "series_uid", "tag",
    "shape_type", "shape_id", "vertex", "curve_points",
)  # fmt: skip
#: An option in a message, and the advice to give the sidecar.json of another export or folder.
_OPTION = re.compile(r"(?<![\w-])--[a-z]")
_ITS_SIDECAR = re.compile(r"the sidecar\.json of (.+) with --sidecar")
#: Seconds for which another program that saves is waited for.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Content:
    """What labels.csv holds, "" where there is none, and the digest of that."""

    text: str
    revision: str

    @classmethod
    def of(cls, text: str) -> Content:
        return cls(text, hashlib.sha256(text.encode()).hexdigest()[:32])


class ChangedError(Exception):
    """Somebody else saved meanwhile: ``content`` is what is there."""

    def __init__(self, content: Content) -> None:
        super().__init__("labels.csv was changed meanwhile")
        self.content = content


class ReplacedError(Exception):
    """What is in the folder is no longer what the page shows."""


@dataclass(frozen=True)
class LabelFile:
    """The ``labels.csv`` in a folder, of one or several exports. ``documents`` are the files by
    which it is noticed that an export was replaced.
    """

    folder: Path
    exports: Sequence[Export]
    documents: Sequence[Path]
    _stamps: list[tuple[int, int, int]] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_stamps", self._stamps_now())

    @property
    def path(self) -> Path:
        return self.folder / LABELS_NAME

    def read(self) -> Content:
        """What there is. LabelError where it is a link, too large, or no UTF-8 text."""
        if self.path.is_symlink():
            raise LabelError("is a link; put the file itself in its place", self.path)
        if not self.path.exists():
            return Content.of("")
        try:
            return Content.of(read_bytes(self.path, LARGEST).decode())
        except UnicodeDecodeError:
            raise LabelError(
                "is not UTF-8 text; save it again with the encoding UTF-8", self.path
            ) from None

    def checked(self) -> Content:
        """The same, of these exports and in the columns of the page.

        LabelError where the page would not read it, or would lose something of it.
        """
        content = self.read()
        if content.text:
            self._check(self.path, content.text)
        return content

    def save(self, text: str, revision: str) -> Content:
        """Write ``text``, whole or not at all, in the place of the file of this revision; "" takes
        the file away.

        Raises ChangedError where the file is another one, ReplacedError where an export is,
        LabelError for labels that are not of these exports or that `sidecar map-points` would not
        take, OutputError where the file cannot be written.
        """
        with self._lock, self._held():
            if self._stamps != self._stamps_now():
                raise ReplacedError
            there = self.read()
            if there.revision != revision:
                raise ChangedError(there)
            if there.text != text:
                self._replace(there, text)
        return Content.of(text)

    def close(self) -> None:
        """Return when nothing is being written."""
        with self._lock:
            pass

    def _replace(self, there: Content, text: str) -> None:
        if there.text and not text:
            self._keep(there)
            self.path.unlink()
            return
        self.path.with_name(LABELS_NAME + PART_SUFFIX).unlink(missing_ok=True)  # of a killed run
        with whole_file(self.path) as part:
            part.write_bytes(text.encode())
            self._check(part, text)
            if there.text:
                self._keep(there)

    def _check(self, path: Path, text: str) -> None:
        unknown = [name for name in _header(text) if name.lower() not in COLUMNS]
        if unknown:
            raise LabelError(
                f"the page would lose its column {unknown[0]!r}; rename the file, and open it in"
                " the page with Open",
                LABELS_NAME,
            )
        try:
            load_points([path], self.exports, LoadOptions("csv"))
        except LabelError as error:
            named = str(error).replace(f"{LABELS_NAME}{PART_SUFFIX}", LABELS_NAME)
            raise LabelError(_with_ways_out_here(named)) from None

    def _keep(self, content: Content) -> None:
        """Keep a content as the newest version, and no more than `VERSIONS`."""
        kept = self.folder / KEPT_FOLDER
        numbers = sorted(n for entry in kept.iterdir() if (n := version_number(entry.name)))
        with whole_file(kept / version_name(numbers[-1] + 1 if numbers else 1)) as part:
            part.write_bytes(content.text.encode())
        for number in numbers[: -(VERSIONS - 1)]:
            (kept / version_name(number)).unlink(missing_ok=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keep other programs from saving meanwhile. A program that is killed lets go."""
        from filelock import FileLock, Timeout

        kept = hidden_folder(self.folder)
        lock = kept / LOCK_NAME
        if lock.is_symlink():
            raise OutputError(f"{KEPT_FOLDER}/{LOCK_NAME} is a link; remove it")
        try:
            with FileLock(lock, timeout=_PATIENCE):
                yield
        except Timeout:
            raise OutputError(
                f"another program is writing {LABELS_NAME}; saving is tried again"
            ) from None
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(f"{LABELS_NAME} cannot be written: {reason(error)}") from None

    def _stamps_now(self) -> list[tuple[int, int, int]]:
        return [_stamp(document) for document in self.documents]


def _stamp(document: Path) -> tuple[int, int, int]:
    """By which another file in its place is noticed; zeros where there is none."""
    try:
        status = document.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


def hidden_folder(folder: Path) -> Path:
    """The folder for what is kept beside labels, made where there is none.

    OutputError where there can be none, or it leads elsewhere.
    """
    kept = folder / KEPT_FOLDER
    if kept.is_symlink():
        raise OutputError(f"{KEPT_FOLDER} is a link to another place; remove it")
    try:
        kept.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder.name} cannot be written to, so labels cannot be saved there: {reason(error)}"
        ) from None
    return kept


def _with_ways_out_here(message: str) -> str:
    """The message on labels.csv without advice to give an option of `sidecar map-points`: there is
    none of these here. A folder or an export that the advice names is the one to open instead.
    """
    option = _OPTION.search(message)
    end = max(message.rfind(mark, 0, option.start()) for mark in ("; ", ". ")) if option else -1
    if end < 0:
        return message
    named = _ITS_SIDECAR.search(message, end)
    if named is None:
        way_out = "correct it"
    else:
        where = named[1] if "folder" in named[1] else f"the folder of {named[1]}"
        way_out = f"open {where} to go on with these labels"
    return f"{message[:end]}; {way_out}, or move {LABELS_NAME} out of this folder to begin anew"


@dataclass(frozen=True, slots=True)
class Placed:
    """The names of what labels.csv holds: of each landmark, and of each curve once."""

    landmarks: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()

    def count(self, names: Sequence[str] = ()) -> int:
        """How many of these names are there, or how many of all where none are given. A name
        that is empty, of a stack around a landmark without one, is that of any other landmark.
        """
        there = Counter(self.landmarks + self.curves)
        if not names:
            return there.total()
        named = there & Counter(name for name in names if name)
        return named.total() + min(names.count(""), (there - named).total())


def placed_in(text: str) -> Placed:
    """What the text of a labels.csv holds. Vertices of a curve follow each other, from 0."""
    header = [name.lower() for name in _header(text)]
    table = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    landmarks: list[str] = []
    curves: list[str] = []
    last = None
    for cells in [row for row in table if any(cell.strip() for cell in row)][1:]:
        row = dict(zip(header, map(str.strip, cells), strict=False))
        label, kind = row.get("label", ""), row.get("shape_type", "").lower()
        curve = None if kind in ("", "point") else (kind, row.get("shape_id"), label)
        if curve is None:
            landmarks.append(label)
        elif curve != last or row.get("vertex") == "0":
            curves.append(label)
        last = curve
    return Placed(tuple(landmarks), tuple(curves))


def _header(text: str) -> list[str]:
    line = text.removeprefix("\ufeff").partition("\n")[0]
    cells = next(csv.reader([line], delimiter=_delimiter(text)), [])
    return [cell.strip() for cell in cells]


def _delimiter(text: str) -> str:
    """What divides the cells of the header."""
    line = text.partition("\n")[0]
    return max(",;\t", key=line.count)
