"""The space that the millimetres of a scan belong to: where they come from, and along which axes.
Pure.

This is the one place that tells patient space from the frame of a scan whose voxel size the user
gave. Code that states a place in the patient asks here first.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError

#: Where millimetres come from. *patient*: the headers say where the planes are. *given*: the user
#: gave the voxel size, and the axes run along columns, rows and slices from the first voxel.
#: *none*: there are no millimetres.
Geometry = Literal["patient", "given", "none"]
#: The axes of patient millimetres that a user can ask for.
Space = Literal["lps", "ras"]
#: The axes of millimetres, as the column ``space`` of a table names them.
Axes = Literal["LPS", "RAS", "given"]

#: From LPS to RAS and back: the first two axes change sign.
TO_SPACE: dict[Space, NDArray[np.float64]] = {
    "lps": np.array([1.0, 1.0, 1.0]),
    "ras": np.array([-1.0, -1.0, 1.0]),
}
#: From the text of a column ``space``, in lower case, to LPS, or to the axes of the scan itself.
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
    """Why ``what`` is not possible for a scan of this geometry; None where it is possible.

    ``what`` is an output that states places in the patient.
    """
    if geometry == "given":
        return f"{what} says where things are in the patient, which is not known: {_WHY_NOT}"
    return f"the scan has no patient geometry, which {what} needs" if geometry == "none" else None


def axes_of(geometry: Geometry, space: Space) -> Axes:
    """The axes of millimetres where the user asks for ``space``.

    LPS is the default. For a scan whose voxel size was given it means the axes of the scan itself.

    GeometryError for RAS of such a scan: its place in the patient is not known.
    """
    if geometry != "given":
        return "LPS" if space == "lps" else "RAS"
    if space == "ras":
        raise GeometryError(not_in_the_patient(geometry, "--space ras") or "")
    return "given"
