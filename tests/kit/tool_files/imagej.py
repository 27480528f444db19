"""ImageJ and Fiji tables, as Analyze > Measure and Save As write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..label_truth import Landmark


def results(
    rows: Sequence[Sequence[object]],
    header: str = " ,Label,Area,Mean,Min,Max,X,Y,Slice",
    delimiter: str = ",",
) -> str:
    """Row numbers in a column whose name is a space; three decimals; \\r\\n on Windows."""
    lines = [header.replace(",", delimiter)]
    for n, row in enumerate(rows, 1):
        lines.append(
            delimiter.join([str(n), *(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row)])
        )
    return "\r\n".join(lines) + "\r\n"


def points(landmarks: Sequence[Landmark]) -> list[tuple[object, ...]]:
    """Point selections that have names, on a sequence of PNGs opened as a stack: file name without
    extension is the slice label.
    """
    return [
        (f"png:{m.name}:{Path(m.image).stem}", 0, 87, 87, 87, m.x, m.y, m.slice + 1)
        for m in landmarks
    ]


def areas(landmarks: Sequence[Landmark]) -> list[tuple[object, ...]]:
    return [
        (f"png:{m.name}:{Path(m.image).stem}", 25, 87, 80, 92, *m.corner, m.slice + 1)
        for m in landmarks
    ]


def coordinates(xy: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{x:.4f}\t{y:.4f}\n" for x, y in xy)
