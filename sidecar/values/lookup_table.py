"""Values by a lookup table instead of a line, as a Modality LUT has them (PS3.3 C.11.1.1.1).
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LookupTable:
    """value = entries[stored − first]. Lower numbers take the first entry, higher ones the last.

    ``data``: the entries as little-endian words of 16 bits. Bytes take less memory than a list.
    """

    first: int
    data: bytes

    @property
    def entries(self) -> NDArray[np.uint16]:
        return np.frombuffer(self.data, "<u2")

    def apply(self, stored: NDArray[Any]) -> NDArray[np.uint16]:
        """The values of stored integers, in an array of the same shape."""
        entries = self.entries
        at = np.clip(stored.astype(np.int64) - self.first, 0, len(entries) - 1)
        return entries[at]

    def moved(self, by: int) -> LookupTable:
        """The table that gives the same values for numbers that are ``by`` larger."""
        return LookupTable(self.first + by, self.data)

    def turned(self, about: int) -> LookupTable:
        """The table that gives the same values for the numbers ``about`` − stored."""
        last = self.first + len(self.entries) - 1
        return LookupTable(about - last, self.entries[::-1].tobytes())
