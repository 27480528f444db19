"""Between source index and PNG pixel: an order of three upright axes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.grid.axis import Axis

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decimation:
    """The axes between source index and PNG pixel.

    ``order``: the source axis, 0 columns, 1 rows, 2 slices, along each PNG axis.
    """

    columns: Axis
    rows: Axis
    slices: Axis
    order: tuple[int, int, int] = (0, 1, 2)

    @property
    def axes(self) -> tuple[Axis, Axis, Axis]:
        """In the order of the source: columns, rows, slices."""
        return self.columns, self.rows, self.slices

    @property
    def png_axes(self) -> tuple[Axis, Axis, Axis]:
        """In the order of the PNGs: x, y, number."""
        x, y, number = self.order
        return self.axes[x], self.axes[y], self.axes[number]

    @property
    def size(self) -> tuple[int, int, int]:
        """PNG columns and rows, and number of PNGs."""
        x, y, number = self.png_axes
        return x.size, y.size, number.size

    @property
    def matrix(self) -> Floats:
        """(4, 4): source index = matrix · (x, y, number, 1)."""
        matrix = np.eye(4)
        matrix[:3, :3] = 0
        for i, axis in zip(self.order, self.png_axes, strict=True):
            matrix[i, self.order.index(i)], matrix[i, 3] = axis.factor, axis.offset
        return matrix

    def to_source(self, pixel: ArrayLike) -> Floats:
        """Source indices (N, 3) of PNG pixels (x, y, slice) (N, 3)."""
        pixels = np.asarray(pixel, dtype=np.float64).reshape(-1, 3)
        source = np.empty_like(pixels)
        for i, axis in zip(self.order, self.png_axes, strict=True):
            source[:, i] = axis.to_source(pixels[:, self.order.index(i)])
        return source

    def to_pixel(self, source: ArrayLike) -> Floats:
        """PNG pixels (x, y, slice) (N, 3) of source indices (N, 3)."""
        indices = np.asarray(source, dtype=np.float64).reshape(-1, 3)
        return np.column_stack(
            [
                axis.to_pixel(indices[:, i])
                for i, axis in zip(self.order, self.png_axes, strict=True)
            ]
        )
