"""3D Slicer's fiducial list, ``.fcsv``: three header lines, 14 columns, points only. Superseded by
`.mrk.json`, read by many.

The coordinate system is written as a number, 0 for RAS and 1 for LPS, which every Slicer
understands: those before 4.11 take the word LPS for 0. Columns after
vtkMRMLMarkupsFiducialStorageNode; the point ids are in the form that geomorph's `readland.fcsv`
expects.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.grid.space import TO_SPACE, Space
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.mapped_shapes import (
    require_one_scan,
    require_patient,
    require_points,
    shapes_of,
)
from sidecar.labels.writers.specimens import decimals, refuse_marks

_SYSTEM: dict[Space, int] = {"ras": 0, "lps": 1}
_COLUMNS = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    require_patient(parts, "fcsv")
    require_one_scan(parts, "fcsv")
    shapes = shapes_of(parts)
    require_points(shapes, "fcsv")
    lines = [
        "# Markups fiducial file version = 4.11",
        f"# CoordinateSystem = {_SYSTEM[space]}",
        f"# columns = {_COLUMNS}",
    ]
    for i, one in enumerate(shapes):
        label, specimen = one.label, one.specimen
        refuse_marks((label, specimen), ',"#=', "fcsv")
        xyz = ",".join(decimals(one.outline().patient * TO_SPACE[space]))
        lines.append(f"vtkMRMLMarkupsFiducialNode_{i},{xyz},1,0,0,0,1,1,0,{label},{specimen},")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return ()


WRITER = Writer("fcsv", (".fcsv",), _write)
