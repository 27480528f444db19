"""3D Slicer: markups as JSON and as fcsv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..label_truth import LANDMARKS, Landmark


def point(number: int, name: str, lps: Sequence[float], status: str = "defined") -> dict[str, Any]:
    return {
        "id": str(number),
        "label": name,
        "description": "",
        "associatedNodeID": "vtkMRMLScalarVolumeNode1",
        "position": list(lps),
        "orientation": [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0],
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": status,
    }


def document(markups: Sequence[dict[str, Any]]) -> str:
    schema = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
    return json.dumps({"@schema": schema, "markups": list(markups)}, indent=4)


def markup(
    type_: str, points: Sequence[dict[str, Any]], system: str = "LPS", **more: Any
) -> dict[str, Any]:
    return {
        "type": type_,
        "coordinateSystem": system,
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        "controlPoints": list(points),
        "measurements": [],
        "display": {"visibility": True, "opacity": 1.0},
        **more,
    }


def points(
    landmarks: Sequence[Landmark] = LANDMARKS, spacing: Sequence[float] = (1, 1, 1)
) -> list[dict[str, Any]]:
    a, b, c = spacing
    return [point(n, m.name, (m.x * a, m.y * b, m.slice * c)) for n, m in enumerate(landmarks, 1)]


def mrk(landmarks: Sequence[Landmark] = LANDMARKS, spacing: Sequence[float] = (1, 1, 1)) -> str:
    return document([markup("Fiducial", points(landmarks, spacing))])


def fcsv(
    landmarks: Sequence[Landmark] = LANDMARKS, system: str | None = "LPS", tail: str = ",2,0"
) -> str:
    """As Slicer 5.2 and later write it, with two more cells than the header announces;
    ``tail`` "" for earlier versions.
    """
    sign = 1 if system in ("LPS", "1") else -1
    rows = (
        f"{n},{m.x * sign},{m.y * sign},{float(m.slice)},0,0,0,1,1,1,0,{m.name},,vtkMRMLScalarVolumeNode1{tail}"
        for n, m in enumerate(landmarks, 1)
    )
    return "\n".join(
        [
            "# Markups fiducial file version = 5.6",
            *([f"# CoordinateSystem = {system}"] if system else []),
            "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
            *rows,
            "",
        ]
    )
