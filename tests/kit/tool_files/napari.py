"""napari: points and shapes layers, as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..label_truth import LANDMARKS, Landmark


def points(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    """A points layer with a text property, which makes numpy write the whole table as text."""
    rows = (f"{n},{float(m.slice)},{m.y},{m.x},{m.name}" for n, m in enumerate(landmarks))
    return "\r\n".join(["index,axis-0,axis-1,axis-2,label", *rows, ""])


def shapes(shapes: Iterable[tuple[str, Sequence[tuple[float, float, float]]]]) -> str:
    rows = [
        f"{n},{type_},{v},{z},{y},{x}"
        for n, (type_, zyx) in enumerate(shapes)
        for v, (z, y, x) in enumerate(zyx)
    ]
    return "\r\n".join(["index,shape-type,vertex-index,axis-0,axis-1,axis-2", *rows, ""])
