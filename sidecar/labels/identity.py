"""Labels onto the PNG stack: which PNG an image reference means, and what a resized image does to
its coordinates.

A base name is weak evidence: every export calls its PNGs alike. The tag in a name is proof, and so
are the texts of a PNG that the label file carries; what contradicts them is refused.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sidecar.document.model import Document
from sidecar.document.tag import split_name
from sidecar.errors import LabelError
from sidecar.formats.png_text import read_head
from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, Labels
from sidecar.labels.nearby import nearby_export
from sidecar.labels.references import bare_key, named_path
from sidecar.mapping import Sidecar, image_key

#: Image sizes whose ratio to the PNG's agrees on both axes up to this many PNG pixels are a plain
#: resize.
RESIZE_TOLERANCE = 1.0


@dataclass(frozen=True)
class Placed:
    """(N, 3) PNG pixel x, y, slice, *center*, and what the user should be told."""

    png: NDArray[np.float64]
    notes: tuple[str, ...]


def place(labels: Labels, sidecar: Sidecar) -> Placed:
    """Where each label lies on the PNG stack.

    LabelError names file and row where an image is not of this export, or was resized oddly.
    """
    slices = _slices(labels, sidecar)
    xy, notes = _rescaled(labels, sidecar)
    return Placed(np.column_stack([xy, slices]), notes)


def png_slice(image: str, sidecar: Sidecar) -> int | None:
    """The PNG an image reference means, also in a URL or behind an upload prefix;
    None when it is not of this export.

    The tag in a name settles it, whatever folders or prefixes stand before it.
    """
    readings = (image, named_path(image), bare_key(image))
    found = next((k for k in map(sidecar.slice_of, readings) if k is not None), None)
    name = split_name(bare_key(image))
    if found is None and name is not None and name.tag == sidecar.document.images.tag is not None:
        return name.number if name.number < sidecar.size[2] else None
    return found


def _slices(labels: Labels, sidecar: Sidecar) -> NDArray[np.float64]:
    known = {image: _known(image, sidecar) for image in set(labels.image)}
    named = np.fromiter(map(known.__getitem__, labels.image), np.float64, len(labels))
    slices = np.where(np.isnan(labels.slice), named, labels.slice)
    _refuse(labels, named == -1, lambda i: _foreign(labels, i, sidecar))
    _refuse(
        labels,
        np.abs(slices - named) > 0.5,
        lambda i: f"slice {labels.slice[i]:g} is not image {labels.image[i]!r}, slice {named[i]:g}",
    )
    _refuse(labels, np.isnan(slices), lambda i: "names neither an image nor a slice")
    _refuse_merged(labels, known)
    _refuse_foreign_images(labels, known, sidecar)
    return slices


def _known(image: str, sidecar: Sidecar) -> float:
    """The slice of an image reference; NaN where it names none, -1 where it is not of the stack."""
    if not image.strip():
        return np.nan
    found = png_slice(image, sidecar)
    return -1.0 if found is None else float(found)


def _foreign(labels: Labels, index: int, sidecar: Sidecar) -> str:
    """Why an image reference is not of this export."""
    image, own = labels.image[index], sidecar.document.images.tag
    name = split_name(bare_key(image))
    if name is None or name.tag is None or name.tag == own:
        return f"no PNG of this export is named {image!r}{_names(sidecar)}"
    these = "these PNGs have none" if own is None else f"the tag of these PNGs is {own}"
    tag = name.tag
    whose = nearby_export(labels.path, lambda document: document.images.tag == tag)
    that = f"that of the folder {whose}" if whose else "the sidecar.json of that export"
    return (
        f"image {image!r} is of another export: its tag is {tag}, {these}; give {that} with"
        " --sidecar"
    )


def _refuse_merged(labels: Labels, known: Mapping[str, float]) -> None:
    """Without a tag in their names two different references never become one PNG: every export
    calls its PNGs alike, so they may be of two scans.
    """
    entries = labels.entry or [""] * len(labels)
    meant: dict[float, tuple[str, str]] = {}
    told: dict[float, str] = {}
    for image, entry in dict.fromkeys(zip(labels.image, entries, strict=True)):
        name = split_name(bare_key(image))
        if np.isnan(known[image]) or (name is not None and name.tag is not None):
            continue
        reference = (_without_extension(named_path(image)), entry)
        text = f"{image!r} ({entry})" if entry else repr(image)
        first = meant.setdefault(known[image], reference)
        if first != reference:
            raise labels.error(
                _index_of(labels, entries, image, entry),
                f"images {told[known[image]]} and {text} are two in this file, and both would be"
                f" PNG {known[image]:.0f} of this export: are they of two scans? Keep the labels of"
                " one in the file",
            )
        told.setdefault(known[image], text)


def _without_extension(path: str) -> str:
    """A path as two references to one image have it: without ``./``, case and extension."""
    folder, _, _ = path.strip().rpartition("/")
    kept = [part for part in folder.lower().split("/") if part not in ("", ".")]
    return "/".join([*kept, image_key(path)])


def _index_of(labels: Labels, entries: Sequence[str], image: str, entry: str) -> int:
    return next(
        i
        for i, found in enumerate(zip(labels.image, entries, strict=True))
        if found == (image, entry)
    )


def _refuse_foreign_images(labels: Labels, known: Mapping[str, float], sidecar: Sidecar) -> None:
    """LabelError where the file carries a PNG of another export, as the texts in it say."""
    document = sidecar.document
    for image, data in labels.embedded.items():
        head = read_head(io.BytesIO(data))
        if head is None or "Sidecar" not in head.texts or np.isnan(known.get(image, np.nan)):
            continue
        series, tag = head.texts.get("SeriesInstanceUID"), head.texts.get("Tag")
        number, own = head.texts.get("Slice"), document.source.series_instance_uid
        if series != own:
            found = f"of series {series}, and these PNGs are of series {own}"
        elif tag is not None and tag != document.images.tag:
            found = f"of an export with tag {tag}, and these PNGs have {document.images.tag}"
        elif number != f"{known[image]:.0f}":
            found = f"PNG {number}, and the file names it {image!r}"
        else:
            continue
        raise LabelError(
            f"the image in it is {found}; give the sidecar.json of that export with --sidecar",
            labels.path,
        )


def _names(sidecar: Sidecar) -> str:
    files = sidecar.document.images.files
    return (
        f" (they are {files[0].name} … {files[-1].name})"
        if len(files) > 1
        else f" (there is only {files[0].name})"
    )


def _refuse(labels: Labels, bad: NDArray[np.bool_], message: object) -> None:
    if bad.any():
        assert callable(message)
        first = int(np.argmax(bad))
        raise labels.error(first, message(first))


def _rescaled(labels: Labels, sidecar: Sidecar) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Coordinates on the PNG of labels made on a resized copy: a resize scales from the image's
    outer corner, not from a pixel's middle.
    """
    width, height = sidecar.size[:2]
    ratios: dict[str, tuple[float, float]] = {}
    for image, (stated_width, stated_height) in labels.sizes.items():
        if (stated_width, stated_height) == (width, height):
            continue
        if (
            min(stated_width, stated_height) < 1
            or _misfit(stated_width, stated_height, width, height) > RESIZE_TOLERANCE
        ):
            raise LabelError(
                f"image {image!r} is {stated_width} × {stated_height} there, but the PNG is {width}"
                f" × {height}: it was cropped or stretched, or belongs to another export",
                labels.path,
            )
        size = (stated_width, stated_height)
        whose = nearby_export(labels.path, partial(_has_size, size))
        if whose is not None:
            raise LabelError(
                f"image {image!r} is {stated_width} × {stated_height} there, which is the size of"
                f" the PNGs in the folder {whose}, not of these ({width} × {height}); give the"
                " sidecar.json of that folder with --sidecar",
                labels.path,
            )
        ratios[image] = (width / stated_width, height / stated_height)
    if not ratios:
        return labels.xy, ()
    scale = np.array(
        [ratios.get(image, (1.0, 1.0)) for image in labels.image], dtype=np.float64
    ).reshape(-1, 2)
    half = MIDDLE_OF_FIRST_PIXEL["corner"]
    first = next(iter(ratios))
    note = (
        f"{len(ratios)} images were resized before labelling ({first!r}: by"
        f" {1 / ratios[first][0]:.4g}); scaled back to the PNGs"
    )
    return (labels.xy + half) * scale - half, (note,)


def _has_size(size: tuple[int, int], document: Document) -> bool:
    return document.images.size[:2] == size


def _misfit(stated_width: int, stated_height: int, width: int, height: int) -> float:
    """By how many PNG pixels one axis misses when the other is scaled to fit; the better of both
    ways.
    """
    return min(
        abs(stated_width * height / stated_height - width),
        abs(stated_height * width / stated_width - height),
    )
