"""Read the clues in the name of an image reference, and hold the PNG that was found for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidecar.document.tag import folded, split_name
from sidecar.errors import counted
from sidecar.labels.copies import original_of
from sidecar.labels.identity.exports import Export
from sidecar.labels.model import ImageReference
from sidecar.labels.references import bare_key, named_path

#: An image is a plain resize of a PNG if the ratio of their sizes agrees on both axes up to this
#: many PNG pixels.
RESIZE_TOLERANCE = 1.0


@dataclass(frozen=True, slots=True)
class Identified:
    """The PNG that a reference means.

    ``export``: an index. ``slice``: the PNG, None where the reference has no name. ``scale``: PNG
    pixels per pixel of the labelled image, x and y. ``size``: columns and rows of the labelled
    image, None where unknown. ``proved``: by a tag or an image, not by its name alone.
    """

    export: int
    slice: int | None
    scale: tuple[float, float] = (1.0, 1.0)
    size: tuple[int, int] | None = None
    proved: bool = False


class Unidentified(Exception):
    """The number of a reference that is not certainly a PNG of the exports, and the reason."""

    def __init__(self, reference: int, reason: str) -> None:
        super().__init__(reason)
        self.reference = reference


def stated_tag(reference: ImageReference) -> str | None:
    """The tag in the name of an image, or the tag that the file states for it; None where there is
    none.
    """
    return reference.tag or tag_in(reference.name)


def tag_in(name: str) -> str | None:
    parts = split_name(bare_key(name))
    return parts and parts.tag


def slice_of(reference: str, export: Export) -> int | None:
    """The PNG of an export that a reference names: plainly, in a URL, or behind an upload prefix.

    A name with another specimen's name, but with the tag and a number of this export, also counts.
    So does the name of a second file, which needs a proof.
    """
    bare = bare_key(reference)
    names = (named_path(reference), bare, original_of(bare))
    readings = (export.sidecar.slice_of(name) for name in names)
    found = next((k for k in readings if k is not None), None)
    parts = split_name(bare)
    if found is None and parts is not None and parts.tag == export.tag is not None:
        return parts.number if parts.number < export.sidecar.size[2] else None
    return found


def is_of_second_file(reference: ImageReference, export: Export) -> bool:
    """Whether a reference has the name of a second file, and no PNG of the export is called so."""
    bare = bare_key(reference.name)
    return original_of(bare) != bare and export.sidecar.slice_of(bare) is None


def folders_of(reference: str) -> list[str]:
    """The folders in the path of a reference."""
    return [part for part in named_path(reference).split("/")[:-1] if part not in ("", ".")]


def is_in_folder_of(reference: str, export: Export) -> bool:
    """Whether a reference names the folder of an export, or a folder named like its specimen."""
    return not export.folder_names.isdisjoint(map(folded, folders_of(reference)))


def is_resize(size: tuple[int, int], own: tuple[int, int]) -> bool:
    """Whether an image of ``size`` can be a resized image of the size ``own``, neither cropped nor
    stretched.
    """
    return min(size) > 0 and _misfit(size, own) <= RESIZE_TOLERANCE


def _misfit(stated: tuple[int, int], own: tuple[int, int]) -> float:
    """The misfit of one axis, in PNG pixels, when the other axis is scaled to fit. Of the two
    choices, the smaller misfit.
    """
    (stated_width, stated_height), (width, height) = stated, own
    return min(
        abs(stated_width * height / stated_height - width),
        abs(stated_height * width / stated_width - height),
    )


def notes_of(references: Sequence[ImageReference], found: Sequence[Identified]) -> Iterator[str]:
    """Notes for the user on references that were identified."""
    resized = [n for n, png in enumerate(found) if png.scale != (1.0, 1.0)]
    if resized:
        first, png = references[resized[0]], found[resized[0]]
        size = " × ".join(map(str, png.size or ()))
        yield (
            "labels on resized images were scaled back to the PNGs:"
            f" {counted(len(resized), 'image')}, the first {first.name!r} of {size} (resized by"
            f" {1 / png.scale[0]:.4g})"
        )
