"""Read points of a scan from tables such as map-points writes, and from markups of 3D Slicer,
including those that the viewer page saves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, counted
from sidecar.grid.space import FROM_AXES
from sidecar.labels.map import FARTHEST
from sidecar.labels.model import PATIENT_COLUMNS, SOURCE_COLUMNS
from sidecar.labels.readers import read_head, slicer
from sidecar.labels.readers.volume_points import Vertex
from sidecar.labels.tables.columns import Columns, Made
from sidecar.labels.tables.csv_table import Table

#: Columns of the export that points belong to.
EXPORT_COLUMNS = ("specimen", "series_uid", "tag")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScanPoints:
    """N points of a scan, with at least one of ``source`` and ``mm``.

    ``columns``  text for the output, as `Columns` with N cells each.
    ``source``   (N, 3) source index, or None.
    ``mm``       (N, 3) mm, LPS, or along the axes of the scan itself where ``axes`` has "given";
                 or None.
    ``axes``     N of "lps", "ras" and "given": the axes in the file. In ``mm``, RAS is converted to
                 LPS.
    ``series``   N Series Instance UIDs, "" where the file names none.
    ``where``    N places, for messages.
    ``notes``    what was left out, and what was assumed.
    """

    path: Path
    columns: Columns
    source: Floats | None
    mm: Floats | None
    axes: Sequence[str]
    series: Sequence[str]
    where: Callable[[int], str]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.axes)

    def error(self, index: int, message: str) -> LabelError:
        """The error for one point, naming file and place."""
        return LabelError(message, self.path, self.where(index))


def read_scan_points(path: Path) -> ScanPoints:
    """The points of one file. A LabelError names file and row, or the markup."""
    return _of_markups(path) if slicer.recognises(path, read_head(path)) else _of_table(path)


def _of_table(path: Path) -> ScanPoints:
    table = Table(path)
    there = [names for names in (SOURCE_COLUMNS, PATIENT_COLUMNS) if _is_there(table, names)]
    if not there:
        wanted = f"{', '.join(PATIENT_COLUMNS)} nor the columns {', '.join(SOURCE_COLUMNS)}"
        way_out = (
            "its x and y are labels on PNGs: map them with `sidecar map-points` first, and give"
            " the table that it writes"
            if table.name("x") and table.name("y")
            else "give a table with one of these sets of columns"
        )
        raise LabelError(
            f"has neither the columns {wanted}; {way_out}",
            path,
            "row 1",
        )
    values, (spaces, series) = table.at_once(
        [name for names in there for name in names], "space", "series_uid"
    ) or _one_by_one(table, there)
    places = dict(zip(there, np.hsplit(values, len(there)), strict=True))
    for names, found in places.items():
        _refuse_senseless(table, names, found)
    axes = _axes(table, spaces)
    mm, empty = places.get(PATIENT_COLUMNS), table.empty_rows
    return ScanPoints(
        path=path,
        columns=table.columns,
        source=places.get(SOURCE_COLUMNS),
        mm=None if mm is None else mm * _signs(axes),
        axes=axes,
        series=[text.strip() for text in series or [""] * len(table)],
        where=table.row,
        notes=(f"{counted(empty, 'empty row')} left out",) if empty else (),
    )


def _is_there(table: Table, names: Sequence[str]) -> bool:
    """Whether a table has all these columns, and, if it has rows, anything in them."""
    own = [table.name(name) for name in names]
    if None in own:
        return False
    pieces = table.columns.pieces()
    return not len(table) or any(any(piece[name or ""]) for piece in pieces for name in own)


def _one_by_one(
    table: Table, there: Sequence[Sequence[str]]
) -> tuple[Floats, list[Sequence[str] | None]]:
    """As `Table.at_once`, but one column after the other. LabelError for text that is no number."""
    values = []
    for names in there:
        values.append(np.column_stack([table.numbers(name) for name in names]))
        _refuse_senseless(table, names, values[-1])
    return np.hstack(values), [table.texts("space"), table.texts("series_uid")]


def _refuse_senseless(table: Table, names: Sequence[str], values: Floats) -> None:
    first = _first_senseless(values)
    if first is not None:
        raise LabelError(
            f"its {', '.join(names)} are too large to be a place in any scan; correct them",
            table.path,
            table.row(first),
        )


def _first_senseless(values: Floats) -> int | None:
    sensible = np.all(np.abs(values) <= FARTHEST, axis=1)
    return None if sensible.all() else int(np.argmin(sensible))


def _axes(table: Table, spaces: Sequence[str] | None) -> list[str]:
    """The axes of each row by the column ``space``; LPS without this column."""
    spaces = spaces or [""] * len(table)
    axes = [space.strip().lower() or "lps" for space in spaces]
    for i, (name, space) in enumerate(zip(axes, spaces, strict=True)):
        if name not in FROM_AXES:
            raise LabelError(
                f"space is {space!r}; it must be LPS, RAS or given", table.path, table.row(i)
            )
    return axes


def _signs(axes: Sequence[str]) -> Floats:
    return np.array([FROM_AXES[name] for name in axes]).reshape(-1, 3)


def _of_markups(path: Path) -> ScanPoints:
    file = slicer.parse(path)
    if file.left_out and not file.vertices:
        raise LabelError(f"holds no points: {'; '.join(file.left_out)}", path)
    first = _first_senseless(file.xyz)
    if first is not None:
        raise LabelError(
            "its position is too large to be a place in any scan; correct it",
            path,
            file.vertices[first].where,
        )
    columns = _columns(file.vertices)
    return ScanPoints(
        path=path,
        columns=Made.of(columns, len(file.vertices)),
        source=None,
        mm=file.xyz,
        axes=["lps"] * len(file.vertices),
        series=columns.get("series_uid", [""] * len(file.vertices)),
        where=lambda index: file.vertices[index].where,
        notes=(*dict.fromkeys(file.notes), *file.left_out),
    )


def _columns(vertices: Sequence[Vertex]) -> dict[str, list[str]]:
    """The vertices as columns, with the column names of label tables.

    The descriptions of points of the viewer page become columns, too.
    """
    rows = [_row(vertex) for vertex in vertices]
    names = dict.fromkeys(name for row in rows for name, text in row.items() if text)
    return {name: [row.get(name, "") for row in rows] for name in ("label", *names)}


def _row(vertex: Vertex) -> dict[str, str]:
    row = {
        "label": vertex.label,
        "shape_id": vertex.id,
        "shape_type": vertex.type,
        "vertex": str(vertex.number),
        **vertex.extra,
    }
    stated = slicer.stated_export(row.get("description", ""))
    return row if stated is None else row | {"description": ""} | stated
