"""Map points of a scan to PNG pixels: the inverse of `sidecar.labels.load`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError, LabelError, counted
from sidecar.grid.axis import nearest
from sidecar.grid.points import onto_edge
from sidecar.grid.space import Geometry
from sidecar.grid.stack import Stack, geometry_of
from sidecar.labels.scan_points import EXPORT_COLUMNS, ScanPoints, read_scan_points
from sidecar.labels.tables.columns import Columns, Made, Maker, SideBySide
from sidecar.labels.tables.number_texts import rounded
from sidecar.labels.unfit_texts import refuse_unfit_texts
from sidecar.labels.writers.csv_points import COMPUTED
from sidecar.mapping import Sidecar

#: The columns that project adds. Columns of these names in the input belong to another export, and
#: are replaced.
PIXEL_COLUMNS = ("image", "slice", "x", "y")
#: If voxel and millimetres of one row differ by more than this part of a voxel, they belong to
#: different scans. Smaller differences are rounding.
SAME_SCAN = 1e-3


@dataclass(frozen=True, eq=False)
class Projection:
    """Points on the PNGs: all columns as text, and notes for the user."""

    columns: Columns
    png: NDArray[np.float64]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Projection of {counted(len(self.png), 'point')}>"


def project_file(path: str | Path, sidecar: Sidecar, allow_outside: bool = False) -> Projection:
    """PNG pixels of the points of a file: the inverse of `map_file`.

    A CSV has the columns x_mm, y_mm, z_mm (LPS, unless its column ``space`` says otherwise) or
    source_column, source_row, source_slice. If it has both, they must agree. Markups of 3D Slicer
    (``.mrk.json``, ``.fcsv``) are in millimetres, and state LPS or RAS. If a point names a series,
    it must be that of this scan.

    Columns that map-points computes are left out, so that the result can be mapped again.

    Raises a LabelError with file and row.
    """
    points = read_scan_points(Path(path))
    refuse_other_scan(points, sidecar.document.source.series_instance_uid)
    xy, slices = sidecar.from_source(source_indices(points, sidecar.stack))
    png = onto_edge(np.column_stack([xy, slices]), sidecar.size, SAME_SCAN)
    if not allow_outside:
        _refuse_outside(points, png, sidecar)
    added = _added(points, png, sidecar)
    replaced = [name for name in points.columns if name.lower() in added]
    computed = [name for name in points.columns if name.strip().lower() in COMPUTED]
    gone = {*replaced, *computed}
    kept = points.columns.only(name for name in points.columns if name not in gone)
    refuse_unfit_texts(kept, points.error)
    notes = []
    if replaced:
        notes.append(
            f"the input has columns of another export; they were replaced: {', '.join(replaced)}"
        )
    if computed:
        notes.append(f"columns that map-points computes again were left out: {', '.join(computed)}")
    return Projection(SideBySide(kept, added), png, (*notes, *points.notes))


def _added(points: ScanPoints, png: NDArray[np.float64], sidecar: Sidecar) -> Made:
    """The columns of the PNGs, and new values for those columns of the export that the input has.

    Where this export has no name of a specimen, the name in the input stays.
    """
    document = sidecar.document
    files = document.images.files

    def image(rows: slice) -> Sequence[str]:
        shown = np.clip(nearest(png[rows, 2]), 0, len(files) - 1)
        return ["" if np.isnan(k) else files[int(k)].name for k in shown]

    def number(axis: int) -> Maker:
        return lambda rows: rounded(png[rows, axis])

    def same(text: str) -> Maker:
        return lambda rows: [text] * (rows.stop - rows.start)

    pixels = (image, number(2), number(0), number(1))
    own = (document.specimen, document.source.series_instance_uid, document.images.tag or "")
    there = {name.lower() for name in points.columns}
    export = {
        name: same(text)
        for name, text in zip(EXPORT_COLUMNS, own, strict=True)
        if text is not None and name in there
    }
    return Made(dict(zip(PIXEL_COLUMNS, pixels, strict=True)) | export, slice(0, len(points)))


def refuse_other_scan(points: ScanPoints, own: str) -> None:
    """LabelError for a point that states another series than ``own``: its millimetres belong to
    another body.
    """
    for i, series in enumerate(points.series):
        if series not in ("", own):
            raise points.error(
                i,
                f"is of series {series}, but this scan is series {own}. Give the sidecar.json of"
                " the scan that the point belongs to. If both scans share their coordinates,"
                " remove the series from the file (series_uid, or the description of a markup)",
            )


def _refuse_outside(points: ScanPoints, png: NDArray[np.float64], sidecar: Sidecar) -> None:
    inside = sidecar.contains(png[:, :2], png[:, 2])
    if not inside.all():
        first = int(np.argmin(inside))
        where = (
            "does not lie on this scan's only slice"
            if np.isnan(png[first]).any()
            else (
                f"lies at ({png[first, 0]:.4g}, {png[first, 1]:.4g}) on slice {png[first, 2]:.4g},"
                f" outside the PNGs ({' × '.join(map(str, sidecar.size))})"
            )
        )
        raise points.error(
            first, f"{where}. Is it of another scan? If not, add --allow-outside to keep it"
        )


def source_indices(points: ScanPoints, stack: Stack | None) -> NDArray[np.float64]:
    """Source indices (N, 3) of the points of a file in a scan with the geometry ``stack``.

    LabelError where voxels and millimetres of a point are different places, or where the
    millimetres do not belong to this scan.
    """
    if points.mm is not None:
        _refuse_other_axes(points, geometry_of(stack))
    if points.mm is None or stack is None:
        if points.source is None:
            raise LabelError(
                "has only millimetres, but this scan has no patient geometry", points.path
            )
        return points.source
    try:
        by_mm = stack.to_index(points.mm)
    except GeometryError as error:
        raise LabelError(str(error), points.path) from None
    if points.source is None:
        return by_mm
    apart = ~(np.abs(points.source - by_mm).max(axis=1) <= SAME_SCAN)
    if apart.any():
        raise points.error(
            int(np.argmax(apart)),
            "its source voxel and its millimetres are different places in this scan. Is it of"
            " another scan? Keep the columns that are right, and remove the others",
        )
    return points.source


def _refuse_other_axes(points: ScanPoints, geometry: Geometry) -> None:
    """LabelError for millimetres of the patient on a scan whose voxel size was given by hand, and
    for the reverse.
    """
    for i, axes in enumerate(points.axes):
        if geometry != "none" and (axes == "given") != (geometry == "given"):
            raise points.error(i, _OTHER_SPACE[geometry])


_OTHER_SPACE: dict[Geometry, str] = {
    "given": (
        "its millimetres are of the patient, but the voxel size of this scan was given by hand, so"
        " the scan has millimetres along its own axes only (space is given). If source voxels of"
        " this scan are known, give a table with the columns source_column, source_row,"
        " source_slice instead"
    ),
    "patient": (
        "its millimetres are by a voxel size that was given by hand (space is given), but this"
        " scan has millimetres of the patient. If the columns source_column, source_row,"
        " source_slice are of this scan, keep these instead"
    ),
}
