"""A matrix for geomorph in R: specimens as rows, ``name.X, name.Y, name.Z`` of each landmark as
columns, millimetres, NA if missing.

    m <- as.matrix(read.csv("landmarks.geomorph.csv", row.names = 1, check.names = FALSE))
    A <- geomorph::arrayspecs(m, ncol(m) / 3, 3, sep = ".")

`arrayspecs` splits the column names at dots and spaces, so names with these are refused: they would
come back unnamed.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sidecar.grid.space import Space
from sidecar.labels.mapped import MappedPoints, Writer
from sidecar.labels.writers.specimens import decimals, landmarks_of, refuse_marks


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> None:
    landmarks = landmarks_of(parts, space, "geomorph")
    refuse_marks(landmarks.specimens, "", "geomorph")
    refuse_marks(landmarks.names, ". ", "geomorph")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["specimen", *(f"{name}.{axis}" for name in landmarks.names for axis in "XYZ")]
        )
        table.writerows(
            [specimen, *decimals(mm)]
            for specimen, mm in zip(landmarks.specimens, landmarks.mm, strict=True)
        )


WRITER = Writer("geomorph", (".geomorph.csv",), _write)
