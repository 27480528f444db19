"""A few PNG pixels with their source index and patient position, which readers recompute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sidecar.document.model import ControlPoint
from sidecar.grid.decimation import Decimation
from sidecar.grid.stack import Stack


def control_points(decimation: Decimation, stack: Stack | None) -> list[ControlPoint]:
    """The corners, the middle and one other point of the PNG stack, with their source index and
    patient position.
    """
    last = np.array(decimation.size) - 1.0
    corners_and_inside = np.array([(0, 0, 0), *np.diag(last), last, last / 2, np.floor(last / 3)])
    pixels = np.array(sorted(set(map(tuple, corners_and_inside.tolist()))))
    if stack is not None and stack.slices == 1:
        pixels[:, 2] = 0
    source = decimation.to_source(pixels)
    patient = None if stack is None else stack.to_patient(source)
    return [
        ControlPoint(
            pixel=_triple(pixels[i]),
            source=_triple(source[i]),
            patient=None if patient is None else _triple(patient[i]),
        )
        for i in range(len(pixels))
    ]


def _triple(row: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(row[0]), float(row[1]), float(row[2])
