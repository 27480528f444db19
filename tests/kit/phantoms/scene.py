"""What is in the picture: Gaussian markers on a constant background, sampled at voxel centres.

Why the markers are so wide. The means over every f samples keep the centroid of a Gaussian but for
its first alias: they are wrong by at most exp(−2π²σ²/f²) / sin(π/f) source pixels (the averaging is
zero there, and only its slope shows). With σ = 2.5 px that is 1e-6 at f = 3, 0.0006 at f = 4 and
0.012 at f = 5; with σ = 3 and f = 5, 0.0014. Taking every f-th sample is worse, 4πσ²/f ·
exp(−2π²σ²/f²): with σ = 2.5 px, 3e-5 at f = 3 and 0.009 at f = 4. The tests measure both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .spec import Spec

Source = tuple[Literal["plane", "volume"], tuple[float, float, float]]

#: Markers keep this many sigmas from the border, and twice as many from each other.
REACH = 5.0
PLANE_MARKERS_PER_SLICE = 3
VOLUME_MARKERS = 3


def cell_centres(samples: int, sigma: float, play: float = 0.0) -> tuple[list[float], float]:
    """Middles of the cells, at least 2 · REACH · sigma + play wide, that an axis holds, and how far
    a marker may stray.
    """
    count = int((samples - 1) / (2 * REACH * sigma + play))
    width = (samples - 1) / max(count, 1)
    return [width * (number + 0.5) for number in range(count)], width / 2 - REACH * sigma


def marker_sources(spec: Spec) -> list[Source]:
    """Kind and (column, row, slice) of every marker: truth chosen at random, at sub-pixel places.

    The plane is divided into cells. One cell is for volume markers, where gaps are even and the
    stack is deep enough; the others hold plane markers, on every slice in up to three of them.
    Raises ValueError where no cell fits the grid.
    """
    if not spec.markers:
        return []
    rng = np.random.default_rng([spec.seed, 3])
    in_plane, along = spec.sigma
    columns, free_columns = cell_centres(spec.columns, in_plane)
    rows, free_rows = cell_centres(spec.rows, in_plane)
    depths, free_depth = cell_centres(spec.slices, along, play=1.0)
    cells = rng.permutation(list(product(columns, rows)))
    if not len(cells):
        raise ValueError(
            f"no marker of sigma {in_plane} fits {spec.columns} x {spec.rows}: choose a smaller"
            " one, or markers=False"
        )

    def around(cell: NDArray[np.float64], slice: float) -> tuple[float, float, float]:
        column, row = cell + rng.uniform(-1, 1, 2) * (free_columns, free_rows)
        return float(column), float(row), float(slice)

    sources: list[Source] = []
    if len(cells) > 1 and depths and len(set(spec.gaps)) == 1 and not spec.missing:
        for depth in depths[:VOLUME_MARKERS]:
            # A volume marker stays off the middle between two slices, so that its nearest plane is
            # beyond doubt.
            offset = rng.uniform(0.05, 0.45) * rng.choice([-1, 1])
            slice = min(max(round(depth) + offset, depth - free_depth), depth + free_depth)
            sources.append(("volume", around(cells[0], slice)))
        cells = cells[1:]
    for slice in range(spec.slices - len(spec.missing)):
        for cell in rng.permutation(cells)[:PLANE_MARKERS_PER_SLICE]:
            sources.append(("plane", around(cell, slice)))  # noqa: PERF401 (a comprehension would hide the drawing of numbers)
    return sources


def modality_values(
    spec: Spec, markers: Sequence[Source], slice: int, volume: int = 0
) -> NDArray[np.float64]:
    """(rows, columns) modality values, unrounded, of a slice in position order.

    The background is at a tenth of what the stored bits can hold, a marker's peak at nine tenths, a
    tenth lower with every further volume.
    """
    low, high = spec.stored_range
    slope, intercept = spec.rescale or (1.0, 0.0)
    background = slope * (low + 0.1 * (high - low)) + intercept
    amplitude = slope * 0.8 * (high - low) * 0.9**volume
    in_plane, along = spec.sigma
    values = np.full((spec.rows, spec.columns), background)
    for kind, (column, row, depth) in markers:
        height = (
            float(slice == depth)
            if kind == "plane"
            else np.exp(-((slice - depth) ** 2) / (2 * along**2))
        )
        if height > 1e-9:
            across = np.exp(-((np.arange(spec.columns) - column) ** 2) / (2 * in_plane**2))
            down = np.exp(-((np.arange(spec.rows) - row) ** 2) / (2 * in_plane**2))
            values += amplitude * height * np.outer(down, across)
    return values
