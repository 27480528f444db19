"""Open the exports that labels may belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sidecar.document import model as documents
from sidecar.document.tag import folded, image_key, split_name
from sidecar.errors import DocumentError, reason
from sidecar.labels.model import AskedStack
from sidecar.mapping import Sidecar
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import WritableLocation


@dataclass(frozen=True, eq=False)
class Export:
    """An export that labels may belong to."""

    sidecar: Sidecar

    def __repr__(self) -> str:
        return f"<Export {self.name}>"

    @classmethod
    def open(cls, place: Place) -> Export:
        """The export of a ``sidecar.json``, or of the folder that holds one.

        DocumentError where there is none, or it cannot be read.
        """
        return cls(Sidecar.open(place))

    @property
    def folder(self) -> WritableLocation | None:
        """The folder of its PNGs; None where only its mapping is known."""
        return self.sidecar.folder

    @property
    def tag(self) -> str | None:
        """The tag of its mapping; None in documents of version 1.0."""
        return self.sidecar.document.images.tag

    @cached_property
    def mapping_tag(self) -> str:
        """The tag of its mapping, also if its document, of version 1.0, does not state it."""
        return self.tag or self.sidecar.tag

    @property
    def series_uid(self) -> str:
        """The Series Instance UID of its source."""
        return self.sidecar.document.source.series_instance_uid

    @cached_property
    def names_have_tag(self) -> bool:
        """Whether the names of its PNGs hold the tag. Those of adopted stacks do not."""
        first = split_name(next(self.png_keys))
        return self.tag is not None and first is not None and first.tag == self.tag

    @cached_property
    def name(self) -> str:
        """The name of the export and of its specimen, for messages and outputs.

        It is the name that was given to it, or the name of its folder. A stack around one landmark
        has the specimen of the stacks beside it.
        """
        document, folder = self.sidecar.document, self.folder
        if document.specimen or folder is None:
            return document.specimen or "scan"
        return (folder if document.zoom is None else folder.parent).resolved().name or "scan"

    @property
    def own_name(self) -> str:
        """Its name in messages, among other exports of its specimen. A stack around one landmark
        has the name of its folder.
        """
        return self.name if self.sidecar.document.zoom is None else self.folder_name or self.name

    @cached_property
    def folder_name(self) -> str:
        """The name of the folder of its PNGs, "" where unknown."""
        return "" if self.folder is None else self.folder.resolved().name

    @cached_property
    def folder_names(self) -> frozenset[str]:
        """What its folder may be called in the paths of its images, `folded`: as it is called, or
        like the specimen.
        """
        return frozenset({folded(self.name), folded(self.folder_name)} - {""})

    @property
    def png_keys(self) -> Iterator[str]:
        """The keys of its PNGs' names (`sidecar.document.tag.image_key`), in slice order."""
        return (image_key(file.name) for file in self.sidecar.document.images.files)

    @property
    def png_size(self) -> tuple[int, int]:
        """Columns and rows of its PNGs."""
        return self.sidecar.size[:2]

    @cached_property
    def png_stack(self) -> AskedStack:
        """The facts about its PNGs that readers may need."""
        columns, rows, slices = self.sidecar.size
        images = self.sidecar.document.images
        spacing = images.spacing
        even = None
        if (
            images.affine is not None and spacing is not None and None not in spacing
        ):  # uneven slices have no single distance
            even = (float(spacing[0] or 0), float(spacing[1] or 0), float(spacing[2] or 0))
        return AskedStack(columns, rows, slices, even, tuple(file.name for file in images.files))

    @cached_property
    def names_told(self) -> str:
        """The pattern of its PNGs' names, for messages."""
        files = self.sidecar.document.images.files
        return (
            f"its PNGs are {files[0].name} … {files[-1].name}"
            if len(files) > 1
            else f"its only PNG is {files[0].name}"
        )


def given_exports(places: Iterable[Place]) -> list[Export]:
    """The exports that the user gives, each as a ``sidecar.json``, its folder, or a folder of such
    folders. An export that is given twice counts once.

    DocumentError for a place without an export.
    """
    found: dict[str, Export] = {}
    for place in map(locate, places):
        for folder in _with_document(place):
            found.setdefault(str(folder.resolved()), Export.open(folder))
    return list(found.values())


def _with_document(place: WritableLocation) -> list[WritableLocation]:
    """The place itself if it holds a ``sidecar.json``; otherwise the folders in it that do."""
    try:
        if not place.is_folder() or (place / documents.SIDECAR_NAME).exists():
            return [place]
        folders = [place / name for name in place.names()]
        inside = [f for f in folders if (f / documents.SIDECAR_NAME).exists()]
    except OSError as error:
        raise DocumentError(f"{place.name} cannot be read: {reason(error)}") from None
    if not inside and not (place / documents.JOURNAL).exists():
        raise DocumentError(
            f"there is no {documents.SIDECAR_NAME} in folder {place.name or place.resolved().name}:"
            " give the folder of an export with --sidecar"
        )
    return inside or [place]
