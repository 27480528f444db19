"""Exports that lie around a label file: a label that is not of the given export may be of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sidecar.document import model as documents
from sidecar.document.model import Document
from sidecar.errors import DocumentError

#: Folders that are looked into.
_MOST_FOLDERS = 200


def nearby_export(path: Path, fits: Callable[[Document], bool]) -> str | None:
    """The name of the first folder with an export that fits: that of the label file ``path``, one
    in it, or one beside it.
    """
    for folder in _folders(path.absolute().parent):
        try:
            if fits(documents.load(folder / documents.SIDECAR_NAME)):
                return folder.name
        except DocumentError:
            continue
    return None


def _folders(home: Path) -> Iterator[Path]:
    """Folders with a sidecar.json, of the first `_MOST_FOLDERS`."""
    looked = 0
    for parent in (home, home.parent):
        try:
            inside = sorted(place for place in parent.iterdir() if place.is_dir())
        except OSError:
            continue
        for folder in (parent, *inside):
            looked += 1
            if looked > _MOST_FOLDERS:
                return
            if (folder / documents.SIDECAR_NAME).is_file():
                yield folder
