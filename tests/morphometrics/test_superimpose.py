"""Superimpositions against shapes that the test made, against the criterion itself, and against
scipy's Procrustes of two.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from sidecar.errors import LabelError
from sidecar.morphometrics.superimpose import Superimposition, superimpose

SKULL = np.array(
    [[0, -40, 5], [22, 8, 0], [-21, 9, 1], [1, 30, 12], [2, -33, -20], [-1, -5, 31], [9, 2, 17]],
    dtype=float,
)


def scattered(n: int, seed: int, noise: float, sizes: bool = False) -> np.ndarray:
    """n noisy copies of a skull, each somewhere else and turned; with ``sizes`` of other sizes."""
    random = np.random.default_rng(seed)
    copies = SKULL + random.normal(scale=noise, size=(n, *SKULL.shape))
    if sizes:
        copies *= random.uniform(0.5, 2, n)[:, None, None]
    turns = Rotation.random(n, random_state=seed).as_matrix()
    return np.einsum("nij,npj->npi", turns, copies) + random.uniform(-300, 300, (n, 1, 3))


def names(places: np.ndarray) -> list[str]:
    return [f"skull {i}" for i in range(len(places))]


def criterion(aligned: np.ndarray) -> float:
    """The sum of squares about the mean that the superimposition makes small."""
    return float(((aligned - aligned.mean(axis=0)) ** 2).sum())


@given(seed=st.integers(0, 10_000), n=st.integers(2, 7))
@settings(max_examples=25, deadline=None)
def test_copies_of_one_shape_come_together_exactly(seed: int, n: int) -> None:
    places = scattered(n, seed, 0)
    found = superimpose(places, names(places))
    np.testing.assert_allclose(found.residuals, 0, atol=1e-8)
    np.testing.assert_allclose(found.mean, places[0] - places[0].mean(axis=0), atol=1e-8)
    np.testing.assert_allclose(found.centroid_sizes, np.linalg.norm(SKULL - SKULL.mean(axis=0)))
    assert (found.scales == 1).all() and not found.mirrored.any()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_sizes_that_differ_come_together_where_scales_may_vary(seed: int) -> None:
    places = scattered(5, seed, 0, sizes=True)
    found = superimpose(places, names(places), scale=True)
    np.testing.assert_allclose(found.residuals, 0, atol=1e-8)
    mean_size = np.sqrt((found.centroid_sizes**2).mean())
    np.testing.assert_allclose(found.scales * found.centroid_sizes, mean_size)
    np.testing.assert_allclose(found.shape_distances, 0, atol=1e-6)


@pytest.mark.parametrize("scale", [False, True])
def test_matrices_lead_to_the_aligned_places(scale: bool) -> None:
    places = scattered(6, 3, 2.0, sizes=scale)
    found = superimpose(places, names(places), scale)
    for own, matrix, aligned in zip(places, found.matrices, found.aligned, strict=True):
        np.testing.assert_allclose(own @ matrix[:3, :3].T + matrix[:3, 3], aligned, atol=1e-8)
    np.testing.assert_allclose(found.aligned.mean(axis=(0, 1)), 0, atol=1e-9)
    np.testing.assert_allclose(found.mean, found.aligned.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(found.matrices[:, :3, :3]), found.scales**3)
    if scale:
        np.testing.assert_allclose(
            (found.aligned**2).sum(), (found.centroid_sizes**2).sum(), rtol=1e-9
        )


@pytest.mark.parametrize("scale", [False, True])
def test_no_small_turn_or_scale_of_one_specimen_does_better(scale: bool) -> None:
    places = scattered(5, 8, 3.0, sizes=scale)
    found = superimpose(places, names(places), scale)
    best = criterion(found.aligned)
    for i in range(len(places)):
        for axis in np.vstack([np.eye(3), -np.eye(3)]):
            moved = found.aligned.copy()
            moved[i] = moved[i] @ Rotation.from_rotvec(1e-3 * axis).as_matrix().T
            assert criterion(moved) > best
        if scale:
            for factor in (0.999, 1.001):
                moved = found.aligned.copy()
                moved[i] *= factor
                moved *= np.sqrt((found.aligned**2).sum() / (moved**2).sum())
                assert criterion(moved) > best


def test_of_two_it_is_scipy_s_procrustes() -> None:
    """Its disparity is 1 − cos² ρ, where ρ is the angle between both shapes; each of two is half of
    it from their mean.
    """
    places = scattered(2, 5, 4.0, sizes=True)
    found = superimpose(places, names(places), scale=True)
    disparity = procrustes(*places)[2]
    assert found.shape_distances.sum() == pytest.approx(np.arcsin(np.sqrt(disparity)))
    assert found.shape_distances[0] == pytest.approx(found.shape_distances[1])


def test_the_order_of_specimens_does_not_matter() -> None:
    """But for how the mean lies, which is as the first specimen does."""
    places = scattered(6, 2, 3.0)
    found = superimpose(places, names(places))
    other = superimpose(places[::-1], names(places))
    np.testing.assert_allclose(other.residuals[::-1], found.residuals, atol=1e-6)


def mirrored_one(n: int) -> np.ndarray:
    places = scattered(4, 9, 0.5)
    places[n] *= [-1, 1, 1]
    return places


def test_a_mirrored_specimen_is_refused_by_name_or_mirrored_where_that_is_asked_for() -> None:
    places = mirrored_one(2)
    with pytest.raises(LabelError, match=r"of skull 2 fit those of skull 0 as a mirror image"):
        superimpose(places, names(places))
    found: Superimposition = superimpose(places, names(places), mirror=True)
    assert found.mirrored.tolist() == [False, False, True, False]
    np.testing.assert_allclose(np.sign(np.linalg.det(found.matrices[:, :3, :3])), [1, 1, -1, 1])
    own, matrix = places[2], found.matrices[2]
    np.testing.assert_allclose(own @ matrix[:3, :3].T + matrix[:3, 3], found.aligned[2], atol=1e-8)
    expected = superimpose(scattered(4, 9, 0.5), names(places))
    np.testing.assert_allclose(found.residuals, expected.residuals, atol=1e-6)


def test_a_flat_set_is_not_taken_for_its_mirror_image() -> None:
    flat = SKULL * [1, 1, 0]
    places = np.stack([flat, flat * [-1, 1, 1] + [5, 5, 5]])
    found = superimpose(places, names(places))
    np.testing.assert_allclose(found.residuals, 0, atol=1e-8)


@pytest.mark.parametrize(
    ("places", "says"),
    [
        (SKULL[None], "here are 1 specimen and 7 landmarks"),
        (np.stack([SKULL[:2]] * 3), "here are 3 specimens and 2 landmarks"),
        (np.stack([SKULL, np.outer(np.arange(7.0), [1, 2, 3])]), "of skull 1 lie on one line"),
    ],
)
def test_what_fixes_no_superimposition_is_refused(places: np.ndarray, says: str) -> None:
    with pytest.raises(LabelError, match=says):
        superimpose(places, names(places))
