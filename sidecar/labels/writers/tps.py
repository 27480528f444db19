"""TPS of the tps programs, 3-D: ``LM3=`` with millimetres, then ``ID=``, one block per specimen.

There is no ``SCALE=``: the numbers are millimetres already, and readers multiply by it (geomorph's
`readland.tps`). TPS has no names of landmarks; their order is that of the names in the COMMENT
line, the same in every block. A missing one is NA.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.grid.space import Space
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.writers.specimens import decimals, landmarks_of, refuse_marks


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    return _write_landmarks(landmarks_of(parts, space, "TPS"), path)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    refuse_marks(landmarks.specimens + landmarks.names, "=", "TPS")
    lines: list[str] = []
    order = ", ".join(landmarks.names)
    rows = zip(landmarks.specimens, landmarks.mm, landmarks.axes, strict=True)
    for specimen, mm, axes in rows:
        lines += [
            f"LM3={len(mm)}",
            *(" ".join(decimals(row)) for row in mm),
            f"ID={specimen}",
            f"COMMENT=millimetres, {axes}; landmarks in order: {order}",
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return landmarks.notes


WRITER = Writer("tps", (".tps",), _write, _write_landmarks)
