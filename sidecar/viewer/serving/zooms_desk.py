"""The page of all stacks around landmarks that one `sidecar zoom` made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from sidecar.document.model import SIDECAR_NAME, Document
from sidecar.document.zoom_list import ZOOMS_NAME, ZoomList
from sidecar.errors import DocumentError
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.viewer.page import render_zooms
from sidecar.viewer.serving.desk import Desk, files_of, refuse_links
from sidecar.viewer.serving.label_file import LabelFile
from sidecar.viewer.zooms import zooms_data


@dataclass(frozen=True)
class ZoomsDesk(Desk):
    """The stacks in the folders that ``zooms.json`` lists, in its order. Each is around one
    landmark, and ``names`` are those.
    """

    exports: tuple[Export, ...]

    def __post_init__(self) -> None:
        documents = [self.folder / ZOOMS_NAME]
        documents += [self.folder / name / SIDECAR_NAME for name in self._folders]
        object.__setattr__(self, "labels", LabelFile(self.folder, self.exports, documents))

    @classmethod
    def open(cls, folder: Path, listed: ZoomList) -> Self:
        """The stacks of a list. DocumentError where one is not there, or is another one."""
        opened, exports = Surroundings(), []
        for zoom in listed.zooms:
            place = folder / zoom.folder
            if place.is_symlink():
                raise DocumentError(f"{zoom.folder} is a link; put the folder itself in its place")
            export = opened.open(place / SIDECAR_NAME)
            is_here = export.folder_name == zoom.folder  # its document may be a link
            is_listed = export.mapping_tag == zoom.tag and export.sidecar.document.zoom
            if not (is_here and is_listed):
                raise DocumentError(
                    f"{zoom.folder} is not the stack that {ZOOMS_NAME} lists; run the same sidecar"
                    " zoom again"
                )
            exports.append(export)
        return cls(folder, tuple(zoom.label for zoom in listed.zooms), tuple(exports))

    def page(self, around: dict[str, str | None]) -> bytes:
        for folder, document in zip(self._folders, self.documents, strict=True):
            refuse_links(self.folder / folder, document)
        return render_zooms(self._data, self.served((), around)).encode()

    @property
    def documents(self) -> Sequence[Document]:
        return [export.sidecar.document for export in self.exports]

    @cached_property
    def files(self) -> frozenset[str]:
        stacks = zip(self._folders, self.documents, strict=True)
        return frozenset(
            f"{folder}/{name}" for folder, document in stacks for name in files_of(document)
        )

    @cached_property
    def _data(self) -> dict[str, Any]:
        return zooms_data([export.sidecar for export in self.exports])

    @property
    def _folders(self) -> list[str]:
        return [export.folder_name for export in self.exports]
