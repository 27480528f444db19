"""Points of a scan → PNG pixels: the inverse of `sidecar.labels.load`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError, LabelError
from sidecar.grid.axis import nearest
from sidecar.grid.space import FROM_AXES, Geometry
from sidecar.labels.csv_table import Table
from sidecar.labels.map import FARTHEST
from sidecar.labels.unfit_texts import refuse_unfit_texts
from sidecar.labels.writers.csv_points import numbers
from sidecar.mapping import Sidecar

#: Columns of source voxels and of patient mm, as map-points writes them.
SOURCE_COLUMNS = ("source_column", "source_row", "source_slice")
PATIENT_COLUMNS = ("x_mm", "y_mm", "z_mm")
#: What project adds; columns of these names in the input are those of another export, and are
#: replaced.
PIXEL_COLUMNS = ("image", "slice", "x", "y")
#: Which export those pixels are of: replaced where the input has them.
EXPORT_COLUMNS = ("specimen", "series_uid", "tag")
#: Voxels and millimetres of one row that are further apart than this part of a voxel are of
#: different scans.
SAME_SCAN = 1e-3


@dataclass(frozen=True)
class Projection:
    """Points on the PNGs: all columns as text, and what the user should be told."""

    columns: dict[str, Sequence[str]]
    png: NDArray[np.float64]
    notes: tuple[str, ...]


def project_file(path: str | Path, sidecar: Sidecar, allow_outside: bool = False) -> Projection:
    """PNG pixels of the points of a CSV with columns x_mm, y_mm, z_mm (LPS, or as its column
    ``space`` says) or source_column, source_row, source_slice. The inverse of `map_file`; where
    both are there, they must agree. A column series_uid must be that of this scan.

    Raises LabelError naming file and row.
    """
    table = Table(Path(path))
    _refuse_other_scan(table, sidecar)
    source = _source_indices(table, sidecar)
    xy, slices = sidecar.from_source(source)
    png = np.column_stack([xy, slices])
    if not allow_outside:
        _refuse_outside(table, png, sidecar)
    files = sidecar.document.images.files
    shown = np.clip(nearest(slices), 0, len(files) - 1)
    pixels = [
        ["" if np.isnan(k) else files[int(k)].name for k in shown],
        numbers(slices),
        numbers(xy[:, 0]),
        numbers(xy[:, 1]),
    ]
    added = dict(zip(PIXEL_COLUMNS, pixels, strict=True)) | _export_columns(table, sidecar)
    replaced = [name for name in table.columns if name.lower() in added]
    kept = {name: cells for name, cells in table.columns.items() if name not in replaced}
    refuse_unfit_texts(kept, lambda row, message: LabelError(message, table.path, table.row(row)))
    empty = (f"{table.empty_rows} empty row(s) left out",) if table.empty_rows else ()
    notes = (
        (f"columns {', '.join(replaced)} of the input are those of another export; replaced",)
        if replaced
        else ()
    )
    return Projection({**kept, **added}, png, (*notes, *empty))


def _export_columns(table: Table, sidecar: Sidecar) -> dict[str, Sequence[str]]:
    """What the columns of the export become where the input has them; a specimen without a name
    here keeps the one it has there.
    """
    document = sidecar.document
    own = (document.specimen, document.source.series_instance_uid, document.images.tag or "")
    return {
        name: [text] * len(table)
        for name, text in zip(EXPORT_COLUMNS, own, strict=True)
        if text is not None and table.name(name) is not None
    }


def _refuse_other_scan(table: Table, sidecar: Sidecar) -> None:
    """LabelError for a row that states another series: its millimetres are another body's."""
    own = sidecar.document.source.series_instance_uid
    for i, series in enumerate(table.texts("series_uid") or ()):
        if series.strip() not in ("", own):
            raise LabelError(
                f"is of series {series.strip()}, and this scan is {own}; give the sidecar.json of a"
                " scan that it is of, or, where both share their coordinates, take the column"
                " series_uid out",
                table.path,
                table.row(i),
            )


def _refuse_outside(table: Table, png: NDArray[np.float64], sidecar: Sidecar) -> None:
    inside = sidecar.contains(png[:, :2], png[:, 2])
    if not inside.all():
        first = int(np.argmin(inside))
        where = (
            "does not lie on this scan's only slice"
            if np.isnan(png[first]).any()
            else (
                f"falls on ({png[first, 0]:.4g}, {png[first, 1]:.4g}) of slice {png[first, 2]:.4g},"
                f" outside of the PNGs ({' × '.join(map(str, sidecar.size))})"
            )
        )
        raise LabelError(
            f"{where}; is it of another scan? --allow-outside keeps it",
            table.path,
            table.row(first),
        )


def _source_indices(table: Table, sidecar: Sidecar) -> NDArray[np.float64]:
    by_voxel = _triples(table, SOURCE_COLUMNS)
    patient = _triples(table, PATIENT_COLUMNS)
    if patient is not None:
        patient = patient * _signs(table, sidecar.geometry)
    if by_voxel is None and patient is None:
        wanted = f"{', '.join(PATIENT_COLUMNS)} or {', '.join(SOURCE_COLUMNS)}"
        raise LabelError(f"has neither the columns {wanted}", table.path, "row 1")
    if patient is None or sidecar.stack is None:
        if by_voxel is None:
            raise LabelError(
                "has only millimetres, but this scan has no patient geometry", table.path
            )
        return by_voxel
    try:
        by_patient = sidecar.stack.to_index(patient)
    except GeometryError as error:
        raise LabelError(str(error), table.path) from None
    if by_voxel is None:
        return by_patient
    apart = ~(np.abs(by_voxel - by_patient).max(axis=1) <= SAME_SCAN)
    if apart.any():
        first = int(np.argmax(apart))
        raise LabelError(
            "its source voxel and its millimetres are different places in this scan; is it of"
            " another scan? Keep the columns that are meant, and leave the others out",
            table.path,
            table.row(first),
        )
    return by_voxel


def _triples(table: Table, names: Sequence[str]) -> NDArray[np.float64] | None:
    """Three columns as (N, 3); None where they are not there, or all empty."""
    cells = [table.texts(name) for name in names]
    if any(column is None for column in cells) or (
        len(table) and not any(any(column or ()) for column in cells)
    ):
        return None
    values = np.column_stack([table.numbers(name) for name in names])
    sensible = np.all(np.abs(values) <= FARTHEST, axis=1)
    if not sensible.all():
        first = int(np.argmin(sensible))
        raise LabelError(
            f"its {', '.join(names)} are too large to be a place in any scan",
            table.path,
            table.row(first),
        )
    return values


def _signs(table: Table, geometry: Geometry) -> NDArray[np.float64]:
    """What makes each row's millimetres those of a scan, by its column ``space``; LPS without
    one.
    """
    spaces = table.texts("space") or [""] * len(table)
    axes = [space.strip().lower() or "lps" for space in spaces]
    for i, (name, space) in enumerate(zip(axes, spaces, strict=True)):
        if name not in FROM_AXES:
            raise LabelError(
                f"space {space!r} is neither LPS, RAS nor given", table.path, table.row(i)
            )
        if geometry != "none" and (name == "given") != (geometry == "given"):
            raise LabelError(_OTHER_SPACE[geometry], table.path, table.row(i))
    return np.array([FROM_AXES[name] for name in axes]).reshape(-1, 3)


_OTHER_SPACE: dict[Geometry, str] = {
    "given": (
        "its millimetres are of the patient, and the voxel size of this scan was given by hand: it"
        " has millimetres along its own axes only, which space calls given; keep the columns"
        " source_column, source_row, source_slice instead, where they are of this scan"
    ),
    "patient": (
        "its millimetres are by a voxel size that was given by hand (space is given), and this scan"
        " has those of the patient; keep the columns source_column, source_row, source_slice"
        " instead, where they are of this scan"
    ),
}
