"""Cut areas at the edge of their image.

Tools write a box as corner and size, or as middle and size. Both are rounded separately, so their
sum can lie beyond the image by the rounding error. Other tools include the last pixel. Such areas
are cut at the edge. Areas that reach further are not cut, and are refused later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sidecar.errors import counted
from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, PixelOrigin
from sidecar.labels.shapes import Shape, Vertices

#: Areas may always reach this far beyond their image, in pixels of the image.
_ALLOWED = 0.5
#: A note is written if more than this is cut off, in pixels.
_TOLD = 1e-3


def last_digit(written: Iterable[object]) -> float:
    """The value of the last digit of the numbers as written: 0.01 for 1.5 and 2.25; 1 for whole
    numbers.
    """
    decimals = 0
    for value in written:
        mantissa, _, exponent = str(value).lower().partition("e")
        digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
        decimals = max(decimals, digits)
    return float(10.0**-decimals)


class Edges:
    """Cuts areas at the edges of their images, and notes how many and how much.

    ``forced``: the pixel origin that the user gives; None for that of the tool.
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

        ``rounding``: how many pixels rounding alone may have moved an edge.
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
        """The shape with cut vertices, if its vertices go around an area; otherwise unchanged.

        ``rounding``: as for `cut`; None to derive it from the digits of the vertices.
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
            f"{counted(self._count, 'area')} reached beyond the edge of the image, by"
            f" {self._most:.2g} px at most; the part outside was cut off",
        )
