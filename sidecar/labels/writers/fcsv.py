"""3D Slicer's fiducial list, ``.fcsv``: three header lines, 14 columns, points only. Superseded by
`.mrk.json`, read by many.

The coordinate system is written as a number, 0 for RAS and 1 for LPS, which every Slicer
understands: those before 4.11 take the word LPS for 0. Columns after
vtkMRMLMarkupsFiducialStorageNode; the point ids are in the form that geomorph's `readland.fcsv`
expects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.space import TO_SPACE, Space
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.mapped_shapes import (
    require_one_scan,
    require_patient,
    require_points,
    shapes_of,
)
from sidecar.labels.writers.specimens import decimals, refuse_marks

Floats = NDArray[np.float64]

_SYSTEM: dict[Space, int] = {"ras": 0, "lps": 1}
_COLUMNS = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    require_patient(parts, "fcsv")
    require_one_scan(parts, "fcsv")
    shapes = shapes_of(parts)
    require_points(shapes, "fcsv")
    rows = [(one.label, one.specimen, one.outline().patient * TO_SPACE[space]) for one in shapes]
    return _write_rows(rows, path, space)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    rows = [
        (name, specimen, places[[i]])
        for specimen, places in zip(landmarks.specimens, landmarks.mm, strict=True)
        for i, name in enumerate(landmarks.names)
    ]
    return _write_rows(rows, path, "lps")


def _write_rows(rows: Iterable[tuple[str, str, Floats]], path: Path, space: Space) -> Notes:
    """Points (1, 3) by label and specimen."""
    lines = [
        "# Markups fiducial file version = 4.11",
        f"# CoordinateSystem = {_SYSTEM[space]}",
        f"# columns = {_COLUMNS}",
    ]
    for i, (label, specimen, mm) in enumerate(rows):
        refuse_marks((label, specimen), ',"#=', "fcsv")
        xyz = ",".join(decimals(mm))
        lines.append(f"vtkMRMLMarkupsFiducialNode_{i},{xyz},1,0,0,0,1,1,0,{label},{specimen},")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return ()


WRITER = Writer("fcsv", (".fcsv",), _write, _write_landmarks)
