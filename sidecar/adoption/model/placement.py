"""Where an image lies in the plane of its source slice: one line per source axis, and whether the
axes are exchanged. Pure.

    source column = columns.factor · u + columns.offset
    source row    = rows.factor · v + rows.offset

(u, v) is (x, y), or (y, x) where the image is transposed.
A negative factor is a flip. All coordinates are *center*: 0 is the middle of the first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import Axis

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Orientation:
    """One of the eight ways in which the axes of an image can run: exchanged first, then flipped
    against the source's columns and rows.
    """

    transposed: bool = False
    flip_columns: bool = False
    flip_rows: bool = False

    @property
    def name(self) -> str:
        """In words: what was done to the source to get the image."""
        flips = [
            axis
            for axis, flipped in (("columns", self.flip_columns), ("rows", self.flip_rows))
            if flipped
        ]
        words = [f"{' and '.join(flips)} flipped"] * bool(flips) + [
            "rows and columns exchanged"
        ] * self.transposed
        return ", ".join(words) or "as the source"

    def turned(self, image: NDArray[Any]) -> NDArray[Any]:
        """An image (rows, columns) with its axes along those of the source: undoes the
        orientation.
        """
        image = image.T if self.transposed else image
        return image[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]


ORIENTATIONS = tuple(Orientation(*flags) for flags in product((False, True), repeat=3))


@dataclass(frozen=True, slots=True)
class Placement:
    """``columns`` and ``rows`` from image to source;
    ``columns.size`` counts along u, ``rows.size`` along v.
    """

    columns: Axis
    rows: Axis
    transposed: bool

    @classmethod
    def make(
        cls,
        orientation: Orientation,
        factors: tuple[float, float],
        starts: tuple[float, float],
        size: tuple[int, int],
    ) -> Placement:
        """``factors`` (columns, rows) positive;
        ``starts``: source coordinate of the image's lower outer edges; ``size`` along u and v.
        """
        flips = (orientation.flip_columns, orientation.flip_rows)
        axes = [_axis(*facts) for facts in zip(factors, starts, size, flips, strict=True)]
        return cls(axes[0], axes[1], orientation.transposed)

    @property
    def orientation(self) -> Orientation:
        return Orientation(self.transposed, self.columns.factor < 0, self.rows.factor < 0)

    def along_source(self, image: NDArray[Any]) -> NDArray[Any]:
        """An image (y, x) as (v, u): transposed where it has to be, not flipped (the factors do
        that).
        """
        return image.T if self.transposed else image

    def moved(self, columns: tuple[float, float], rows: tuple[float, float]) -> Placement:
        """With each axis changed by (shift of its middle, stretch of its half length) in source
        pixels.
        """
        return replace(self, columns=_moved(self.columns, *columns), rows=_moved(self.rows, *rows))


def edges(axis: Axis) -> tuple[float, float]:
    """Source coordinates of the outer edges of the first and last pixel, lower one first."""
    ends = axis.offset - axis.factor / 2, axis.offset + axis.factor * (axis.size - 0.5)
    return min(ends), max(ends)


def middle(axis: Axis) -> float:
    return axis.offset + axis.factor * (axis.size - 1) / 2


def positions(axis: Axis) -> Floats:
    """(size,) source coordinate of every pixel."""
    return axis.to_source(np.arange(axis.size, dtype=np.float64))


def from_middle(axis: Axis) -> Floats:
    """(size,) place of every pixel between −1 and 1, the outer edges; what a unit of stretch
    multiplies.
    """
    return np.asarray(np.linspace(-1, 1, 2 * axis.size + 1)[1::2], dtype=np.float64)


def _axis(factor: float, start: float, size: int, flip: bool) -> Axis:
    if flip:
        return Axis(-factor, start + factor * (size - 0.5), size, "resize")
    return Axis(factor, start + factor / 2, size, "resize")


def _moved(axis: Axis, shift: float, stretch: float) -> Axis:
    factor = axis.factor + 2 * stretch / axis.size
    return replace(axis, factor=factor, offset=middle(axis) + shift - factor * (axis.size - 1) / 2)
