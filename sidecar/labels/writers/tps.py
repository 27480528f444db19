"""TPS of the tps programs, 3-D: ``LM3=`` with millimetres, ``CURVES=`` with the points of each
curve, then ``ID=``, one block per specimen.

There is no ``SCALE=``: the numbers are millimetres already, and readers multiply by it (geomorph's
`readland.tps`). TPS has no names of landmarks; their order is that of the names in the COMMENT
line, the same in every block. A missing one is NA.

Curves are the same in every block too, with the same number of points: `readland.tps(readcurves =
TRUE)` puts them behind the landmarks, as semilandmarks. Whether a curve is closed stands in the
COMMENT line; its first point is not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.grid.space import Space
from sidecar.labels.landmarks import Configurations, Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.writers.specimens import configurations_of, decimals, refuse_marks


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    return _write_configurations(configurations_of(parts, space, "TPS"), path)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    return _write_configurations(Configurations(landmarks), path)


def _write_configurations(found: Configurations, path: Path) -> Notes:
    landmarks, curves = found.landmarks, found.curves
    names = landmarks.names + tuple(curve.name for curve in curves)
    refuse_marks(landmarks.specimens + names, "=", "TPS")
    lines: list[str] = []
    rows = zip(landmarks.specimens, landmarks.mm, landmarks.axes, strict=True)
    for i, (specimen, mm, axes) in enumerate(rows):
        lines += [f"LM3={len(mm)}", *(" ".join(decimals(row)) for row in mm)]
        lines += [f"CURVES={len(curves)}"] * bool(curves)
        for curve in curves:
            lines += [f"POINTS={curve.count}", *(" ".join(decimals(row)) for row in curve.mm[i])]
        lines += [f"ID={specimen}", f"COMMENT=millimetres, {axes}; {_order(found)}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return landmarks.notes + _alone(found)


def _order(found: Configurations) -> str:
    names = found.landmarks.names
    told = [f"landmarks in order: {', '.join(names)}"] * bool(names)
    if found.curves:
        named = (f"{one.name} ({'closed' if one.closed else 'open'})" for one in found.curves)
        told.append(f"curves in order: {', '.join(named)}")
    return "; ".join(told)


def _alone(found: Configurations) -> Notes:
    if found.landmarks.names:
        return ()
    return (
        "there are curves but no landmarks (LM3=0); geomorph's readland.tps refuses such a file",
    )


WRITER = Writer("tps", (".tps",), _write, _write_landmarks)
