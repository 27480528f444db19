"""Stored values ↔ PNG values: one line for the whole series, which can be inverted. Pure.

    value = slope · PNG + intercept            value: modality units, such as HU

`Stored` keeps every stored value, moved so that the lowest possible one is 0. `Linear` spreads a
window over the PNG range. Both give the same line for every slice, even where the slices have
different Rescale Slopes (PET). In MONOCHROME1 the lowest values are white. Such images are
inverted, so that a PNG looks as the image should; the slope of the line is then negative.

Where a lookup table makes modality values (Modality LUT), `Stored` keeps the input of the table,
and `Linear` spreads its output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.values.lookup_table import LookupTable

Bits = Literal[8, 16]
_TYPES: dict[int, type[np.unsignedinteger[Any]]] = {8: np.uint8, 16: np.uint16}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How PNG values are computed from stored values: gain · stored + bias, in this order and type.

    ``type``: "s" means integers modulo 2^bits. "f" and "d" mean float32 and float64, clipped to the
    PNG range and rounded down; ``bias`` then includes the ½ that rounds half up.
    """

    type: Literal["s", "f", "d"]
    gain: float
    bias: float
    bits: Bits


@dataclass(frozen=True, slots=True)
class Line:
    """value = slope · PNG + intercept."""

    slope: float
    intercept: float

    def value(self, png: float) -> float:
        return self.slope * png + self.intercept


@dataclass(frozen=True, slots=True)
class Stored:
    """PNG = stored − lowest, or highest − stored where inverted: without loss.

    ``rescale``: (slope, intercept) of the series.
    """

    lowest: int
    highest: int
    bits: Bits
    inverted: bool
    rescale: tuple[float, float]

    @property
    def line(self) -> Line:
        slope, intercept = self.rescale
        if self.inverted:
            return Line(-slope, slope * self.highest + intercept)
        return Line(slope, slope * self.lowest + intercept)

    def table(self, table: LookupTable) -> LookupTable:
        """A table of stored values, as a table of PNG values."""
        return table.turned(self.highest) if self.inverted else table.moved(-self.lowest)

    def arithmetic(self, stored: np.dtype[Any], rescale: tuple[float, float]) -> Arithmetic:
        """The arithmetic of `apply`."""
        span = 2**self.bits  # only the remainder counts
        if self.inverted:
            return Arithmetic("s", -1, self.highest % span, self.bits)
        return Arithmetic("s", 1, -(self.lowest % span), self.bits)

    def apply(self, stored: NDArray[Any], rescale: tuple[float, float]) -> NDArray[Any]:
        """PNG values, uint8 or uint16, of an array of stored values of any shape."""
        png = _TYPES[self.bits]
        if self.lowest == 0 and not self.inverted:
            return stored.astype(png, copy=False)
        # modulo 2^bits; the difference fits into the range
        moved: NDArray[Any] = stored.astype(png)
        if self.inverted:
            np.subtract(png(self.highest % 2**self.bits), moved, out=moved)
        else:
            moved -= png(self.lowest % 2**self.bits)
        return moved


@dataclass(frozen=True, slots=True)
class Linear:
    """Modality values from ``lower`` to ``upper``, spread over the PNG range and rounded half
    up. Values beyond are clipped.
    """

    lower: float
    upper: float
    bits: Bits
    inverted: bool

    @property
    def line(self) -> Line:
        slope = (self.upper - self.lower) / (2**self.bits - 1)
        return Line(-slope, self.upper) if self.inverted else Line(slope, self.lower)

    def arithmetic(self, stored: np.dtype[Any], rescale: tuple[float, float]) -> Arithmetic:
        """The arithmetic of `apply` for stored values of this type. float32 is used where it is
        precise enough: stored values of up to 16 bits, PNGs of 8 bits.
        """
        line = self.line
        gain, bias = rescale[0] / line.slope, (rescale[1] - line.intercept) / line.slope
        single = stored.itemsize <= 2 and self.bits == 8
        return Arithmetic("f" if single else "d", gain, bias + 0.5, self.bits)

    def apply(self, stored: NDArray[Any], rescale: tuple[float, float]) -> NDArray[Any]:
        """PNG values, uint8 or uint16, of an array of stored values of one slice.

        ``rescale``: Rescale Slope and Intercept of that slice.
        """
        how = self.arithmetic(stored.dtype, rescale)
        exact = np.float32 if how.type == "f" else np.float64
        png: NDArray[Any] = stored.astype(exact)
        png *= exact(how.gain)
        png += exact(how.bias)
        np.clip(png, exact(0), exact(2**self.bits - 0.5), out=png)
        if np.issubdtype(stored.dtype, np.floating):
            np.nan_to_num(png, copy=False)  # NaN becomes the lowest value
        return np.asarray(png.astype(_TYPES[self.bits]))


def dicom_window(center: float, width: float) -> tuple[float, float]:
    """Lowest and highest value of a DICOM window by the LINEAR function (PS3.3 C.11.2.1.2.1). A
    width of 1 is a threshold.
    """
    half = max(width - 1, 1e-6) / 2
    return center - 0.5 - half, center - 0.5 + half


def robust_range(values: NDArray[np.float64], outside: float = 0.1) -> tuple[float, float]:
    """The range without the lowest and highest ``outside`` per cent. Where that is empty, the
    whole range.
    """
    lower, upper = _percentiles(values, outside, 100 - outside)
    if upper <= lower:
        lower, upper = values.min(), values.max()
    if upper <= lower:
        upper = lower + 1
    return float(lower), float(upper)


def _percentiles(values: NDArray[np.float64], *wanted: float) -> list[float]:
    """As `numpy.percentile`. Its first call loads numpy.ma, which takes longer than sorting a
    sample.
    """
    places = np.array(wanted) / 100 * (values.size - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, values.size - 1)
    ordered = np.partition(values, [*below, *above])
    return [
        float(np.interp(place, [i, i + 1], ordered[[i, j]]))
        for place, i, j in zip(places, below, above, strict=True)
    ]
