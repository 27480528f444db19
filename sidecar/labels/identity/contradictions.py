"""Refuse contradictions between the images of one label file, after each has been identified
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.document.tag import composed, image_key
from sidecar.labels.copies import original_of
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
from sidecar.labels.references import (
    bare_key,
    host_and_query,
    is_name_of_copy,
    named_path,
    png_in_name,
)


def refuse_contradictions(
    path: Path,
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """Raise `Unidentified` for the first image of the label file ``path`` that cannot be the PNG of
    ``exports`` found for it, because another image or the name of the file contradicts it.
    """
    _refuse_merged(exports, references, found)
    _refuse_mixed_folders(exports, references, found)
    _refuse_own_name(path, exports, references, found)
    _refuse_second_file(path, exports, references, found)


def _refuse_merged(
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """Refuse two images that were found to be the same PNG.

    Two different references without a tag are two images, perhaps of two scans. One image has only
    one size.
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
                f"this file names two images, {other} and {reference}, and both would be PNG"
                f" {png.slice} of {exports[png.export].name}. Are they of two scans? Choose the"
                " images to take with --images GLOB",
            )
        if png.scale != found[first].scale:
            raise Unidentified(
                number,
                f"image {reference} has two different sizes in this file; correct the wrong one",
            )


def _refuse_mixed_folders(
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """If some images lie in the folder of their export, refuse unproved images of it in other
    folders, which may belong to another export.
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
                f"images {inside[export]} and {references[number]} lie in two folders, but only"
                f" one of the folders has the name of the export {exports[export].name}. Are they"
                " of two scans? Choose the images to take with --images GLOB",
            )


def _refuse_own_name(
    path: Path,
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """Refuse a label file of one PNG that has the name of another PNG: the file, or an image, was
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
            f"has labels of one image, but gives it two names: the file is called {path.stem!r},"
            f" and its content says {references[0].name!r}; rename the file, or correct the name"
            " in it",
        )


def _refuse_second_file(
    path: Path,
    exports: Sequence[Export],
    references: Sequence[ImageReference],
    found: Sequence[Identified],
) -> None:
    """Refuse a label file of one PNG without a tag that is the second of its name, because it may
    be of another scan, unless the image in it shows the PNG.
    """
    is_second = original_of(path.stem) != path.stem
    if not is_second or len({(png.export, png.slice) for png in found}) != 1:
        return
    reference, png, export = references[0], found[0], exports[found[0].export]
    is_shown = png.proved and reference.embedded
    if export.names_have_tag or stated_tag(reference) == export.tag is not None or is_shown:
        return
    named = reference.name
    if not named.strip() or is_name_of_copy(named):  # proved, or the name of an adopted PNG
        return
    own = png_in_name(path, export.png_stack) or ""
    if is_name_of_copy(own) and export.sidecar.slice_of(own) is None:
        raise Unidentified(
            0,
            f"the name {path.name!r} is one that browsers and file managers give to a second file"
            f" of one name, so {named!r} may be an image of another scan. If it surely"
            f" is of {export.name}, rename the file",
        )


def _whole(reference: ImageReference) -> tuple[str, ...]:
    """The parts that two references to one image share: host and folders, the name without
    extension and case, and the entry.
    """
    name = composed(reference.name)
    return (*host_and_query(name), *folders_of(name), image_key(named_path(name)), reference.entry)
