"""Which way the views of a report look into the source: the plane of the PNGs, and the two planes
across it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.decimation import Decimation
from sidecar.grid.stack import Stack, anatomical_letters
from sidecar.mapping import Sidecar

Floats = NDArray[np.float64]

#: Cosine between the normal of a view and a patient axis from which on the view has that axis'
#: name.
NAMED = 0.95
#: Cosine to the head from which on PNG numbers run upwards in a view.
UPRIGHT = 0.7
_PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, slots=True)
class Way:
    """A direction along an axis of the source, 0 columns, 1 rows or 2 slices: forwards (1) or
    backwards (−1).
    """

    axis: int
    sign: int

    @property
    def back(self) -> Way:
        return Way(self.axis, -self.sign)


@dataclass(frozen=True, slots=True)
class Look:
    """A view: what its x and its y, downwards, run along."""

    right: Way
    down: Way

    @property
    def is_source_plane(self) -> bool:
        """Whether it shows pixels of one source slice as they are."""
        return {self.right.axis, self.down.axis} == {0, 1}


@dataclass(frozen=True)
class Space:
    """The source with its millimetres, or with pixels in their place where it has none: slices are
    then one pixel apart.

    ``steps``: between columns, rows and slices, the last along the stack axis, on average.
    ``directions`` (3, 3): unit vectors of a row, a column and the slice normal, one in each row.
    """

    stack: Stack
    has_geometry: bool
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
        return cls(stack, sidecar.stack is not None, steps, np.array([*axes.T, stack.normal]))

    @property
    def unit(self) -> str:
        return "mm" if self.has_geometry else "px"

    @property
    def finest(self) -> float:
        """The shortest step between neighbouring samples."""
        return float(min(self.steps if self.stack.slices > 1 else self.steps[:2]))

    def vector(self, way: Way) -> Floats:
        """(3,) unit vector."""
        return np.asarray(self.directions[way.axis] * way.sign)

    def letters(self, way: Way) -> str:
        """The end of the patient it points to; "" without patient geometry."""
        return anatomical_letters(self.vector(way)) if self.has_geometry else ""

    def name(self, look: Look) -> str:
        """Axial, coronal or sagittal, or the one it is nearest to; without patient geometry the
        source axes it shows.
        """
        if not self.has_geometry:
            return " × ".join(
                ("columns", "rows", "slices")[way.axis] for way in (look.right, look.down)
            )
        normal = np.abs(np.cross(self.vector(look.right), self.vector(look.down)))
        nearest = int(normal.argmax())
        return _PLANES[nearest] if normal[nearest] >= NAMED else f"oblique, near {_PLANES[nearest]}"

    def png_look(self, decimation: Decimation) -> Look:
        """As the PNGs lie."""
        x, y, _ = _ways(decimation)
        return Look(x, y)

    def looks(self, decimation: Decimation) -> tuple[Look, ...]:
        """As the PNGs lie, then along PNG x and number, and y and number, the head up.

        A single slice has only its own plane.
        """
        x, y, number = _ways(decimation)
        if self.has_geometry and self.vector(number)[2] > UPRIGHT:
            number = number.back
        found = (Look(x, y), Look(x, number), Look(y, number))
        return (
            found
            if self.stack.slices > 1
            else tuple(look for look in found if look.is_source_plane)
        )


def _ways(decimation: Decimation) -> tuple[Way, Way, Way]:
    """What PNG x, y and number run along."""
    x, y, number = (
        Way(i, 1 if axis.factor > 0 else -1)
        for i, axis in zip(decimation.order, decimation.png_axes, strict=True)
    )
    return x, y, number


def _pixels(columns: int, rows: int, slices: int) -> Stack:
    """Slices without patient geometry, one pixel apart."""
    positions = np.column_stack([np.zeros((slices, 2)), np.arange(slices, dtype=np.float64)])
    return Stack(columns, rows, (1.0, 1.0), positions, np.tile([1.0, 0, 0, 0, 1.0, 0], (slices, 1)))
