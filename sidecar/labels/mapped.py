"""Mapped points: what every point writer is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.space import Space
from sidecar.labels.rows import PIECE, Columns, Rows
from sidecar.mapping import Instances, Sidecar


@dataclass(frozen=True)
class MappedPoints:
    """N labels of one export with where they belong, in input order.

    ``columns``         the columns carried from the input, as text, in order. Known names: label,
                        shape_id, shape_type
                        (point, line, polyline, polygon, box, circle, ellipse) and vertex (0-based
                        within its shape).
    ``png``             (N, 3) PNG pixel x, y and slice, *center* convention.
    ``source``          (N, 3) source index column, row, slice; 0 = centre of the first voxel.
    ``patient``         (N, 3) mm, LPS; NaN where the source has no patient geometry.
    ``uncertainty_mm``  (N,) half the longest diagonal of the output voxel.
    ``instances``       SOP Instance UID and 1-based frame number (0: single-frame) of each point.
    ``sidecar``         the export they lie on.
    """

    sidecar: Sidecar
    columns: Columns
    png: NDArray[np.float64]
    source: NDArray[np.float64]
    patient: NDArray[np.float64]
    uncertainty_mm: NDArray[np.float64]
    instances: Instances

    def __len__(self) -> int:
        return len(self.source)

    def pieces(self) -> Iterator[MappedPoints]:
        """The same points in order, `PIECE` at a time."""
        columns = self.columns
        for start in range(0, len(self), PIECE):
            some = slice(start, start + PIECE)
            yield MappedPoints(
                sidecar=self.sidecar,
                columns=(
                    columns.piece(start)
                    if isinstance(columns, Rows)
                    else {name: cells[some] for name, cells in columns.items()}
                ),
                png=self.png[some],
                source=self.source[some],
                patient=self.patient[some],
                uncertainty_mm=self.uncertainty_mm[some],
                instances=self.instances[some],
            )

    def text(self, column: str, default: str = "") -> Sequence[str]:
        """A carried column, or ``default`` for every point where the input had none."""
        return self.columns.get(column) or [default] * len(self)


@dataclass(frozen=True, slots=True)
class Writer:
    """One format that mapped points are written to: its name, the file endings that mean it, and
    how to write it.

    ``write(points, path, space)``: points of one or more exports; the caller makes the write
    all-or-nothing by giving a temporary path. Raises LabelError or OutputError where the points do
    not fit the format. ``space`` matters where the format leaves the choice.
    """

    name: str
    endings: tuple[str, ...]
    write: Callable[[Sequence[MappedPoints], Path, Space], None]


class SourceWriter(Protocol):
    """Writes a format that needs the source's headers, which are looked for under ``dicom`` by SOP
    Instance UID.
    """

    def __call__(
        self, parts: Sequence[MappedPoints], path: Path, space: Space, dicom: Path
    ) -> None: ...
