"""Anatomical frames from landmarks, and the least-squares fit of one specimen's landmarks to
another's. Pure.

Landmarks are given as name → (3,) LPS mm (`PointTable.positions`). Matrices are 4 × 4: new =
matrix · (x, y, z, 1).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.errors import LabelError, MissingExtraError
from sidecar.grid.points import as_points

Floats = NDArray[np.float64]

#: Landmarks are on a line if their spread across the line is less than this part of their spread
#: along it. Then they do not fix the rotation about the line.
COLLINEAR = 1e-3
#: A fit is refused if the residual of the mirrored fit is less than this part of its own. Between
#: this and 1, the set is too flat or the landmarks too scattered to tell whether it is mirrored;
#: the result says how well the mirror image fits.
MIRRORED = 0.5
#: A residual below this part of the largest coordinate is rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Fit:
    """The fit of moving landmarks to fixed ones.

    ``matrix`` (4, 4) from moving to fixed mm. ``scale``: 1 for a rigid fit. ``residual_mm``: name →
    distance from the fixed landmark after the fit, for every landmark used. ``rms_mm``: their root
    mean square. ``is_mirrored``: whether the moving specimen was mirrored, which needs the option
    for it. ``mirrored_rms_mm``: ``rms_mm`` of the opposite choice, mirrored or not. ``unmatched``:
    landmarks that only one of the two specimens has.
    """

    matrix: Floats
    scale: float
    residual_mm: dict[str, float]
    rms_mm: float
    mirrored_rms_mm: float
    unmatched: tuple[str, ...]
    is_mirrored: bool = False

    def apply(self, points: ArrayLike) -> Floats:
        """Points (N, 3) of the moving specimen, in the fixed one's mm."""
        return as_points(points, "x, y, z") @ self.matrix[:3, :3].T + self.matrix[:3, 3]


def anatomical_frame(
    landmarks: Mapping[str, ArrayLike],
    origin: Sequence[str],
    axis: Sequence[str],
    plane: Sequence[str],
) -> Floats:
    """(4, 4) rigid matrix from patient mm to the frame that three places define.

    Each place is a landmark or the middle of several landmarks. ``origin`` becomes 0; x points to
    ``axis``; ``plane`` lies in the x-y plane, at positive y; z = x × y, right-handed. Raises
    LabelError for an unknown landmark, and if the three places are on one line.
    """
    start, along, beside = (
        np.mean([_place(landmarks, name) for name in names], axis=0)
        for names in (origin, axis, plane)
    )
    if is_on_a_line(np.array([start, along, beside])):
        raise LabelError(
            "origin, axis and plane lie on one line; for the plane choose a landmark that lies"
            " beside the axis"
        )
    x = (along - start) / np.linalg.norm(along - start)
    z = np.cross(x, beside - start)
    z /= np.linalg.norm(z)
    matrix = np.eye(4)
    matrix[:3, :3] = x, np.cross(z, x), z
    matrix[:3, 3] = -matrix[:3, :3] @ start
    return matrix


def fit_rigid(
    moving: Mapping[str, ArrayLike], fixed: Mapping[str, ArrayLike], mirror: bool = False
) -> Fit:
    """The rotation and translation of ``moving`` that makes the sum of squared distances to
    ``fixed`` smallest.

    Landmarks of the same name are paired. With ``mirror``, the mirror image of ``moving`` is taken
    if it fits much better (see `MIRRORED`).

    Raises LabelError for fewer than three common landmarks, for landmarks on a line, and, without
    ``mirror``, if the mirror image fits much better; MissingExtraError without scipy.
    """
    return _fit(_pair(moving, fixed), lambda turned, target: 1.0, mirror)


def fit_similarity(
    moving: Mapping[str, ArrayLike], fixed: Mapping[str, ArrayLike], mirror: bool = False
) -> Fit:
    """As `fit_rigid`, with one scale for all directions: Σ bᵢ·R aᵢ / Σ aᵢ·aᵢ, about the centroids
    (Umeyama 1991, eq. 42).
    """
    return _fit(
        _pair(moving, fixed),
        lambda turned, target: float((turned * target).sum() / (turned**2).sum()),
        mirror,
    )


def rotation_onto(moving: Floats, fixed: Floats) -> Floats:
    """The best rotation (3, 3), never a reflection, of centred landmarks (N, 3) onto other centred
    landmarks.
    """
    try:
        from scipy.spatial.transform import Rotation
    except ImportError:
        raise MissingExtraError("Aligning landmarks", "align") from None
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a mirrored set has no unique rotation: it is refused or only compared
        return np.asarray(Rotation.align_vectors(fixed, moving)[0].as_matrix())


def is_on_a_line(places: Floats) -> bool:
    """Whether landmarks (N, 3) are on a line, so that they do not fix the rotation about it."""
    spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= COLLINEAR * spread[0])


def is_mirror_image(rms: float, mirrored_rms: float, fixed: Floats) -> bool:
    """Whether landmarks fit centred ``fixed`` ones so much better as a mirror image that they must
    be mirrored.
    """
    return rms > _ROUNDING * float(np.abs(fixed).max()) and mirrored_rms < MIRRORED * rms


#: The best scale for centred, already rotated landmarks and their target.
_Scale = Callable[[Floats, Floats], float]


@dataclass(frozen=True)
class _Pair:
    """The landmarks (N, 3) that two specimens have in common, in the same order."""

    names: tuple[str, ...]
    moving: Floats
    fixed: Floats
    unmatched: tuple[str, ...]


def _pair(moving: Mapping[str, ArrayLike], fixed: Mapping[str, ArrayLike]) -> _Pair:
    names = tuple(name for name in moving if name in fixed)
    if len(names) < 3:
        raise LabelError(
            f"a fit needs three landmarks that both specimens have, but they share {len(names)};"
            " label more of the same landmarks"
        )
    unmatched = tuple(name for name in (*moving, *fixed) if name not in moving or name not in fixed)
    from_places, to_places = (
        np.array([_place(side, name) for name in names]) for side in (moving, fixed)
    )
    for which, places in (("moving", from_places), ("fixed", to_places)):
        if is_on_a_line(places):
            raise LabelError(
                f"the {which} landmarks lie on one line, so the rotation about this line is not"
                " defined; add a landmark beside it"
            )
    return _Pair(names, from_places, to_places, unmatched)


def _fit(pair: _Pair, scale_of: _Scale, mirror: bool) -> Fit:
    from_center, to_center = pair.moving.mean(axis=0), pair.fixed.mean(axis=0)
    moving, fixed = pair.moving - from_center, pair.fixed - to_center
    taken, other = _best(moving, fixed, scale_of), _best(-moving, fixed, scale_of)
    is_mirrored = is_mirror_image(taken.rms, other.rms, fixed)
    if is_mirrored and not mirror:
        raise LabelError(
            f"the landmarks fit as a mirror image (residual {other.rms:.3g} mm, rms) much better"
            f" than as they are ({taken.rms:.3g} mm). Is an axis of one specimen flipped, or are"
            " left and right names exchanged? If a mirror image is intended, add --mirror"
        )
    if is_mirrored:
        taken, other = other, taken
    linear = -taken.linear if is_mirrored else taken.linear
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = to_center - linear @ from_center
    return Fit(
        matrix,
        taken.scale,
        dict(zip(pair.names, taken.residuals.tolist(), strict=True)),
        taken.rms,
        other.rms,
        pair.unmatched,
        is_mirrored,
    )


@dataclass(frozen=True)
class _Best:
    """The best fit, with or without mirroring. ``linear`` (3, 3): rotation times scale."""

    linear: Floats
    scale: float
    residuals: Floats

    @property
    def rms(self) -> float:
        return float(np.sqrt((self.residuals**2).mean()))


def _best(moving: Floats, fixed: Floats, scale_of: _Scale) -> _Best:
    """The best fit of centred landmarks."""
    rotation = rotation_onto(moving, fixed)
    scale = scale_of(moving @ rotation.T, fixed)
    linear = scale * rotation
    return _Best(linear, scale, np.linalg.norm(fixed - moving @ linear.T, axis=1))


def _place(landmarks: Mapping[str, ArrayLike], name: str) -> Floats:
    if name not in landmarks:
        raise LabelError(
            f"there is no landmark {name!r}; the landmarks are {', '.join(map(repr, landmarks))}"
        )
    place = np.asarray(landmarks[name], dtype=np.float64)
    if place.shape != (3,) or not np.isfinite(place).all():
        raise LabelError(
            f"landmark {name!r} has no place in mm; does the scan have patient geometry?"
        )
    return place
