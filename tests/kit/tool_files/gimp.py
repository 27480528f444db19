"""Paths of GIMP, exported as SVG in the form GIMP 2.10 writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

Point = tuple[float, float]


def straight(anchors: Sequence[Point], closed: bool = False) -> str:
    """A stroke of straight segments: handles lie on their anchors, several segments to one C."""
    written = [f"{x:.2f},{y:.2f}" for x, y in [*anchors, *anchors[: 1 * closed]]]
    parts = [f"{a} {b} {b}" for a, b in pairwise(written)]
    curve = "\n           C " + "\n             ".join(parts) if parts else ""
    return f"M {written[0]}{curve}{' Z' if closed else ''}"


def svg(paths: Iterable[tuple[str, str]], size: str = "0 0 203 151", more: str = "") -> str:
    drawn = "".join(
        f'  <path id="{name}"\n        fill="none" stroke="black" stroke-width="1"\n'
        f'        d="{data}" />\n'
        for name, data in paths
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 20010904//EN"\n'
        '              "http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd">\n\n'
        '<svg xmlns="http://www.w3.org/2000/svg"\n     width="71.6mm" height="53.3mm"\n'
        f'     viewBox="{size}">\n{drawn}{more}</svg>\n'
    )
