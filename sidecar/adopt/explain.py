"""How well one way of making the images explains them: depth between slices, kernel, and what remains. Reads slices through `Slices`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.adopt.depth import Products
from sidecar.adopt.forward import AREA, KERNELS, Kernel, Kind, matrix
from sidecar.adopt.placement import Placement
from sidecar.adopt.pool import mean
from sidecar.adopt.register import MOST_PIXELS, Seen, correlation
from sidecar.adopt.snap import ROUNDING
from sidecar.adopt.tone import Tone, fit_tone
from sidecar.adopt.trial import Images, Slices

Floats = NDArray[np.float64]
Plane = NDArray[np.float32]

#: Most slices on either side that an image may be a mean of.
DEEPEST = 8
#: Pixels looked at when several slices are compared at once.
FEW_PIXELS = MOST_PIXELS // 4
#: A smaller part left unexplained by less than this ratio is no reason to prefer one kernel, or one width, to another.
SAME = 1.05


@dataclass(frozen=True)
class Depth:
    """Places of images between the slices, the ``width`` in slices of the means they are, and the line through them."""

    images: NDArray[np.intp]
    places: Floats
    width: float
    step: float
    offset: float
    deviation: float
    products: tuple[Products, ...]

    def unexplained(self, shift: float = 0.0) -> float:
        """Mean part of the images that is unexplained with all of them moved by ``shift`` slices."""
        return self.unexplained_on(self.step, self.offset + shift)

    def unexplained_on(self, step: float, offset: float) -> float:
        """The same on another line of slices."""
        places = step * self.images + offset
        return float(np.mean([p.unexplained(np.array([place]), self.width)[0] for p, place in zip(self.products, places, strict=True)]))


def products_of(slices: Slices, image: Plane, placement: Placement, tone: Tone, near: int, reach: int) -> Products:
    """The products of an image (v, u) with models on the slices around ``near``."""
    seen = Seen.of(image, placement, most=FEW_PIXELS)
    first, last = max(0, near - reach), min(len(slices) - 1, near + reach)
    models = [tone.apply(seen.predicted(slices.plane(number))) for number in range(first, last + 1)]
    return Products.of(seen.values, models, first, seen.inside((slices.rows, slices.columns)))


def reach_of(step: float) -> int:
    """Slices to look at on either side of an image's own."""
    return min(DEEPEST, int(np.ceil(abs(step) / 2)) + 1)


def depth_of(numbers: NDArray[np.intp], products: Sequence[Products], step: float) -> Depth:
    """The line of slices by the places of single images, as means over one slice or over a whole step, whichever explains more."""
    widths = [1.0, abs(step)] if 1.5 < abs(step) <= 2 * DEEPEST - 1 and len(numbers) > 1 else [1.0]
    made = [_depth(numbers, products, width) for width in widths]
    one, whole = made[0], made[-1]
    return whole if whole.unexplained() + ROUNDING < (one.unexplained() + ROUNDING) / SAME else one


def _depth(numbers: NDArray[np.intp], products: Sequence[Products], width: float) -> Depth:
    places = np.array([p.best(width)[0] for p in products])
    count = len(numbers)
    if count == 1:
        step, offset, deviation = 1.0, float(places[0] - numbers[0]), 0.0
    else:
        centre = numbers.mean()
        slopes = [(places[b] - places[a]) / (numbers[b] - numbers[a]) for a in range(count) for b in range(a + 1, count)]
        step = float(np.median(slopes))
        level, spread = mean(places - step * (numbers - centre), np.full(count, 0.01))
        offset, deviation = level - step * centre, spread
    return Depth(numbers, places, width, step, offset, deviation, tuple(products))


def mean_slice(slices: Slices, place: float, width: float) -> Plane:
    """The mean of the slices that an image at ``place`` is made of."""
    weights = matrix(len(slices), np.array([place]), width, AREA).tocoo()
    total: Plane | None = None
    for number, weight in zip(weights.coords[1], weights.data, strict=True):
        part = slices.plane(int(number)) * weight
        total = part if total is None else total + part
    assert total is not None
    return total


@dataclass(frozen=True)
class Sample:
    """One image (v, u) with the slice, or mean of slices, that it was made from."""

    image: Plane
    plane: Plane

    def unexplained(self, placement: Placement, kernel: Kernel) -> float:
        """The part of the image's detail that the model by this kernel at this placement leaves."""
        seen = Seen.of(self.image, placement, most=FEW_PIXELS)
        where = seen.inside(self.plane.shape)
        model = seen.predicted(self.plane, kernel)
        tone = fit_tone(model[where], seen.values[where])
        return 1 - max(0.0, correlation(seen.values, tone.apply(model), where)) ** 2


def sample(slices: Slices, images: Images, number: int, placement: Placement, depth: Depth) -> Sample:
    place = depth.step * number + depth.offset
    return Sample(placement.along_source(images.image(number)), mean_slice(slices, place, depth.width))


def unexplained(samples: Sequence[Sample], placement: Placement, kernel: Kernel) -> float:
    """The mean of some images."""
    return float(np.mean([s.unexplained(placement, kernel) for s in samples]))


def likeliest(samples: Sequence[Sample], placement: Placement) -> tuple[Kernel, frozenset[Kind]]:
    """The kernel that leaves least unexplained, and the kinds of those that cannot be told from it."""
    left = np.array([unexplained(samples, placement, kernel) for kernel in KERNELS]) + ROUNDING
    equals = [kernel for kernel, value in zip(KERNELS, left, strict=True) if value <= SAME * left.min()]
    return equals[0], frozenset(kernel.kind for kernel in equals)
