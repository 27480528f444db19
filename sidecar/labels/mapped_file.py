"""Read a CSV of `map-points` for measuring and aligning: names, places in mm, uncertainties and
specimens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import FROM_AXES
from sidecar.labels.grouping import group
from sidecar.labels.tables.columns import picked
from sidecar.labels.tables.csv_table import Table
from sidecar.labels.unfit_texts import refuse_unfit_texts
from sidecar.labels.vertices import Shapes, refuse_incomplete


@dataclass(frozen=True)
class PointTable:
    """N mapped points.

    ``names``: their labels. ``mm`` (N, 3): LPS, also if the file has RAS; where ``is_given``, along
    the axes of a scan whose voxel size was given by hand. ``uncertainty_mm`` (N,): not negative.
    ``specimens``: the name of the specimen of each point; "" for all points where the file has no
    names of specimens. ``table``: all columns of the file, and its rows for messages. ``rows``
    (N,): the row of each point in the table.
    """

    names: tuple[str, ...]
    mm: NDArray[np.float64]
    uncertainty_mm: NDArray[np.float64]
    specimens: tuple[str, ...]
    table: Table
    rows: NDArray[np.intp]
    is_given: bool

    def by_specimen(self) -> dict[str, PointTable]:
        """Name of a specimen → its points. All points are under "" where the file has no names of
        specimens.
        """
        if not any(self.specimens):
            return {"": self}
        found: dict[str, list[int]] = {}
        for i, specimen in enumerate(self.specimens):
            found.setdefault(specimen, []).append(i)
        return {specimen: self._only(points) for specimen, points in found.items()}

    def only_specimen(self, what: str) -> str:
        """The name of the only specimen, or of the file where it names no specimen.

        LabelError where there are several, because ``what`` (such as "align") works on one.
        """
        names = list(dict.fromkeys(self.specimens)) or [""]
        if len(names) > 1:
            raise LabelError(
                f"holds {len(names)} specimens ({_listed(names)}), but {what} takes one; put each"
                " specimen into a file of its own",
                self.table.path,
            )
        return names[0] or self.table.path.name

    def select(self, *names: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places (K, 3) and uncertainties (K,) of K named points, in the order of ``names``, as the
        functions of `measure` take them.

        LabelError for a name that no point has, or that several points have.
        """
        rows = self.rows_of(*names)
        return self.mm[rows], self.uncertainty_mm[rows]

    def rows_of(self, *names: str) -> list[int]:
        """The rows of ``mm`` that hold K named points. LabelError as `select`."""
        return [self._row(name) for name in names]

    def positions(self) -> dict[str, NDArray[np.float64]]:
        """Name → (3,) mm of every named point, as the functions of `align` take them.

        LabelError where two points have the same name.
        """
        return {name: self.mm[self._row(name)] for name in self.names if name}

    def shapes(self) -> Shapes:
        """Points, lines, polygons and so on. Their rows index ``mm``.

        A LabelError names file and row of rows that make no shape.
        """
        columns = picked(self.table.columns, self.rows)
        shapes = group(columns, len(self.rows), self.table.path, self._place)
        refuse_incomplete(shapes, self.table.path)
        return shapes

    def _only(self, points: Sequence[int]) -> PointTable:
        names, specimens = ([texts[i] for i in points] for texts in (self.names, self.specimens))
        return replace(
            self,
            names=tuple(names),
            mm=self.mm[points],
            uncertainty_mm=self.uncertainty_mm[points],
            specimens=tuple(specimens),
            rows=self.rows[points],
        )

    def _place(self, point: int) -> str:
        return self.table.row(int(self.rows[point]))

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        """The points of each name, in order."""
        found: dict[str, list[int]] = {}
        for i, name in enumerate(self.names):
            found.setdefault(name, []).append(i)
        return found

    def _row(self, name: str) -> int:
        found = self._by_name.get(name, [])
        if not found:
            whose = f"specimen {self.specimens[0]!r} " if any(self.specimens) else ""
            raise LabelError(
                f"{whose}has no point {name!r}; it has {_listed(self.names)}", self.table.path
            )
        if len(found) > 1:
            problem = (
                f"has {len(found)} points named {name!r} ({', '.join(map(self._place, found[:3]))})"
            )
            raise LabelError(f"{problem}; give each its own name", self.table.path)
        return found[0]


def read_points(path: Path) -> PointTable:
    """Read a CSV with the columns label, x_mm, y_mm, z_mm, uncertainty_mm and space.

    space is LPS or RAS in each row, or "given" in all rows. RAS becomes LPS.

    Raises a LabelError with file and row for a missing value, for text that is no number, and for a
    negative uncertainty; for millimetres of the patient together with those of a given voxel size;
    and where the columns specimen and series_uid do not tell specimens apart.
    """
    table = Table(path)
    labels, spaces = table.texts("label"), table.texts("space")
    for column, cells in (("label", labels), ("space", spaces)):
        if cells is None:
            raise LabelError(
                f"has no column {column}; give the CSV that map-points wrote", path, "row 1"
            )
    assert labels is not None and spaces is not None
    refuse_unfit_texts(
        table.columns, lambda row, message: LabelError(message, path, table.row(row))
    )
    mm = np.column_stack([_numbers(table, name) for name in ("x_mm", "y_mm", "z_mm")])
    uncertainty = _numbers(table, "uncertainty_mm")
    if (uncertainty < 0).any():
        raise LabelError(
            "uncertainty_mm is negative; correct it",
            path,
            table.row(int((uncertainty < 0).argmax())),
        )
    axes = [_axes(text, path, table.row(i)) for i, text in enumerate(spaces)]
    signs = np.array([FROM_AXES[name] for name in axes]).reshape(-1, 3)
    is_given = bool(axes) and axes[0] == "given"
    row = next((i for i, name in enumerate(axes) if (name == "given") != is_given), None)
    if row is not None:
        raise LabelError(
            f"space is {spaces[row]}, but {spaces[0]} in the rows above. Millimetres of the"
            " patient and millimetres by a voxel size given by hand have no common axes; keep them"
            " in two files",
            path,
            table.row(row),
        )
    return PointTable(
        names=tuple(label.strip() for label in labels),
        mm=mm * signs,
        uncertainty_mm=uncertainty,
        specimens=_specimens(table),
        table=table,
        rows=np.arange(len(table)),
        is_given=is_given,
    )


def _specimens(table: Table) -> tuple[str, ...]:
    """The specimen of each row, "" where no row has a name.

    LabelError where only some rows have a name, and where rows of one name are of two scans.
    """
    names = [name.strip() for name in table.texts("specimen") or [""] * len(table)]
    if any(names) and "" in names:
        raise LabelError(
            "has no specimen, but other rows have one; fill in the column specimen",
            table.path,
            table.row(names.index("")),
        )
    first: dict[str, int] = {}
    series = table.texts("series_uid") or [""] * len(table)
    for i, name in enumerate(names):
        other = first.setdefault(name, i)
        if series[i] != series[other]:
            called = f"is of specimen {name!r}" if name else "has no specimen"
            raise LabelError(
                f"{called} in series {series[i]!r}, like {table.row(other)} in series"
                f" {series[other]!r}; give each specimen a name of its own in the column specimen",
                table.path,
                table.row(i),
            )
    return tuple(names)


def _numbers(table: Table, column: str) -> NDArray[np.float64]:
    values = table.numbers(column, empty_allowed=True)
    if np.isnan(values).any():
        row = table.row(int(np.isnan(values).argmax()))
        raise LabelError(
            f"{column} is empty. A scan without patient geometry has no millimetres to measure; if"
            " you know its voxel size, export it with --voxel X,Y,Z",
            table.path,
            row,
        )
    return values


def _axes(text: str, path: Path, row: str) -> str:
    axes = text.strip().lower()
    if axes not in FROM_AXES:
        raise LabelError(f"space is {text[:20]!r}; it must be LPS, RAS or given", path, row)
    return axes


def _listed(names: Sequence[str]) -> str:
    known = list(dict.fromkeys(name for name in names if name))
    return (
        ", ".join(map(repr, known[:10])) + (" ..." if len(known) > 10 else "")
        if known
        else "no names"
    )
