"""MorphoJ's row/column file: a line of column names, then ``ID<TAB>x<TAB>y<TAB>z ...`` in
millimetres, one specimen a line.

MorphoJ passes over the first line if one of its entries is not a number, which the names with their
axis never are (MorphoJ User's Guide, "Input file types"). It has no mark for a missing landmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sidecar.errors import LabelError
from sidecar.grid.space import Space
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.writers.specimens import decimals, landmarks_of, refuse_marks


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    return _write_landmarks(landmarks_of(parts, space, "MorphoJ"), path)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    refuse_marks(landmarks.specimens + landmarks.names, "\t,;", "MorphoJ")
    for specimen, mm in zip(landmarks.specimens, landmarks.mm, strict=True):
        if np.isnan(mm).any():
            name = landmarks.names[int(np.isnan(mm).any(axis=1).argmax())]
            raise LabelError(
                f"specimen {specimen} has no landmark {name!r}, and MorphoJ has no sign for a"
                " missing landmark; add the landmark, or write tps"
            )
    header = ["ID", *(f"{axis}_{name}" for name in landmarks.names for axis in "xyz")]
    rows = [
        [specimen, *decimals(mm)]
        for specimen, mm in zip(landmarks.specimens, landmarks.mm, strict=True)
    ]
    path.write_text(
        "".join("\t".join(cells) + "\n" for cells in [header, *rows]),
        encoding="utf-8",
        newline="\n",
    )
    return landmarks.notes


WRITER = Writer("morphoj", (".morphoj.txt",), _write, _write_landmarks)
