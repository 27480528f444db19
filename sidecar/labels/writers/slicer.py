"""3D Slicer markups, ``.mrk.json``, schema 1.0.3: any shape, in patient millimetres.

    points                one Fiducial list for each specimen
    line                  Line
    polyline              Curve
    polygon, circle, ...  ClosedCurve
    box                   ROI as thick as its PNG slice; ClosedCurve where its corners are no
                          rectangle in mm, or on a single slice

Control points are exact. Slicer draws a smooth curve through those of Curve and ClosedCurve until
its curve type is set to linear; the file has no place for that choice. Sources:
markups-schema-v1.0.3.json; vtkMRMLMarkupsROIJsonStorageNode (columns of ``orientation`` are the
axes of the ROI, ``size`` is full length).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.space import TO_SPACE, Space
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.mapped_shapes import MappedShape, require_one_scan, require_patient, shapes_of
from sidecar.labels.vertices import AREAS

SCHEMA = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
_TYPES = {"line": "Line", "polyline": "Curve"}
#: Edges of a box count as perpendicular, and as equal to the opposite ones, within this part of
#: their length.
_SQUARE = 1e-6

Floats = NDArray[np.float64]


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    require_patient(parts, "mrk.json")
    require_one_scan(parts, "mrk.json")
    shapes = shapes_of(parts)
    lists: dict[str, list[MappedShape]] = {}
    for one in shapes:
        if one.type == "point":
            lists.setdefault(one.specimen, []).append(one)
    markups = [
        _fiducials(specimen or "points", members, space) for specimen, members in lists.items()
    ]
    markups += [_markup(one, space) for one in shapes if one.type != "point"]
    return _write_markups(markups, path)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    names = list(landmarks.names)
    lists = [
        _head("Fiducial", specimen, "lps") | {"controlPoints": _control_points(names, mm)}
        for specimen, mm in zip(landmarks.specimens, landmarks.mm, strict=True)
    ]
    return _write_markups(lists, path)


def _write_markups(markups: list[dict[str, Any]], path: Path) -> Notes:
    text = json.dumps(
        {"@schema": SCHEMA, "markups": markups}, ensure_ascii=False, allow_nan=False, indent=1
    )
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return ()


def _fiducials(name: str, members: list[MappedShape], space: Space) -> dict[str, Any]:
    positions = np.concatenate([one.outline().patient for one in members])
    told = [f"uncertainty {one.points.uncertainty_mm[one.rows[0]]:.3g} mm" for one in members]
    controls = _control_points([one.label for one in members], positions * TO_SPACE[space], told)
    return _head("Fiducial", name, space) | {"controlPoints": controls}


def _markup(one: MappedShape, space: Space) -> dict[str, Any]:
    patient = one.outline().patient
    roi = _roi(one, patient, space) if one.type == "box" else None
    if roi is not None:
        return _head("ROI", one.name, space) | roi
    type_ = "ClosedCurve" if one.type in AREAS else _TYPES[one.type]
    labels = [f"{one.name}-{n}" for n in range(1, len(patient) + 1)]
    return _head(type_, one.name, space) | {
        "controlPoints": _control_points(labels, patient * TO_SPACE[space])
    }


def _head(type_: str, name: str, space: Space) -> dict[str, Any]:
    return {"type": type_, "name": name, "coordinateSystem": space.upper(), "coordinateUnits": "mm"}


def _control_points(
    labels: list[str], positions: Floats, descriptions: list[str] | None = None
) -> list[dict[str, Any]]:
    told = descriptions or [""] * len(labels)
    return [
        {
            "id": str(i),
            "label": label,
            "description": text,
            "position": position,
            "positionStatus": "defined",
        }
        for i, (label, text, position) in enumerate(
            zip(labels, told, (positions + 0.0).tolist(), strict=True), start=1
        )
    ]


def _roi(one: MappedShape, corners: Floats, space: Space) -> dict[str, Any] | None:
    """The box between the lower and the upper face of its PNG slice;
    None where the four corners span no such box.
    """
    along, across = corners[1] - corners[0], corners[2] - corners[1]
    size = np.array([np.linalg.norm(along), np.linalg.norm(across), _thickness(one)])
    open_by = np.linalg.norm(corners[3] - corners[0] - across)
    if (
        size.min() == 0
        or abs(along @ across) > _SQUARE * size[0] * size[1]
        or open_by > _SQUARE * size[1]
    ):
        return None
    first, second = along / size[0], across / size[1]
    axes = np.column_stack([first, second, np.cross(first, second)]) * TO_SPACE[space][:, None]
    center = corners.mean(axis=0) * TO_SPACE[space]
    return {
        "roiType": "Box",
        "center": (center + 0.0).tolist(),
        "orientation": (axes + 0.0).ravel().tolist(),
        "size": size.tolist(),
        "controlPoints": _control_points([one.name], center[None]),
    }


def _thickness(one: MappedShape) -> float:
    """Millimetres along the normal that the PNG slice of a box stands for; 0 for a single slice,
    and for a box across slices.
    """
    stack, png = one.points.sidecar.stack, one.png
    if stack is None or stack.slices == 1 or np.ptp(png[:, 2]) != 0:
        return 0.0
    middle = png[:, :2].mean(axis=0)
    lower, upper = one.points.sidecar.to_patient(
        [middle, middle], [png[0, 2] - 0.5, png[0, 2] + 0.5]
    )
    return float((upper - lower) @ stack.normal)


WRITER = Writer("slicer", (".mrk.json",), _write, _write_landmarks)
