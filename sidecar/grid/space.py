"""The two patient coordinate systems."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Space = Literal["lps", "ras"]


#: From LPS to RAS and back: the first two axes change sign.
TO_SPACE: dict[Space, NDArray[np.float64]] = {
    "lps": np.array([1.0, 1.0, 1.0]),
    "ras": np.array([-1.0, -1.0, 1.0]),
}
