"""How often each PNG value occurs. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Pixels counted at a time. NumPy takes eight bytes of memory for each.
_COUNTED_PIXELS = 1 << 20


def value_counts(pixels: NDArray[Any]) -> NDArray[np.intp]:
    """(256,) or (65536,) how many pixels have each value that the type can hold, uint8 or
    uint16.
    """
    flat, values = pixels.ravel(), 1 << 8 * pixels.itemsize
    counts = np.zeros(values, np.intp)
    for start in range(0, flat.size, _COUNTED_PIXELS):
        counts += np.bincount(flat[start : start + _COUNTED_PIXELS], minlength=values)
    return counts
