"""What the millimetres of a scan are measured in: where they come from, and along which axes. Pure.

This is the one place that tells patient space from the frame of a scan whose voxel size the user
gave: what says where something is in the patient asks here first.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError

#: Where millimetres come from: *patient*, the headers say where the planes are; *given*, the user
#: gave the voxel size, and axes run along columns, rows and slices from the first voxel; *none*,
#: there are none.
Geometry = Literal["patient", "given", "none"]
#: What a user can ask the axes of patient millimetres to be.
Space = Literal["lps", "ras"]
#: What the axes of millimetres are, in the column ``space`` of a table.
Axes = Literal["LPS", "RAS", "given"]

#: From LPS to RAS and back: the first two axes change sign.
TO_SPACE: dict[Space, NDArray[np.float64]] = {
    "lps": np.array([1.0, 1.0, 1.0]),
    "ras": np.array([-1.0, -1.0, 1.0]),
}
#: From what a column ``space`` says, in lower case, to LPS, or to the axes of the scan itself.
FROM_AXES: dict[str, NDArray[np.float64]] = {
    "lps": TO_SPACE["lps"],
    "ras": TO_SPACE["ras"],
    "given": np.ones(3),
}
_WHY_NOT = (
    "the voxel size of this scan was given by hand, and its millimetres run along columns,"
    " rows and slices"
)


def not_in_the_patient(geometry: Geometry, what: str) -> str | None:
    """Why ``what``, which says where things are in the patient, cannot be had; None where it
    can.
    """
    if geometry == "given":
        return f"{what} says where things are in the patient, which is not known: {_WHY_NOT}"
    return f"the scan has no patient geometry, which {what} needs" if geometry == "none" else None


def axes_of(geometry: Geometry, space: Space) -> Axes:
    """The axes that millimetres get where ``space`` is asked for: LPS, which is asked for where
    nothing is, means those of the scan itself where its voxel size was given.

    GeometryError for RAS, of which such a scan knows nothing.
    """
    if geometry != "given":
        return "LPS" if space == "lps" else "RAS"
    if space == "ras":
        raise GeometryError(not_in_the_patient(geometry, "--space ras") or "")
    return "given"
