"""QuPath: GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..label_truth import LANDMARKS, Landmark


def feature(geometry: dict[str, Any], z: int = 0, **properties: Any) -> dict[str, Any]:
    plane = {"plane": {"c": -1, "z": z, "t": 0}} if z else {}
    return {
        "type": "Feature",
        "id": "0d4d5ec4-8d1a-4f0c-93ab-0123456789ab",
        "geometry": {**geometry, **plane},
        "properties": {"objectType": "annotation", **properties},
    }


def class_of(name: str) -> dict[str, Any]:
    return {"name": name, "color": [200, 0, 0]}


def points(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    features = [
        feature(
            {"type": "Point", "coordinates": [round(v, 2) for v in m.corner]},
            m.slice,
            classification=class_of(m.name),
        )
        for m in landmarks
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})
