"""Measure how far landmarks on the stacks around them (`sidecar zoom`) have moved from the coarse
labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.labels.mapped import MappedPoints

Floats = NDArray[np.float64]


def shifts_mm(points: MappedPoints) -> Floats:
    """(N,) shifts in mm; NaN on other stacks, and without millimetres."""
    zoom = points.sidecar.document.zoom
    if zoom is None or zoom.patient is None:
        return np.full(len(points), np.nan)
    return np.asarray(np.linalg.norm(points.patient - np.array(zoom.patient), axis=1))


def shifts_voxels(points: MappedPoints) -> Floats:
    """(N,) shifts in source voxels; NaN on other stacks."""
    zoom = points.sidecar.document.zoom
    if zoom is None:
        return np.full(len(points), np.nan)
    return np.asarray(np.linalg.norm(points.source - np.array(zoom.source), axis=1))


def table_of_shifts(parts: Sequence[MappedPoints]) -> Iterator[str]:
    """Lines for the user: the shift of every landmark on a stack around a landmark, and the largest
    shift. There are no lines without such stacks.
    """
    moved = [
        (name or "unnamed", mm, voxels)
        for part in parts
        if part.sidecar.document.zoom is not None
        for name, mm, voxels in zip(
            part.names, shifts_mm(part).tolist(), shifts_voxels(part).tolist(), strict=True
        )
    ]
    if not moved:
        return
    width = max(len("landmark"), *(len(name) for name, _, _ in moved))
    yield f"{'landmark':{width}}  moved mm  voxels"
    for name, mm, voxels in moved:
        yield f"{name:{width}}  {mm:8.4g}  {voxels:6.1f}"
    if len(moved) > 1:
        name, mm, voxels = max(moved, key=lambda one: one[2])
        yield f"largest shift: {name}, {mm:.4g} mm, {voxels:.1f} voxels"
