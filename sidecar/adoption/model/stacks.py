"""The interface of the two stacks for the matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

GrayImage = NDArray[np.float32]


class Slices(Protocol):
    """Source slices, read one at a time."""

    @property
    def columns(self) -> int: ...
    @property
    def rows(self) -> int: ...
    def __len__(self) -> int: ...
    def plane(self, number: int) -> GrayImage:
        """(rows, columns)"""
        ...


class ImageStack(Protocol):
    """Images, read one at a time."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def names(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...
    def image(self, number: int) -> GrayImage:
        """(height, width)"""
        ...
