"""Which source axis runs along which axis of a PNG, and which way. Pure.

    order.apply(stack)[p] = stack[order.map(p)]
    (a @ b).apply(stack) = b.apply(a.apply(stack))        (a @ b).map = a.map ∘ b.map
    (~a).apply(a.apply(stack)) = stack                    ~a @ a = a @ ~a = AS_STORED

Points are (x, y, number) and arrays [number, y, x], as NumPy keeps stacks; the source likewise is
(column, row, slice) and [slice, row, column].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AxisOrder:
    """For PNG x, y and number: the source axis they run ``along`` (0 columns, 1 rows, 2 slices),
    and whether the other way. For x and y alone it is the order of a plane.
    """

    along: tuple[int, ...] = (0, 1, 2)
    mirrored: tuple[bool, ...] = (False, False, False)

    @classmethod
    def of(cls, along: Sequence[int], backwards: Sequence[bool]) -> AxisOrder:
        """PNG axes along these source axes, of which those run ``backwards`` (columns, rows,
        slices).
        """
        return cls(tuple(along), tuple(bool(backwards[i]) for i in along))

    @property
    def signs(self) -> tuple[int, ...]:
        """For PNG x, y and number: 1, or -1 where they run against their source axis."""
        return tuple(-1 if mirrored else 1 for mirrored in self.mirrored)

    def __matmul__(self, inner: AxisOrder) -> AxisOrder:
        """What was put in the order ``self``, then in the order ``inner``."""
        return AxisOrder(
            inner.pick(self.along),
            tuple(
                mirrored != again
                for mirrored, again in zip(inner.pick(self.mirrored), inner.mirrored, strict=True)
            ),
        )

    def __invert__(self) -> AxisOrder:
        """Back to the order of the source."""
        back = tuple(self.along.index(i) for i in range(len(self.along)))
        return AxisOrder(back, tuple(self.mirrored[i] for i in back))

    def pick(self, of_source: Sequence[T]) -> tuple[T, ...]:
        """What there is of columns, rows and slices, of x, y and number: sizes, spacings, names."""
        return tuple(of_source[i] for i in self.along)

    def map(self, index: ArrayLike, size: Sequence[int]) -> NDArray[Any]:
        """Source indices (…, 3) of PNG pixels (…, 3), of the same type, for a source of ``size``
        (columns, rows, slices).
        """
        pixel = np.asarray(index)
        source = np.empty_like(pixel)
        for i, (axis, mirrored) in enumerate(zip(self.along, self.mirrored, strict=True)):
            source[..., axis] = size[axis] - 1 - pixel[..., i] if mirrored else pixel[..., i]
        return source

    def apply(self, stack: NDArray[Any]) -> NDArray[Any]:
        """A view [number, y, x, …] of a stack [slice, row, column, …], of a plane without the
        first.
        """
        last = len(self.along) - 1  # array axes count from the other end
        source = (last - axis for axis in reversed(self.along))
        view = stack.transpose(*source, *range(last + 1, stack.ndim))
        return view[tuple(slice(None, None, sign) for sign in reversed(self.signs))]


AS_STORED = AxisOrder()
