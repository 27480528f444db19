"""How well one way of making the images explains them: depth between slices, kernel, and the
unexplained part. Reads slices through `Slices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.adoption.fine.clipping import Range
from sidecar.adoption.fine.combine import mean
from sidecar.adoption.fine.depth import ROUNDING, Products
from sidecar.adoption.fine.full_resolution import Closeup, clipped, likeness
from sidecar.adoption.fine.register import ImageBands, correlation
from sidecar.adoption.model.placement import Placement
from sidecar.adoption.model.resampling_kernels import AREA, Kernel, matrix
from sidecar.adoption.model.stacks import GrayImage, ImageStack, Slices
from sidecar.adoption.model.tone import fit_tone

Floats = NDArray[np.float64]

#: Most slices on either side that an image may average.
DEEPEST = 8
#: Slices on either side over which maxima and minima are taken.
REACH = 3
#: Assumed standard deviation of the place of one image, in slices.
VAGUE = 0.05
#: Number of pixels of an image that models are compared with.
SAMPLE_PIXELS = 1 << 16
#: A kernel or width is preferred only if its unexplained part is smaller by this ratio.
SAME = 1.05


@dataclass(frozen=True)
class Depth:
    """The places of images between the slices, and the line through them.

    ``width``: the number of slices that each image averages.
    """

    images: NDArray[np.intp]
    places: Floats
    width: float
    step: float
    offset: float
    deviation: float
    products: tuple[Products, ...]

    def unexplained(self, step: float, offset: float) -> float:
        """Mean unexplained part of the images, where they lie on this line of slices."""
        places = step * self.images + offset
        return float(
            np.mean(
                [
                    p.unexplained(np.array([place]), self.width)[0]
                    for p, place in zip(self.products, places, strict=True)
                ]
            )
        )

    @property
    def astray(self) -> Floats:
        """(images,) distance, in slices, of each image from the line."""
        return self.places - self.step * self.images - self.offset


def reach_of(step: float) -> int:
    """Number of slices to examine on either side of an image's own slice."""
    return min(DEEPEST, int(np.ceil(abs(step) / 2)) + 1)


def depth_of(seen: Sequence[Closeup], step: float) -> Depth:
    """The line of slices through the places of single images.

    Images are taken as means over one slice or over a whole step, whichever explains more.
    """
    widths = [1.0, abs(step)] if 1.5 < abs(step) <= 2 * DEEPEST - 1 and len(seen) > 1 else [1.0]
    made = [_depth(seen, width) for width in widths]
    one, whole = (
        (depth, depth.unexplained(depth.step, depth.offset) + ROUNDING)
        for depth in (made[0], made[-1])
    )
    return whole[0] if whole[1] < one[1] / SAME else one[0]


def _depth(seen: Sequence[Closeup], width: float) -> Depth:
    numbers, products = (
        np.array([c.number for c in seen], dtype=np.intp),
        tuple(c.products for c in seen),
    )
    places = np.array([p.best(width)[0] for p in products])
    count = len(numbers)
    if count == 1:
        return Depth(numbers, places, width, 1.0, float(places[0] - numbers[0]), 0.0, products)
    centre = numbers.mean()
    slopes = [
        (places[b] - places[a]) / (numbers[b] - numbers[a])
        for a in range(count)
        for b in range(a + 1, count)
    ]
    step = float(np.median(slopes))
    level, deviation = mean(places - step * (numbers - centre), np.full(count, VAGUE))
    return Depth(numbers, places, width, step, level - step * centre, deviation, products)


def mean_slice(slices: Slices, place: float, width: float, window: Range | None) -> GrayImage:
    """The mean of slices for an image at ``place``. Each slice is clipped to the window first."""
    weights = matrix(len(slices), np.array([place]), width, AREA).tocoo()
    total: GrayImage | None = None
    for number, weight in zip(weights.coords[1], weights.data, strict=True):
        part = clipped(slices.plane(int(number)), window) * weight
        total = part if total is None else total + part
    assert total is not None
    return total


@dataclass(frozen=True)
class Sample:
    """One image (v, u), with the slice or mean of slices that it was made from.

    ``place``: the place of that slice. ``window``: the window that it was clipped to.
    """

    image: GrayImage
    plane: GrayImage
    place: float
    window: Range | None

    def unexplained(self, placement: Placement, kernel: Kernel) -> float:
        """The part of the image's detail that the model with this kernel at this placement
        leaves unexplained.
        """
        seen = ImageBands.of(self.image, placement, most=SAMPLE_PIXELS)
        where = seen.inside(self.plane.shape)
        model = seen.predicted(self.plane, kernel)
        tone = fit_tone(model[where], seen.values[where])
        return 1 - max(0.0, correlation(seen.values, tone.apply(model), where)) ** 2


def sample(slices: Slices, images: ImageStack, closeup: Closeup, depth: Depth) -> Sample:
    """The image of a close-up, with its slice."""
    place = depth.step * closeup.number + depth.offset
    image = closeup.fit.placement.along_source.apply(images.image(closeup.number))
    return Sample(
        image, mean_slice(slices, place, depth.width, closeup.window), place, closeup.window
    )


def best_extremes(slices: Slices, sample: Sample, placement: Placement) -> float:
    """The part that the best maximum or minimum of several slices, around the place of a sample,
    leaves unexplained.
    """
    first, last = (
        int(np.clip(round(sample.place) + side * REACH, 0, len(slices) - 1)) for side in (-1, 1)
    )
    planes = [clipped(slices.plane(number), sample.window) for number in range(first, last + 1)]
    found = []
    for extreme in (np.maximum, np.minimum):
        stack = planes
        while len(stack) > 1:  # over two slices, over three, and so on
            stack = [
                extreme(one, other)
                for one, other in zip(stack, planes[len(planes) - len(stack) + 1 :], strict=False)
            ]
            found += [
                1 - max(0.0, likeness(plane, sample.image, placement)) ** 2 for plane in stack
            ]
    return min(found, default=1.0)


def unexplained(samples: Sequence[Sample], placement: Placement, kernel: Kernel) -> float:
    """The mean unexplained part of some images."""
    return float(np.mean([s.unexplained(placement, kernel) for s in samples]))
