"""Where a marker is found in an image: the independent eye of every round-trip test."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def centroid(image: ArrayLike, near: tuple[float, float], radius: float) -> tuple[float, float]:
    """(x, y) centre of the spot near (x, y), in pixels of the (rows, columns) image; 0 = centre of
    the first pixel.

    ``radius``: how far to look, in pixels. 5 sigma of the spot find it to 2e-4 pixels from sigma 1
    on. 3 sigma do not pull it to any side, but single pixels of the rim then count: 0.004 pixels
    from sigma 1.5 on. The spot may be brighter or darker than its surroundings, which have to be
    flat. Raises ValueError where there is none.
    """
    y, x = _centroid(np.asarray(image, dtype=np.float64), (near[1], near[0]), (radius, radius))
    return x, y


def centroid3d(
    stack: ArrayLike, near: tuple[float, float, float], radius: float, half_depth: float
) -> tuple[float, float, float]:
    """(x, y, slice) centre of the spot in a (slices, rows, columns) stack;
    ``half_depth`` is the radius along the slices.
    """
    slice, y, x = _centroid(
        np.asarray(stack, dtype=np.float64),
        (near[2], near[1], near[0]),
        (half_depth, radius, radius),
    )
    return x, y, slice


def _centroid(
    image: NDArray[np.float64], near: tuple[float, ...], radii: tuple[float, ...]
) -> tuple[float, ...]:
    """Intensity centroid in a window that follows it: flat inside, a cosine slope at the rim.

    At the fixed point the window is centred on the spot, so that it cuts nothing off on one side
    only; the smooth rim keeps single pixels from jumping in and out. The background is the median
    of the shell just outside.
    """
    centre = np.asarray(near, dtype=np.float64)
    axes = np.meshgrid(*map(np.arange, image.shape), indexing="ij", sparse=True)
    for _ in range(200):
        distance = np.sqrt(
            sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True))
        )
        shell = image[(distance > 1) & (distance <= 1.5)]
        if not shell.size:
            raise ValueError("nothing of the image lies around the window")
        window = np.cos(np.pi / 2 * np.clip((distance - 0.6) / 0.4, 0, 1)) ** 2
        weights = window * (image - np.median(shell))
        if not abs(weights.sum()) > 1e-9 * np.ptp(image) or not np.ptp(image):
            raise ValueError(f"no spot near {near}")
        moved = np.array([(weights * axis).sum() / weights.sum() for axis in axes])
        if np.abs(moved - centre).max() < 1e-7:
            return tuple(float(c) for c in moved)
        centre = moved
    raise ValueError(f"no steady spot near {near}")
