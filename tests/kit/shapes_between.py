"""The shapes halfway between two planes, worked out a second time: by SciPy, region by region."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Labels = NDArray[Any]


def halfway(lower: Labels, upper: Labels, spacing: tuple[float, float] = (1.0, 1.0)) -> Labels:
    """(rows, columns) labels: each pixel has one of its two, half of every region each."""
    low, high = np.pad(lower, 1), np.pad(upper, 1)
    out = low.copy()
    pairs = {(int(a), int(b)) for a, b in zip(low.flat, high.flat, strict=True) if a != b}
    for old, new in pairs:
        parts, count = ndimage.label((low == old) & (high == new), np.ones((3, 3)))
        for number in range(1, count + 1):
            for pixel in _changed(parts == number, low, high, old, new, spacing):
                out[pixel] = new
    return out[1:-1, 1:-1]


def _changed(
    region: NDArray[np.bool_],
    low: Labels,
    high: Labels,
    old: int,
    new: int,
    spacing: tuple[float, float],
) -> list[tuple[int, int]]:
    """The pixels of a region that have the new label halfway."""
    to_new = _distance(low == new, region, spacing)
    to_old = _distance(high == old, region, spacing)
    middle = np.argwhere(region).mean(axis=0)
    alike: dict[tuple[float, ...], list[tuple[int, int]]] = defaultdict(list)
    for y, x in np.argwhere(region).tolist():
        around = np.concatenate([p[y - 1 : y + 2, x - 1 : x + 2].ravel() for p in (low, high)])
        more = int((around == new).sum() - (around == old).sum())
        away = float((((np.array([y, x]) - middle) * spacing) ** 2).sum())
        value = to_new[y, x] / (to_new[y, x] + to_old[y, x])
        place = round(value, 7), -more, round(away if new > old else -away, 7)
        alike[place].append((y, x))
    changed: list[tuple[int, int]] = []
    half, before = np.count_nonzero(region) / 2, 0
    for (_, less, _), pixels in sorted(alike.items()):
        middle_of_group = before + len(pixels) / 2
        before += len(pixels)
        if middle_of_group < half or (
            middle_of_group == half and (less < 0 or (less == 0 and new > old))
        ):
            changed += pixels
    return changed


def _distance(
    inside: NDArray[np.bool_], region: NDArray[np.bool_], spacing: tuple[float, float]
) -> NDArray[np.float64]:
    """To the nearest pixel inside; 1 everywhere where the region touches none."""
    if not (ndimage.binary_dilation(region, np.ones((3, 3))) & inside).any():
        return np.ones(inside.shape)
    return np.asarray(ndimage.distance_transform_edt(~inside, sampling=spacing))
