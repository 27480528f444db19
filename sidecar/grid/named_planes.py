"""The axis order that ``--plane`` means for a scan: axial, coronal, sagittal, or any order and
direction of its axes. Pure.
"""

from __future__ import annotations

import re

import numpy as np

from sidecar.errors import GeometryError, UsageError
from sidecar.grid.axis_order import AxisOrder
from sidecar.grid.space import not_in_the_patient
from sidecar.grid.stack import Stack, geometry_of

#: The direction in which PNG x, PNG y and PNG number grow, as radiologists look at the three planes
#: (letters of PS3.3 C.7.6.1.1.1).
NAMED_PLANES = {"axial": "LPH", "coronal": "LFP", "sagittal": "PFL"}
#: Patient direction, LPS, of each letter.
_TOWARDS = {
    "L": (1, 0, 0),
    "R": (-1, 0, 0),
    "P": (0, 1, 0),
    "A": (0, -1, 0),
    "H": (0, 0, 1),
    "F": (0, 0, -1),
}
_SOURCE_AXES = "xyz"
_BY_AXES = "name axes of the source instead: x, y, z in an order such as xzy"


def order_of(plane: str, stack: Stack | None) -> AxisOrder:
    """The order that ``--plane`` means for a stack.

    ``plane`` is one of

    - ``axial``, ``coronal`` or ``sagittal``;
    - three anatomical letters (L R P A H F), the directions in which PNG x, y and number grow. Each
      is taken as the source axis nearest to it;
    - x, y, z in any order for source columns, rows and slices, with - before each that is mirrored.

    UsageError for anything else. GeometryError for anatomical planes of images without patient
    geometry.
    """
    by_axis = re.findall(r"(-?)([xyz])", plane)
    if "".join(sign + name for sign, name in by_axis) == plane and sorted(
        name for _, name in by_axis
    ) == ["x", "y", "z"]:
        return AxisOrder(
            tuple(_SOURCE_AXES.index(name) for _, name in by_axis),
            tuple(bool(sign) for sign, _ in by_axis),
        )
    letters = NAMED_PLANES.get(plane.lower(), plane)
    if len(letters) != 3 or not all(letter in _TOWARDS for letter in letters):
        raise UsageError(
            f"--plane {plane}: give axial, coronal, sagittal, three of L R P A H F such as LFP, or"
            " x, y, z in an order such as xzy"
        )
    why = not_in_the_patient(geometry_of(stack), f"--plane {plane}")
    if why is not None:
        raise GeometryError(f"{why}; {_BY_AXES}")
    if stack is None or stack.slice_step is None:
        raise GeometryError(f"--plane {plane} needs several slices; {_BY_AXES}")
    source = np.column_stack([stack.axes.mean(axis=0), stack.slice_step])
    along = np.array([_TOWARDS[letter] for letter in letters]) @ (
        source / np.linalg.norm(source, axis=0)
    )
    order = [int(i) for i in np.abs(along).argmax(axis=1)]
    if sorted(order) != [0, 1, 2]:
        raise GeometryError(
            f"--plane {plane} is not one plane of this oblique scan: two of its directions are"
            f" nearest to the same axis; {_BY_AXES}"
        )
    return AxisOrder(tuple(order), tuple(bool(along[i, axis] < 0) for i, axis in enumerate(order)))
