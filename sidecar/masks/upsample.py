"""From the decimated grid to the grid of an output, by exact repetition: a source voxel has the
label of the pixel it lies in. Pure.

    source[sample] = PNG[axis.pixels_of_samples[sample]]        0 where that is -1

A pixel holds the source samples that it is nearest to. What no pixel holds, because it was cropped
off or did not fill a block, is 0: nobody looked at it. Axes are upright here: a PNG stack that was
cut another way is first put in the order of the source (see
`sidecar.masks.source_order`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import ROUNDING, Axis, Lookup, nearest

Fill = Literal["repeat", "interpolate", "none"]
Labels = NDArray[Any]


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
        return self.upper if nearest(self.part) else self.lower


def slices_of_samples(axis: Axis, length: int, fill: Fill) -> tuple[Blend | None, ...]:
    """What each of ``length`` source slices shows, None where nothing.

    ``repeat``: the nearest decimated slice within half a step. ``none``: the source slices that
    these are made of, and no others.
    ``interpolate``: between two of them, both; beyond the first and last, as ``repeat``.
    """
    return tuple(
        _blend(axis, int(pixel), sample, fill)
        for sample, pixel in enumerate(axis.pixels_of_samples(length))
    )


def _blend(axis: Axis, pixel: int, sample: int, fill: Fill) -> Blend | None:
    if pixel < 0 or (fill == "none" and sample not in axis.extent(pixel)):
        return None
    along = axis.to_pixel(float(sample))
    lower = int(np.floor(along + ROUNDING))
    part = along - lower
    if fill != "interpolate" or part < ROUNDING or not 0 <= lower < axis.size - 1:
        return Blend(pixel, pixel)
    return Blend(lower, lower + 1, part)


def expand(plane: Labels, rows: Lookup, columns: Lookup) -> Labels:
    """(len(rows), len(columns)) labels of a decimated plane, by two lookups
    (`Axis.pixels_of_samples`); 0 where those are -1.
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
