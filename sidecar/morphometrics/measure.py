"""Distances, path lengths, angles and areas in patient millimetres, each with the largest error
that decimation can cause. Pure.

A label drawn on a decimated image stands for any place in its output voxel. So the true place lies
within the uncertainty u of the mapped place, where u is half the diagonal of that voxel. Every
function takes N points (N, 3) in mm and their N uncertainties, and bounds the change of its value
over *all* such places. The bound is a worst case, not a standard deviation, and it holds for
correlated errors too. It does not include how well the person placed the label, nor the resolution
of the scan itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.errors import LabelError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measurement:
    """``value`` in ``unit``; the value at the true places is within ``uncertainty`` of it."""

    value: float
    uncertainty: float
    unit: Literal["mm", "mm²", "°"]


def distance(points: ArrayLike, uncertainty: ArrayLike) -> Measurement:
    """The distance between two points.

    By the triangle inequality it changes by no more than u₁ + u₂. Errors along the line reach this
    bound.
    """
    return path_length(*_checked(points, uncertainty, exactly=2))


def path_length(points: ArrayLike, uncertainty: ArrayLike) -> Measurement:
    """The length along straight lines from point to point.

    Each segment is a distance, so the length changes by no more than Σ (uᵢ + uᵢ₊₁). Inner points
    count twice.
    """
    p, u = _checked(points, uncertainty, at_least=2)
    return Measurement(
        float(np.linalg.norm(np.diff(p, axis=0), axis=1).sum()), float((u[:-1] + u[1:]).sum()), "mm"
    )


def angle(points: ArrayLike, uncertainty: ArrayLike) -> Measurement:
    """The angle at the second of three points, between the directions to the first and to the
    third; 0° to 180°.

    The vector of length d to a neighbour changes by no more than r = u + u₂. If r < d, it turns by
    at most asin(r/d). If r ≥ d, it can point anywhere, and the bound is 180°. The angle changes by
    no more than the sum of both turns.
    """
    p, u = _checked(points, uncertainty, exactly=3)
    arms = p[[0, 2]] - p[1]
    lengths = np.linalg.norm(arms, axis=1)
    if lengths.min() == 0:
        raise LabelError("two of the three points are at the same place, so there is no angle")
    reach = (u[[0, 2]] + u[1]) / lengths
    turns = np.where(reach < 1, np.degrees(np.arcsin(np.minimum(reach, 1))), 180.0)
    between = np.arctan2(np.linalg.norm(np.cross(arms[0], arms[1])), arms[0] @ arms[1])
    return Measurement(float(np.degrees(between)), float(min(180.0, turns.sum())), "°")


def area(points: ArrayLike, uncertainty: ArrayLike) -> Measurement:
    """The area of a flat polygon, whose vertices are in order; the first is not repeated.

    The area is the length of the vector A = ½ Σ pᵢ × pᵢ₊₁. When every vertex moves by δᵢ, A changes
    by ½ Σ δᵢ × (pᵢ₊₁ − pᵢ₋₁) + ½ Σ δᵢ × δᵢ₊₁. So its length changes by no more than ½ Σ uᵢ |pᵢ₊₁ −
    pᵢ₋₁| + ½ Σ uᵢ uᵢ₊₁.

    LabelError if the outline crosses itself, because parts of its area would cancel, or if a vertex
    is further from the plane of the others than its uncertainty explains.
    """
    p, u = _checked(points, uncertainty, at_least=3)
    centered = p - p.mean(axis=0)
    following, preceding = np.roll(centered, -1, axis=0), np.roll(centered, 1, axis=0)
    flat, height = _in_plane(centered)
    off = np.abs(height) - u - 1e-9 * np.abs(centered).max()
    if off.max() > 0:
        raise LabelError(
            f"vertex {int(off.argmax())} lies {np.abs(height)[off.argmax()]:.3g} mm off the plane"
            " of the polygon; only a flat polygon has an area"
        )
    if (crossing := _crossing(flat)) is not None:
        raise LabelError(
            f"the outline crosses itself (the edges from vertex {crossing[0]} and from vertex"
            f" {crossing[1]}), so its area is not defined; correct the order of the vertices"
        )
    vector = np.cross(centered, following).sum(axis=0) / 2
    bound = (u @ np.linalg.norm(following - preceding, axis=1) + u @ np.roll(u, -1)) / 2
    return Measurement(float(np.linalg.norm(vector)), float(bound), "mm²")


def _checked(
    points: ArrayLike, uncertainty: ArrayLike, exactly: int | None = None, at_least: int = 0
) -> tuple[Floats, Floats]:
    p, u = np.asarray(points, dtype=np.float64), np.asarray(uncertainty, dtype=np.float64)
    if p.ndim != 2 or p.shape[1] != 3 or u.shape != (len(p),):
        raise LabelError("points must be (N, 3) and uncertainties (N,)")
    if not (np.isfinite(p).all() and np.isfinite(u).all() and (u >= 0).all()):
        raise LabelError(
            "points and uncertainties must be finite numbers, and uncertainties must not be"
            " negative; does the scan have patient geometry?"
        )
    if len(p) < at_least or (exactly is not None and len(p) != exactly):
        raise LabelError(
            f"this measure takes {f'at least {at_least}' if exactly is None else exactly} points,"
            f" not {len(p)}"
        )
    return p, u


def _in_plane(centered: Floats) -> tuple[Floats, Floats]:
    """(N, 2) coordinates in the best plane through the origin, and (N,) heights above it."""
    along, across, normal = np.linalg.svd(centered)[2]
    return centered @ np.column_stack([along, across]), centered @ normal


def _crossing(flat: Floats) -> tuple[int, int] | None:
    """The first two edges of a closed outline (N, 2) that cross between their ends."""
    start, end = flat, np.roll(flat, -1, axis=0)

    def side(a: Floats, b: Floats, c: Floats) -> Floats:
        return np.asarray(
            (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1])
            - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
        )

    for i in range(len(flat) - 2):
        others = slice(i + 2, None)  # neighbouring edges share a vertex, where `side` is exactly 0
        a, b = start[others], end[others]
        parted = side(start[i], end[i], a) * side(start[i], end[i], b) < 0
        crossed = parted & (side(a, b, start[i]) * side(a, b, end[i]) < 0)
        if crossed.any():
            return i, i + 2 + int(crossed.argmax())
    return None
