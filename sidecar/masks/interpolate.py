"""Labels between two planes. Where both planes agree, it is their label; where they differ, shapes
between the two. Pure.

    change_between(lower, upper, spacing).at(part)      0 ≤ part ≤ 1

A pixel has its label of the lower plane until it changes to its label of the upper plane. It never
has a third label. A region is a set of pixels that touch and make the same change. The pixels of a
region change one after the other, in even steps: at ``part``, that part of them has changed. So the
area of every label changes linearly from its area on the lower plane to that on the upper one,
except for a few pixels that nothing distinguishes. Volumes follow the trapezoidal rule, and the
result favours neither plane.

The order comes from the signed distances of the shapes (S. P. Raya, J. K. Udupa, "Shape-based
interpolation of multidimensional objects", IEEE Transactions on Medical Imaging 9 (1990) 32–42).
Let d be the distance of a pixel from the nearest pixel that has the new label on the lower plane.
Let e be its distance from the nearest pixel that has the old label on the upper plane. By these
distances, the pixel changes when part = d / (d + e). Here only the order of these values counts.
Only labels that the region touches are used, so that a shape that ends shrinks into its own middle,
whatever lies elsewhere.

Pixels with the same ratio are ordered further. First come those whose neighbours, on both planes,
have the new label rather than the old one. Among these, the pixels nearest to the middle of the
region come first, or those farthest from it: whichever gives the middle to the larger label value.
Pixels that are still equal change together. Where exactly half of such pixels should have changed,
their neighbours decide. Where the neighbours do not decide either, the pixels get the larger label
value.

The result does not depend on which plane is the lower one, nor on left and right or top and bottom.
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

#: Parts of the way that differ by less than this are the same: computing them has such errors.
_SAME = 1e-8
#: Decimals of the logarithm of a ratio of distances. Ratios that agree to these decimals are the
#: same.
_DECIMALS = 9
#: Distances are computed for up to so many rows. Pixels farther away are ordered from the middle of
#: their region.
_REACH = 64
#: Steps down and to the right to the neighbours of a pixel.
_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))


@dataclass(frozen=True)
class Change:
    """The change from one plane of labels to another.

    ``pixels`` (n,): the pixels that differ, as indices of the flat planes. ``moment`` (n,): the
    part of the way at which each of them changes. ``at_once`` (n,): whether it has changed exactly
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
    """How one plane of (rows, columns) labels becomes the other.

    ``spacing``: mm, or pixels, between rows and between columns. Shapes end at the edges of the
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
    """The painted part of both planes, with one empty pixel around it, and its first row and
    column.
    """
    painted = (lower != 0) | (upper != 0)
    rows, columns = (np.flatnonzero(painted.any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return int(rows[0]) - 1, int(columns[0]) - 1, np.pad(lower[box], 1), np.pad(upper[box], 1)


def _regions(
    y: Indices, x: Indices, old: LabelArray, new: LabelArray, shape: tuple[int, ...]
) -> Indices:
    """(n,) the number, from 0, of the region of each pixel."""
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
    """(n,) how many neighbours of each pixel have the label ``wanted`` of that pixel."""
    count = np.zeros(len(y), dtype=np.intp)
    for down, right in _AROUND:
        count += plane[y + down, x + right] == wanted
    return count


def _somewhere(region: Indices, count: Indices) -> NDArray[np.bool_]:
    """(n,) whether any pixel in the region of each pixel has a count above 0."""
    return np.asarray(np.bincount(region, count)[region] > 0)


def _log_distances(
    plane: LabelArray,
    wanted: LabelArray,
    y: Indices,
    x: Indices,
    spacing: tuple[float, float],
    touching: NDArray[np.bool_],
) -> Floats:
    """(n,) logarithm of the squared distance from each pixel to the nearest pixel on ``plane``
    that has its label ``wanted``. It is 0 for pixels that are not ``touching``.
    """
    out = np.zeros(len(y))
    for label in np.unique(wanted[touching]):
        these = np.flatnonzero(touching & (wanted == label))
        down, right = y[these], x[these]
        # A region touches this label. So no pixel of it is farther from the label than the region
        # is wide.
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

    The distance within its row comes first, then rows at growing distance, as long as they can be
    nearer, up to `_REACH` rows. Beyond that the result is the distance of `_REACH` rows, or the
    distance within the row where that is smaller.
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
    """(rows, columns) number of columns to the nearest pixel inside in the same row; inf where
    there is none.
    """
    column = np.arange(inside.shape[1], dtype=np.float64)
    before = np.maximum.accumulate(np.where(inside, column, -np.inf), axis=1)
    after = np.minimum.accumulate(np.where(inside, column, np.inf)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.minimum(column - before, after - column))


def _squares_from_middle(
    y: Indices, x: Indices, region: Indices, spacing: tuple[float, float]
) -> Floats:
    """(n,) squared distance of each pixel from the middle of its region, times the square of the
    number of pixels in the region.

    The factor avoids fractions, so that mirrored regions have exactly the same values.
    """
    count = np.bincount(region)[region]
    total = np.zeros(len(y))
    for place, step in zip((y, x), spacing, strict=True):
        away = count * place - np.bincount(region, place)[region]
        total += (away * step) ** 2
    return total


def _moments(region: Indices, *keys: NDArray[Any]) -> Floats:
    """(n,) the part of the way at which each pixel changes.

    It is the rank of the pixel in its region over the size of the region. The first of the keys
    counts most. Equal pixels share the middle of their ranks.
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
