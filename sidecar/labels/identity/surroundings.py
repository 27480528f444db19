"""Find the exports around label files: beside them, in folders beside them, and around the exports
that the user gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.document.model import SIDECAR_NAME
from sidecar.document.tag import folded
from sidecar.document.zoom_list import read_zooms
from sidecar.errors import DocumentError
from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.exports import Export
from sidecar.mapping import Sidecar
from sidecar.storage.locate import locate

#: Most folders around a label file that are searched for exports.
_MOST_FOLDERS = 200


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What must be known of an export that is only nearby. Its document, which may be large, is not
    kept.
    """

    document: Path
    folder_name: str
    tag: str | None
    mapping_tag: str
    png_size: tuple[int, int]


class Surroundings:
    """Exports around label files. Each is opened only once."""

    def __init__(self) -> None:
        self._opened: dict[Path, Export] = {}
        self._of_series: dict[str, Sidecar] = {}
        self._zooms: dict[Path, Candidates | None] = {}
        self._neighbours: dict[Path, Neighbour | None] = {}
        self._folders: dict[tuple[Path, ...], tuple[Path, ...]] = {}
        self._by_name: dict[tuple[Path, ...], dict[str, list[Path]]] = {}

    def open(self, path: Path) -> Export:
        """The export of a ``sidecar.json``. DocumentError where it cannot be read."""
        resolved = path.resolve()
        if resolved not in self._opened:
            self._opened[resolved] = self._sharing_source(Export.open(resolved))
        return self._opened[resolved]

    def beside(self, path: Path) -> Export | None:
        """The export in whose folder a file lies."""
        document = path.absolute().parent / SIDECAR_NAME
        try:
            return self.open(document) if document.is_file() else None
        except DocumentError:
            return None

    def zooms_in(self, folder: Path) -> Candidates | None:
        """The stacks around landmarks in a folder that lists them; None in a folder that does not.
        DocumentError where the list or a stack cannot be read.
        """
        if folder not in self._zooms:
            listed = read_zooms(locate(folder))
            places = (
                [folder / zoom.folder / SIDECAR_NAME for zoom in listed.zooms] if listed else []
            )
            self._zooms[folder] = Candidates(map(self.open, places)) if listed else None
        return self._zooms[folder]

    def around(self, homes: Sequence[Path]) -> Iterator[Neighbour]:
        """The exports in these folders, in subfolders, and in folders beside them. Exports that
        cannot be read are left out.
        """
        return filter(None, map(self._neighbour, self._folders_around(tuple(homes))))

    def called(self, name: str, homes: Sequence[Path]) -> Iterator[Neighbour]:
        """Those of `around` whose folder has this name. The case does not matter."""
        key = tuple(homes)
        if key not in self._by_name:
            by_name: dict[str, list[Path]] = {}
            for folder in self._folders_around(key):
                by_name.setdefault(folded(folder.name), []).append(folder)
            self._by_name[key] = by_name
        return filter(None, map(self._neighbour, self._by_name[key].get(folded(name), ())))

    def _sharing_source(self, export: Export) -> Export:
        """The export, with the same planes object as an earlier export of the same scan.

        Each of many stacks around landmarks has the planes of the whole scan.
        """
        sidecar = export.sidecar
        first = self._of_series.setdefault(export.series_uid, sidecar)
        is_same = first.geometry == sidecar.geometry
        if first is sidecar or not (is_same and first.document.source == sidecar.document.source):
            return export
        document = replace(sidecar.document, source=first.document.source)
        return Export(replace(sidecar, document=document, stack=first.stack))

    def _folders_around(self, homes: tuple[Path, ...]) -> tuple[Path, ...]:
        if homes not in self._folders:
            around = (folder for home in dict.fromkeys(homes) for folder in _folders(home))
            self._folders[homes] = tuple(dict.fromkeys(around))
        return self._folders[homes]

    def _neighbour(self, folder: Path) -> Neighbour | None:
        if folder not in self._neighbours:
            self._neighbours[folder] = self._read(folder / SIDECAR_NAME)
        return self._neighbours[folder]

    def _read(self, document: Path) -> Neighbour | None:
        resolved = document.resolve()
        try:
            export = self._opened.get(resolved) or Export.open(resolved)
        except DocumentError:
            return None
        return Neighbour(
            document, export.folder_name, export.tag, export.mapping_tag, export.png_size
        )


def _folders(home: Path) -> Iterator[Path]:
    """Folders with a sidecar.json, among the first `_MOST_FOLDERS` folders."""
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
            if (folder / SIDECAR_NAME).is_file():
                yield folder
