"""Areas at the edge of their image.

Tools write a box as corner and size, or as middle and size, each rounded on its own, so that their
sum can come out beyond the image: by as much as the digits written leave open. Others count the
last pixel in. Such areas are cut at the edge; what reaches further is left as it is, and refused
later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, PixelOrigin
from sidecar.labels.shapes import Shape, Vertices

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
    """Cuts areas at the edges of their images, and tells how many and how much.

    ``forced``: the pixel origin that the user gives, None for that of the tool.
    """

    def __init__(self, forced: PixelOrigin | None) -> None:
        self._forced = forced
        self._count = 0
        self._most = 0.0

    def cut(
        self,
        vertices: Vertices,
        size: tuple[int, int],
        rounding: float,
        origin: PixelOrigin = "corner",
    ) -> Vertices:
        """The vertices of one area on an image of ``size``, width and height in pixels.

        ``rounding``: by how many pixels rounding alone may have moved an edge.
        """
        low = MIDDLE_OF_FIRST_PIXEL[self._forced or origin] - 0.5
        right, bottom = (low + length for length in size)
        overhang = max(
            (max(low - x, x - right, low - y, y - bottom) for x, y in vertices), default=0.0
        )
        if not 0 < overhang <= max(_ALLOWED, rounding):
            return vertices
        if overhang > _TOLD:
            self._count += 1
            self._most = max(self._most, overhang)
        return [(min(max(x, low), right), min(max(y, low), bottom)) for x, y in vertices]

    def cut_shape(
        self, shape: Shape, size: tuple[int, int], rounding: float | None = None
    ) -> Shape:
        """A shape whose vertices are cut so, if it is an area that they go around.

        ``rounding``: None for what the digits of the vertices leave open.
        """
        if shape.type not in ("box", "polygon"):
            return shape
        if rounding is None:
            rounding = last_digit(value for xy in shape.xy for value in xy)
        return replace(shape, xy=self.cut(shape.xy, size, rounding, shape.origin))

    @property
    def notes(self) -> tuple[str, ...]:
        if not self._count:
            return ()
        return (
            f"{self._count} area(s) reached beyond the edge of the image, by {self._most:.2g}"
            " pixels at most, and were cut there",
        )
