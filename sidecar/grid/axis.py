"""How PNG pixels relate to source indices, one axis at a time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Method = Literal["stride", "mean", "max", "resize"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a decimation:

    ``source = factor · pixel + offset`` for the ``size`` pixels 0 … size − 1.
    """

    factor: float
    offset: float
    size: int
    method: Method

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

    def to_source(self, pixel: NDArray[np.float64]) -> NDArray[np.float64]:
        """Source indices of PNG pixels."""
        return pixel * self.factor + self.offset

    def to_pixel(self, source: NDArray[np.float64]) -> NDArray[np.float64]:
        """PNG pixels of source indices: the inverse of `to_source`."""
        return (source - self.offset) / self.factor

    def then(self, inner: Axis) -> Axis:
        """The axis of a stack decimated by ``inner`` that was itself made by this one: source =
        self(inner(pixel)).
        """
        method = self.method if inner.factor == 1 else inner.method
        return Axis(
            self.factor * inner.factor, self.factor * inner.offset + self.offset, inner.size, method
        )

    @property
    def start(self) -> int:
        """First source sample that is read."""
        return round(
            self.offset if self.method == "stride" else self.offset - (self.factor - 1) / 2
        )

    @property
    def stop(self) -> int:
        """One past the last source sample that is read."""
        return self.start + round(
            (self.size - 1) * self.factor + 1
            if self.method == "stride"
            else self.size * self.factor
        )

    def samples(self, pixel: int) -> range:
        """The source samples that pixel ``pixel`` is made of (not for resize, whose samples
        overlap).
        """
        first = self.start + round(pixel * self.factor)
        return range(first, first + (1 if self.method == "stride" else round(self.factor)))


def spread(count: int, wanted: int) -> list[int]:
    """``wanted`` of the numbers 0 … count − 1, as evenly as can be and with both ends; all where
    there are no more.
    """
    return sorted(set(np.linspace(0, count - 1, min(wanted, count)).round().astype(int).tolist()))
