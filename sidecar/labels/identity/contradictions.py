"""What the images of one label file say of each other, when each has been identified by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.document.tag import image_key
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import (
    Identified,
    Unidentified,
    folders_of,
    is_in_folder_of,
    slice_of,
    stated_tag,
    tag_in,
)
from sidecar.labels.model import ImageReference
from sidecar.labels.references import bare_key, host_and_query, named_path


def refuse_contradictions(
    path: Path,
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """Raise `Unidentified` for the first image of the label file ``path`` that cannot be the PNG of
    ``exports`` that it was found to be, for what another image or the file's own name says.
    """
    _refuse_merged(exports, references, found)
    _refuse_mixed_folders(exports, references, found)
    _refuse_own_name(path, exports, references, found)


def _refuse_merged(
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """Two references without a tag are two images, of two scans perhaps; and one image has one
    size.
    """
    firsts: dict[tuple[int, int], int] = {}
    for number, (reference, png) in enumerate(zip(references, found, strict=True)):
        if png.slice is None:
            continue
        first = firsts.setdefault((png.export, png.slice), number)
        other = references[first]
        tag = exports[png.export].tag
        tagged = tag is not None and stated_tag(reference) == stated_tag(other) == tag
        if not tagged and _whole(reference) != _whole(other):
            raise Unidentified(
                number,
                f"images {other} and {reference} are two in this file, and both would be PNG"
                f" {png.slice} of {exports[png.export].name}: are they of two scans? Say"
                " with --images GLOB whose labels are meant",
            )
        if png.scale != found[first].scale:
            raise Unidentified(
                number, f"image {reference} has another size here than elsewhere in the file"
            )


def _refuse_mixed_folders(
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """Of images that nothing proves, some lie in the folder of an export: then those in other
    folders are of another.
    """
    inside: dict[int, ImageReference] = {}
    outside: dict[int, int] = {}
    for number, (reference, png) in enumerate(zip(references, found, strict=True)):
        if is_in_folder_of(reference.name, exports[png.export]):
            inside.setdefault(png.export, reference)
        elif folders_of(reference.name) and not png.proved:
            outside.setdefault(png.export, number)
    for export, number in outside.items():
        if export in inside:
            raise Unidentified(
                number,
                f"images {inside[export]} and {references[number]} lie in two folders, and only"
                f" one is called like the export {exports[export].name}: are they of two"
                " scans? Say with --images GLOB whose labels are meant",
            )


def _refuse_own_name(
    path: Path,
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """A label file of one PNG that is itself named after another: it, or an image, was
    renamed.
    """
    pngs = {(png.export, png.slice) for png in found}
    if len(pngs) != 1 or not references[0].name.strip():
        return
    ((index, slice_),) = pngs
    export, own = exports[index], bare_key(path.stem)
    named, tag = slice_of(own, export), tag_in(own)
    if named not in (None, slice_) or (named is None and tag not in (None, export.tag)):
        raise Unidentified(
            0,
            f"has labels of one image, and two names for it: {path.stem!r} and"
            f" {references[0].name!r}; rename the file, or correct the name in it",
        )


def _whole(reference: ImageReference) -> tuple[str, ...]:
    """What two references to one image have in common: host and folders, the name without
    extension and case, and the entry.
    """
    name = reference.name
    return (*host_and_query(name), *folders_of(name), image_key(named_path(name)), reference.entry)
