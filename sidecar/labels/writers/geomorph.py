"""A matrix for geomorph in R: specimens as rows, ``name.X, name.Y, name.Z`` of each landmark as
columns, millimetres, NA if missing.

    m <- as.matrix(read.csv("landmarks.geomorph.csv", row.names = 1, check.names = FALSE))
    A <- geomorph::arrayspecs(m, ncol(m) / 3, 3, sep = ".")

`arrayspecs` splits the column names at dots and spaces: landmarks named with these would come back
unnamed. Spaces become underscores, which is told; dots are refused.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.grid.space import Space
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.writers.specimens import decimals, landmarks_of, refuse_marks


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    return _write_landmarks(landmarks_of(parts, space, "geomorph"), path)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    refuse_marks(landmarks.specimens, "", "geomorph")
    names = _underscored(landmarks.names)
    refuse_marks(names, ".", "geomorph")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["specimen", *(f"{name}.{axis}" for name in names for axis in "XYZ")])
        table.writerows(
            [specimen, *decimals(mm)]
            for specimen, mm in zip(landmarks.specimens, landmarks.mm, strict=True)
        )
    return (*landmarks.notes, *_renamed(landmarks.names, names))


def _underscored(names: Sequence[str]) -> tuple[str, ...]:
    """Names with underscores for spaces. LabelError where two become one."""
    written: dict[str, str] = {}
    for name in names:
        other = written.setdefault(name.replace(" ", "_"), name)
        if other != name:
            raise LabelError(
                f"landmarks {other!r} and {name!r} would both become {name.replace(' ', '_')!r},"
                " because geomorph has no spaces in names; rename one"
            )
    return tuple(written)


def _renamed(names: Sequence[str], written: Sequence[str]) -> Notes:
    changed = [
        f"{name!r} is {new}" for name, new in zip(names, written, strict=True) if name != new
    ]
    if not changed:
        return ()
    told = ", ".join(changed[:3]) + (", …" if len(changed) > 3 else "")
    return (f"geomorph has no spaces in names, so they became underscores: {told}",)


WRITER = Writer("geomorph", (".geomorph.csv",), _write, _write_landmarks)
