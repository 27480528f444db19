"""Areas at the edge of their image.

Tools write a box as corner and size, or as middle and size, each rounded on its own, so that their
sum can come out beyond the image: by as much as the digits written leave open. Others count the
last pixel in. Such areas are cut at the edge; what reaches further is left as it is, and refused
later.
"""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.labels.shapes import Vertices

#: Areas may reach this far beyond their image, in its pixels, whatever the digits.
_ALLOWED = 0.5
#: What is cut off is told from here on, in pixels.
_TOLD = 1e-3


def last_digit(written: Iterable[object]) -> float:
    """The value of the last digit that any of these numbers was written with: 0.01 for 1.5 and
    2.25; 1 for whole numbers.
    """
    decimals = 0
    for value in written:
        mantissa, _, exponent = str(value).lower().partition("e")
        digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
        decimals = max(decimals, digits)
    return float(10.0**-decimals)


class Edges:
    """Cuts areas at the edges of their images, and tells how many and how much."""

    def __init__(self) -> None:
        self._count = 0
        self._most = 0.0

    def cut(self, vertices: Vertices, width: float, height: float, rounding: float) -> Vertices:
        """The vertices, *corner*, of one area on an image of ``width`` × ``height`` pixels.

        ``rounding``: by how many pixels rounding alone may have moved an edge.
        """
        overhang = max((max(-x, x - width, -y, y - height) for x, y in vertices), default=0.0)
        if not 0 < overhang <= max(_ALLOWED, rounding):
            return vertices
        if overhang > _TOLD:
            self._count += 1
            self._most = max(self._most, overhang)
        return [(min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in vertices]

    @property
    def notes(self) -> tuple[str, ...]:
        if not self._count:
            return ()
        return (
            f"{self._count} area(s) reached beyond the edge of the image, by {self._most:.2g}"
            " pixels at most, and were cut there",
        )
