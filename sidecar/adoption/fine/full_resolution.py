"""One image at full resolution: its slice, its placement, the window that it was clipped to, and
its products with the slices around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sidecar.adoption.fine.clipping import NEGLIGIBLE, Range, window_of
from sidecar.adoption.fine.depth import Products
from sidecar.adoption.fine.register import (
    MOST_PIXELS,
    ImageBands,
    Registration,
    correlation,
    polish,
    refine,
)
from sidecar.adoption.model.placement import Placement
from sidecar.adoption.model.stacks import GrayImage, ImageStack, Slices
from sidecar.adoption.model.tone import fit_tone

#: Number of pixels that are compared where several slices are compared at once.
FEW_PIXELS = MOST_PIXELS // 4
#: Window and placement are searched in turn, at most so many times, and as long as the unexplained
#: part falls by this ratio.
ROUNDS, FALLS = 4, 1.05


@dataclass(frozen=True)
class Closeup:
    """The result for one image.

    ``window``: the source values that it was clipped to before it was reduced, or None.
    """

    number: int
    fit: Registration
    window: Range | None
    products: Products


def look_closely(
    slices: Slices,
    images: ImageStack,
    number: int,
    start: Placement,
    near: float,
    reach: int,
    guess: Range | None,
) -> Closeup:
    """Register one image, starting from a placement that is right to about a pixel.

    Of the slices within ``reach`` of ``near``, the one that explains most of the image is used.
    """
    image = start.along_source.apply(images.image(number))
    middle = int(np.clip(round(near), 0, len(slices) - 1))
    around = range(max(0, middle - reach), min(len(slices), middle + reach + 1))
    nearest = max(around, key=lambda n: likeness(slices.plane(n), image, start))
    plane = slices.plane(nearest)
    fit, window = _with_window(plane, image, refine(plane, image, start), guess)
    return Closeup(
        number,
        fit,
        window,
        _products(
            slices,
            image,
            fit,
            window,
            range(max(0, nearest - reach), min(len(slices), nearest + reach + 1)),
        ),
    )


def clipped(plane: GrayImage, window: Range | None) -> GrayImage:
    """A slice, clipped to a window."""
    return plane if window is None else np.clip(plane, *window)


def likeness(plane: GrayImage, image: GrayImage, placement: Placement) -> float:
    """Correlation of detail between an image (v, u) and its model on a slice, at full
    resolution.
    """
    seen = ImageBands.of(image, placement, most=FEW_PIXELS)
    model, where = seen.predicted(plane), seen.inside(plane.shape)
    return correlation(seen.values, fit_tone(model[where], seen.values[where]).apply(model), where)


def _with_window(
    plane: GrayImage, image: GrayImage, fit: Registration, guess: Range | None
) -> tuple[Registration, Range | None]:
    window = None
    for _ in range(ROUNDS):
        better = window_of(plane, image, fit, window or guess)
        if better is None:
            break
        moved = polish(clipped(plane, better), image, fit.placement)
        if _left(moved) * FALLS > _left(fit):
            break
        fit, window = moved, better
        if _left(fit) < 2 * NEGLIGIBLE:
            break
    return fit, window


def _left(fit: Registration) -> float:
    return 1 - fit.correlation**2 + NEGLIGIBLE


def _products(
    slices: Slices, image: GrayImage, fit: Registration, window: Range | None, around: range
) -> Products:
    seen = ImageBands.of(image, fit.placement, most=FEW_PIXELS)
    models = [
        fit.tone.apply(seen.predicted(clipped(slices.plane(number), window))) for number in around
    ]
    return Products.of(
        seen.values, models, around.start, seen.inside((slices.rows, slices.columns))
    )
