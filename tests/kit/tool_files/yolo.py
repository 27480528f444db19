"""YOLO: lines of fractions of the PNG's size."""

from __future__ import annotations

from collections.abc import Iterable

from ..label_truth import STACK


def fractions(points: Iterable[tuple[float, float]], decimals: int = 15) -> str:
    """Corner coordinates as fractions of the PNG's size."""
    return " ".join(
        f"{x / STACK.columns:.{decimals}f} {y / STACK.rows:.{decimals}f}" for x, y in points
    )


def box(class_: int, x: float, y: float, width: float, height: float, decimals: int = 15) -> str:
    """A box by its corner coordinates' top left."""
    return f"{class_} {fractions([(x + width / 2, y + height / 2), (width, height)], decimals)}"
