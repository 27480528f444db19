"""From the decimated grid to the grid of an output: which decimated pixels a source voxel shows.
Pure.

A source sample shows the nearest pixel. Halfway between two pixels neither is nearer. There it
shows the label on which both agree, and shapes between the two where they differ (see
`sidecar.masks.interpolate`). So no axis is shifted to one side. A sample that no pixel covers,
because it was cropped off or did not fill a block, is 0: nobody looked at it. Axes are upright
here. A PNG stack that was cut in another direction is first put in the order of the source (see
`sidecar.masks.source_order`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import ROUNDING, Axis, Lookup, is_halfway
from sidecar.masks.interpolate import Change, change_between
from sidecar.masks.model import LabelArray

Fill = Literal["repeat", "interpolate", "none"]


@dataclass(frozen=True, slots=True)
class Blend:
    """What a sample shows: decimated pixel ``lower``, or the shapes at ``part`` of the way from
    there to ``upper``, 0 < part < 1.
    """

    lower: int
    upper: int
    part: float = 0.0


def blends_of_samples(axis: Axis, length: int, fill: Fill) -> tuple[Blend | None, ...]:
    """What each of ``length`` source samples shows; None where it shows nothing.

    ``repeat``: the nearest pixel within half a step; halfway, a blend of both.
    ``interpolate``: between two pixels, a blend of both; beyond the first and last, as ``repeat``.
    ``none``: as ``repeat`` for the samples that a pixel stands for, and nothing for the others.
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
    between = part > ROUNDING if fill == "interpolate" else is_halfway(along)
    if between and 0 <= lower < axis.size - 1:
        return Blend(lower, lower + 1, part)
    return Blend(pixel, pixel)


@dataclass(frozen=True)
class Cells:
    """The columns, or rows, of a grid, in as few cells as possible: neighbours that show the same
    are one cell.

    ``shown``   what each cell shows: a decimated pixel, or what lies halfway between two.
    ``lookup``  the cell of each column of the grid, -1 where there is none.
    """

    shown: tuple[Blend, ...]
    lookup: Lookup

    @classmethod
    def of_samples(cls, axis: Axis, length: int) -> Cells:
        """The cells of ``length`` source columns."""
        blends = blends_of_samples(axis, length, "repeat")
        shown = tuple(dict.fromkeys(blend for blend in blends if blend is not None))
        number: dict[Blend | None, int] = {blend: n for n, blend in enumerate(shown)}
        return cls(shown, np.array([number.get(blend, -1) for blend in blends], dtype=np.intp))

    @classmethod
    def of_pixels(cls, size: int) -> Cells:
        """The cells of the decimated grid itself."""
        return cls(tuple(Blend(p, p) for p in range(size)), np.arange(size))

    @cached_property
    def _ends(self) -> tuple[Lookup, Lookup]:
        """The decimated pixels that each cell lies between. Where no cell lies between two
        pixels, both are the same array.
        """
        lower = np.array([blend.lower for blend in self.shown], dtype=np.intp)
        upper = np.array([blend.upper for blend in self.shown], dtype=np.intp)
        return lower, lower if np.array_equal(lower, upper) else upper

    @property
    def edges(self) -> NDArray[np.float64]:
        """(n + 1,) the edges between cells as places on the grid, *center*. The outer edge of
        the first cell comes first.
        """
        first = int(np.argmax(self.lookup >= 0))
        counts = np.bincount(self.lookup[self.lookup >= 0], minlength=len(self.shown))
        return np.asarray(first - 0.5 + np.concatenate([[0], np.cumsum(counts)]))

    def across(self, plane: LabelArray) -> LabelArray:
        """(rows, cells) labels of a (rows, decimated columns) plane. Where its columns are the
        cells, it is the plane itself.
        """
        lower, upper = self._ends
        if lower is upper:
            alone = np.array_equal(lower, np.arange(plane.shape[1]))
            return plane if alone else plane[:, lower]
        # The columns before each halfway place are one plane; the columns after it are the other
        # plane.
        out = plane[:, lower]
        halfway = np.flatnonzero(lower != upper)
        change = change_between(out[:, halfway], plane[:, upper[halfway]], (1.0, 1.0))
        out[:, halfway] = change.at(0.5)
        return out

    def down(self, plane: LabelArray) -> LabelArray:
        """(cells, columns) labels of a (decimated rows, columns) plane."""
        return self.across(plane.T).T


def expand(plane: LabelArray, rows: Lookup, columns: Lookup) -> LabelArray:
    """(len(rows), len(columns)) labels of a plane of cells, by two lookups. Labels are 0 where a
    lookup is -1.
    """
    out = np.zeros((len(rows), len(columns)), plane.dtype)
    down, across = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
    wide = plane.take(columns[across], axis=1)
    wide.take(
        rows[down], axis=0, out=out[down[0] : down[-1] + 1, across[0] : across[-1] + 1], mode="clip"
    )
    return out


def blended(
    planes: Iterator[LabelArray | None],
    slices: Sequence[Blend | None],
    spacing: tuple[float, float],
) -> Iterator[LabelArray | None]:
    """The decimated plane that each output slice shows, in order; None where it is empty. A
    repeated plane is the same object.

    ``planes``: all decimated planes in order. Two of them are in memory at a time. ``spacing``:
    between their rows and columns.
    """
    held: dict[int, LabelArray | None] = {}
    read = enumerate(planes)
    pair: tuple[int, int] | None = None
    change: Change | None = None
    for blend in slices:
        if blend is None:
            yield None
            continue
        while blend.upper not in held:
            held = {k: plane for k, plane in held.items() if k >= blend.lower}
            k, plane = next(read)
            held[k] = plane
        if not blend.part:
            yield held[blend.lower]
            continue
        if pair != (blend.lower, blend.upper):
            pair = blend.lower, blend.upper
            change = _change(held[blend.lower], held[blend.upper], spacing)
        yield None if change is None else change.at(blend.part)


def _change(
    lower: LabelArray | None, upper: LabelArray | None, spacing: tuple[float, float]
) -> Change | None:
    """How one plane becomes the other. Either may be empty. None where both are empty."""
    if lower is None and upper is None:
        return None
    some = lower if upper is None else upper
    assert some is not None
    empty = np.zeros_like(some)
    return change_between(
        empty if lower is None else lower, empty if upper is None else upper, spacing
    )
