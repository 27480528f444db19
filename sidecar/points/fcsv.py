"""3D Slicer's fiducial list, ``.fcsv``: three header lines, 14 columns, points only. Superseded by `.mrk.json`, read by many.

The coordinate system is written as a number, 0 for RAS and 1 for LPS, which every Slicer understands: those before 4.11 take the
word LPS for 0. Columns after vtkMRMLMarkupsFiducialStorageNode; the point ids are in the form that geomorph's `readland.fcsv` expects.
"""

from __future__ import annotations

from pathlib import Path

from sidecar.points.landmarks import decimals, refuse_marks
from sidecar.points.shapes import require_patient, require_points, shapes_of
from sidecar.points.table import TO_SPACE, MappedPoints, Space, Writer

_SYSTEM: dict[Space, int] = {"ras": 0, "lps": 1}
_COLUMNS = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"


def _write(points: MappedPoints, path: Path, space: Space) -> None:
    require_patient(points, "fcsv")
    shapes = shapes_of(points.columns, len(points))
    require_points(shapes, "fcsv")
    patient = points.patient * TO_SPACE[space]
    lines = ["# Markups fiducial file version = 4.11", f"# CoordinateSystem = {_SYSTEM[space]}", f"# columns = {_COLUMNS}"]
    for i, shape in enumerate(shapes):
        refuse_marks((shape.label, shape.specimen), ',"#=', "fcsv")
        xyz = ",".join(decimals(patient[shape.rows[0]]))
        lines.append(f"vtkMRMLMarkupsFiducialNode_{i},{xyz},1,0,0,0,1,1,0,{shape.label},{shape.specimen},")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


WRITER = Writer("fcsv", (".fcsv",), _write)
