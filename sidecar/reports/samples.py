"""Which source pixels a view is made of, and the view from slices that come one after the other.

Pure: slices are given, none is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import nearest_of, touched
from sidecar.grid.axis_order import AxisOrder
from sidecar.grid.stack import Stack
from sidecar.reports.space import Floats, Space

#: What a source index may be off, in pixels, when it comes from millimetres.
ROUNDING = 1e-6
#: From stored values of one slice to the scale of the PNG values, any shape.
Scale = Callable[[NDArray[Any]], Floats]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an image lies in a view: its left and upper edge and its size, in mm from the middle of
    the view.
    """

    left: float
    top: float
    width: float
    height: float


class View(Protocol):
    """Pixels of the source on the scale of PNG values, once every slice of ``slices`` was taken."""

    placed: Placed

    @property
    def slices(self) -> NDArray[np.intp]: ...

    def take(self, number: int, plane: NDArray[Any], scale: Scale) -> None: ...

    @property
    def pixels(self) -> Floats:
        """(height, width[, 3]); NaN beyond the source."""


def span(centre: float, step: float, size: float, length: int) -> range:
    """The samples that a window of ``size`` mm around ``centre`` touches, of ``length`` that are
    ``step`` mm apart.
    """
    half = size / (2 * step)
    return touched(centre - half, centre + half, length)


def edges(samples: range, centre: float, step: float, sign: int) -> tuple[float, float]:
    """Outer edges, in mm from ``centre``, of a run of samples that is laid out forwards or
    backwards.
    """
    ends = (
        (samples.start - 0.5 - centre) * step * sign,
        (samples.stop - 0.5 - centre) * step * sign,
    )
    return min(ends), max(ends)


def placed(right: tuple[float, float], down: tuple[float, float]) -> Placed:
    return Placed(right[0], down[0], right[1] - right[0], down[1] - down[0])


class Crop:
    """Pixels of one source slice as they are, laid out as a view looks at them."""

    def __init__(self, space: Space, look: AxisOrder, source: Floats, size: float) -> None:
        self._number = nearest_of(source[2], space.stack.slices)
        lengths = (space.stack.columns, space.stack.rows)
        self._spans = [span(source[i], space.steps[i], size, lengths[i]) for i in (0, 1)]
        self._look = AxisOrder(look.along[:2], look.mirrored[:2])
        right, down = (
            edges(self._spans[i], source[i], space.steps[i], sign)
            for i, sign in zip(self._look.along, self._look.signs, strict=True)
        )
        self.placed = placed(right, down)
        self.pixels: Floats = np.zeros((0, 0))

    @property
    def slices(self) -> NDArray[np.intp]:
        return np.array([self._number] if all(self._spans) else [], dtype=np.intp)

    def take(self, number: int, plane: NDArray[Any], scale: Scale) -> None:
        columns, rows = self._spans
        pixels = scale(plane[rows.start : rows.stop, columns.start : columns.stop])
        self.pixels = self._look.apply(pixels).copy()


@dataclass
class CrossSection:
    """A plane across the slices, every sample interpolated linearly between the source pixels
    around it.
    """

    placed: Placed
    shape: tuple[int, int]
    where: NDArray[np.intp]  # (M,) samples that lie in the source, in the order of their slices
    # (M, 3) their source indices, those in the outer half of an outermost voxel moved to its middle
    index: Floats
    channels: tuple[int, ...] = ()
    _sum: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._sum = np.zeros((len(self.where), *self.channels), dtype=np.float32)
        self._below = np.floor(self.index[:, 2]).astype(np.intp)

    @classmethod
    def across(
        cls, space: Space, look: AxisOrder, patient: Floats, size: float, channels: int
    ) -> CrossSection:
        """A section of ``size`` mm through a point (3,), its samples the finest step of the source
        apart, one of them at the point.
        """
        half = int(np.ceil(size / (2 * space.finest) + 0.5)) - 1
        along = np.arange(-half, half + 1) * space.finest
        down, right = (axis.ravel() for axis in np.meshgrid(along, along, indexing="ij"))
        to_right, downwards, _ = space.vectors(look)
        points = patient + right[:, None] * to_right + down[:, None] * downwards
        index = space.stack.to_index(points)
        edge = along[-1] + space.finest / 2
        where, inside = _inside(index, space.stack)
        return cls(
            Placed(-edge, -edge, 2 * edge, 2 * edge),
            (len(along), len(along)),
            where,
            inside,
            (3,) if channels == 3 else (),
        )

    @property
    def slices(self) -> NDArray[np.intp]:
        above = self._below[self.index[:, 2] > self._below] + 1
        return np.union1d(self._below, above)

    def take(self, number: int, plane: NDArray[Any], scale: Scale) -> None:
        for below in (number - 1, number):
            first, last = np.searchsorted(self._below, (below, below + 1))
            index = self.index[first:last]
            weights = 1 - np.abs(index[:, 2] - number)
            values = scale(bilinear(plane, index[:, 0], index[:, 1]))
            self._sum[first:last] += values * weights.reshape(-1, *([1] * len(self.channels)))

    @property
    def pixels(self) -> Floats:
        image = np.full((self.shape[0] * self.shape[1], *self.channels), np.nan)
        image[self.where] = self._sum
        return image.reshape(*self.shape, *self.channels)


def _inside(index: Floats, stack: Stack) -> tuple[NDArray[np.intp], Floats]:
    """Which of (N, 3) indices lie in a voxel of the source, in the order of their slices, and where
    between middles of voxels.
    """
    last = np.array([stack.columns, stack.rows, stack.slices]) - 1.0
    where = np.flatnonzero(
        np.all((index >= -0.5 - ROUNDING) & (index <= last + 0.5 + ROUNDING), axis=1)
    )
    kept = np.clip(index[where], 0, last)
    order = np.argsort(np.floor(kept[:, 2]), kind="stable")
    return where[order], kept[order]


def bilinear(plane: NDArray[Any], columns: Floats, rows: Floats) -> Floats:
    """Values (M[, 3]) of a plane (rows, columns[, 3]) at M places between the middles of its
    pixels.
    """
    left = np.minimum(np.floor(columns).astype(np.intp), max(plane.shape[1] - 2, 0))
    top = np.minimum(np.floor(rows).astype(np.intp), max(plane.shape[0] - 2, 0))
    right, bottom = (
        np.minimum(left + 1, plane.shape[1] - 1),
        np.minimum(top + 1, plane.shape[0] - 1),
    )
    more = (1,) * (plane.ndim - 2)
    across, down = (columns - left).reshape(-1, *more), (rows - top).reshape(-1, *more)
    upper = plane[top, left] * (1 - across) + plane[top, right] * across
    lower = plane[bottom, left] * (1 - across) + plane[bottom, right] * across
    return np.asarray(upper * (1 - down) + lower * down)
