"""Tables as map-points writes them, for landmarks whose places a test chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HEADER = (
    "label,source_column,source_row,source_slice,x_mm,y_mm,z_mm,uncertainty_mm,sop_instance_uid,"
    "frame_number,space"
)


def write_landmarks(
    path: Path,
    places: Mapping[str, Sequence[float] | Floats],
    *,
    scan: str = "1.2.3",
    space: str = "LPS",
    more: Mapping[str, str] | None = None,
    uncertainty: float = 0.05,
    voxel: float = 1.0,
) -> Path:
    """A table of named places in mm. The scan has voxels of ``voxel`` mm from 0 on, and slice k of
    it is the instance ``scan.k``. ``more``: further columns, the same in every row.
    """
    more = more or {}
    signs = np.array([-1.0, -1.0, 1.0]) if space == "RAS" else np.ones(3)
    lines = [",".join([_HEADER, *more])]
    for name, place in places.items():
        mm = np.asarray(place, dtype=float)
        source = mm / voxel
        instance = f"{scan}.{int(np.floor(source[2] + 0.5))}"
        numbers = [*source.tolist(), *(mm * signs).tolist(), uncertainty]
        cells = [name, *map(repr, numbers), instance, "", space, *more.values()]
        lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
