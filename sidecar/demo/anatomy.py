"""A made-up weevil of 1.6 mm, its landmarks, and its position in the scanner. Pure.

Body frame, mm: x forwards to the rostrum, y to the left, z to the back. Values are as in a micro-CT
after iodine staining. Every landmark is a small mineral core with a Gaussian profile inside a knob
of cuticle. The core is round in every direction, so its centroid in the image is the landmark on
any sampling grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sidecar.demo.shapes import Ellipsoid, Floats, Limb, Solid, Vector, coverage

AIR, FAT, TISSUE, MUSCLE, CUTICLE, GUT_CONTENT = -1000.0, -100.0, 350.0, 700.0, 1300.0, 2800.0
#: Value that the core of a landmark adds to the cuticle around it, and the standard deviation of
#: its profile in mm.
CORE, CORE_SIGMA = 1500.0, 0.021
#: Radius of the knob around a core, mm.
KNOB = 0.072
#: Edges are blurred over ± this number of voxels.
BLUR_VOXELS = 1.0

#: Landmarks in the body frame, mm. No coordinate is a whole number of voxels.
LANDMARKS: dict[str, Vector] = {
    "rostrum tip": (0.8243, 0.0041, -0.1162),
    "left eye": (0.5118, 0.1387, 0.0523),
    "right eye": (0.5087, -0.1402, 0.0489),
    "pronotum": (0.2831, -0.0019, 0.2497),
    "scutellum": (0.0302, 0.0063, 0.2785),
    "left humerus": (-0.0213, 0.2968, 0.1134),
    "right humerus": (-0.0168, -0.2911, 0.1187),
    "elytral apex": (-0.7731, 0.0028, -0.0466),
}


@dataclass(frozen=True)
class Part:
    """A solid of one value. It replaces the values of the parts before it."""

    shape: Solid
    value: float


@dataclass(frozen=True)
class VoxelGrid:
    """The scan's voxels: patient = position + voxel · (column · columns + row · rows + slice ·
    their cross product).

    ``size``: columns, rows, slices. ``voxel``: edge in mm. ``position``: centre of voxel (0, 0, 0),
    LPS mm. ``axes`` (3, 3): its columns are the unit vectors of the column, row and slice axes.
    """

    size: tuple[int, int, int]
    voxel: float
    position: Vector
    axes: NDArray[np.float64]

    def to_patient(self, index: Floats) -> NDArray[np.float64]:
        """LPS mm (…, 3) of voxel indices (…, 3)."""
        return np.asarray(self.position + self.voxel * (index @ self.axes.T))

    def to_index(self, patient: Floats) -> NDArray[np.float64]:
        """Voxel indices (…, 3) of LPS mm (…, 3)."""
        return np.asarray((patient - self.position) @ self.axes / self.voxel)


@dataclass(frozen=True)
class MadeSpecimen:
    """The weevil in the scanner: patient = place + pose · body, where ``pose`` is a rotation."""

    place: Vector
    pose: NDArray[np.float64]
    landmarks: dict[str, Vector] = field(default_factory=lambda: dict(LANDMARKS))

    def to_patient(self, body: Floats) -> NDArray[np.float64]:
        """LPS mm (…, 3) of body mm (…, 3)."""
        return np.asarray(self.place + body @ self.pose.T)

    @cached_property
    def truth(self) -> NDArray[np.float64]:
        """(N, 3) LPS mm of the landmarks, in the order of ``landmarks``."""
        return self.to_patient(np.array(list(self.landmarks.values())))

    def render(self, grid: VoxelGrid) -> NDArray[np.float32]:
        """Values (slices, rows, columns), without noise."""
        volume = np.full(grid.size[::-1], AIR, np.float32)
        for part in self.parts():
            window, body = self._around(grid, part.shape.middle, part.shape.reach)
            share = coverage(part.shape.distance(body), BLUR_VOXELS * grid.voxel).astype(np.float32)
            volume[window] += share * (np.float32(part.value) - volume[window])
        for middle in self.landmarks.values():
            window, body = self._around(grid, middle, 5 * CORE_SIGMA)
            square = ((body - np.asarray(middle, body.dtype)) ** 2).sum(axis=-1)
            volume[window] += np.float32(CORE) * np.exp(-square / (2 * CORE_SIGMA**2))
        return volume

    def parts(self) -> Iterator[Part]:
        """Everything except the cores, in the order of painting."""
        yield from _body()
        for middle in self.landmarks.values():
            yield Part(Ellipsoid(middle, (KNOB, KNOB, KNOB)), CUTICLE)

    def _around(
        self, grid: VoxelGrid, middle: Vector, reach: float
    ) -> tuple[tuple[slice, slice, slice], NDArray[np.float32]]:
        """The window of a volume (slices, rows, columns) that holds a ball in the body frame, and
        its voxels in that frame (…, 3).
        """
        centre = grid.to_index(self.to_patient(np.asarray(middle)))
        margin = reach / grid.voxel + BLUR_VOXELS + 1
        low = np.maximum(np.floor(centre - margin), 0).astype(int)
        high = np.minimum(np.ceil(centre + margin) + 1, grid.size).astype(int)
        high = np.maximum(high, low)
        planes, rows, columns = np.ogrid[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
        origin, step = (
            (np.asarray(grid.position) - self.place) @ self.pose,
            grid.voxel * grid.axes.T @ self.pose,
        )
        body = (
            origin
            + columns[..., None] * step[0]
            + rows[..., None] * step[1]
            + planes[..., None] * step[2]
        )
        return (
            slice(low[2], high[2]),
            slice(low[1], high[1]),
            slice(low[0], high[0]),
        ), body.astype(np.float32)


def _body() -> Iterator[Part]:
    yield from _legs_and_antennae()
    yield from _abdomen()
    yield from _thorax()
    yield from _head()


def _hollow(shape: Ellipsoid | Limb, wall: float, inside: float) -> Iterator[Part]:
    yield Part(shape, CUTICLE)
    yield Part(shape.shrunk(wall), inside)


def _abdomen() -> Iterator[Part]:
    """Grooved elytra, the fat body under them, the gut in a loop, the hooked spermatheca."""
    yield from _hollow(
        Ellipsoid((-0.34, 0, 0), (0.46, 0.36, 0.31), grooves=18, depth=0.009), 0.042, FAT
    )
    gut = [
        (-0.08, 0, -0.05),
        (-0.22, 0.08, -0.03),
        (-0.42, 0.10, 0.0),
        (-0.52, 0, 0.02),
        (-0.40, -0.11, 0.0),
        (-0.58, -0.08, -0.04),
    ]
    for radius, value in ((0.072, MUSCLE), (0.044, GUT_CONTENT)):
        yield from (Part(Limb(start, end, radius, radius), value) for start, end in pairwise(gut))
    hook = [(-0.16, -0.16, 0.05), (-0.21, -0.20, 0.05), (-0.27, -0.18, 0.05), (-0.27, -0.12, 0.05)]
    for start, end in pairwise(hook):
        yield Part(Limb(start, end, 0.022, 0.02), CUTICLE)
    for side in (1, -1):
        yield Part(Ellipsoid((-0.22, 0.2 * side, -0.08), (0.12, 0.07, 0.07)), TISSUE)


def _thorax() -> Iterator[Part]:
    """Pronotum with paired muscles of the neck and of the wings, and tracheae."""
    yield from _hollow(Ellipsoid((0.28, 0, 0), (0.24, 0.27, 0.25)), 0.042, FAT)
    yield Part(Limb((0.1, 0, -0.04), (0.5, 0, -0.02), 0.05, 0.04), TISSUE)
    for side in (1, -1):
        for y, z in ((0.09, 0.07), (0.10, -0.06), (0.17, 0.02)):
            yield Part(
                Limb((0.15, y * side, z), (0.42, 0.75 * y * side, 0.8 * z), 0.036, 0.028), MUSCLE
            )
        yield Part(Limb((0.2, 0.045 * side, 0.03), (0.5, 0.05 * side, 0.03), 0.016, 0.012), AIR)


def _head() -> Iterator[Part]:
    """Head capsule with brain and eyes, and the curved rostrum with its canal."""
    bend = [(0.56, 0, -0.02), (0.70, 0, -0.04), (0.8243, 0.0041, -0.1162)]
    for start, end in pairwise(bend):
        yield Part(Limb(start, end, 0.075, 0.06), CUTICLE)
    yield from _hollow(Ellipsoid((0.53, 0, -0.02), (0.14, 0.17, 0.15)), 0.04, FAT)
    for start, end in pairwise(bend):
        yield Part(Limb(start, end, 0.035, 0.025), TISSUE)
    for side in (1, -1):
        yield Part(Ellipsoid((0.53, 0.055 * side, 0.0), (0.06, 0.05, 0.05)), MUSCLE)
        yield Part(Ellipsoid((0.51, 0.139 * side, 0.05), (0.085, 0.07, 0.085)), MUSCLE)


def _legs_and_antennae() -> Iterator[Part]:
    """Elbowed antennae with a club, and three pairs of legs of femur, tibia and tarsus."""
    for side in (1, -1):
        for start, knee, foot, toe in (
            ((0.30, 0.18, -0.14), (0.45, 0.46, -0.06), (0.64, 0.54, -0.20), (0.74, 0.60, -0.26)),
            ((0.06, 0.22, -0.14), (0.06, 0.56, -0.06), (0.02, 0.72, -0.22), (-0.08, 0.77, -0.28)),
            (
                (-0.18, 0.24, -0.16),
                (-0.42, 0.56, -0.06),
                (-0.64, 0.62, -0.20),
                (-0.76, 0.66, -0.26),
            ),
        ):
            a, b, c, d = ((x, y * side, z) for x, y, z in (start, knee, foot, toe))
            yield from _hollow(Limb(a, b, 0.06, 0.065), 0.024, MUSCLE)
            yield from _hollow(Limb(b, c, 0.045, 0.036), 0.02, TISSUE)
            yield Part(Limb(c, d, 0.028, 0.022), CUTICLE)
        scape, elbow, club = (
            (0.70, 0.07 * side, -0.04),
            (0.63, 0.29 * side, 0.0),
            (0.79, 0.36 * side, 0.02),
        )
        yield Part(Limb(scape, elbow, 0.022, 0.026), CUTICLE)
        yield Part(Limb(elbow, club, 0.02, 0.02), CUTICLE)
        yield from _hollow(Ellipsoid(club, (0.06, 0.042, 0.042)), 0.018, TISSUE)
