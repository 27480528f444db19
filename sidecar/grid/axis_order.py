"""Which source axis runs along which axis of a PNG, and in which direction. Pure.

    order.apply(stack)[p] = stack[order.map(p)]
    (a @ b).apply(stack) = b.apply(a.apply(stack))        (a @ b).map = a.map ∘ b.map
    (~a).apply(a.apply(stack)) = stack                    ~a @ a = a @ ~a = AS_STORED

PNG points are (x, y, number) and arrays are [number, y, x], as NumPy keeps stacks. Source points
are (column, row, slice) and arrays are [slice, row, column].
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
    """``along``: the source axis (0 columns, 1 rows, 2 slices) along PNG x, y and number.

    ``mirrored``: whether each of these PNG axes runs against its source axis. An order of x and y
    alone is the order of a plane.
    """

    along: tuple[int, ...] = (0, 1, 2)
    mirrored: tuple[bool, ...] = (False, False, False)

    @classmethod
    def of(cls, along: Sequence[int], backwards: Sequence[bool]) -> AxisOrder:
        """The order whose PNG axes run along these source axes.

        ``backwards``: for columns, rows and slices, whether the PNG axis runs against it.
        """
        return cls(tuple(along), tuple(bool(backwards[i]) for i in along))

    @property
    def signs(self) -> tuple[int, ...]:
        """For PNG x, y and number: 1, or -1 where it runs against its source axis."""
        return tuple(-1 if mirrored else 1 for mirrored in self.mirrored)

    def __matmul__(self, inner: AxisOrder) -> AxisOrder:
        """The order that puts a stack in the order ``self`` first, then in the order ``inner``."""
        return AxisOrder(
            inner.pick(self.along),
            tuple(
                mirrored != again
                for mirrored, again in zip(inner.pick(self.mirrored), inner.mirrored, strict=True)
            ),
        )

    def __invert__(self) -> AxisOrder:
        """The order that leads back to the order of the source."""
        back = tuple(self.along.index(i) for i in range(len(self.along)))
        return AxisOrder(back, tuple(self.mirrored[i] for i in back))

    def pick(self, of_source: Sequence[T]) -> tuple[T, ...]:
        """Values for x, y and number, from values for columns, rows and slices: sizes, spacings,
        names.
        """
        return tuple(of_source[i] for i in self.along)

    def map(self, index: ArrayLike, size: Sequence[int]) -> NDArray[Any]:
        """Source indices (…, 3) of PNG pixels (…, 3), of the same type.

        ``size``: columns, rows, slices of the source.
        """
        pixel = np.asarray(index)
        source = np.empty_like(pixel)
        for i, (axis, mirrored) in enumerate(zip(self.along, self.mirrored, strict=True)):
            source[..., axis] = size[axis] - 1 - pixel[..., i] if mirrored else pixel[..., i]
        return source

    def apply(self, stack: NDArray[Any]) -> NDArray[Any]:
        """A view [number, y, x, …] of a stack [slice, row, column, …]. A plane has no first
        axis.
        """
        last = len(self.along) - 1  # array axes count from the other end
        source = (last - axis for axis in reversed(self.along))
        view = stack.transpose(*source, *range(last + 1, stack.ndim))
        return view[tuple(slice(None, None, sign) for sign in reversed(self.signs))]


AS_STORED = AxisOrder()
