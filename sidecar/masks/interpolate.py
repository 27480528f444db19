"""Labels between two planes: what both agree on, and the shapes between where they differ. Pure.

    change_between(lower, upper, spacing).at(part)      0 ≤ part ≤ 1

A pixel has the label that it has on the lower plane until it changes to the one that it has on the
upper plane; it never has a third. Pixels that touch and make the same change are a region. Those of
a region change one after the other, in even steps: at ``part``, that part of them has changed. So
the area of every label lies on the line between its two areas, to the few pixels that nothing tells
apart: volumes come out as the trapezoidal rule has them, and nothing leans to one of the planes.

The order is that of the shapes' signed distances (S. P. Raya, J. K. Udupa, "Shape-based
interpolation of multidimensional objects", IEEE Transactions on Medical Imaging 9 (1990) 32–42): a
pixel that lies at distance d from where the new label is already, and at distance e from where the
old one still will be, changes there when part = d / (d + e). Only labels that the region touches
count: a shape that ends shrinks into its own middle, whatever lies elsewhere. Of pixels with one
such value those come first whose neighbours, on both planes, have the new label rather than the old
one; of these, those nearest to the middle of the region, or farthest, whichever gives the larger
label the middle. Pixels that are still alike change together. Where just half of them should have,
their neighbours decide, and last the larger label has them.

Nothing here tells lower from upper, left from right, nor top from bottom:
`change_between(upper, lower).at(1 − part)` is the same, and mirrored planes give mirrored labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.masks.model import LabelArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Parts of the way nearer than this are the same: what computing them may be wrong by.
_SAME = 1e-8
#: Decimals of the logarithm of a ratio of distances. Ratios that agree in these are the same.
_DECIMALS = 9
#: Rows up to which distances are told apart: what is farther changes from the middle.
_REACH = 64
#: Steps down and to the right to the neighbours of a pixel.
_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))


@dataclass(frozen=True)
class Change:
    """From one plane of labels to another.

    ``pixels`` (n,): the pixels that differ, as indices of the flat planes. ``moment`` (n,): the
    part of the way at which each of them changes; ``at_once`` (n,): whether it has changed just
    there.
    """

    lower: LabelArray
    upper: LabelArray
    pixels: Indices
    moment: Floats
    at_once: NDArray[np.bool_]

    def at(self, part: float) -> LabelArray:
        """The (rows, columns) labels ``part`` of the way from the lower plane to the upper one."""
        if not len(self.pixels):
            return self.lower
        out = self.lower.copy()
        after = part - self.moment
        changed = self.pixels[np.where(np.abs(after) < _SAME, self.at_once, after > 0)]
        out.put(changed, self.upper.take(changed))
        return out


def change_between(lower: LabelArray, upper: LabelArray, spacing: tuple[float, float]) -> Change:
    """How two planes of (rows, columns) labels become one another.

    ``spacing``: mm, or pixels, between rows and between columns. Shapes end at the edge of the
    planes.
    """
    y, x = np.nonzero(lower != upper)
    pixels = np.ravel_multi_index((y, x), lower.shape)
    if not len(pixels):
        return Change(lower, upper, pixels, np.empty(0), np.empty(0, dtype=bool))
    top, left, low, high = _painted_part(lower, upper)
    y, x = y - top, x - left
    old, new = low[y, x], high[y, x]
    region = _regions(y, x, old, new, low.shape)
    is_new, will_be_old = (
        _neighbours(plane, label, y, x) for plane, label in ((low, new), (high, old))
    )
    ratio = _log_distances(low, new, y, x, spacing, _somewhere(region, is_new))
    ratio -= _log_distances(high, old, y, x, spacing, _somewhere(region, will_be_old))
    against = will_be_old + _neighbours(low, old, y, x)
    against -= is_new + _neighbours(high, new, y, x)
    outwards = _squares_from_middle(y, x, region, spacing) * np.where(new > old, 1, -1)
    moment = _moments(region, np.round(ratio, _DECIMALS), against, outwards)
    return Change(lower, upper, pixels, moment, np.where(against == 0, new > old, against < 0))


def _painted_part(lower: LabelArray, upper: LabelArray) -> tuple[int, int, LabelArray, LabelArray]:
    """Row and column at which both planes are cut out, and what is cut out of each: all that is
    painted, with one empty pixel around it.
    """
    painted = (lower != 0) | (upper != 0)
    rows, columns = (np.flatnonzero(painted.any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return int(rows[0]) - 1, int(columns[0]) - 1, np.pad(lower[box], 1), np.pad(upper[box], 1)


def _regions(
    y: Indices, x: Indices, old: LabelArray, new: LabelArray, shape: tuple[int, ...]
) -> Indices:
    """(n,) numbers from 0 of the regions that pixels belong to."""
    count = len(y)
    at = np.full(shape, -1, dtype=np.int32)
    at[y, x] = np.arange(count)
    pairs = []
    for down, right in (step for step in _AROUND if step > (0, 0)):
        other = at[y + down, x + right]
        joined = np.flatnonzero((other >= 0) & (old[other] == old) & (new[other] == new))
        pairs.append((joined.astype(np.int32), other[joined]))
    one, other = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    root = np.arange(count, dtype=np.int32)
    while (root[one] != root[other]).any():
        least = np.minimum(root[one], root[other])
        np.minimum.at(root, root[one], least)
        np.minimum.at(root, root[other], least)
        while (root[root] != root).any():
            root = root[root]
    number = np.cumsum(root == np.arange(count)) - 1
    return np.asarray(number[root])


def _neighbours(plane: LabelArray, wanted: LabelArray, y: Indices, x: Indices) -> Indices:
    """(n,) how many neighbours of each pixel have the label ``wanted`` there."""
    count = np.zeros(len(y), dtype=np.intp)
    for down, right in _AROUND:
        count += plane[y + down, x + right] == wanted
    return count


def _somewhere(region: Indices, count: Indices) -> NDArray[np.bool_]:
    """(n,) whether any pixel of the region of each has more than none."""
    return np.asarray(np.bincount(region, count)[region] > 0)


def _log_distances(
    plane: LabelArray,
    wanted: LabelArray,
    y: Indices,
    x: Indices,
    spacing: tuple[float, float],
    touching: NDArray[np.bool_],
) -> Floats:
    """(n,) logarithms of the squared distance from each pixel to the nearest one on ``plane`` that
    has the label ``wanted`` there; 0 for pixels that are not ``touching``.
    """
    out = np.zeros(len(y))
    for label in np.unique(wanted[touching]):
        these = np.flatnonzero(touching & (wanted == label))
        down, right = y[these], x[these]
        # No pixel of a region is farther from a label that this touches than across the region.
        across = (np.ptp(down) + 1) * spacing[0] + (np.ptp(right) + 1) * spacing[1]
        rows, columns = (int(np.ceil(across / step)) for step in spacing)
        top, left = max(0, down.min() - rows), max(0, right.min() - columns)
        part = plane[top : down.max() + rows + 1, left : right.max() + columns + 1]
        nearest = _squared_distances(part == label, down - top, right - left, spacing)
        out[these] = np.log(nearest)
    return out


def _squared_distances(
    inside: NDArray[np.bool_], y: Indices, x: Indices, spacing: tuple[float, float]
) -> Floats:
    """(n,) squared distance from each pixel to the nearest one inside.

    Within its row first, then over ever more distant rows where those could still win, `_REACH` at
    most: farther, it is that reach, or the distance within the row where that is less.
    """
    between_rows, between_columns = spacing
    beyond = ((_REACH, _REACH), (0, 0))
    steps = np.pad(_steps_in_row(inside), beyond, constant_values=np.inf)
    in_row = (steps * between_columns) ** 2
    width = inside.shape[1]
    pixel = (y + _REACH) * width + x
    best = np.asarray(in_row.take(pixel))
    for rows in range(1, _REACH + 1):
        away = (rows * between_rows) ** 2
        (near,) = np.nonzero(away < best)
        if not len(near):
            return best
        there = pixel[near]
        above, below = in_row.take(there - rows * width), in_row.take(there + rows * width)
        best[near] = np.minimum(best[near], np.minimum(above, below) + away)
    return np.asarray(np.minimum(best, away))


def _steps_in_row(inside: NDArray[np.bool_]) -> Floats:
    """(rows, columns) columns to the nearest pixel inside in the same row; inf where there is
    none.
    """
    column = np.arange(inside.shape[1], dtype=np.float64)
    before = np.maximum.accumulate(np.where(inside, column, -np.inf), axis=1)
    after = np.minimum.accumulate(np.where(inside, column, np.inf)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.minimum(column - before, after - column))


def _squares_from_middle(
    y: Indices, x: Indices, region: Indices, spacing: tuple[float, float]
) -> Floats:
    """(n,) squared distance of each pixel from the middle of its region, times the square of how
    many pixels that has: of whole numbers, so that mirrored regions have the same.
    """
    count = np.bincount(region)[region]
    total = np.zeros(len(y))
    for place, step in zip((y, x), spacing, strict=True):
        away = count * place - np.bincount(region, place)[region]
        total += (away * step) ** 2
    return total


def _moments(region: Indices, *keys: NDArray[Any]) -> Floats:
    """(n,) the part of the way at which each pixel changes: its place in its region by the keys,
    the first of which counts most, over the size of that. Equal pixels share the middle of theirs.
    """
    order = np.lexsort((*reversed(keys), region))
    place = [values[order] for values in (region, *keys)]
    first = np.concatenate([[True], np.any([v[1:] != v[:-1] for v in place], axis=0)])
    group = np.cumsum(first) - 1
    alike = np.bincount(group)
    middle = np.cumsum(alike) - alike / 2
    size = np.bincount(region)
    begin = np.cumsum(size) - size
    moment = np.empty(len(region))
    moment[order] = (middle[group] - begin[place[0]]) / size[place[0]]
    return moment
