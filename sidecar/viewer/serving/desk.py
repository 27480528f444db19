"""What a page works on: PNGs in a folder of this machine, the files that the page may load, and the
labels that it saves.
"""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from sidecar.document.model import SIDECAR_NAME, Document
from sidecar.errors import DocumentError, SidecarError, reason
from sidecar.labels.identity.exports import Export
from sidecar.mapping import Sidecar
from sidecar.storage.locate import locate
from sidecar.viewer.display import SPLIT_FOLDER, Display, display_of
from sidecar.viewer.page import render
from sidecar.viewer.serving.label_file import LabelFile, Placed, placed_in

#: No link is followed and nothing waited for; Windows knows neither flag.
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True)
class Desk(ABC):
    """A page, its folder and its ``labels.csv`` there. ``names``: the landmarks to be placed."""

    folder: Path
    names: tuple[str, ...]
    labels: LabelFile = field(init=False)

    @abstractmethod
    def page(self, around: dict[str, str | None]) -> bytes:
        """The page, with the labels that there are. ``around``: see ``web/keeping/served.js``.

        Raises what `LabelFile.checked` and `display_of` do, and DocumentError for PNGs that are
        links.
        """

    @property
    @abstractmethod
    def documents(self) -> Sequence[Document]:
        """Those of the exports that the page shows."""

    @cached_property
    @abstractmethod
    def files(self) -> frozenset[str]:
        """What the page may load: paths of files in the folder, with /."""

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.resolve().name

    def facts(self) -> dict[str, Any]:
        """What the list of specimens says of it; ``wanted``: how many landmarks it is to have, 0
        where no names were given, and ``placed``: how many of these have a place, or of all.
        """
        try:
            placed, fault = self.placed().count(self.names), None
        except SidecarError as error:
            placed, fault = 0, str(error)
        tags = {document.images.tag or "" for document in self.documents}
        return {
            "name": self.name,
            "specimen": self.documents[0].specimen or "",
            "tag": tags.pop() if len(tags) == 1 else "",
            "placed": placed,
            "wanted": len(self.names),
            "fault": fault,
        }

    def placed(self) -> Placed:
        """What labels.csv holds. LabelError where it cannot be read."""
        return placed_in(self.labels.read().text)

    def open_file(self, name: str) -> tuple[BinaryIO, int] | None:
        """A file that the page may load, and its size; None for every other name.

        DocumentError where it cannot be read, or is a link, which might lead anywhere.
        """
        if name not in self.files:
            return None
        path = self.folder
        try:
            for part in name.split("/"):
                path /= part
                if path.is_symlink():
                    raise DocumentError(f"{name} is a link; put the file itself in its place")
            file = os.fdopen(os.open(path, _READ), "rb")
        except OSError as error:
            raise DocumentError(f"{name} cannot be read: {reason(error)}") from None
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            file.close()
            raise DocumentError(f"{name} is not a file")
        return file, status.st_size

    def served(self, names: Iterable[str], around: dict[str, str | None]) -> dict[str, Any]:
        """What a page is told of its server (``web/keeping/served.js``); ``names`` are listed on
        it.
        """
        content = self.labels.checked()
        return {
            "folders": [self.folder.resolve().parent.name, self.name],
            "names": list(names),
            "labels": {"text": content.text, "revision": content.revision},
            "around": around,
        }


@dataclass(frozen=True)
class ExportDesk(Desk):
    """The page of one export."""

    sidecar: Sidecar

    def __post_init__(self) -> None:
        documents = [self.folder / SIDECAR_NAME]
        labels = LabelFile(self.folder, [Export(self.sidecar)], documents)
        object.__setattr__(self, "labels", labels)

    def page(self, around: dict[str, str | None]) -> bytes:
        document = self.sidecar.document
        refuse_links(self.folder, document)
        return render(document, self._display, self.served(self.names, around)).encode()

    @property
    def documents(self) -> Sequence[Document]:
        return [self.sidecar.document]

    @cached_property
    def files(self) -> frozenset[str]:
        return frozenset(files_of(self.sidecar.document))

    @cached_property
    def _display(self) -> Display:
        return display_of(self.sidecar.document, locate(self.folder))


def files_of(document: Document) -> list[str]:
    """What a browser loads of an export: its PNGs, or the copies that show 16 bits."""
    images = document.images
    folder = f"{SPLIT_FOLDER}/" if images.bits == 16 and images.channels == 1 else ""
    return [f"{folder}{image.name}" for image in images.files]


def refuse_links(folder: Path, document: Document) -> None:
    """DocumentError where an image in ``folder`` is a link, which might lead anywhere, or not a
    file.
    """
    for image in document.images.files:
        try:
            mode = (folder / image.name).lstat().st_mode
        except OSError as error:
            raise DocumentError(f"{image.name} cannot be read: {reason(error)}") from None
        if not stat.S_ISREG(mode):
            what = "is a link; put the file itself in its place"
            raise DocumentError(f"{image.name} {what if stat.S_ISLNK(mode) else 'is not a file'}")
