"""The directions of the views of a report: the plane of the PNGs, and the two planes across it.
Pure.

A look is an `AxisOrder`: the source axes along the view's x, along its y (downwards), and through
the view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis_order import AxisOrder
from sidecar.grid.decimation import Decimation
from sidecar.grid.space import Geometry
from sidecar.grid.stack import Stack, anatomical_letters, axis_ends
from sidecar.mapping import Sidecar

Floats = NDArray[np.float64]

#: A view has the name of a patient axis if the cosine between its normal and the axis is at least
#: this.
NAMED = 0.95
#: PNG numbers run upwards in a view if the cosine of their direction to the head is at least this.
UPRIGHT = 0.7
_PLANES = ("sagittal", "coronal", "axial")
_SCANNER_PLANES = ("yz", "xz", "xy")


@dataclass(frozen=True)
class Space:
    """The space of the source, in mm.

    Where the source has no millimetres, it is in pixels, and slices are one pixel apart.
    ``geometry``: where millimetres come from. ``is_specimen``: whether a specimen with a name was
    scanned, not a patient; then the axes are those of the scanner.

    ``steps``: between columns, rows and slices; the last is the average along the stack axis.
    ``directions`` (3, 3): unit vectors of a row, a column and the slice normal, one in each row.
    """

    stack: Stack
    geometry: Geometry
    is_specimen: bool
    steps: Floats
    directions: Floats

    @classmethod
    def of(cls, sidecar: Sidecar) -> Space:
        stack = sidecar.stack or _pixels(*sidecar.document.source.size)
        axes = stack.axes[0] / np.linalg.norm(stack.axes[0], axis=0)
        between_rows, between_columns = stack.pixel_spacing
        along = (
            max(stack.pixel_spacing)
            if stack.slice_step is None
            else float(np.linalg.norm(stack.slice_step))
        )
        steps = np.array([between_columns, between_rows, along])
        is_specimen = sidecar.document.specimen is not None
        directions = np.array([*axes.T, stack.normal])
        return cls(stack, sidecar.geometry, is_specimen, steps, directions)

    @property
    def has_mm(self) -> bool:
        return self.geometry != "none"

    @property
    def in_patient(self) -> bool:
        """Whether the position of the source in the patient is known."""
        return self.geometry == "patient"

    @property
    def unit(self) -> str:
        return "mm" if self.has_mm else "px"

    @property
    def finest(self) -> float:
        """The shortest step between neighbouring samples."""
        return float(min(self.steps if self.stack.slices > 1 else self.steps[:2]))

    def vectors(self, look: AxisOrder) -> Floats:
        """(3, 3) unit vectors along x, y and through a view, one in each row."""
        return np.asarray(self.directions[list(look.along)] * np.array(look.signs)[:, np.newaxis])

    def letters(self, direction: Floats) -> str:
        """The letter of the side of the patient, or of the scanner's axes, that an LPS direction
        points to; "" without patient geometry.
        """
        if not self.in_patient:
            return ""
        return axis_ends(direction)[0] if self.is_specimen else anatomical_letters(direction)[:1]

    def name(self, look: AxisOrder) -> str:
        """The name of a look: axial, coronal or sagittal, or the nearest of these.

        For a specimen, the scanner's axes that it shows. Without patient geometry, the source axes.
        """
        if not self.in_patient:
            right, down, _ = look.pick(("columns", "rows", "slices"))
            return f"{right} × {down}"
        right, down, _ = self.vectors(look)
        normal = np.abs(np.cross(right, down))
        nearest = int(normal.argmax())
        plane = (_SCANNER_PLANES if self.is_specimen else _PLANES)[nearest]
        return plane if normal[nearest] >= NAMED else f"oblique, near {plane}"

    def png_steps(self, decimation: Decimation) -> tuple[float, ...]:
        """The steps between PNG pixels along x, y and number."""
        axes = decimation.upright.axes
        steps = [axis.factor * step for axis, step in zip(axes, self.steps, strict=True)]
        return decimation.order.pick(steps)

    def looks(self, decimation: Decimation) -> tuple[AxisOrder, ...]:
        """The looks of the report: the plane of the PNGs, then PNG x and number, then y and number,
        with the head up.

        A single slice has only its own plane.
        """
        order = decimation.order
        up = self.in_patient and bool(self.vectors(order)[2, 2] > UPRIGHT)
        across = (AxisOrder(along, (False, up, False)) for along in ((0, 2, 1), (1, 2, 0)))
        found = (order, *(order @ look for look in across))
        return found if self.stack.slices > 1 else tuple(filter(is_source_plane, found))


def is_source_plane(look: AxisOrder) -> bool:
    """Whether a look shows the pixels of one source slice without interpolation."""
    return look.along[2] == 2


def _pixels(columns: int, rows: int, slices: int) -> Stack:
    """Slices without patient geometry, one pixel apart."""
    positions = np.column_stack([np.zeros((slices, 2)), np.arange(slices, dtype=np.float64)])
    return Stack(columns, rows, (1.0, 1.0), positions, np.tile([1.0, 0, 0, 0, 1.0, 0], (slices, 1)))
