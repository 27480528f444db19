"""Labels onto the PNG stack: which slice an image name means, and what a resized image does to its
coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, Labels
from sidecar.labels.references import bare_key, named_path
from sidecar.mapping import Sidecar

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
    """
    readings = (image, named_path(image), bare_key(image))
    return next((k for k in map(sidecar.slice_of, readings) if k is not None), None)


def _slices(labels: Labels, sidecar: Sidecar) -> NDArray[np.float64]:
    known: dict[str, float] = {"": np.nan}
    for image in set(labels.image):
        if image.strip():
            found = png_slice(image, sidecar)
            known[image] = -1.0 if found is None else float(found)
        else:
            known[image] = np.nan
    named = np.fromiter(map(known.__getitem__, labels.image), np.float64, len(labels))
    slices = np.where(np.isnan(labels.slice), named, labels.slice)
    _refuse(
        labels,
        named == -1,
        lambda i: f"no PNG of this export is named {labels.image[i]!r}{_names(sidecar)}",
    )
    _refuse(
        labels,
        np.abs(slices - named) > 0.5,
        lambda i: f"slice {labels.slice[i]:g} is not image {labels.image[i]!r}, slice {named[i]:g}",
    )
    _refuse(labels, np.isnan(slices), lambda i: "names neither an image nor a slice")
    return slices


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


def _misfit(stated_width: int, stated_height: int, width: int, height: int) -> float:
    """By how many PNG pixels one axis misses when the other is scaled to fit; the better of both
    ways.
    """
    return min(
        abs(stated_width * height / stated_height - width),
        abs(stated_height * width / stated_width - height),
    )
