"""The placement of an image in the plane of its source slice: one line per source axis, and the
axes along which its x and y run. Pure.

    source column = columns.factor · u + columns.offset      (u, v) = along_source (x, y): exchanged
    source row    = rows.factor · v + rows.offset                     where x runs along the rows

A negative factor is a flip. All coordinates are *center*: 0 is the centre of the first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import Axis
from sidecar.grid.axis_order import AxisOrder

Floats = NDArray[np.float64]

#: The source axes (0 columns, 1 rows) along image x and y.
Along = tuple[int, ...]
#: The two cases: not exchanged, exchanged.
ALONG: tuple[Along, Along] = ((0, 1), (1, 0))
#: The eight orders of a plane: axes exchanged or not, source columns and rows flipped or not.
ORIENTATIONS = tuple(
    AxisOrder.of(along, flips) for along in ALONG for flips in product((False, True), repeat=2)
)


def in_words(orientation: AxisOrder) -> str:
    """What was done to the source to make an image of this orientation."""
    columns, rows = (~orientation).mirrored
    flips = [name for name, flipped in (("columns", columns), ("rows", rows)) if flipped]
    words = [f"{' and '.join(flips)} flipped"] if flips else []
    words += ["rows and columns exchanged"] if orientation.along == (1, 0) else []
    return ", ".join(words) or "as the source"


@dataclass(frozen=True, slots=True)
class Placement:
    """The lines from image to source.

    ``columns``: its size counts along u. ``rows``: its size counts along v. ``along``: the source
    axis along image x and y, one of `ALONG`.
    """

    columns: Axis
    rows: Axis
    along: Along

    @classmethod
    def make(
        cls,
        orientation: AxisOrder,
        factors: tuple[float, float],
        starts: tuple[float, float],
        size: tuple[int, int],
    ) -> Placement:
        """A placement from its facts.

        ``factors``: (columns, rows), positive. ``starts``: source coordinates of the image's lower
        outer edges. ``size``: pixels along u and v.
        """
        flips = (~orientation).mirrored
        axes = [_axis(*facts) for facts in zip(factors, starts, size, flips, strict=True)]
        return cls(axes[0], axes[1], orientation.along)

    @property
    def orientation(self) -> AxisOrder:
        return AxisOrder.of(self.along, (self.columns.factor < 0, self.rows.factor < 0))

    @property
    def along_source(self) -> AxisOrder:
        """The order that makes (v, u) of an image (y, x). Axes are exchanged where needed, but
        not flipped: the factors do that.
        """
        return along_source(self.along)

    def moved(self, columns: tuple[float, float], rows: tuple[float, float]) -> Placement:
        """The placement with each axis changed by (shift of its middle, stretch of its half
        length), in source pixels.
        """
        return replace(self, columns=_moved(self.columns, *columns), rows=_moved(self.rows, *rows))


def along_source(along: Along) -> AxisOrder:
    """The order from image x and y, which run along these source axes, to u and v."""
    return ~AxisOrder(along, (False, False))


def edges(axis: Axis) -> tuple[float, float]:
    """Source coordinates of the outer edges of the first and last pixel, the lower one first."""
    return min(axis.ends), max(axis.ends)


def middle(axis: Axis) -> float:
    return axis.offset + axis.factor * (axis.size - 1) / 2


def positions(axis: Axis) -> Floats:
    """(size,) source coordinate of every pixel."""
    return axis.to_source(np.arange(axis.size, dtype=np.float64))


def from_middle(axis: Axis) -> Floats:
    """(size,) place of every pixel, where −1 and 1 are the outer edges. A unit of stretch moves
    a pixel by this number.
    """
    return np.asarray(np.linspace(-1, 1, 2 * axis.size + 1)[1::2], dtype=np.float64)


def _axis(factor: float, start: float, size: int, flip: bool) -> Axis:
    if flip:
        return Axis(-factor, start + factor * (size - 0.5), size, "resize")
    return Axis(factor, start + factor / 2, size, "resize")


def _moved(axis: Axis, shift: float, stretch: float) -> Axis:
    factor = axis.factor + 2 * stretch / axis.size
    return replace(axis, factor=factor, offset=middle(axis) + shift - factor * (axis.size - 1) / 2)
