"""Numbers as decimal text: the shortest that reads back the same, or rounded to six decimals."""

from __future__ import annotations

import numpy as np
import pydantic_core
from numpy.typing import NDArray

#: Decimal places of computed voxels and millimetres. 1e-6 mm is a nanometre; no label is so exact.
DECIMALS = 6


def numbers(values: NDArray[np.float64]) -> list[str]:
    """Shortest decimal text of each number, "" for NaN."""
    if not len(values):
        return []
    clean = np.where(values == 0, 0.0, values)  # no minus zero
    texts = pydantic_core.to_json(clean.tolist(), inf_nan_mode="null").decode()[1:-1].split(",")
    return ["" if text == "null" else text for text in texts] if np.isnan(values).any() else texts


def rounded(values: NDArray[np.float64]) -> list[str]:
    """Decimal text of voxels or millimetres, to DECIMALS places; "" for NaN."""
    return numbers(np.round(values, DECIMALS))


def shortest(value: float) -> str:
    """Shortest decimal text of one number."""
    return numbers(np.array([value]))[0]
