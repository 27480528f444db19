"""Labels onto the PNG stack: which PNG an image reference means, and what a resized image does to
its coordinates.

A base name is weak evidence: every export calls its PNGs alike. The tag in a name is proof, and so
are the texts of a PNG that the label file carries; what contradicts them is refused.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sidecar.document.model import Document
from sidecar.document.tag import split_name
from sidecar.errors import LabelError
from sidecar.formats.png_text import read_head
from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, ImageReference, Labels
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


def identify(images: Sequence[ImageReference], sidecar: Sidecar) -> list[int | None]:
    """The PNG slice that each image of one label file means, also in a URL or behind an upload
    prefix; None for one that is not of this export.
    """
    return [_png_slice(image.name, sidecar) for image in images]


def place(labels: Labels, sidecar: Sidecar) -> Placed:
    """Where each label lies on the PNG stack.

    LabelError names file and row where an image is not of this export, or was resized oddly.
    """
    slices = _slices(labels, sidecar)
    xy, notes = _rescaled(labels, sidecar)
    return Placed(np.column_stack([xy, slices]), notes)


def _png_slice(image: str, sidecar: Sidecar) -> int | None:
    """The tag in a name settles it, whatever folders or prefixes stand before it."""
    readings = (image, named_path(image), bare_key(image))
    found = next((k for k in map(sidecar.slice_of, readings) if k is not None), None)
    name = split_name(bare_key(image))
    if found is None and name is not None and name.tag == sidecar.document.images.tag is not None:
        return name.number if name.number < sidecar.size[2] else None
    return found


def _slices(labels: Labels, sidecar: Sidecar) -> NDArray[np.float64]:
    meant = [
        np.nan if not image.name.strip() else -1.0 if found is None else float(found)
        for image, found in zip(labels.images, identify(labels.images, sidecar), strict=True)
    ]
    named = np.array(meant, np.float64)[labels.reference]
    slices = np.where(np.isnan(labels.slice), named, labels.slice)
    _refuse(labels, named == -1, lambda i: _foreign(labels, i, sidecar))
    _refuse(
        labels,
        np.abs(slices - named) > 0.5,
        lambda i: f"slice {labels.slice[i]:g} is not image {labels.image[i]!r}, slice {named[i]:g}",
    )
    _refuse(labels, np.isnan(slices), lambda _: "names neither an image nor a slice")
    _refuse_merged(labels, meant)
    _refuse_foreign_images(labels, meant, sidecar)
    return slices


def _refuse(labels: Labels, bad: NDArray[np.bool_], message: Callable[[int], str]) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        raise labels.error(first, message(first))


def _foreign(labels: Labels, index: int, sidecar: Sidecar) -> str:
    """Why an image reference is not of this export."""
    image, own = labels.images[labels.reference[index]].name, sidecar.document.images.tag
    name = split_name(bare_key(image))
    if name is None or name.tag is None or name.tag == own:
        return f"no PNG of this export is named {image!r} ({_names(sidecar)})"
    these = "these PNGs have none" if own is None else f"the tag of these PNGs is {own}"
    tag = name.tag
    whose = nearby_export(labels.path, lambda document: document.images.tag == tag)
    that = f"that of the folder {whose}" if whose else "the sidecar.json of that export"
    return (
        f"image {image!r} is of another export: its tag is {tag}, {these}; give {that} with"
        " --sidecar"
    )


def _refuse_merged(labels: Labels, meant: Sequence[float]) -> None:
    """Without a tag in their names two different references never become one PNG: every export
    calls its PNGs alike, so they may be of two scans.
    """
    first: dict[float, tuple[tuple[str, str], str]] = {}
    for k in np.unique(labels.reference).tolist():
        image, png = labels.images[k], meant[k]
        name = split_name(bare_key(image.name))
        if np.isnan(png) or (name is not None and name.tag is not None):
            continue
        reference = (_without_extension(named_path(image.name)), image.entry)
        text = f"{image.name!r} ({image.entry})" if image.entry else repr(image.name)
        other, its_text = first.setdefault(png, (reference, text))
        if other != reference:
            raise labels.error(
                int(np.argmax(labels.reference == k)),
                f"images {its_text} and {text} are two in this file, and both would be PNG"
                f" {png:.0f} of this export: are they of two scans? Keep the labels of one in the"
                " file",
            )


def _without_extension(path: str) -> str:
    """A path as two references to one image have it: without ``./``, case and extension."""
    folder, _, _ = path.strip().rpartition("/")
    kept = [part for part in folder.lower().split("/") if part not in ("", ".")]
    return "/".join([*kept, image_key(path)])


def _refuse_foreign_images(labels: Labels, meant: Sequence[float], sidecar: Sidecar) -> None:
    """LabelError where the file carries a PNG of another export, as the texts in it say."""
    document = sidecar.document
    for image, png in zip(labels.images, meant, strict=True):
        head = None if image.embedded is None else read_head(io.BytesIO(image.embedded))
        if head is None or "Sidecar" not in head.texts or np.isnan(png):
            continue
        series, tag = head.texts.get("SeriesInstanceUID"), head.texts.get("Tag")
        number, own = head.texts.get("Slice"), document.source.series_instance_uid
        if series != own:
            found = f"of series {series}, and these PNGs are of series {own}"
        elif tag is not None and tag != document.images.tag:
            found = f"of an export with tag {tag}, and these PNGs have {document.images.tag}"
        elif number != f"{png:.0f}":
            found = f"PNG {number}, and the file names it {image.name!r}"
        else:
            continue
        raise LabelError(
            f"the image in it is {found}; give the sidecar.json of that export with --sidecar",
            labels.path,
        )


def _names(sidecar: Sidecar) -> str:
    """What the PNGs of an export are called."""
    files = sidecar.document.images.files
    return (
        f"they are {files[0].name} … {files[-1].name}"
        if len(files) > 1
        else f"there is only {files[0].name}"
    )


def _rescaled(labels: Labels, sidecar: Sidecar) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Coordinates on the PNG of labels made on a resized copy: a resize scales from the image's
    outer corner, not from a pixel's middle.
    """
    scales = np.array([_scale(labels, image, sidecar) for image in labels.images]).reshape(-1, 2)
    resized = np.flatnonzero(np.any(scales != 1, axis=1))
    if not len(resized):
        return labels.xy, ()
    half = MIDDLE_OF_FIRST_PIXEL["corner"]
    first = resized[0]
    note = (
        f"{len(resized)} images were resized before labelling ({labels.images[first].name!r}: by"
        f" {1 / scales[first, 0]:.4g}); scaled back to the PNGs"
    )
    return (labels.xy + half) * scales[labels.reference] - half, (note,)


def _scale(labels: Labels, image: ImageReference, sidecar: Sidecar) -> tuple[float, float]:
    """PNG pixels per pixel of an image, 1 where the file states no size for it.

    LabelError where one is stated that no plain resize makes of the PNG's, or that is the size of
    another export nearby.
    """
    width, height = size = sidecar.size[:2]
    stated_width, stated_height = stated = image.size or size
    if stated == size:
        return 1.0, 1.0
    if min(stated) < 1 or _misfit(stated_width, stated_height, width, height) > RESIZE_TOLERANCE:
        raise LabelError(
            f"image {image.name!r} is {stated_width} × {stated_height} there, but the PNG is"
            f" {width} × {height}: it was cropped or stretched, or belongs to another export",
            labels.path,
        )
    whose = nearby_export(labels.path, partial(_has_size, stated))
    if whose is not None:
        raise LabelError(
            f"image {image.name!r} is {stated_width} × {stated_height} there, which is the size of"
            f" the PNGs in the folder {whose}, not of these ({width} × {height}); give the"
            " sidecar.json of that folder with --sidecar",
            labels.path,
        )
    return width / stated_width, height / stated_height


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
