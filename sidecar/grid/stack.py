"""Planes, stacks of planes, and the map between source index and patient millimetres. Pure: no
files, no pydicom.

A *source index* is (column, row, slice), real numbers, 0 at the CENTRE of the first voxel.
*Patient* is millimetres in the DICOM patient coordinate system (LPS). Where the user gave the voxel
size (`given_stack`), it is millimetres along columns, rows and slices instead. Slices count planes
in position order along the normal, row × column cosines.

Every plane follows DICOM PS3.3 C.7.6.2.1.1:

    P = position + column · spacing_between_columns · row_cosines + row · spacing_between_rows ·
    column_cosines

A point between two planes lies on the straight line between their points of the same column and
row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.errors import GeometryError
from sidecar.grid.points import as_points
from sidecar.grid.space import Geometry, not_in_the_patient

Floats = NDArray[np.float64]

#: Largest difference between direction cosines of planes that still count as parallel. Headers
#: round them.
PARALLEL_TOLERANCE = 1e-3
#: How far Image Orientation (Patient) may be from orthonormal. Cosines written with a few decimals
#: stay well inside.
ORTHONORMAL_TOLERANCE = 5e-3
#: No affine is offered where its worst residual is larger than this part of the smallest voxel
#: edge.
AFFINE_TOLERANCE = 0.1
#: A slice gap counts as uneven where it differs from the median gap by more than this part of it.
GAP_TOLERANCE = 0.01
#: Shear of the stack axis off the normal, in degrees, that counts as gantry tilt.
TILT_TOLERANCE_DEGREES = 0.1
#: Newton steps of `Stack.to_index`. Parallel planes need one, nearly parallel planes three or four.
NEWTON_STEPS = 25


def median(values: Floats) -> float:
    """The median, as `numpy.median`. Its first call loads numpy.ma, which takes as long as 50
    slices.
    """
    ordered = np.sort(values)
    return float((ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2)


def plane_normal(orientation: ArrayLike) -> Floats:
    """Unit normal, row × column cosines.

    ``orientation``: (..., 6) direction cosines in the order of Image Orientation (Patient).
    """
    cosines = np.asarray(orientation, dtype=np.float64)
    normal = np.cross(cosines[..., :3], cosines[..., 3:])
    return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True))


def check_orientation(orientation: tuple[float, ...]) -> None:
    """Raise GeometryError unless the six cosines are two orthogonal unit vectors, within
    rounding.
    """
    cosines = np.asarray(orientation, dtype=np.float64)
    axes = cosines.reshape(2, 3)
    if (
        not np.all(np.isfinite(cosines))
        or np.abs(axes @ axes.T - np.eye(2)).max() > ORTHONORMAL_TOLERANCE
    ):
        raise GeometryError(
            f"Image Orientation (Patient) {list(orientation)} is not two orthogonal unit vectors"
        )


@dataclass(frozen=True, slots=True)
class Affine:
    """patient = matrix · (column, row, slice, 1), derived from the planes for convenience.

    ``residual_mm``: its largest distance from the planes.
    """

    matrix: Floats
    residual_mm: float


@dataclass(frozen=True, eq=False)
class Stack:
    """A stack of planes with millimetres.

    ``columns, rows``: pixels of each plane.
    ``pixel_spacing``: mm between rows, then between columns, the order of Pixel Spacing.
    ``positions`` (n, 3): mm, the centre of each plane's first pixel, in order along the normal.
    ``orientations`` (n, 6): direction cosines of rows, then of columns.
    ``geometry``: whether all of this is in patient space, or in the frame of the scan itself.
    """

    columns: int
    rows: int
    pixel_spacing: tuple[float, float]
    positions: Floats
    orientations: Floats
    geometry: Literal["patient", "given"] = "patient"

    def __post_init__(self) -> None:
        if len(self.positions) == 0 or self.positions.shape != (len(self.orientations), 3):
            raise GeometryError(
                "a stack needs one position and one orientation for each of its planes"
            )
        if not (
            np.isfinite(self.positions).all()
            and all(np.isfinite(s) and s > 0 for s in self.pixel_spacing)
        ):
            raise GeometryError("positions must be finite and Pixel Spacing positive")
        first = self.orientations[0]
        others = self.orientations[(self.orientations != first).any(axis=1)]
        for cosines in (tuple(first.tolist()), *sorted(set(map(tuple, others.tolist())))):
            check_orientation(cosines)
        if np.abs(self.orientations - self.orientations[0]).max() > 2 * PARALLEL_TOLERANCE:
            raise GeometryError("the planes of a stack must be parallel")
        if len(self.positions) > 1 and self.gaps.min() <= 0:
            raise GeometryError(
                "the planes of a stack must be in order along their normal, each at its own"
                " position"
            )

    def __repr__(self) -> str:
        size = f"{self.columns} × {self.rows} × {self.slices}"
        return f"<Stack of {size} voxels, millimetres: {self.geometry}>"

    @property
    def slices(self) -> int:
        return len(self.positions)

    @cached_property
    def normal(self) -> Floats:
        """Unit normal of the first plane. It points from slice to slice."""
        return plane_normal(self.orientations[0])

    @cached_property
    def gaps(self) -> Floats:
        """(n − 1,) mm between neighbouring planes, along the normal."""
        return np.diff(self.positions @ self.normal)

    @cached_property
    def median_gap(self) -> float:
        """mm: the median of `gaps`; 0 for a single plane."""
        return median(self.gaps) if len(self.gaps) else 0.0

    @cached_property
    def axes(self) -> Floats:
        """(n, 3, 2): mm per column and per row, on each plane."""
        between_rows, between_columns = self.pixel_spacing
        return np.stack(
            [self.orientations[:, :3] * between_columns, self.orientations[:, 3:] * between_rows],
            axis=-1,
        )

    @cached_property
    def slice_step(self) -> Floats | None:
        """(3,) mm from slice to slice, by least squares over all positions; None for a single
        plane.
        """
        if self.slices == 1:
            return None
        index = np.arange(self.slices) - (self.slices - 1) / 2
        return np.asarray(index @ self.positions / (index @ index))

    @cached_property
    def tilt_degrees(self) -> float:
        """Angle between the stack axis and the normal (gantry tilt), from the first plane to the
        last, without the gaps that are `shifted`; 0 for a single plane.
        """
        if self.slices == 1:
            return 0.0
        kept = ~self.shifted
        shear = self._across[kept].sum(axis=0) / self.gaps[kept].sum()
        return float(np.degrees(np.arctan(np.linalg.norm(shear))))

    @cached_property
    def sideways(self) -> Floats:
        """(n − 1,) mm by which each plane lies beside the place that the one before it and the tilt
        of most gaps give it, in a stack of several planes.
        """
        shear = np.median(self._across / self.gaps[:, None], axis=0)
        return np.asarray(np.linalg.norm(self._across - np.outer(self.gaps, shear), axis=1))

    @cached_property
    def shifted(self) -> NDArray[np.bool_]:
        """(n − 1,) whether neighbouring planes lie beside each other by more than a pixel, which no
        tilt explains. At least one gap is not shifted.
        """
        least = max(min(self.pixel_spacing), float(self.sideways.min()))
        return np.asarray(self.sideways > least)

    @cached_property
    def _across(self) -> Floats:
        """(n − 1, 3) mm between neighbouring planes, without the part along the normal."""
        return np.diff(self.positions, axis=0) - np.outer(self.gaps, self.normal)

    @cached_property
    def affine(self) -> Affine | None:
        """The least-squares affine; None for a single plane, which fixes no slice axis."""
        if self.slice_step is None:
            return None
        index = np.arange(self.slices)
        origin = self.positions.mean(axis=0) - self.slice_step * (self.slices - 1) / 2
        axes = self.axes.mean(axis=0)
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([axes, self.slice_step, origin])
        drift = self.positions - (origin + index[:, None] * self.slice_step)
        turn = self.axes - axes
        corners = [(c, r) for c in (0, self.columns - 1) for r in (0, self.rows - 1)]
        worst = max(
            float(np.linalg.norm(drift + turn @ np.array(corner), axis=1).max())
            for corner in corners
        )
        return Affine(matrix, worst)

    @property
    def affine_is_exact(self) -> bool:
        """Whether the affine describes every plane to within `AFFINE_TOLERANCE` of the smallest
        voxel edge.
        """
        if self.affine is None or self.slice_step is None:
            return False
        edge = min(*self.pixel_spacing, float(np.linalg.norm(self.slice_step)))
        return self.affine.residual_mm <= AFFINE_TOLERANCE * edge

    def to_patient(self, index: ArrayLike) -> Floats:
        """Patient mm (N, 3) of source indices (N, 3).

        Beyond the first and the last plane, the spacing of the outermost two planes continues.

        Raises GeometryError for a slice other than 0 in a stack of one plane, which has no slice
        axis.
        """
        column_row_slice = as_points(index, "column, row, slice")
        column_row, along = column_row_slice[:, :2], column_row_slice[:, 2]
        if self.slices == 1:
            if np.any(along != 0):
                raise GeometryError(
                    "a single slice has no spacing along its normal: the slice of a point on it"
                    " must be 0"
                )
            return self._on_plane(np.zeros(len(along), dtype=np.intp), column_row)
        below = self._plane_below(along)
        part = (along - below)[:, None]
        if self._share_axes:
            patient = self.positions[below] + part * np.diff(self.positions, axis=0)[below]
            patient += column_row @ self.axes[0].T
            return np.asarray(patient)
        return (
            self._on_plane(below, column_row) * (1 - part)
            + self._on_plane(below + 1, column_row) * part
        )

    def to_index(self, patient: ArrayLike) -> Floats:
        """Source indices (N, 3) of patient mm (N, 3): the inverse of `to_patient`, by Newton's
        method.

        In a stack of one plane the slice is 0. It is NaN where the point is more than half a pixel
        away from the plane.
        """
        point = as_points(patient, "x, y, z")
        if self.slices == 1:
            return self._to_index_on_single_plane(point)
        heights = self.positions @ self.normal
        height = point @ self.normal
        below = np.clip(np.searchsorted(heights, height, side="right") - 1, 0, self.slices - 2)
        index = np.zeros_like(point)
        index[:, 2] = below + (height - heights[below]) / (heights[below + 1] - heights[below])
        edge = min(*self.pixel_spacing, float(self.gaps.min()))
        settled = (
            1e-10
            + 64
            * np.finfo(np.float64).eps
            * max(1.0, np.abs(point).max(initial=0), np.abs(self.positions).max())
            / edge
        )
        for _ in range(NEWTON_STEPS):
            below = self._plane_below(index[:, 2])
            part = (index[:, 2] - below)[:, None, None]
            rise = self._on_plane(below + 1, index[:, :2]) - self._on_plane(below, index[:, :2])
            jacobian = np.concatenate(
                [self.axes[below] * (1 - part) + self.axes[below + 1] * part, rise[:, :, None]],
                axis=2,
            )
            step = np.linalg.solve(jacobian, (point - self.to_patient(index))[:, :, None])[:, :, 0]
            index += step
            if not len(step) or np.abs(step).max() <= settled:
                return index
        raise GeometryError(
            "some points cannot be placed on this stack: its planes cross where they are"
        )

    def _plane_below(self, along: Floats) -> NDArray[np.intp]:
        return np.clip(np.floor(along), 0, self.slices - 2).astype(np.intp)

    @cached_property
    def _share_axes(self) -> bool:
        return bool((self.axes == self.axes[0]).all())

    def _on_plane(self, plane: NDArray[np.intp], column_row: Floats) -> Floats:
        return np.asarray(
            self.positions[plane] + np.einsum("nij,nj->ni", self.axes[plane], column_row)
        )

    def _to_index_on_single_plane(self, point: Floats) -> Floats:
        offset = point - self.positions[0]
        column_row = np.linalg.lstsq(self.axes[0], offset.T, rcond=None)[0].T
        off_plane = np.abs(offset @ self.normal) > min(self.pixel_spacing) / 2
        return np.column_stack([column_row, np.where(off_plane, np.nan, 0.0)])


def given_stack(size: tuple[int, int, int], voxel: tuple[float, float, float]) -> Stack:
    """A stack of ``size`` columns, rows and slices whose voxels have ``voxel`` mm along them.

    Its axes are those of its own frame, and the centre of its first voxel is at 0.
    """
    (columns, rows, slices), (x, y, z) = size, voxel
    positions = np.outer(np.arange(slices, dtype=np.float64), (0.0, 0.0, z))
    orientations = np.tile([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], (slices, 1))
    return Stack(columns, rows, (y, x), positions, orientations, "given")


def geometry_of(stack: Stack | None) -> Geometry:
    """Where the millimetres of a scan come from. ``stack`` is None for a scan without
    millimetres.
    """
    return "none" if stack is None else stack.geometry


def anatomical_letters(direction: ArrayLike) -> str:
    """The end of the patient that an LPS direction points to, main axis first: (1, 0, 0) → "L", (0,
    0.9, -0.4) → "PF".

    The letters are those of DICOM Patient Orientation (PS3.3 C.7.6.1.1.1): L R P A H F. A component
    of less than a fifth of the whole is left out.
    """
    return "".join(_ends(direction, "LPH", "RAF"))


def axis_ends(direction: ArrayLike) -> list[str]:
    """The ends of the scanner's axes that a direction points to, main axis first: (0, 0.9, -0.4) →
    ["+y", "−z"].

    A specimen has no left and right of a patient.
    """
    return _ends(direction, ("+x", "+y", "+z"), ("−x", "−y", "−z"))


def _ends(direction: ArrayLike, ahead: Sequence[str], behind: Sequence[str]) -> list[str]:
    """The ends that a direction points to, main axis first.

    A component of less than a fifth of the whole is left out.
    """
    vector = np.asarray(direction, dtype=np.float64)
    order = np.argsort(-np.abs(vector), kind="stable")
    return [
        (ahead if vector[i] > 0 else behind)[i]
        for i in order.tolist()
        if abs(vector[i]) > 0.2 * np.linalg.norm(vector)
    ]


def require_affine(stack: Stack | None, affine: ArrayLike | None, format: str) -> Floats:
    """(4, 4) matrix of a grid to LPS mm: ``affine`` itself, where there is one.

    GeometryError says why the planes of ``stack`` have none.
    """
    why = not_in_the_patient(geometry_of(stack), format)
    if why is not None:
        raise GeometryError(f"{why}. The PNGs and their sidecar.json need no place in the patient")
    if affine is not None:
        return np.array(affine, dtype=np.float64)
    so = f"{format} cannot say where they are"
    if stack is None or stack.affine is None:
        raise GeometryError(
            f"the scan is one slice, without a spacing along its normal: {format} cannot say where"
            " it is"
        )
    worst = stack.affine.residual_mm
    raise GeometryError(
        "the slices are not evenly spaced or not parallel. One origin and spacing would put some of"
        f" them {worst:.3g} mm wrong, so {so}"
    )
