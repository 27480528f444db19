"""A trial of one idea on some of the images: find their slices, register them, and see what
stays unexplained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.adoption.coarse.order import SliceLine, through
from sidecar.adoption.coarse.thumbs import ThumbGrid, features, sampled
from sidecar.adoption.fine.combine import Pooled, pool
from sidecar.adoption.fine.register import Registration, refine
from sidecar.adoption.model.placement import Placement
from sidecar.adoption.model.stacks import GrayImage, ImageStack, Slices
from sidecar.grid.axis import Axis

Floats = NDArray[np.float64]


#: Below this correlation of thumbnails, registration cannot start.
HOPELESS = 0.3
#: Slices by which thumbnails may miss the right slice.
ASTRAY = 1.5
#: Images lie at one place. If their fits differ by more than this, in pixels, the worse ones are
#: tried again.
AGREED = 0.3


@dataclass(frozen=True)
class Negative:
    """Images with dark and bright exchanged."""

    images: ImageStack

    @property
    def width(self) -> int:
        return self.images.width

    @property
    def height(self) -> int:
        return self.images.height

    @property
    def names(self) -> Sequence[str]:
        return self.images.names

    def __len__(self) -> int:
        return len(self.images)

    def image(self, number: int) -> GrayImage:
        return -self.images.image(number)


@dataclass(frozen=True)
class Trial:
    """The fits of some ``images`` to their best ``slices``, and the common result."""

    images: NDArray[np.intp]
    slices: NDArray[np.intp]
    fits: tuple[Registration, ...]
    pooled: Pooled
    step: float
    offset: float
    inverted: bool

    @property
    def placement(self) -> Placement:
        return self.pooled.placement

    @property
    def unexplained(self) -> float:
        """Mean part of the images' detail that their slices leave unexplained."""
        return float(np.mean([1 - max(0.0, fit.correlation) ** 2 for fit in self.fits]))

    @property
    def leader(self) -> Registration:
        """The fit that explains most of its image."""
        return max(self.fits, key=lambda fit: fit.correlation)

    @property
    def is_straight(self) -> bool:
        """Whether the slices found are on one line, within the error of thumbnails."""
        return bool(np.abs(self.step * self.images + self.offset - self.slices).max() <= ASTRAY)

    @property
    def correlation(self) -> float:
        return float(np.median([fit.correlation for fit in self.fits]))


def attempt(
    slices: Slices,
    images: ImageStack,
    start: Placement,
    line: SliceLine,
    chosen: Sequence[int],
    reach: int,
    side: int,
    inverted: bool = False,
) -> Trial | None:
    """Register the ``chosen`` images, starting from a placement and a line of slices that are about
    right. None where they are not.

    ``inverted``: dark and bright are exchanged. ``reach``: slices by which the line may be off.
    ``side``: longer side, in pixels, that images are reduced to.
    """
    images = Negative(images) if inverted else images
    found, fits = [], []
    for number, near in zip(chosen, line.at(chosen), strict=True):
        nearest, likeness, fit = _registered(slices, images, int(number), start, near, reach, side)
        if fit is None or likeness < HOPELESS:
            return None
        found.append(nearest)
        fits.append(fit)
    pooled = pool(fits)
    if (
        max(
            pooled.columns_deviation / abs(pooled.placement.columns.factor),
            pooled.rows_deviation / abs(pooled.placement.rows.factor),
        )
        > AGREED
    ):
        leader = max(fits, key=lambda fit: fit.correlation).placement
        for i, number in enumerate(chosen):
            nearest, _, fit = _registered(slices, images, int(number), leader, found[i], 1, side)
            if fit is not None and fit.correlation > fits[i].correlation:
                found[i], fits[i] = nearest, fit
        pooled = pool(fits)
    numbers = np.asarray(chosen, dtype=np.intp)
    step, offset = through(numbers, np.array(found, dtype=np.float64))
    return Trial(
        numbers, np.array(found, dtype=np.intp), tuple(fits), pooled, step, offset, inverted
    )


def _registered(
    slices: Slices,
    images: ImageStack,
    number: int,
    start: Placement,
    near: float,
    reach: int,
    side: int,
) -> tuple[int, float, Registration | None]:
    """The slice found for one image, the likeness of their thumbnails, and the fit. There is no
    fit where the thumbnails are not alike.
    """
    image = start.along_source.apply(images.image(number))
    nearest, likeness = closest_slice(slices, image, start, near, reach)
    if likeness < HOPELESS:
        return nearest, likeness, None
    return (
        nearest,
        likeness,
        refine(slices.plane(nearest), image, start, max(1, max(image.shape) // side)),
    )


def closest_slice(
    slices: Slices, image: GrayImage, placement: Placement, near: float, reach: int
) -> tuple[int, float]:
    """The slice whose thumbnail is most similar to that of an image (v, u), and their likeness.

    The search climbs from ``near``, in steps that start with ``reach`` and halve.
    """
    compare = Comparison(image, placement)
    tried: dict[int, float] = {}

    def like(number: int) -> float:
        if number not in tried:
            tried[number] = compare.with_slice(slices.plane(number))
        return tried[number]

    last = len(slices) - 1
    here = int(np.clip(round(near), 0, last))
    step = max(1, reach)
    while True:
        neighbours = [n for n in (here - step, here + step) if 0 <= n <= last]
        best = max([here, *neighbours], key=like)
        if best != here:
            here = best
        elif step == 1:
            return here, tried[here]
        else:
            step //= 2


class Comparison:
    """The thumbnail of one image at one placement, for comparison with those of slices."""

    def __init__(self, image: GrayImage, placement: Placement) -> None:
        inner = ThumbGrid.of(image.shape[1], image.shape[0])
        self._columns, self._rows = (
            placement.columns @ inner.columns,
            placement.rows @ inner.rows,
        )
        self._features = features(inner.thumb(image))

    def with_slice(self, plane: GrayImage) -> float:
        """Correlation of the features, over the part of the image that lies on the slice."""
        on = np.outer(_inside(self._rows, plane.shape[0]), _inside(self._columns, plane.shape[1]))
        model = features(sampled(plane, self._columns, self._rows)) * on
        seen = self._features * on
        scale = float(np.linalg.norm(model)) * float(np.linalg.norm(seen))
        return float((model * seen).sum()) / scale if scale > 0 else 0.0


def _inside(axis: Axis, length: int) -> GrayImage:
    places = axis.factor * np.arange(axis.size) + axis.offset
    return ((places > -0.5) & (places < length - 0.5)).astype(np.float32)
