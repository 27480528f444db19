"""Plain JSON: what the CSV has, one object per label, under a few lines about the scans.

Unknown numbers are null. Objects are made and written some thousands at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import TO_SPACE, Space, axes_of
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.tables.columns import PIECE
from sidecar.labels.writers.csv_points import COLUMNS, ORIGINS, Cells, nothing, origins_of

#: The scan and the specimen of each label, on top of the columns of the CSV.
_SERIES, _SPECIMEN = "series_instance_uid", "specimen"


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    scans = {part.series_uid: _scan(part) for part in parts}
    names = dict.fromkeys(name for part in parts for name in part.columns)
    origins = dict(origins_of(parts, list(names)))
    if _SPECIMEN not in {name.strip().lower() for name in names}:
        names[_SPECIMEN], origins[_SPECIMEN] = None, ORIGINS[_SPECIMEN]
    for part in parts:
        _refuse_columns_of_ours(part)
    pieces = (piece for part in parts for piece in _objects(part, names, origins, space))
    return _write_document({"pixel_origin": "center", "scans": [*scans.values()]}, pieces, path)


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
    return _write_document({}, [points], path)


def _write_document(
    head: dict[str, Any], pieces: Iterable[Sequence[dict[str, Any]]], path: Path
) -> Notes:
    """``pieces``: the points, some at a time."""
    before, after = _text({**head, "points": []}).rsplit("[]", 1)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{before}[")
        between, end = "", "]"
        for points in filter(None, pieces):
            inside = _text(points).removeprefix("[").removesuffix("\n]")
            file.write(between + inside.replace("\n", "\n "))  # a list in an object
            between, end = ",", "\n ]"
        file.write(f"{end}{after}\n")
    return ()


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)


def _scan(part: MappedPoints) -> dict[str, Any]:
    document = part.sidecar.document
    return {
        _SERIES: document.source.series_instance_uid,
        "study_instance_uid": document.source.study_instance_uid,
        "frame_of_reference_uid": document.source.frame_of_reference_uid,
        "units": document.units,
        "exported_by": document.generator,
    }


def _refuse_columns_of_ours(part: MappedPoints) -> None:
    taken = [name for name in (*COLUMNS, _SERIES) if name in part.columns]
    if taken:
        raise LabelError(
            f"the input already has a column {taken[0]}, which map-points writes; remove it, or"
            " map the original labels"
        )


def _objects(
    part: MappedPoints, names: Iterable[str], origins: Mapping[str, Cells], space: Space
) -> Iterator[list[dict[str, Any]]]:
    """One object per label; a column that its file lacks is empty, but for where it is from, as
    in the CSV.
    """
    for start in range(0, len(part), PIECE):
        rows = slice(start, min(start + PIECE, len(part)))
        cells = part.columns.piece(start)
        columns: dict[str, Sequence[Any]] = {
            name: cells.get(name) or origins.get(name, nothing)(part, rows) for name in names
        }
        columns |= dict(zip(COLUMNS, _computed(part, rows, space), strict=True))
        columns[_SERIES] = [part.series_uid] * (rows.stop - rows.start)
        yield [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _computed(part: MappedPoints, rows: slice, space: Space) -> Iterator[Sequence[Any]]:
    """The cells of `COLUMNS`."""
    patient = part.patient[rows] * TO_SPACE[space]
    for values in (*part.source[rows].T, *patient.T, part.uncertainty_mm[rows]):
        yield _numbers(values)
    instances = [part.instances.planes[k] for k in part.instances.plane[rows].tolist()]
    yield [uid or None for uid, _ in instances]
    yield [frame or None for _, frame in instances]
    yield [axes_of(part.sidecar.geometry, space)] * len(instances)


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in (values + 0.0).tolist()]


WRITER = Writer("json", (".json",), _write, _write_landmarks)
