"""One axis between PNG and source, and which sample is nearest to a place on it. Pure.

source = a.factor · pixel + a.offset        both *center*: 0 is the middle of the first sample
(a @ b)(pixel) = a(b(pixel))                b was made from what a made
(~a)(source) = pixel                        ~a @ a is the identity, exactly
a.reversed()(pixel) = a(size − 1 − pixel)

nearest(place) = ⌈place − ½⌉                halfway between two samples it is the lower one
is_halfway(place)                           whether it is that, to `ROUNDING`
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Lookup = NDArray[np.intp]
Method = Literal["stride", "mean", "max", "resize"]
AnyPlaces = TypeVar("AnyPlaces", float, Floats)

#: Positions nearer than this, in pixels, are the same: what computing them may be wrong by.
ROUNDING = 1e-9


def nearest(place: ArrayLike, leeway: float = 0.0) -> Floats:
    """The sample nearest to each place, as a float; halfway between two it is the lower one. NaN
    stays NaN.

    ``leeway``: so far beyond halfway, in samples, it still is the lower one.
    """
    return np.asarray(np.ceil(np.asarray(place, dtype=np.float64) - 0.5 - leeway))


def is_halfway(place: ArrayLike) -> NDArray[np.bool_]:
    """Whether each place is halfway between two samples: `nearest` has to name the lower one, what
    can show both does.
    """
    places = np.asarray(place, dtype=np.float64)
    return np.asarray(np.abs(places - np.floor(places) - 0.5) <= ROUNDING)


def nearest_of(place: float, count: int) -> int:
    """The sample of ``count`` nearest to one place; beyond the ends it is the first or last."""
    return int(np.clip(nearest(place), 0, count - 1))


def first_touched(place: ArrayLike) -> Floats:
    """The first sample that reaches beyond each place, as a float: `nearest`, looking from the
    other end.
    """
    return -nearest(-np.asarray(place, dtype=np.float64))


def touched(lower: float, upper: float, count: int) -> range:
    """The samples, of ``count``, of which more than an edge lies between two places."""
    first, stop = first_touched(lower), nearest(upper) + 1
    return range(int(np.clip(first, 0, count)), int(np.clip(stop, 0, count)))


@dataclass(frozen=True, slots=True)
class AxisMap:
    """``source = factor · pixel + offset``, for any number of pixels."""

    factor: float
    offset: float

    def to_source(self, pixel: AnyPlaces) -> AnyPlaces:
        """Source indices of PNG pixels."""
        return pixel * self.factor + self.offset

    def to_pixel(self, source: AnyPlaces) -> AnyPlaces:
        """PNG pixels of source indices: the inverse of `to_source`."""
        return (source - self.offset) / self.factor

    @overload
    def __matmul__(self, inner: Axis) -> Axis: ...
    @overload
    def __matmul__(self, inner: AxisMap) -> AxisMap: ...
    def __matmul__(self, inner: AxisMap) -> AxisMap:
        """source = self(inner(pixel)); an `Axis` where ``inner`` is one, with its size."""
        return replace(
            inner,
            factor=self.factor * inner.factor,
            offset=self.factor * inner.offset + self.offset,
        )

    def __invert__(self) -> Inverse:
        """pixel = (~self)(source)."""
        return Inverse(self)


@dataclass(frozen=True, slots=True)
class Inverse:
    """The way back along an axis: its pixels are the samples of ``axis``, and the other way round.

    It divides where the axis multiplies, so that ``~a @ a`` is the identity to the last bit.
    """

    axis: AxisMap

    def to_source(self, pixel: AnyPlaces) -> AnyPlaces:
        """What ``axis`` calls pixels, of what it calls source indices."""
        return self.axis.to_pixel(pixel)

    def to_pixel(self, source: AnyPlaces) -> AnyPlaces:
        """The inverse of `to_source`."""
        return self.axis.to_source(source)

    @overload
    def __matmul__(self, inner: Axis) -> Axis: ...
    @overload
    def __matmul__(self, inner: AxisMap) -> AxisMap: ...
    def __matmul__(self, inner: AxisMap) -> AxisMap:
        """pixel of ``axis`` = (~axis)(inner(pixel of inner)); an `Axis` where ``inner`` is one."""
        return replace(
            inner,
            factor=inner.factor / self.axis.factor,
            offset=(inner.offset - self.axis.offset) / self.axis.factor,
        )

    def __invert__(self) -> AxisMap:
        return self.axis


@dataclass(frozen=True, slots=True)
class Axis(AxisMap):
    """One axis of a decimation:

    ``source = factor · pixel + offset`` for the ``size`` pixels 0 … size − 1.

    ``factor`` is negative where the PNG runs the other way; an axis of positive factor is upright.
    """

    size: int
    method: Method

    @overload
    def __matmul__(self, inner: Axis) -> Axis: ...
    @overload
    def __matmul__(self, inner: AxisMap) -> AxisMap: ...
    def __matmul__(self, inner: AxisMap) -> AxisMap:
        """source = self(inner(pixel)); an `Axis` where ``inner`` is one: that of a stack decimated
        by ``inner`` that was itself made by this one.
        """
        made = AxisMap.__matmul__(self, inner)
        if isinstance(made, Axis) and abs(inner.factor) == 1:
            return replace(made, method=self.method)
        return made

    @classmethod
    def stride(cls, start: int, stop: int, step: int) -> Axis:
        """Every ``step``-th sample of [start, stop), the first included."""
        return cls(float(step), float(start), -(-(stop - start) // step), "stride")

    @classmethod
    def blocks(cls, start: int, stop: int, step: int, method: Literal["mean", "max"]) -> Axis:
        """Whole blocks of ``step`` samples of [start, stop); a remainder shorter than a block is
        left out.
        """
        if step == 1:
            return cls.stride(start, stop, 1)
        return cls(float(step), start + (step - 1) / 2, (stop - start) // step, method)

    @classmethod
    def resize(cls, start: int, stop: int, size: int) -> Axis:
        """[start, stop) resized to ``size`` samples; an integer factor is an exact block mean."""
        factor = (stop - start) / size
        if factor.is_integer():
            return cls.blocks(start, stop, int(factor), "mean")
        return cls(factor, start + (factor - 1) / 2, size, "resize")

    def reversed(self) -> Axis:
        """The same samples from the other end: source = self(size − 1 − pixel)."""
        return replace(
            self, factor=-self.factor, offset=self.offset + self.factor * (self.size - 1)
        )

    @property
    def upright(self) -> Axis:
        """The same samples, its pixels counted as the source counts its own."""
        return self if self.factor > 0 else self.reversed()

    @property
    def ends(self) -> tuple[float, float]:
        """Source coordinates of the outer edges of the first and of the last pixel."""
        return self.offset - self.factor / 2, self.offset + self.factor * (self.size - 0.5)

    @property
    def start(self) -> int:
        """First source sample that an upright axis reads."""
        return round(
            self.offset if self.method == "stride" else self.offset - (self.factor - 1) / 2
        )

    @property
    def stop(self) -> int:
        """One past the last source sample that an upright axis reads."""
        return self.start + round(
            (self.size - 1) * self.factor + 1
            if self.method == "stride"
            else self.size * self.factor
        )

    def samples(self, pixel: int) -> range:
        """The source samples that a pixel of an upright axis is made of. Those of a resize overlap:
        its tents reach from neighbour to neighbour.
        """
        if self.method == "resize":
            first, last = (self.to_source(float(p)) for p in (pixel - 1, pixel + 1))
            return range(max(round(first), self.start), min(round(last) + 1, self.stop))
        begin = self.start + round(pixel * self.factor)
        return range(begin, begin + (1 if self.method == "stride" else round(self.factor)))

    def extent(self, pixel: int) -> range:
        """The source samples that a pixel of an upright axis stands for: those it was made of, the
        ones between its edges where it was resampled.
        """
        centre = self.to_source(float(pixel))
        reach = 0.0 if self.method == "stride" else (self.factor - 1) / 2
        first = round(centre - reach)
        return range(first, max(first, round(centre + reach)) + 1)

    def pixels_of_samples(self, length: int) -> Lookup:
        """(length,) the pixel of an upright axis that each source sample lies in, -1 where there is
        none: what was cropped off, or did not fill a block.
        """
        along = self.to_pixel(np.arange(length, dtype=np.float64))
        pixel = nearest(along, ROUNDING).astype(np.intp)
        inside = (pixel >= 0) & (pixel < self.size)
        if self.method == "stride":
            inside &= along > -ROUNDING  # what lies before the first sample was cropped off
        return np.where(inside, pixel, -1)


def spread(count: int, wanted: int) -> list[int]:
    """``wanted`` of the numbers 0 … count − 1, as evenly as can be and with both ends; all where
    there are no more.
    """
    return sorted(set(np.linspace(0, count - 1, min(wanted, count)).round().astype(int).tolist()))
