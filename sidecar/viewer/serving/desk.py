"""What a page works on: one export, the files of it that the page may load, and the labels that it
saves.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import BatchError, DocumentError, OutputError, SidecarError, reason
from sidecar.mapping import Sidecar
from sidecar.storage.locate import locate
from sidecar.viewer.display import SPLIT_FOLDER, Display, display_of
from sidecar.viewer.page import render
from sidecar.viewer.serving.label_file import LabelFile, count_landmarks

#: No link is followed and nothing waited for; Windows knows neither flag.
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True)
class Desk:
    """One export in a folder of this machine, and the names of landmarks to be placed on it."""

    folder: Path
    sidecar: Sidecar
    names: tuple[str, ...] = ()
    labels: LabelFile = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", LabelFile(self.folder, self.sidecar))

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.resolve().name

    def page(self, around: dict[str, str | None]) -> bytes:
        """The page, with the labels that there are. ``around``: see ``web/served.js``.

        Raises what `LabelFile.checked` and `display_of` do.
        """
        self._refuse_links()
        content = self.labels.checked()
        served = {
            "folders": [self.folder.resolve().parent.name, self.name],
            "names": list(self.names),
            "labels": {"text": content.text, "revision": content.revision},
            "around": around,
        }
        return render(self.sidecar.document, self._display, served).encode()

    def open_file(self, name: str) -> tuple[BinaryIO, int] | None:
        """A file that the page may load, and its size; None for every other name.

        DocumentError where it cannot be read, or is a link, which might lead anywhere.
        """
        if name not in self._files:
            return None
        path = self.folder / name
        try:
            if path.is_symlink() or (path.parent != self.folder and path.parent.is_symlink()):
                raise DocumentError(f"{name} is a link; put the file itself in its place")
            file = os.fdopen(os.open(path, _READ), "rb")
        except OSError as error:
            raise DocumentError(f"{name} cannot be read: {reason(error)}") from None
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            file.close()
            raise DocumentError(f"{name} is not a file")
        return file, status.st_size

    def placed(self) -> int:
        """How many landmarks labels.csv holds. LabelError where it cannot be read."""
        return count_landmarks(self.labels.read().text)

    @cached_property
    def _display(self) -> Display:
        return display_of(self.sidecar.document, locate(self.folder))

    def _refuse_links(self) -> None:
        """DocumentError where an image is a link, which might lead anywhere, or not a file."""
        for image in self.sidecar.document.images.files:
            try:
                mode = (self.folder / image.name).lstat().st_mode
            except OSError as error:
                raise DocumentError(f"{image.name} cannot be read: {reason(error)}") from None
            if not stat.S_ISREG(mode):
                what = "is a link; put the file itself in its place"
                raise DocumentError(
                    f"{image.name} {what if stat.S_ISLNK(mode) else 'is not a file'}"
                )

    @cached_property
    def _files(self) -> frozenset[str]:
        images = self.sidecar.document.images
        is_split = images.bits == 16 and images.channels == 1
        folder = f"{SPLIT_FOLDER}/" if is_split else ""
        return frozenset(f"{folder}{image.name}" for image in images.files)


def desks_in(folder: Path, names: tuple[str, ...] = ()) -> list[Desk]:
    """The desk of the export in ``folder``, or one for every export in the folders in it, by name.

    DocumentError where there is none, or its sidecar.json cannot be read; LabelError for its
    labels.csv, OutputError where it cannot be written; BatchError for several exports of which not
    all can be used.
    """
    if (folder / SIDECAR_NAME).exists():
        return [_desk(folder.resolve(), names)]
    desks, faults = [], []
    for place in _exports_in(folder):
        try:
            desks.append(_desk(place, names))
        except SidecarError as error:
            faults.append(type(error)(f"{place.name}: {error}"))
    if faults:
        raise BatchError(faults, "not all of these exports can be labelled")
    return desks


def _desk(folder: Path, names: tuple[str, ...]) -> Desk:
    """Raises what speaks against labelling an export now, and not only when the first label is
    placed.
    """
    if folder.is_symlink():
        raise DocumentError("it is a link to another place; name the folder itself")
    desk = Desk(folder, Sidecar.open(folder), names)
    desk.labels.checked()
    if not os.access(folder, os.W_OK):
        raise OutputError("the folder cannot be written to, so labels cannot be saved there")
    return desk


def _exports_in(folder: Path) -> Sequence[Path]:
    """The folders with an export in a folder, in order."""
    try:
        if not folder.exists():
            raise DocumentError(f"{folder.name}: there is no such folder")
        inside = sorted(path for path in folder.iterdir() if (path / SIDECAR_NAME).is_file())
    except OSError as error:
        raise DocumentError(f"{folder.name} cannot be read: {reason(error)}") from None
    if not inside:
        raise DocumentError(
            f"{folder.resolve().name} holds no export: neither a {SIDECAR_NAME} nor folders with"
            " one; make it with sidecar export"
        )
    return inside


def facts_of(desk: Desk, number: int) -> dict[str, Any]:
    """What the list of specimens says of one."""
    try:
        placed, fault = desk.placed(), None
    except SidecarError as error:
        placed, fault = 0, str(error)
    document = desk.sidecar.document
    return {
        "number": number,
        "name": desk.name,
        "specimen": document.specimen or "",
        "tag": document.images.tag or "",
        "placed": placed,
        "fault": fault,
    }
