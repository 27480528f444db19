"""Which PNG an image reference means, and where labels lie on the PNG stack: the one place through
which every image reference goes, whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, ImageReference, Labels
from sidecar.mapping import Sidecar, image_key

#: What Label Studio puts before the name of an uploaded file: eight hexadecimal digits and a dash.
_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-")
#: Image sizes whose ratio to the PNG's agrees on both axes up to this many PNG pixels are a plain
#: resize.
RESIZE_TOLERANCE = 1.0


@dataclass(frozen=True)
class Placed:
    """(N, 3) PNG pixel x, y, slice, *center*, and what the user should be told."""

    png: NDArray[np.float64]
    notes: tuple[str, ...]


def identify(images: Sequence[ImageReference], sidecar: Sidecar) -> list[int | None]:
    """The PNG slice that each image of one label file means, also behind an upload prefix; None for
    one that is not of this export.
    """
    return [_png_slice(image.name, sidecar) for image in images]


def place(labels: Labels, sidecar: Sidecar) -> Placed:
    """Where each label lies on the PNG stack.

    LabelError names file and row where an image is not of this export, or was resized oddly.
    """
    slices = _slices(labels, sidecar)
    xy, notes = _rescaled(labels, sidecar)
    return Placed(np.column_stack([xy, slices]), notes)


def _png_slice(name: str, sidecar: Sidecar) -> int | None:
    found = sidecar.slice_of(name)
    if found is None:
        prefix = _UPLOAD_PREFIX.match(image_key(name))
        found = sidecar.slice_of(image_key(name)[prefix.end() :]) if prefix else None
    return found


def _slices(labels: Labels, sidecar: Sidecar) -> NDArray[np.float64]:
    meant = [
        np.nan if not image.name.strip() else -1.0 if found is None else float(found)
        for image, found in zip(labels.images, identify(labels.images, sidecar), strict=True)
    ]
    named = np.array(meant)[labels.reference]
    slices = np.where(np.isnan(labels.slice), named, labels.slice)
    _refuse(
        labels,
        named == -1,
        lambda i: f"no PNG of this export is named {labels.image[i]!r} ({_names(sidecar)})",
    )
    _refuse(
        labels,
        np.abs(slices - named) > 0.5,
        lambda i: f"slice {labels.slice[i]:g} is not image {labels.image[i]!r}, slice {named[i]:g}",
    )
    _refuse(labels, np.isnan(slices), lambda _: "names neither an image nor a slice")
    return slices


def _names(sidecar: Sidecar) -> str:
    """What the PNGs of an export are called."""
    files = sidecar.document.images.files
    return (
        f"they are {files[0].name} … {files[-1].name}"
        if len(files) > 1
        else f"there is only {files[0].name}"
    )


def _refuse(labels: Labels, bad: NDArray[np.bool_], message: Callable[[int], str]) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        raise labels.error(first, message(first))


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

    LabelError where one is stated that no plain resize makes of the PNG's.
    """
    width, height = sidecar.size[:2]
    stated_width, stated_height = image.size or (width, height)
    if (
        min(stated_width, stated_height) < 1
        or _misfit(stated_width, stated_height, width, height) > RESIZE_TOLERANCE
    ):
        raise LabelError(
            f"image {image.name!r} is {stated_width} × {stated_height} there, but the PNG is"
            f" {width} × {height}: it was cropped or stretched, or belongs to another export",
            labels.path,
        )
    return width / stated_width, height / stated_height


def _misfit(stated_width: int, stated_height: int, width: int, height: int) -> float:
    """By how many PNG pixels one axis misses when the other is scaled to fit; the better of both
    ways.
    """
    return min(
        abs(stated_width * height / stated_height - width),
        abs(stated_height * width / stated_width - height),
    )
