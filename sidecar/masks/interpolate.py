"""Labels between two painted slices, by the shapes' signed distances.

S. P. Raya, J. K. Udupa, "Shape-based interpolation of multidimensional objects", IEEE Transactions
on Medical Imaging 9 (1990) 32–42: the distance to a label's outline, positive inside, is
interpolated linearly; the label is where that is positive. A label that is on one of the two slices
only is kept within half a step of it. Shapes that do not overlap vanish in between.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import MissingExtraError
from sidecar.grid.axis import nearest

Labels = NDArray[Any]


class ShapeInterpolation:
    """Interpolates planes of one spacing: mm, or pixels, between rows and between columns."""

    def __init__(self, spacing: tuple[float, float]) -> None:
        try:
            ndimage: Any = importlib.import_module("scipy.ndimage")
        except ImportError:
            raise MissingExtraError("--fill interpolate", "masks") from None
        self._distance = ndimage.distance_transform_edt
        self._spacing = spacing

    def __call__(self, lower: Labels | None, upper: Labels | None, part: float) -> Labels | None:
        """The (rows, columns) labels ``part`` of the way from ``lower`` to ``upper``;
        None is an empty plane.
        """
        if lower is None or upper is None:
            return upper if nearest(part) else lower
        out = np.zeros_like(lower)
        painted = lower.astype(bool) | upper.astype(bool)
        box = tuple(
            slice(where[0], where[-1] + 1)
            for where in map(np.flatnonzero, (painted.any(axis=1), painted.any(axis=0)))
        )
        out[box] = self._between(lower[box], upper[box], part)
        return out

    def _between(self, lower: Labels, upper: Labels, part: float) -> Labels:
        out = np.zeros_like(lower)
        best = np.zeros(lower.shape)
        for label in np.setdiff1d(np.union1d(lower, upper), [0]):
            inside, inside_upper = lower == label, upper == label
            if inside.any() and inside_upper.any():
                distance = (1 - part) * self._signed(inside) + part * self._signed(inside_upper)
            else:
                distance = self._signed(inside_upper if nearest(part) else inside)
            # Where it is neither in nor out, the lower slice decides, as halfway between two slices
            # everywhere else.
            wins = (distance > best) | ((distance == 0) & (best == 0) & inside)
            out[wins] = label
            np.maximum(best, distance, out=best)
        return out

    def _signed(self, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Distance to the outline, positive inside; a shape ends at the edge of the image."""
        if not inside.any():
            return np.full(inside.shape, -np.inf)
        padded = np.pad(inside, 1)
        distance = self._distance(padded, sampling=self._spacing) - self._distance(
            ~padded, sampling=self._spacing
        )
        return np.asarray(distance[1:-1, 1:-1])
