"""One axis between PNG and source, and the sample nearest to a place on it. Pure.

source = a.factor · pixel + a.offset        both *center*: 0 is the middle of the first sample
(a @ b)(pixel) = a(b(pixel))                a was applied to the source first, b to its result
(~a)(source) = pixel                        ~a @ a is the identity, exactly
a.reversed()(pixel) = a(size − 1 − pixel)

nearest(place) = ⌈place − ½⌉                halfway between two samples it is the lower one
is_halfway(place)                           whether a place is halfway, to `ROUNDING`
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

#: Positions that differ by less than this, in pixels, are the same: computing them has such errors.
ROUNDING = 1e-9


def nearest(place: ArrayLike, leeway: float = 0.0) -> Floats:
    """The sample nearest to each place, as a float. Halfway between two samples it is the lower
    one. NaN stays NaN.

    ``leeway``: a place up to this far beyond halfway, in samples, still belongs to the lower
    sample.
    """
    return np.asarray(np.ceil(np.asarray(place, dtype=np.float64) - 0.5 - leeway))


def is_halfway(place: ArrayLike) -> NDArray[np.bool_]:
    """Whether each place is halfway between two samples, to `ROUNDING`.

    There `nearest` takes the lower sample. Code that can show both samples does so.
    """
    places = np.asarray(place, dtype=np.float64)
    return np.asarray(np.abs(places - np.floor(places) - 0.5) <= ROUNDING)


def nearest_of(place: float, count: int) -> int:
    """The sample, of ``count``, nearest to one place. Beyond the ends it is the first or the
    last.
    """
    return int(np.clip(nearest(place), 0, count - 1))


def first_touched(place: ArrayLike) -> Floats:
    """The first sample that reaches beyond each place, as a float: `nearest`, counted from the
    other end.
    """
    return -nearest(-np.asarray(place, dtype=np.float64))


def touched(lower: float, upper: float, count: int) -> range:
    """The samples, of ``count``, that overlap the interval between two places by more than an
    edge.
    """
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
        """source = self(inner(pixel)). Where ``inner`` is an `Axis`, the result is one too, of
        its size.
        """
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
    """The way back along ``axis``: from its source samples to its pixels.

    An inverse divides where the axis multiplies, so that ``~a @ a`` is the identity to the last
    bit.
    """

    axis: AxisMap

    def to_source(self, pixel: AnyPlaces) -> AnyPlaces:
        """The pixels of ``axis`` for its source indices. For the inverse, these pixels are the
        source.
        """
        return self.axis.to_pixel(pixel)

    def to_pixel(self, source: AnyPlaces) -> AnyPlaces:
        """The inverse of `to_source`."""
        return self.axis.to_source(source)

    @overload
    def __matmul__(self, inner: Axis) -> Axis: ...
    @overload
    def __matmul__(self, inner: AxisMap) -> AxisMap: ...
    def __matmul__(self, inner: AxisMap) -> AxisMap:
        """pixel of ``axis`` = (~axis)(inner(pixel of inner)). Where ``inner`` is an `Axis`, the
        result is one too.
        """
        return replace(
            inner,
            factor=inner.factor / self.axis.factor,
            offset=(inner.offset - self.axis.offset) / self.axis.factor,
        )

    def __invert__(self) -> AxisMap:
        return self.axis


@dataclass(frozen=True, slots=True)
class Axis(AxisMap):
    """One axis of a decimation.

    ``source = factor · pixel + offset`` for the ``size`` pixels 0 … size − 1.

    ``factor`` is negative where the PNG runs the other way. An axis of positive factor is upright.
    """

    size: int
    method: Method

    @overload
    def __matmul__(self, inner: Axis) -> Axis: ...
    @overload
    def __matmul__(self, inner: AxisMap) -> AxisMap: ...
    def __matmul__(self, inner: AxisMap) -> AxisMap:
        """source = self(inner(pixel)). Where ``inner`` is an `Axis`, the result is one too.

        It describes a stack that was decimated twice: first by this axis, then by ``inner``.
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
        """Whole blocks of ``step`` samples of [start, stop). A remainder shorter than a block is
        left out.
        """
        if step == 1:
            return cls.stride(start, stop, 1)
        return cls(float(step), start + (step - 1) / 2, (stop - start) // step, method)

    @classmethod
    def resize(cls, start: int, stop: int, size: int) -> Axis:
        """[start, stop) resized to ``size`` samples. An integer factor is an exact block mean."""
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
        """The same samples, with pixels that run in the direction of the source."""
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
        """The source samples that a pixel of an upright axis is computed from.

        Those of neighbouring pixels overlap where the method is resize: each tent reaches to the
        centres of its neighbours.
        """
        if self.method == "resize":
            first, last = (self.to_source(float(p)) for p in (pixel - 1, pixel + 1))
            return range(max(round(first), self.start), min(round(last) + 1, self.stop))
        begin = self.start + round(pixel * self.factor)
        return range(begin, begin + (1 if self.method == "stride" else round(self.factor)))

    def extent(self, pixel: int) -> range:
        """The source samples that a pixel of an upright axis stands for.

        For stride, mean and max these are the samples that it was computed from. For resize they
        are the samples between the edges of the pixel.
        """
        centre = self.to_source(float(pixel))
        reach = 0.0 if self.method == "stride" else (self.factor - 1) / 2
        first = round(centre - reach)
        return range(first, max(first, round(centre + reach)) + 1)

    def pixels_of_samples(self, length: int) -> Lookup:
        """(length,) the pixel of an upright axis that each source sample lies in.

        It is -1 where a sample lies in none: the sample was cropped off, or did not fill a block.
        """
        along = self.to_pixel(np.arange(length, dtype=np.float64))
        pixel = nearest(along, ROUNDING).astype(np.intp)
        inside = (pixel >= 0) & (pixel < self.size)
        if self.method == "stride":
            inside &= along > -ROUNDING  # what lies before the first sample was cropped off
        return np.where(inside, pixel, -1)


def spread(count: int, wanted: int) -> list[int]:
    """``wanted`` of the numbers 0 … count − 1, as evenly as possible, including both ends. If
    ``count`` is no larger than ``wanted``, all numbers are returned.
    """
    return sorted(set(np.linspace(0, count - 1, min(wanted, count)).round().astype(int).tolist()))
