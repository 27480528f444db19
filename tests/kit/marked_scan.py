"""A scan of 80 × 60 × 8 with bright things at known voxels, whose export at half size and every
second slice shows them in whole pixels: dots on PNG 1, a block on 2, a disc on 3.

Places are those of the source: (column, row), *center*; edges lie between voxels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import sidecar

from .phantoms import Spec, write_values

SPEC = Spec(columns=80, rows=60, slices=8, markers=False, bits_stored=12, tilt_degrees=0.0)
BRIGHT = 1000
#: Middles of the dots, each of 2 × 2 voxels, and the source slice that PNG 1 is.
DOTS, DOTS_SLICE = ((30.5, 20.5), (50.5, 40.5)), 2
#: Edges of the block: left, top, right, bottom.
BLOCK, BLOCK_SLICE = (19.5, 9.5, 43.5, 29.5), 4
#: Middle and radius of the disc.
DISC, DISC_RADIUS, DISC_SLICE = (39.5, 29.5), 16.0, 6


def values() -> NDArray[np.int32]:
    """What the scan holds: (slices, rows, columns)."""
    made = np.zeros((SPEC.slices, SPEC.rows, SPEC.columns), np.int32)
    for column, row in DOTS:
        made[DOTS_SLICE, int(row) : int(row) + 2, int(column) : int(column) + 2] = BRIGHT
    left, top, right, bottom = (int(edge + 0.5) for edge in BLOCK)
    made[BLOCK_SLICE, top:bottom, left:right] = BRIGHT
    rows, columns = np.mgrid[: SPEC.rows, : SPEC.columns] // 2 * 2 + 0.5
    away = np.hypot(columns - DISC[0], rows - DISC[1])
    made[DISC_SLICE][away < DISC_RADIUS] = BRIGHT
    return made


def write(folder: Path, name: str = "my export", spec: Spec = SPEC) -> sidecar.Sidecar:
    """Write the scan and its export below a folder. ``spec``: of another geometry."""
    write_values(spec, folder / "scan", values())
    return sidecar.export(folder / "scan", folder / name, scale=0.5, z_step=2)
