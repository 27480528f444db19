"""Mapped points, the input of every point writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.space import Space
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.model import Labels
from sidecar.labels.tables.columns import Columns
from sidecar.mapping import Instances, Sidecar

#: Notes for the user on a file that was written, a sentence each.
Notes = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MappedPoints:
    """The N labels of one file and their places in the scan, in file order.

    ``labels``          the labels as read: columns, shapes, rows for messages.
    ``png``             (N, 3) PNG pixel x, y and slice, *center* convention.
    ``source``          (N, 3) source index column, row, slice; 0 = centre of the first voxel.
    ``patient``         (N, 3) mm, LPS; along the axes of the scan itself where the voxel size was
                        given by hand (``sidecar.geometry``); NaN where there are none.
    ``uncertainty_mm``  (N,) half the longest diagonal of the output voxel.
    ``instances``       SOP Instance UID and 1-based frame number (0: single-frame) of each point.
    ``sidecar``         the export they lie on.
    ``specimen``        the name of its specimen.
    """

    sidecar: Sidecar
    specimen: str
    labels: Labels
    png: NDArray[np.float64]
    source: NDArray[np.float64]
    patient: NDArray[np.float64]
    uncertainty_mm: NDArray[np.float64]
    instances: Instances

    def __repr__(self) -> str:
        return f"<MappedPoints: {len(self)} of {self.specimen}>"

    def __len__(self) -> int:
        return len(self.source)

    @property
    def series_uid(self) -> str:
        """Series Instance UID of the scan."""
        return self.sidecar.document.source.series_instance_uid

    @property
    def columns(self) -> Columns:
        """The columns that are copied from the input to the output, as text, in order."""
        return self.labels.columns

    @property
    def names(self) -> Sequence[str]:
        """The N names of the points, "" where they have none."""
        return self.labels.shapes.texts["label"]


@dataclass(frozen=True, slots=True)
class Writer:
    """One output format of mapped points: its name, its file endings, and its functions.

    ``write(points, path, space)`` writes the points of one or more exports, and returns notes for
    the user. The caller gives a temporary path, so that the file is written whole or not at all.
    Raises LabelError or OutputError where the points do not fit the format. ``space`` matters where
    the format leaves the choice.

    ``write_landmarks(landmarks, path)`` writes landmarks that do not lie on a scan, such as aligned
    ones. It is None where the format stores positions in a scan.
    """

    name: str
    endings: tuple[str, ...]
    write: Callable[[Sequence[MappedPoints], Path, Space], Notes]
    write_landmarks: Callable[[Landmarks, Path], Notes] | None = None
