"""IDAV Landmark .pts and Amira .landmarkAscii."""

from __future__ import annotations

from collections.abc import Sequence

from ..label_truth import LANDMARKS, Landmark


def pts(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    rows = (f"{m.name} {m.x} {m.y} {float(m.slice)}" for m in landmarks)
    return "\n".join(["Version 1.0", str(len(landmarks)), *rows, ""])


def amira(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    rows = (f"{m.x:.15e} {m.y:.15e} {m.slice:.15e} " for m in landmarks)
    return "\n".join(
        [
            "# AmiraMesh 3D ASCII 2.0",
            "",
            "",
            f"define Markers {len(landmarks)}",
            "",
            "Parameters {",
            "    NumSets 1,",
            '    ContentType "LandmarkSet"',
            "}",
            "",
            "Markers { float[3] Coordinates } @1",
            "",
            "# Data section follows",
            "@1",
            *rows,
            "",
        ]
    )
