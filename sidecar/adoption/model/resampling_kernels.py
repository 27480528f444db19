"""Models of images that were made from a source slice in a given way: sampling as sparse matrices.
Pure.

    image = R · slice · Cᵀ

Each row of R, and of C, holds the weights of one pixel along one axis. Kernels are functions of the
distance to the pixel's place in the source. Kernels with an ``f`` widen with the factor: they
average the area of one pixel. The others use only the nearest samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from sidecar.grid.axis import first_touched

Floats = NDArray[np.float64]
Kind = Literal["point", "interpolated", "averaged"]


@dataclass(frozen=True, slots=True)
class Kernel:
    """``weigh(distance, f)`` with ``f`` = max(1, |factor|); zero beyond ``reach(f)`` source pixels.

    ``kind``: whether it takes single samples, interpolates or averages.
    """

    name: str
    kind: Kind
    reach: Callable[[float], float]
    weigh: Callable[[Floats, float], Floats]


def _area(d: Floats, f: float) -> Floats:
    return np.asarray(np.clip(np.minimum(d + 0.5, f / 2) - np.maximum(d - 0.5, -f / 2), 0, None))


def _nearest(d: Floats, f: float) -> Floats:
    return ((d > -0.5) & (d <= 0.5)).astype(np.float64)


def _tent(d: Floats) -> Floats:
    return np.asarray(np.clip(1 - np.abs(d), 0, None))


def _cubic(d: Floats, a: float = -0.5) -> Floats:
    """Keys' cubic convolution; a = −0.5 in most programs, −0.75 in OpenCV."""
    d = np.abs(d)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def _lanczos(d: Floats) -> Floats:
    return np.where(np.abs(d) < 3, np.sinc(d) * np.sinc(d / 3), 0)


AREA = Kernel("mean over the area of a pixel", "averaged", lambda f: f / 2 + 0.5, _area)
NEAREST = Kernel("nearest sample", "point", lambda f: 0.5, _nearest)
KERNELS = (
    NEAREST,
    AREA,
    Kernel("linear interpolation", "interpolated", lambda f: 1, lambda d, f: _tent(d)),
    Kernel("cubic interpolation", "interpolated", lambda f: 2, lambda d, f: _cubic(d)),
    Kernel(
        "cubic interpolation (a = -0.75)",
        "interpolated",
        lambda f: 2,
        lambda d, f: _cubic(d, -0.75),
    ),
    Kernel("antialiased linear", "averaged", lambda f: f, lambda d, f: _tent(d / f)),
    Kernel("antialiased cubic", "averaged", lambda f: 2 * f, lambda d, f: _cubic(d / f)),
    Kernel("antialiased Lanczos", "averaged", lambda f: 3 * f, lambda d, f: _lanczos(d / f)),
)


def matrix(
    length: int, places: Floats, factor: float, kernel: Kernel = AREA
) -> scipy.sparse.csr_array:
    """(len(places), length) weights of ``length`` source samples at each place. Rows add up to
    1, at the border too.
    """
    f = max(1.0, abs(factor))
    reach = kernel.reach(f)
    first = first_touched(places - reach).astype(np.intp)
    samples = first[:, None] + np.arange(int(2 * reach) + 2)
    weights = kernel.weigh(samples - places[:, None], f)
    weights[(samples < 0) | (samples >= length)] = 0
    total = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 1e-9)
    samples = np.clip(samples, 0, length - 1)
    starts = np.arange(0, samples.size + 1, samples.shape[1])
    made = scipy.sparse.csr_array(
        (weights.ravel().astype(np.float32), samples.ravel(), starts), shape=(len(places), length)
    )
    made.eliminate_zeros()
    return made
