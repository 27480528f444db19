"""DeepLabCut: CollectedData_<scorer>.csv."""

from __future__ import annotations

from collections.abc import Sequence

from ..label_truth import LANDMARKS, Landmark


def table(
    landmarks: Sequence[Landmark] = LANDMARKS, split: bool = True, individual: str | None = None
) -> str:
    """``split``: the image name in three columns, as since version 2.2;
    ``individual``: a multi-animal project.
    """
    index = ["", ""] if split else []
    header = [["scorer", *index, *(["Ada"] * 2 * len(landmarks))]]
    if individual:
        header.append(["individuals", *index, *([individual] * 2 * len(landmarks))])
    header.append(["bodyparts", *index, *(m.name for m in landmarks for _ in "xy")])
    header.append(["coords", *index, *(["x", "y"] * len(landmarks))])
    rows = []
    for image in dict.fromkeys(m.image for m in landmarks):
        cells = [str(v) if m.image == image else "" for m in landmarks for v in (m.x, m.y)]
        rows.append(
            [
                *(["labeled-data", "scan", image] if split else [f"labeled-data/scan/{image}"]),
                *cells,
            ]
        )
    return "\n".join(",".join(row) for row in [*header, *rows]) + "\n"
