"""Plain JSON: what the CSV has, one object per label, under a few lines about the scans.

Unknown numbers are null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import TO_SPACE, Space, axes_of
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.writers.csv_points import COLUMNS, ORIGINS, Cells, nothing, origins_of

#: The scan and the specimen of each label, on top of the columns of the CSV.
_SERIES, _SPECIMEN = "series_instance_uid", "specimen"


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    scans = {part.series_uid: _scan(part) for part in parts}
    names = dict.fromkeys(name for part in parts for name in part.columns)
    origins = dict(origins_of(parts, list(names)))
    if _SPECIMEN not in {name.strip().lower() for name in names}:
        names[_SPECIMEN], origins[_SPECIMEN] = None, ORIGINS[_SPECIMEN]
    points = [row for part in parts for row in _objects(part, names, origins, space)]
    document = {"pixel_origin": "center", "scans": list(scans.values()), "points": points}
    return _write_document(document, path)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    points = [
        {_SPECIMEN: specimen, "label": name}
        | dict(zip(("x_mm", "y_mm", "z_mm"), _numbers(place), strict=True))
        | {"space": axes}
        for specimen, places, axes in zip(
            landmarks.specimens, landmarks.mm, landmarks.axes, strict=True
        )
        for name, place in zip(landmarks.names, places, strict=True)
    ]
    return _write_document({"points": points}, path)


def _write_document(document: dict[str, Any], path: Path) -> Notes:
    path.write_text(
        json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n",
        encoding="utf-8",
        newline="\n",
    )
    return ()


def _scan(part: MappedPoints) -> dict[str, Any]:
    document = part.sidecar.document
    return {
        _SERIES: document.source.series_instance_uid,
        "study_instance_uid": document.source.study_instance_uid,
        "frame_of_reference_uid": document.source.frame_of_reference_uid,
        "units": document.units,
        "exported_by": document.generator,
    }


def _objects(
    part: MappedPoints, names: Iterable[str], origins: Mapping[str, Cells], space: Space
) -> list[dict[str, Any]]:
    """One object per label; a column that its file lacks is empty, but for where it is from, as
    in the CSV.
    """
    taken = [name for name in (*COLUMNS, _SERIES) if name in part.columns]
    if taken:
        raise LabelError(
            f"the input already has a column {taken[0]}, which map-points writes; remove it, or"
            " map the original labels"
        )
    patient = part.patient * TO_SPACE[space]
    added: list[list[Any]] = [
        *(_numbers(values) for values in (*part.source.T, *patient.T, part.uncertainty_mm)),
        [uid or None for uid in part.instances.sop_instance_uid],
        [number or None for number in part.instances.frame_number.tolist()],
        [axes_of(part.sidecar.geometry, space)] * len(part),
    ]
    rows = slice(0, len(part))
    columns: dict[str, Sequence[Any]] = {
        name: part.columns.get(name) or origins.get(name, nothing)(part, rows) for name in names
    }
    columns |= dict(zip(COLUMNS, added, strict=True))
    columns[_SERIES] = [part.series_uid] * len(part)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in (values + 0.0).tolist()]


WRITER = Writer("json", (".json",), _write, _write_landmarks)
