"""Generalised Procrustes superimposition: fit the landmarks of many specimens to their mean. Pure.

The Xᵢ are the centred landmarks of n specimens. The rotations Rᵢ, and the scales bᵢ where they may
vary, minimise

    G = Σᵢ ‖ bᵢ Xᵢ Rᵢ − M ‖²,   M = (1/n) Σᵢ bᵢ Xᵢ Rᵢ

(Gower 1975). Each specimen in turn is rotated onto the mean of the others. Scales follow from the
first eigenvector of the correlations between specimens, under the constraint
Σ ‖bᵢ Xᵢ‖² = Σ ‖Xᵢ‖² (Ten Berge 1977). This constraint keeps millimetres, at the root mean square of
the centroid sizes. A centroid size is ‖Xᵢ‖, the root of the sum of squared distances from the
centroid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, counted
from sidecar.morphometrics.align import is_mirror_image, is_on_a_line, rotation_onto

Floats = NDArray[np.float64]

#: The mean has settled when one iteration moves it by less than this part of its size.
SETTLED = 1e-12
MOST_TURNS = 10_000


@dataclass(frozen=True, eq=False)
class Superimposition:
    """n specimens of p landmarks on their mean.

    The centroid of the mean is 0, and the mean has the orientation of the first specimen. ``mean``
    (p, 3) and ``aligned`` (n, p, 3): mm; where scales may vary, mm at the root mean square of the
    centroid sizes. ``matrices`` (n, 4, 4): aligned = matrix · (x, y, z, 1). ``scales`` (n,): 1
    where they may not vary. ``centroid_sizes`` (n,): mm, before any scaling. ``mirrored`` (n,):
    whether the mirror image of the specimen was taken.
    """

    mean: Floats
    aligned: Floats
    matrices: Floats
    scales: Floats
    centroid_sizes: Floats
    mirrored: NDArray[np.bool_]

    @property
    def residuals(self) -> Floats:
        """(n, p) distances of landmarks from those of the mean, mm."""
        return np.asarray(np.linalg.norm(self.aligned - self.mean, axis=2))

    @property
    def rms(self) -> Floats:
        """(n,) root mean square of the residuals of each specimen, mm."""
        return np.asarray(np.sqrt((self.residuals**2).mean(axis=1)))

    @property
    def shape_distances(self) -> Floats:
        """(n,) Riemannian distance ρ of each specimen's shape from the mean shape, in radians: the
        angle between the two shapes as vectors of size 1.
        """
        sizes = np.linalg.norm(self.aligned, axis=(1, 2)) * np.linalg.norm(self.mean)
        cosines = (self.aligned * self.mean).sum(axis=(1, 2)) / sizes
        return np.asarray(np.arccos(np.clip(cosines, -1.0, 1.0)))


def superimpose(
    places: Floats, names: Sequence[str], scale: bool = False, mirror: bool = False
) -> Superimposition:
    """Fit n specimens of p landmarks (n, p, 3), mm, to their mean.

    ``scale``: also fit a scale for each specimen. ``names``: the names of the specimens, for
    messages. ``mirror``: mirror a specimen that fits the first one much better as a mirror image;
    without it, such a specimen is refused.

    LabelError for such a specimen, for fewer than two specimens or three landmarks, and for
    landmarks on a line; MissingExtraError without scipy.
    """
    n, p = places.shape[:2]
    if n < 2 or p < 3:
        raise LabelError(
            "a superimposition needs two specimens, and three landmarks that all specimens have;"
            f" here are {counted(n, 'specimen')} and {counted(p, 'landmark')}"
        )
    for name, own in zip(names, places, strict=True):
        if is_on_a_line(own):
            raise LabelError(
                f"the landmarks of {name} lie on one line, so the rotation about this line is not"
                " defined; add a landmark beside it"
            )
    centroids = places.mean(axis=1)
    centred = places - centroids[:, np.newaxis]
    mirrored = _mirrored(centred, names, mirror)
    hands = np.where(mirrored, -1.0, 1.0)
    own = centred * hands[:, np.newaxis, np.newaxis]
    aligned = _settled(own, scale)
    aligned = aligned @ rotation_onto(aligned.mean(axis=0), own[0]).T
    sizes = np.linalg.norm(centred, axis=(1, 2))
    scales = np.linalg.norm(aligned, axis=(1, 2)) / sizes if scale else np.ones(n)
    matrices = np.tile(np.eye(4), (n, 1, 1))
    for i in range(n):
        linear = hands[i] * scales[i] * rotation_onto(own[i], aligned[i])
        matrices[i, :3, :3] = linear
        matrices[i, :3, 3] = -linear @ centroids[i]
    return Superimposition(aligned.mean(axis=0), aligned, matrices, scales, sizes, mirrored)


def _mirrored(centred: Floats, names: Sequence[str], mirror: bool) -> NDArray[np.bool_]:
    """(n,) which specimens are mirror images of the first. Their sizes do not matter."""
    sizes = np.linalg.norm(centred, axis=(1, 2))
    shapes = centred / sizes[:, np.newaxis, np.newaxis]
    found = np.zeros(len(shapes), dtype=bool)
    for i, shape in enumerate(shapes):
        rms, mirrored_rms = (_rms_on(hand * shape, shapes[0]) for hand in (1.0, -1.0))
        found[i] = is_mirror_image(rms, mirrored_rms, shapes[0])
        if found[i] and not mirror:
            raise LabelError(
                f"the landmarks of {names[i]} fit those of {names[0]} as a mirror image (residual"
                f" {mirrored_rms * sizes[0]:.3g} mm, rms) much better than as they are"
                f" ({rms * sizes[0]:.3g} mm). Is an axis of one specimen flipped, or are left and"
                " right names exchanged? If a mirror image is intended, add --mirror"
            )
    return found


def _rms_on(moving: Floats, fixed: Floats) -> float:
    distances = np.linalg.norm(moving @ rotation_onto(moving, fixed).T - fixed, axis=1)
    return float(np.sqrt((distances**2).mean()))


def _settled(centred: Floats, scale: bool) -> Floats:
    """Centred specimens (n, p, 3), rotated and scaled until their mean settles (`SETTLED`)."""
    n = len(centred)
    total = float((centred**2).sum())
    aligned = np.stack([own @ rotation_onto(own, centred[0]).T for own in centred])
    mean = aligned.mean(axis=0)
    for _ in range(MOST_TURNS):
        for i in range(n):
            others = (aligned.sum(axis=0) - aligned[i]) / (n - 1)
            aligned[i] = aligned[i] @ rotation_onto(aligned[i], others).T
        if scale:
            aligned *= _scales(aligned, total)[:, np.newaxis, np.newaxis]
        before, mean = mean, aligned.mean(axis=0)
        if np.linalg.norm(mean - before) <= SETTLED * np.linalg.norm(mean):
            return aligned
    raise LabelError(
        "the superimposition does not converge: the specimens are too different to have a mean;"
        " check whether names of landmarks are exchanged"
    )


def _scales(aligned: Floats, total: float) -> Floats:
    """(n,) the scales of rotated specimens that make the sum of their squared sizes ``total``."""
    vectors = aligned.reshape(len(aligned), -1)
    sizes = np.linalg.norm(vectors, axis=1)
    correlations = (vectors @ vectors.T) / np.outer(sizes, sizes)
    first = np.abs(np.linalg.eigh(correlations)[1][:, -1])
    return np.asarray(np.sqrt(total) * first / sizes)
