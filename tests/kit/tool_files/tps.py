"""TPS, as tpsDig writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..label_truth import LANDMARKS, STACK, Landmark


def points(points: Iterable[tuple[float, float]], decimals: int = 5) -> list[str]:
    """Corner coordinates from the top left, as tpsDig counts them from the bottom left."""
    return [f"{x:.{decimals}f} {STACK.rows - y:.{decimals}f}" for x, y in points]


def specimens(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    """A specimen for each PNG, as tpsDig writes it."""
    lines = []
    for n, image in enumerate(dict.fromkeys(m.image for m in landmarks)):
        here = [m.corner for m in landmarks if m.image == image]
        lines += [
            f"LM={len(here)}",
            *points(here),
            f"IMAGE={image}",
            f"ID={n}",
            "SCALE=0.020000",
        ]
    return "\r\n".join([*lines, ""])
