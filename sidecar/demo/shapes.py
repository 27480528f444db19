"""Solid shapes as signed distances: negative inside, positive outside, in mm. Pure.

Distances of ellipsoids and tapering limbs are correct to first order near the surface. They are
used only there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Vector = tuple[float, float, float]


class Solid(Protocol):
    """A solid, and a ball that contains it."""

    @property
    def middle(self) -> Vector: ...

    @property
    def reach(self) -> float: ...

    def distance(self, point: Floats) -> Floats:
        """Signed distance (…) in mm of points (…, 3) in mm."""


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with ``grooves`` furrows of ``depth`` mm along its x axis, like the striae on
    the elytra of a weevil.
    """

    middle: Vector
    radii: Vector
    grooves: int = 0
    depth: float = 0.0

    @property
    def reach(self) -> float:
        return max(self.radii) + self.depth

    def distance(self, point: Floats) -> Floats:
        p = point - np.asarray(self.middle, point.dtype)
        radii = np.asarray(self.radii, point.dtype)
        scaled = np.linalg.norm(p / radii, axis=-1)
        slope = np.maximum(np.linalg.norm(p / radii**2, axis=-1), np.finfo(point.dtype).tiny)
        distance = np.where(scaled > 0, scaled * (scaled - 1) / slope, -min(self.radii))
        if self.grooves:
            distance = distance + self.depth * np.cos(
                self.grooves * np.arctan2(p[..., 1], p[..., 2])
            )
        return np.asarray(distance)

    def shrunk(self, by: float) -> Ellipsoid:
        """The cavity that leaves a wall ``by`` mm thick, smooth inside."""
        x, y, z = self.radii
        return Ellipsoid(self.middle, (x - by, y - by, z - by))


@dataclass(frozen=True)
class Limb:
    """A round bar from ``start`` to ``end``. Its radius goes evenly from ``thick`` to ``thin``."""

    start: Vector
    end: Vector
    thick: float
    thin: float

    @property
    def middle(self) -> Vector:
        x, y, z = (np.asarray(self.start) + self.end) / 2
        return float(x), float(y), float(z)

    @property
    def reach(self) -> float:
        return float(np.linalg.norm(np.subtract(self.end, self.start))) / 2 + max(
            self.thick, self.thin
        )

    def distance(self, point: Floats) -> Floats:
        start, axis = (
            np.asarray(self.start, point.dtype),
            np.subtract(self.end, self.start).astype(point.dtype),
        )
        p = point - start
        along = np.clip(p @ axis / (axis @ axis), 0, 1)
        radius = self.thick + along * (self.thin - self.thick)
        return np.asarray(np.linalg.norm(p - along[..., None] * axis, axis=-1) - radius)

    def shrunk(self, by: float) -> Limb:
        """The lumen that leaves a wall ``by`` mm thick."""
        return Limb(self.start, self.end, self.thick - by, self.thin - by)


def coverage(distance: Floats, blur: float) -> Floats:
    """The part of a voxel that lies within a surface at this signed distance. The scanner blurs
    edges over ± ``blur`` mm.
    """
    t = np.clip(0.5 - distance / (2 * blur), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
