"""Arrays of points as users give them. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.errors import UsageError

Floats = NDArray[np.float64]


def as_points(values: ArrayLike, what: str) -> Floats:
    """N points (N, width), with as many numbers each as ``what`` names, such as "x, y".

    ``values``: an array (N, width), or one point (width,). An empty list means no points.

    UsageError for any other shape. Rows that are too long or too short hold other quantities.
    """
    width = what.count(",") + 1
    points = as_floats(values, what)
    if points.shape == (0,):
        return np.empty((0, width))
    if points.shape == (width,):
        return points[None]
    if points.ndim != 2 or points.shape[1] != width:
        raise UsageError(
            f"an array of shape {points.shape} is not an array of points: (N, {width}) is expected,"
            f" {what} of each point"
        )
    return points


def as_floats(values: ArrayLike, what: str) -> Floats:
    """``values`` as float64. UsageError where they are not numbers."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"these are not numbers, or the rows have different lengths: {what} are expected"
        ) from None


def onto_edge(pixels: Floats, size: tuple[int, int, int], rounding: float) -> Floats:
    """Pixels (N, 3) of a stack of ``size``: those beyond its outer edge by ``rounding`` at most lie
    on the edge. All others, and NaN, stay.
    """
    nearest_inside = np.clip(pixels, -0.5, np.array(size) - 0.5)
    return np.where(np.abs(pixels - nearest_inside) <= rounding, nearest_inside, pixels)
