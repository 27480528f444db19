"""A stack of planes as an array for napari. Each plane is read when it is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Planes that stay in memory, so that the user can go back without reading again.
KEPT = 8


class Planes:
    """An array (slices, rows, columns), or (…, 3) for colours. ``read`` returns the plane of a
    number.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], read: Callable[[int], NDArray[Any]]
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._read = lru_cache(KEPT)(read)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Index like numpy, beginning with a number, a slice or numbers. Only the planes that are
        needed are read.
        """
        first, *rest = key if isinstance(key, tuple) else (key,)
        if first is Ellipsis:
            first, rest = slice(None), [first, *rest]
        numbers = np.arange(len(self))[first]
        if numbers.ndim == 0:
            return np.asarray(self._read(int(numbers))[tuple(rest)])
        planes = [self._read(int(k))[tuple(rest)] for k in numbers]
        return np.stack(planes) if planes else np.empty((0, *self.shape[1:]), self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)
