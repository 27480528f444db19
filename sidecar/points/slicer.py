"""3D Slicer markups, ``.mrk.json``, schema 1.0.3: any shape, in patient millimetres.

    points                one Fiducial list for each specimen
    line                  Line
    polyline              Curve
    polygon, circle, ...  ClosedCurve
    box                   ROI as thick as its PNG slice; ClosedCurve where its corners are no rectangle in mm, or on a single slice

Control points are exact. Slicer draws a smooth curve through those of Curve and ClosedCurve until its curve type is set to linear;
the file has no place for that choice. Sources: markups-schema-v1.0.3.json; vtkMRMLMarkupsROIJsonStorageNode (columns of
``orientation`` are the axes of the ROI, ``size`` is full length).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.points.shapes import AREAS, Shape, outline, require_patient, shapes_of
from sidecar.points.table import TO_SPACE, MappedPoints, Space, Writer

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
)
_TYPES = {"line": "Line", "polyline": "Curve"}
#: Edges of a box count as perpendicular, and as equal to the opposite ones, within this part of their length.
_SQUARE = 1e-6

Floats = NDArray[np.float64]


def _write(points: MappedPoints, path: Path, space: Space) -> None:
    require_patient(points, "mrk.json")
    shapes = shapes_of(points.columns, len(points))
    lists: dict[str, list[Shape]] = {}
    for shape in shapes:
        if shape.type == "point":
            lists.setdefault(shape.specimen, []).append(shape)
    markups = [_fiducials(points, specimen or "points", members, space) for specimen, members in lists.items()]
    markups += [_markup(points, shape, space) for shape in shapes if shape.type != "point"]
    text = json.dumps({"@schema": SCHEMA, "markups": markups}, ensure_ascii=False, allow_nan=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _fiducials(points: MappedPoints, name: str, shapes: list[Shape], space: Space) -> dict[str, Any]:
    rows = [shape.rows[0] for shape in shapes]
    told = [f"uncertainty {mm:.3g} mm" for mm in points.uncertainty_mm[rows].tolist()]
    controls = _control_points([shape.label for shape in shapes], points.patient[rows] * TO_SPACE[space], told)
    return _head("Fiducial", name, space) | {"controlPoints": controls}


def _markup(points: MappedPoints, shape: Shape, space: Space) -> dict[str, Any]:
    patient = outline(points, shape).patient
    roi = _roi(points, shape, patient, space) if shape.type == "box" else None
    if roi is not None:
        return _head("ROI", shape.name, space) | roi
    type_ = "ClosedCurve" if shape.type in AREAS else _TYPES[shape.type]
    labels = [f"{shape.name}-{i + 1}" for i in range(len(patient))]
    return _head(type_, shape.name, space) | {"controlPoints": _control_points(labels, patient * TO_SPACE[space])}


def _head(type_: str, name: str, space: Space) -> dict[str, Any]:
    return {"type": type_, "name": name, "coordinateSystem": space.upper(), "coordinateUnits": "mm"}


def _control_points(labels: list[str], positions: Floats, descriptions: list[str] | None = None) -> list[dict[str, Any]]:
    told = descriptions or [""] * len(labels)
    return [
        {"id": str(i), "label": label, "description": text, "position": position, "positionStatus": "defined"}
        for i, (label, text, position) in enumerate(zip(labels, told, (positions + 0.0).tolist(), strict=True), start=1)
    ]


def _roi(points: MappedPoints, shape: Shape, corners: Floats, space: Space) -> dict[str, Any] | None:
    """The box between the lower and the upper face of its PNG slice; None where the four corners span no such box."""
    png = points.png[list(shape.rows)]
    along, across = corners[1] - corners[0], corners[2] - corners[1]
    size = np.array([np.linalg.norm(along), np.linalg.norm(across), _thickness(points, png)])
    skew = max(abs(along @ across), float(np.linalg.norm(corners[3] - corners[0] - across)) * size[0])
    if size.min() == 0 or np.ptp(png[:, 2]) != 0 or skew > _SQUARE * size[0] * size[1]:
        return None
    first, second = along / size[0], across / size[1]
    axes = np.column_stack([first, second, np.cross(first, second)]) * TO_SPACE[space][:, None]
    center = corners.mean(axis=0) * TO_SPACE[space]
    return {
        "roiType": "Box",
        "center": (center + 0.0).tolist(),
        "orientation": (axes + 0.0).ravel().tolist(),
        "size": size.tolist(),
        "controlPoints": _control_points([shape.name], center[None]),
    }


def _thickness(points: MappedPoints, png: Floats) -> float:
    """Millimetres along the normal that the PNG slice of a box stands for; 0 for a scan of a single slice."""
    stack = points.sidecar.stack
    if stack is None or stack.slices == 1:
        return 0.0
    xy, slice_ = png[:, :2].mean(axis=0), png[0, 2]
    lower, upper = points.sidecar.to_patient([xy, xy], [slice_ - 0.5, slice_ + 0.5])
    return float((upper - lower) @ stack.normal)


WRITER = Writer("slicer", (".mrk.json",), _write)
