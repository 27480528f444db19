"""Choose the source pixels of a view, and build the view from slices given one after the other.

Pure: no slice is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import nearest_of, touched
from sidecar.grid.axis_order import AxisOrder
from sidecar.grid.stack import Stack
from sidecar.reports.space import Floats, Space

#: Largest rounding error, in pixels, of a source index that comes from millimetres.
ROUNDING = 1e-6
#: Function from stored values of one slice, of any shape, to the scale of the PNG values.
Scale = Callable[[NDArray[Any]], Floats]


@dataclass(frozen=True, slots=True)
class Placed:
    """The position of an image in a view: its left and upper edge, in mm from the middle of the
    view, and its size in mm.
    """

    left: float
    top: float
    width: float
    height: float


class View(Protocol):
    """A view of the source. It has its pixels once it has taken every slice of ``slices``."""

    placed: Placed

    @property
    def slices(self) -> NDArray[np.intp]: ...

    def take(self, number: int, plane: NDArray[Any], scale: Scale) -> None: ...

    @property
    def pixels(self) -> Floats:
        """(height, width[, 3]) on the scale of PNG values; NaN beyond the source."""


def span(centre: float, step: float, size: float, length: int) -> range:
    """The samples that a window of ``size`` mm around sample ``centre`` touches.

    There are ``length`` samples, ``step`` mm apart.
    """
    half = size / (2 * step)
    return touched(centre - half, centre + half, length)


def edges(samples: range, centre: float, step: float, sign: int) -> tuple[float, float]:
    """Outer edges of a run of samples, in mm from ``centre``. ``sign``: forwards or backwards."""
    ends = (
        (samples.start - 0.5 - centre) * step * sign,
        (samples.stop - 0.5 - centre) * step * sign,
    )
    return min(ends), max(ends)


def placed(right: tuple[float, float], down: tuple[float, float]) -> Placed:
    return Placed(right[0], down[0], right[1] - right[0], down[1] - down[0])


class Crop:
    """Pixels of one source slice, not interpolated, in the orientation of a view."""

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


class CrossSection:
    """A plane across the slices. Every sample is interpolated linearly between the source pixels
    around it.

    Where its samples lie is worked out again when the first of its slices comes, and let go of
    with the last: of hundreds of sections, only those around one slice are under way.
    """

    def __init__(
        self, space: Space, look: AxisOrder, patient: Floats, size: float, channels: int
    ) -> None:
        """A section of ``size`` mm through a point (3,).

        Its samples are the finest step of the source apart. One sample is at the point.
        """
        half = int(np.ceil(size / (2 * space.finest) + 0.5)) - 1
        along: Floats = np.arange(-half, half + 1, dtype=np.float64) * space.finest
        self._samples = partial(_samples, space, look, patient, along)
        _, index = self._samples()
        below = _below(index)
        edge = along[-1] + space.finest / 2
        self.slices = np.union1d(below, below[index[:, 2] > below] + 1)
        self.placed = Placed(-edge, -edge, 2 * edge, 2 * edge)
        self._left = len(self.slices)
        self._shape = (len(along), len(along), *((3,) if channels == 3 else ()))
        self._cut: _Cut | None = None
        self._image: NDArray[np.float32] | None = None

    def take(self, number: int, plane: NDArray[Any], scale: Scale) -> None:
        if self._cut is None:
            self._cut = _Cut(*self._samples(), self._shape[2:])
        self._cut.take(number, plane, scale)
        self._left -= 1
        if not self._left:
            self._image, self._cut = self._cut.image(self._shape), None

    @property
    def pixels(self) -> Floats:
        if self._image is None:
            return np.full(self._shape, np.nan)
        return self._image.astype(np.float64)


class _Cut:
    """A section under way: (M,) samples that lie in the source, in the order of their slices, and
    (M, 3) their source indices.
    """

    def __init__(self, where: NDArray[np.intp], index: Floats, channels: tuple[int, ...]) -> None:
        self._where, self._index, self._below = where, index, _below(index)
        self._sum = np.zeros((len(where), *channels), dtype=np.float32)

    def take(self, number: int, plane: NDArray[Any], scale: Scale) -> None:
        for below in (number - 1, number):
            first, last = np.searchsorted(self._below, (below, below + 1))
            index = self._index[first:last]
            weights = 1 - np.abs(index[:, 2] - number)
            values = scale(bilinear(plane, index[:, 0], index[:, 1]))
            self._sum[first:last] += values * weights.reshape(-1, *([1] * (self._sum.ndim - 1)))

    def image(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        image = np.full((shape[0] * shape[1], *shape[2:]), np.nan, np.float32)
        image[self._where] = self._sum
        return image.reshape(shape)


def _samples(
    space: Space, look: AxisOrder, patient: Floats, along: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """Which samples of a section lie in the source, in the order of their slices, and their source
    indices, those in the outer half of an outermost voxel moved to its middle.
    """
    down, right = (axis.ravel() for axis in np.meshgrid(along, along, indexing="ij"))
    to_right, downwards, _ = space.vectors(look)
    points = patient + right[:, None] * to_right + down[:, None] * downwards
    return _inside(space.stack.to_index(points), space.stack)


def _below(index: Floats) -> NDArray[np.intp]:
    """The slice below, or of, each sample."""
    return np.floor(index[:, 2]).astype(np.intp)


def _inside(index: Floats, stack: Stack) -> tuple[NDArray[np.intp], Floats]:
    """Which of (N, 3) indices lie in a voxel of the source, in the order of their slices, and these
    indices, limited to the middles of the outermost voxels.
    """
    last = np.array([stack.columns, stack.rows, stack.slices]) - 1.0
    where = np.flatnonzero(
        np.all((index >= -0.5 - ROUNDING) & (index <= last + 0.5 + ROUNDING), axis=1)
    )
    kept = np.clip(index[where], 0, last)
    order = np.argsort(np.floor(kept[:, 2]), kind="stable")
    return where[order], kept[order]


def bilinear(plane: NDArray[Any], columns: Floats, rows: Floats) -> Floats:
    """Values (M[, 3]) of a plane (rows, columns[, 3]), interpolated at M places between the middles
    of its pixels.
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
