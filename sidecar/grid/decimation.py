"""The map between source index and PNG pixel: an order of three upright axes. Pure.

    source = d(pixel)                            d = d.upright @ d.order
    d.to_source(pixel) = d.upright.to_source(d.order.map(pixel))
    (d @ order).to_source = d.to_source ∘ order.map

A decimation stores its axes as sidecar.json states them, with a negative factor where the PNGs run
the other way. So the numbers of the document are the numbers that map, to the last bit. `order` and
`upright` follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.grid.axis import Axis
from sidecar.grid.axis_order import AxisOrder
from sidecar.grid.points import as_points

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decimation:
    """The axes between source index and PNG pixel.

    ``along``: the source axis (0 columns, 1 rows, 2 slices) along PNG x, y and number.
    """

    columns: Axis
    rows: Axis
    slices: Axis
    along: tuple[int, ...] = (0, 1, 2)

    @classmethod
    def whole(cls, columns: int, rows: int, slices: int) -> Decimation:
        """The decimation that keeps every voxel of a source of this size."""
        across, down, along = (Axis.stride(0, length, 1) for length in (columns, rows, slices))
        return cls(across, down, along)

    @property
    def axes(self) -> tuple[Axis, Axis, Axis]:
        """The axes in the order of the source: columns, rows, slices."""
        return self.columns, self.rows, self.slices

    @property
    def png_axes(self) -> tuple[Axis, Axis, Axis]:
        """The axes in the order of the PNGs: x, y, number."""
        x, y, number = self.along
        return self.axes[x], self.axes[y], self.axes[number]

    @cached_property
    def order(self) -> AxisOrder:
        """Which source axis runs along PNG x, y and number, and in which direction."""
        return AxisOrder.of(self.along, [axis.factor < 0 for axis in self.axes])

    @cached_property
    def upright(self) -> Decimation:
        """The same samples, in the order of the source."""
        return Decimation(self.columns.upright, self.rows.upright, self.slices.upright)

    def __matmul__(self, order: AxisOrder) -> Decimation:
        """The same samples, with the PNGs put in another order."""
        png = [
            axis.reversed() if mirrored else axis
            for axis, mirrored in zip(order.pick(self.png_axes), order.mirrored, strict=True)
        ]
        along = order.pick(self.along)
        columns, rows, slices = (png[along.index(i)] for i in range(3))
        return Decimation(columns, rows, slices, along)

    @property
    def size(self) -> tuple[int, int, int]:
        """PNG columns and rows, and number of PNGs."""
        x, y, number = self.png_axes
        return x.size, y.size, number.size

    @property
    def matrix(self) -> Floats:
        """(4, 4): source index = matrix · (x, y, number, 1)."""
        matrix = np.zeros((4, 4))
        for i, (along, axis) in enumerate(zip(self.along, self.png_axes, strict=True)):
            matrix[along, i], matrix[along, 3] = axis.factor, axis.offset
        matrix[3, 3] = 1
        return matrix

    def to_source(self, pixel: ArrayLike) -> Floats:
        """Source indices (N, 3) of PNG pixels (x, y, number) (N, 3)."""
        pixels = as_points(pixel, "x, y, number")
        source = np.empty_like(pixels)
        for i, (along, axis) in enumerate(zip(self.along, self.png_axes, strict=True)):
            source[:, along] = axis.to_source(pixels[:, i])
        return source

    def to_pixel(self, source: ArrayLike) -> Floats:
        """PNG pixels (x, y, number) (N, 3) of source indices (N, 3)."""
        indices = as_points(source, "column, row, slice")
        return np.column_stack(
            [
                axis.to_pixel(indices[:, along])
                for along, axis in zip(self.along, self.png_axes, strict=True)
            ]
        )
