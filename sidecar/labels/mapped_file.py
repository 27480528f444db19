"""The CSV that `map-points` wrote, read back for measuring and aligning: names, places in mm, and
how sure they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import FROM_AXES
from sidecar.labels.csv_table import Table
from sidecar.labels.grouping import group
from sidecar.labels.unfit_texts import refuse_unfit_texts
from sidecar.labels.vertices import Shapes, refuse_incomplete


@dataclass(frozen=True)
class PointTable:
    """N mapped points. ``names``: their labels. ``mm`` (N, 3), LPS, whatever the file has; where
    ``is_given``, along the axes of a scan whose voxel size was given by hand. ``uncertainty_mm``
    (N,), not negative. ``table``: all columns of the file, and its rows for messages.
    """

    names: tuple[str, ...]
    mm: NDArray[np.float64]
    uncertainty_mm: NDArray[np.float64]
    table: Table
    is_given: bool

    def select(self, *names: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places (K, 3) and uncertainties (K,) of K named points, in the order asked for: what the
        functions of `measure` take.

        LabelError for a name that no point has, or more than one.
        """
        rows = [self._row(name) for name in names]
        return self.mm[rows], self.uncertainty_mm[rows]

    def positions(self) -> dict[str, NDArray[np.float64]]:
        """Name → (3,) mm of every named point: what the functions of `align` take.

        LabelError when a name comes twice.
        """
        return {name: self.mm[self._row(name)] for name in self.names if name}

    def shapes(self) -> Shapes:
        """Points, lines, polygons and so on; their rows index ``mm``.

        LabelError, naming file and row, for rows that make none.
        """
        table = self.table
        shapes = group(table.columns, len(table), table.path, table.row)
        refuse_incomplete(shapes, table.path)
        return shapes

    def _row(self, name: str) -> int:
        found = [i for i, other in enumerate(self.names) if other == name]
        if not found:
            raise LabelError(
                f"has no point {name!r}; it has {_listed(self.names)}", self.table.path
            )
        if len(found) > 1:
            problem = (
                f"has {len(found)} points named {name!r}"
                f" ({', '.join(self.table.row(i) for i in found[:3])})"
            )
            raise LabelError(f"{problem}; give each its own name", self.table.path)
        return found[0]


def read_points(path: Path) -> PointTable:
    """Read a CSV with the columns label, x_mm, y_mm, z_mm, uncertainty_mm and space (LPS or RAS,
    row by row; RAS becomes LPS; or given, in all rows).

    Raises LabelError, naming file and row, for what is missing, no number, or a negative
    uncertainty, and for millimetres of the patient beside those of a given voxel size.
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
            "uncertainty_mm is negative", path, table.row(int((uncertainty < 0).argmax()))
        )
    axes = [_axes(text, path, table.row(i)) for i, text in enumerate(spaces)]
    signs = np.array([FROM_AXES[name] for name in axes]).reshape(-1, 3)
    is_given = bool(axes) and axes[0] == "given"
    row = next((i for i, name in enumerate(axes) if (name == "given") != is_given), None)
    if row is not None:
        raise LabelError(
            f"space is {spaces[row]}, and {spaces[0]} above: millimetres of the patient and those"
            " by a voxel size given by hand have no common axes; keep them in two files",
            path,
            table.row(row),
        )
    names = tuple(label.strip() for label in labels)
    return PointTable(names, mm * signs, uncertainty, table, is_given)


def _numbers(table: Table, column: str) -> NDArray[np.float64]:
    values = table.numbers(column, empty_allowed=True)
    if np.isnan(values).any():
        row = table.row(int(np.isnan(values).argmax()))
        raise LabelError(
            f"{column} is empty: a scan without patient geometry has no millimetres to measure;"
            " where you know its voxel size, export it with --voxel X,Y,Z",
            table.path,
            row,
        )
    return values


def _axes(text: str, path: Path, row: str) -> str:
    axes = text.strip().lower()
    if axes not in FROM_AXES:
        raise LabelError(f"space is {text[:20]!r}, which is neither LPS, RAS nor given", path, row)
    return axes


def _listed(names: Sequence[str]) -> str:
    known = list(dict.fromkeys(name for name in names if name))
    return (
        ", ".join(map(repr, known[:10])) + (" ..." if len(known) > 10 else "")
        if known
        else "no names"
    )
