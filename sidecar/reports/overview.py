"""Maximum-intensity projections of the PNG stack along its three axes, and the contrast of all
images in a report. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The part of the darkest, and of the brightest, pixels of a 16-bit stack that contrast may clip.
CLIPPED = 0.005
#: Longest side of a projection in pixels. Larger ones show the maximum of blocks of pixels.
LARGEST = 720


@dataclass
class Projections:
    """Maxima along each axis of a stack of ``size`` (x, y, number of PNGs), and how often each
    value occurs in the stack.
    """

    size: tuple[int, int, int]
    channels: int
    bits: int
    along: list[NDArray[Any]] = field(init=False)
    counts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        x, y, numbers = self.size
        colours = (3,) if self.channels == 3 else ()
        self.along = [
            np.zeros((*shape, *colours), f"uint{self.bits}")
            for shape in ((numbers, y), (numbers, x), (y, x))
        ]
        self.counts = np.zeros(2**self.bits, dtype=np.int64)

    def add(self, number: int, image: NDArray[Any]) -> None:
        """Add the PNG with this number, (y, x[, 3])."""
        self.along[0][number] = image.max(axis=1)
        self.along[1][number] = image.max(axis=0)
        np.maximum(self.along[2], image, out=self.along[2])
        if self.bits == 16:
            self.counts += np.bincount(image.ravel(), minlength=len(self.counts))

    def across(self, right: int, down: int) -> NDArray[Any]:
        """The projection (down, right[, 3]) on two PNG axes: 0 is x, 1 is y, 2 is the number.
        ``right`` is less than ``down``.
        """
        return self.along[3 - right - down]

    def contrast(self) -> tuple[float, float]:
        """The PNG values to show as black and as white: the whole range of 8 bits; for 16 bits, the
        range that holds nearly all pixels.
        """
        if self.bits == 8:
            return 0.0, 255.0
        parts = np.cumsum(self.counts) / max(1, self.counts.sum())
        lower, upper = np.searchsorted(parts, [CLIPPED, 1 - CLIPPED])
        return float(lower), float(max(upper, lower + 1))


def shrunk(image: NDArray[Any], largest: int = LARGEST) -> tuple[NDArray[Any], int]:
    """The maximum of each block of n × n pixels, and n.

    n is the smallest that fits ``largest``. Blocks at the end are cut short.
    """
    n = -(-max(image.shape[:2]) // largest)
    for axis in (0, 1):
        image = np.maximum.reduceat(image, np.arange(0, image.shape[axis], n), axis=axis)
    return image, n


def shown(values: NDArray[Any], contrast: tuple[float, float]) -> NDArray[np.uint8]:
    """8-bit shades of PNG values; NaN is black."""
    lower, upper = contrast
    shades = (
        (np.nan_to_num(np.asarray(values, dtype=np.float64), nan=lower) - lower)
        * 255
        / (upper - lower)
    )
    return np.asarray(np.clip(np.floor(shades + 0.5), 0, 255).astype(np.uint8))
