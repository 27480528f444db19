"""Plain JSON: what the CSV has, one object per label, under a few lines about the scan. Unknown numbers are null."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.points.csv_points import COLUMNS
from sidecar.points.table import TO_SPACE, MappedPoints, Space, Writer


def _write(points: MappedPoints, path: Path, space: Space) -> None:
    taken = [name for name in COLUMNS if name in points.columns]
    if taken:
        raise LabelError(f"the input already has a column {taken[0]}, as output of map-points has; map the original labels")
    source = points.sidecar.document.source
    in_mm = points.sidecar.stack is not None
    head = {
        "generator": points.sidecar.document.generator,
        "study_instance_uid": source.study_instance_uid,
        "series_instance_uid": source.series_instance_uid,
        "frame_of_reference_uid": source.frame_of_reference_uid,
        "space": space.upper() if in_mm else None,
        "units": "mm" if in_mm else "pixel",
        "pixel_origin": "center",
    }
    text = json.dumps({**head, "points": _objects(points, space)}, ensure_ascii=False, allow_nan=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _objects(points: MappedPoints, space: Space) -> list[dict[str, Any]]:
    patient = points.patient * TO_SPACE[space]
    columns: dict[str, list[Any]] = {name: list(cells) for name, cells in points.columns.items()}
    numbers = [*points.source.T, *patient.T, points.uncertainty_mm]
    added: list[list[Any]] = [
        *(_numbers(values) for values in numbers),
        [uid or None for uid in points.instances.sop_instance_uid],
        [n or None for n in points.instances.frame_number.tolist()],
        [space.upper()] * len(points),
    ]
    columns |= dict(zip(COLUMNS, added, strict=True))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in (values + 0.0).tolist()]


WRITER = Writer("json", (".json",), _write)
