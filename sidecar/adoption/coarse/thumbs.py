"""Thumbnails of slices and images (block means), and their features: local contrast, which does
not depend on the window. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from sidecar.adoption.model.placement import positions
from sidecar.adoption.model.resampling_kernels import matrix
from sidecar.adoption.model.stacks import GrayImage
from sidecar.grid.axis import Axis

#: Longer side of a thumbnail in pixels.
SIDE = 64
#: Blur of the features, and blur of their surroundings, in thumbnail pixels; contrast below this
#: part of the mean contrast counts as noise.
FINE, SURROUNDINGS = 0.7, 4.0
FLAT = 0.2
#: Contrast below this part of the largest value is the rounding of float32 sums.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class ThumbGrid:
    """The blocks of all thumbnails of one stack. Each axis runs from edge to edge."""

    columns: Axis
    rows: Axis

    @classmethod
    def of(cls, columns: int, rows: int, side: int = SIDE) -> ThumbGrid:
        block = max(1.0, max(columns, rows) / side)
        return cls(*(Axis.resize(0, n, max(1, round(n / block))) for n in (columns, rows)))

    def thumb(self, plane: GrayImage) -> GrayImage:
        """(rows.size, columns.size) block means of a plane."""
        return sampled(plane, self.columns, self.rows)


def sampled(plane: GrayImage, columns: Axis, rows: Axis) -> GrayImage:
    """A plane (rows, columns), averaged over the area that each pixel of two axes covers."""
    across = matrix(plane.shape[1], positions(columns), columns.factor)
    down = matrix(plane.shape[0], positions(rows), rows.factor)
    return np.asarray((across @ (down @ plane).T).T, dtype=np.float32)


def features(thumbs: GrayImage) -> GrayImage:
    """Local contrast of (..., rows, columns) thumbnails, divided by the contrast of the
    surroundings. It is near 0 where there is nothing, else about ±1.
    """
    still = [0.0] * (thumbs.ndim - 2)
    lowest, highest = np.percentile(thumbs, [0.5, 99.5], axis=(-2, -1), keepdims=True)
    smooth = scipy.ndimage.gaussian_filter(
        np.clip(thumbs, lowest, highest), (*still, FINE, FINE), mode="nearest"
    )
    contrast = smooth - scipy.ndimage.gaussian_filter(
        smooth, (*still, SURROUNDINGS, SURROUNDINGS), mode="nearest"
    )
    contrast[np.abs(contrast) <= ROUNDING * np.abs(thumbs).max(axis=(-2, -1), keepdims=True)] = 0
    power = scipy.ndimage.gaussian_filter(
        contrast**2, (*still, SURROUNDINGS, SURROUNDINGS), mode="nearest"
    )
    typical = np.sqrt((contrast**2).mean(axis=(-2, -1), keepdims=True))
    scale = np.sqrt(power) + FLAT * typical
    return np.asarray(
        np.divide(contrast, scale, out=np.zeros_like(contrast), where=scale > 0), dtype=np.float32
    )


def likeness(features_of: GrayImage, others: GrayImage) -> GrayImage:
    """(n, m) correlation of n features with m features of the same shape; 0 where either has no
    contrast.
    """
    a, b = (_unit(f) for f in (features_of, others))
    return a @ b.T


def _unit(values: GrayImage) -> GrayImage:
    flat = values.reshape(len(values), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(np.divide(flat, length, out=np.zeros_like(flat), where=length > 0))
