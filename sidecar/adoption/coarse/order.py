"""The slice of each image: the straight line, slice = step · image + offset, that fits most
images. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Number of slices per image, and number of images, through which lines are drawn.
PEAKS = 4
ANCHORS = 5


@dataclass(frozen=True, slots=True)
class SliceLine:
    """slice = step · image + offset.

    ``score``: mean likeness of images to the slices that the line gives them.
    """

    step: float
    offset: float
    score: float

    def at(self, images: NDArray[np.generic] | Sequence[int]) -> Floats:
        return self.step * np.asarray(images, dtype=np.float64) + self.offset


def lines(
    likeness: NDArray[np.float32],
    images: NDArray[np.intp],
    slices: NDArray[np.intp],
    size: tuple[int, int],
    step: float | None = None,
) -> list[SliceLine]:
    """Lines on which all images lie on slices of the source, best first. Of lines that give an
    image nearly the same slice, only the best is kept.

    ``likeness``: (images, slices) for the ``images`` and ``slices`` that have thumbnails. ``size``:
    number of all images and of all slices. ``step``: its absolute value, if it is known.
    """
    spacing = float(np.diff(slices).max()) if len(slices) > 1 else 1.0
    peaks = [slices[_peaks(row)] for row in likeness]
    found = [
        line
        for candidate in _drawn(peaks, likeness.max(axis=1), images, step)
        if (line := _scored(candidate, likeness, images, slices, size, spacing)) is not None
    ]
    kept: list[SliceLine] = []
    for line in sorted(found, key=lambda one: -one.score):
        ends = np.array([0, size[0] - 1])
        if all(np.abs(line.at(ends) - other.at(ends)).max() > 2 * spacing for other in kept):
            kept.append(line)
    return kept


def _drawn(
    peaks: Sequence[NDArray[np.intp]],
    clarity: NDArray[np.float32],
    images: NDArray[np.intp],
    step: float | None,
) -> list[tuple[float, float]]:
    """(step, offset) of lines through the peaks of two images each. With a given step, or a
    single image, of lines through the peaks of each image.
    """
    if step is not None or len(images) == 1:
        steps = (1.0,) if step is None else (step, -step)
        return [
            (s, float(z - s * k))
            for k, row in zip(images, peaks, strict=True)
            for z in row
            for s in steps
        ]
    clear = sorted(np.argsort(-clarity)[:ANCHORS])
    pairs = {(0, len(images) - 1), *combinations(clear, 2)}
    drawn = []
    for a, b in pairs:
        for first in peaks[a]:
            for second in peaks[b]:
                slope = float(second - first) / float(images[b] - images[a])
                if slope != 0:
                    drawn.append((slope, float(first) - slope * float(images[a])))
    return drawn


def _scored(
    drawn: tuple[float, float],
    likeness: NDArray[np.float32],
    images: NDArray[np.intp],
    slices: NDArray[np.intp],
    size: tuple[int, int],
    spacing: float,
) -> SliceLine | None:
    line = SliceLine(*drawn, score=0.0)
    ends = line.at([0, size[0] - 1])
    if ends.min() < -spacing or ends.max() > size[1] - 1 + spacing:
        return None
    distance = np.abs(line.at(images)[:, None] - slices)
    near = np.where(
        distance <= np.maximum(distance.min(axis=1, keepdims=True), 0.75 * spacing),
        likeness,
        -np.inf,
    )
    return SliceLine(*drawn, score=float(near.max(axis=1).mean()))


def _peaks(row: NDArray[np.float32]) -> NDArray[np.intp]:
    """The highest values that are not lower than their neighbours."""
    padded = np.concatenate([[-np.inf], row, [-np.inf]])
    tops = np.flatnonzero((row >= padded[:-2]) & (row >= padded[2:]))
    return tops[np.argsort(-row[tops])][:PEAKS]


def through(images: NDArray[np.intp], slices: Floats) -> tuple[float, float]:
    """(step, offset) of the line through most points, from medians of all slopes and of the
    remainders (Theil and Sen). The step is 1 for one image.
    """
    if len(images) == 1:
        return 1.0, float(slices[0] - images[0])
    slopes = [
        (slices[b] - slices[a]) / (images[b] - images[a])
        for a, b in combinations(range(len(images)), 2)
    ]
    step = float(np.median(slopes))
    return step, float(np.median(slices - step * images))
