"""From the decimated grid to the grid of an output, by exact repetition: a source voxel has the
label of the pixel it lies in. Pure.

A pixel p holds the source samples that it is nearest to, source = factor · p + offset (see
`sidecar.grid.axis`); halfway between two it is the lower one. What no pixel holds, because it was
cropped off or did not fill a block, is 0: nobody looked at it. Axes are upright here: a PNG stack
that was cut another way is first put in the order of the source (see `sidecar.masks.source_order`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import Axis

Fill = Literal["repeat", "interpolate", "none"]
Labels = NDArray[Any]
Lookup = NDArray[np.intp]

#: Positions nearer than this, in pixels, are the same: what computing them may be wrong by.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Blend:
    """What an output slice shows: decimated slice ``lower``, or something ``part`` of the way from
    there to ``upper``, 0 < part < 1.
    """

    lower: int
    upper: int
    part: float = 0.0

    @property
    def nearest(self) -> int:
        return self.lower if self.part <= 0.5 else self.upper


def upright(axis: Axis) -> Axis:
    """The same axis, its pixels counted as the source counts its samples."""
    return (
        axis
        if axis.factor > 0
        else Axis(-axis.factor, axis.offset + axis.factor * (axis.size - 1), axis.size, axis.method)
    )


def pixels_of_samples(axis: Axis, length: int) -> Lookup:
    """(length,) the pixel of an upright axis that each source sample lies in, -1 where there is
    none.
    """
    along = (np.arange(length) - axis.offset) / axis.factor
    pixel = np.ceil(along - 0.5 - _ROUNDING).astype(np.intp)
    inside = (pixel >= 0) & (pixel < axis.size)
    if axis.method == "stride":
        inside &= along > -_ROUNDING  # what lies before the first sample was cropped off
    return np.where(inside, pixel, -1)


def samples_of_pixel(axis: Axis, pixel: int) -> range:
    """The source samples that a pixel of an upright axis stands for: those it was made of, the
    nearest where it was resampled.
    """
    centre = axis.factor * pixel + axis.offset
    reach = 0.0 if axis.method == "stride" else (axis.factor - 1) / 2
    return range(round(centre - reach), max(round(centre - reach), round(centre + reach)) + 1)


def slices_of_samples(axis: Axis, length: int, fill: Fill) -> tuple[Blend | None, ...]:
    """What each of ``length`` source slices shows, None where nothing.

    ``repeat``: the nearest decimated slice within half a step. ``none``: the source slices that
    these are made of, and no others.
    ``interpolate``: between two of them, both; beyond the first and last, as ``repeat``.
    """
    return tuple(
        _blend(axis, int(pixel), sample, fill)
        for sample, pixel in enumerate(pixels_of_samples(axis, length))
    )


def _blend(axis: Axis, nearest: int, sample: int, fill: Fill) -> Blend | None:
    if nearest < 0 or (fill == "none" and sample not in samples_of_pixel(axis, nearest)):
        return None
    along = (sample - axis.offset) / axis.factor
    lower = int(np.floor(along + _ROUNDING))
    part = along - lower
    if fill != "interpolate" or part < _ROUNDING or not 0 <= lower < axis.size - 1:
        return Blend(nearest, nearest)
    return Blend(lower, lower + 1, part)


def expand(plane: Labels, rows: Lookup, columns: Lookup) -> Labels:
    """(len(rows), len(columns)) labels of a decimated plane, by the lookups of `pixels_of_samples`;
    0 where those are -1.
    """
    out = np.zeros((len(rows), len(columns)), plane.dtype)
    down, across = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
    wide = plane.take(columns[across], axis=1)
    wide.take(
        rows[down], axis=0, out=out[down[0] : down[-1] + 1, across[0] : across[-1] + 1], mode="clip"
    )
    return out


def pixel_edges(lookup: Lookup, size: int) -> NDArray[np.float64]:
    """(size + 1,) where the edges between pixels lie on the output axis, *center*: the first
    pixel's outer edge first.
    """
    first = int(np.argmax(lookup >= 0))
    counts = np.bincount(lookup[lookup >= 0], minlength=size)
    return np.asarray(first - 0.5 + np.concatenate([[0], np.cumsum(counts)]))


def blended(
    planes: Iterator[Labels | None],
    slices: Sequence[Blend | None],
    between: Callable[[Labels | None, Labels | None, float], Labels | None],
) -> Iterator[Labels | None]:
    """The decimated plane that each output slice shows, in order, None where it is empty; a plane
    that is repeated is the same object.

    ``planes``: all decimated planes in order; two of them are held at a time. ``between``
    interpolates.
    """
    held: dict[int, Labels | None] = {}
    read = enumerate(planes)
    for blend in slices:
        if blend is None:
            yield None
            continue
        while blend.upper not in held:
            held = {k: plane for k, plane in held.items() if k >= blend.lower}
            k, plane = next(read)
            held[k] = plane
        if blend.part:
            yield between(held[blend.lower], held[blend.upper], blend.part)
        else:
            yield held[blend.lower]
