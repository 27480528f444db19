"""make-sense CSV: corner coordinates rounded as JavaScript rounds."""

from __future__ import annotations

from ..label_truth import STACK, Landmark


def row(m: Landmark) -> str:
    x, y = m.whole_corner
    return f"{m.name},{x},{y},{m.image},{STACK.columns},{STACK.rows}"
