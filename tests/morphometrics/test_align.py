"""Frames and fits against transforms that the test made, and against scipy's own Procrustes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from sidecar.errors import LabelError, MissingExtraError
from sidecar.morphometrics.align import Fit, anatomical_frame, fit_rigid, fit_similarity

NAMES = ["nose", "left ear", "right ear", "occiput", "chin", "bregma"]
SKULL = np.array(
    [[0, -40, 5], [22, 8, 0], [-21, 9, 1], [1, 30, 12], [2, -33, -20], [-1, -5, 31]], dtype=float
)
SKULL += [100, -250, 1200]
FLAT = np.array([[0, 0, 0], [10, 0, 0], [10, 7, 0], [0, 7, 0], [4, 3, 0]], dtype=float)


def named(points: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(NAMES, points, strict=False))


def moved(points: np.ndarray, seed: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Points under a random rotation, scale and shift, and its matrix."""
    random = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] = scale * Rotation.random(random_state=seed).as_matrix()
    matrix[:3, 3] = random.uniform(-500, 500, 3)
    return points @ matrix[:3, :3].T + matrix[:3, 3], matrix


# --- frames


def test_the_frame_has_its_axes_where_the_landmarks_say() -> None:
    matrix = anatomical_frame(
        named(SKULL), origin=["left ear", "right ear"], axis=["left ear"], plane=["nose"]
    )
    inside = SKULL @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(inside[1:3].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(
        inside[1], [np.linalg.norm(SKULL[1] - SKULL[2]) / 2, 0, 0], atol=1e-9
    )
    assert inside[0, 1] > 0 and inside[0, 2] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_in_its_frame_a_specimen_looks_the_same_however_it_was_scanned(seed: int) -> None:
    turned, _ = moved(SKULL, seed)
    seen = []
    for points in (SKULL, turned):
        matrix = anatomical_frame(named(points), ["bregma"], ["nose"], ["left ear", "chin"])
        seen.append(points @ matrix[:3, :3].T + matrix[:3, 3])
    np.testing.assert_allclose(seen[1], seen[0], atol=1e-9)


def test_places_on_one_line_make_no_frame() -> None:
    row = named(np.array([[0, 0, 0], [1, 1, 1], [2, 2, 2.0005]], dtype=float))
    with pytest.raises(LabelError, match="on one line"):
        anatomical_frame(row, ["nose"], ["left ear"], ["right ear"])
    with pytest.raises(LabelError, match="on one line"):
        anatomical_frame(row, ["nose"], ["nose"], ["right ear"])


def test_an_unknown_landmark_is_named() -> None:
    with pytest.raises(
        LabelError, match="no landmark 'gnathion'; the landmarks are 'nose', 'left ear'"
    ):
        anatomical_frame(named(SKULL), ["gnathion"], ["nose"], ["chin"])
    with pytest.raises(LabelError, match="landmark 'nose' has no place in mm"):
        anatomical_frame(
            {**named(SKULL), "nose": np.full(3, np.nan)}, ["bregma"], ["nose"], ["chin"]
        )


# --- fits


@pytest.mark.parametrize("points", [SKULL, FLAT, FLAT[:3]], ids=["skull", "flat", "three"])
@given(seed=st.integers(0, 10_000), scale=st.floats(0.2, 5))
@settings(max_examples=30, deadline=None)
def test_an_exact_copy_is_found_exactly(points: np.ndarray, seed: int, scale: float) -> None:
    target, truth = moved(points, seed)
    fit = fit_rigid(named(points), named(target))
    np.testing.assert_allclose(fit.matrix, truth, atol=1e-8)
    np.testing.assert_allclose(fit.apply(points), target, atol=1e-8)
    assert fit.scale == 1 and fit.rms_mm < 1e-8 and max(fit.residual_mm.values()) < 1e-8
    target, truth = moved(points, seed, scale)
    fit = fit_similarity(named(points), named(target))
    np.testing.assert_allclose(fit.matrix, truth, atol=1e-8)
    assert fit.scale == pytest.approx(scale)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_residuals_are_those_of_scipy_s_procrustes(seed: int) -> None:
    """Its disparity is the sum of squares of both sets scaled to unit size; a similarity fit leaves
    that share of the fixed set.
    """
    target, _ = moved(SKULL, seed, 1.7)
    target = target + np.random.default_rng(seed).normal(scale=1.0, size=target.shape)
    fit = fit_similarity(named(SKULL), named(target))
    spread = ((target - target.mean(axis=0)) ** 2).sum()
    assert 6 * fit.rms_mm**2 / spread == pytest.approx(procrustes(target, SKULL)[2])
    np.testing.assert_allclose(
        list(fit.residual_mm.values()), np.linalg.norm(fit.apply(SKULL) - target, axis=1), atol=1e-9
    )


def test_no_small_turn_or_shift_does_better() -> None:
    target = moved(SKULL, 3)[0] + np.random.default_rng(3).normal(scale=1.0, size=SKULL.shape)
    fit = fit_rigid(named(SKULL), named(target))
    centre = target.mean(axis=0)
    for axis in np.vstack([np.eye(3), -np.eye(3)]):
        turned = (fit.apply(SKULL) - centre) @ Rotation.from_rotvec(
            0.01 * axis
        ).as_matrix().T + centre
        for other in (turned, fit.apply(SKULL) + 0.05 * axis):
            assert np.sqrt(((other - target) ** 2).sum(axis=1).mean()) > fit.rms_mm


def test_landmarks_go_by_name_and_the_others_are_told() -> None:
    target, truth = moved(SKULL, 5)
    fixed = {name: named(target)[name] for name in reversed(NAMES) if name != "chin"} | {
        "hyoid": np.zeros(3)
    }
    fit = fit_rigid(named(SKULL), fixed)
    np.testing.assert_allclose(fit.matrix, truth, atol=1e-8)
    assert list(fit.residual_mm) == ["nose", "left ear", "right ear", "occiput", "bregma"]
    assert fit.unmatched == ("chin", "hyoid")


@pytest.mark.parametrize("fit", [fit_rigid, fit_similarity])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_mirrored_specimen_is_refused(fit: Any, axis: int, noise: float) -> None:
    """As after a flipped axis: no rotation makes it fit, and a reflection would be a lie."""
    flipped = SKULL * np.where(np.arange(3) == axis, -1.0, 1.0) + np.random.default_rng(1).normal(
        scale=noise, size=SKULL.shape
    )
    with pytest.raises(
        LabelError, match=r"fit as a mirror image .* Is an axis of one specimen flipped"
    ):
        fit(named(SKULL), named(moved(flipped, 11)[0]))


def test_left_and_right_exchanged_is_refused() -> None:
    sides = np.array(
        [[10, 0, 0], [-10, 0, 0], [8, 20, 0], [-8, 20, 0], [0, 10, 6], [0, -9, 3]], dtype=float
    )
    with pytest.raises(LabelError, match="left and right names exchanged"):
        fit_rigid(named(sides), named(sides[[1, 0, 3, 2, 4, 5]]))


def test_lps_against_ras_is_a_turn_and_no_mirror() -> None:
    assert fit_rigid(named(SKULL), named(SKULL * [-1, -1, 1])).rms_mm < 1e-9


def test_a_flat_set_has_no_hand_and_says_so() -> None:
    """Three landmarks, or more in a plane, fit their mirror image as well as themselves; noise must
    not make that an error.
    """
    target = moved(FLAT, 2)[0] + np.random.default_rng(2).normal(scale=0.3, size=FLAT.shape)
    fit = fit_rigid(named(FLAT), named(target))
    assert fit.mirrored_rms_mm == pytest.approx(fit.rms_mm, rel=0.5)
    fit = fit_rigid(named(SKULL), named(moved(SKULL, 2)[0]))
    assert fit.mirrored_rms_mm > 5 > 1e-6 > fit.rms_mm


@pytest.mark.parametrize("fit", [fit_rigid, fit_similarity])
def test_what_fixes_no_rotation_is_refused(fit: Any) -> None:
    line = np.outer(np.arange(5.0), [1, 2, 3]) + 100
    nearly = line + np.array([[0, 0, 0], [0, 0.003, 0], [0, 0, 0], [0.002, 0, 0], [0, 0, 0]])
    for moving, fixed, which in (
        (line, FLAT, "moving"),
        (FLAT, nearly, "fixed"),
        (np.ones((5, 3)), FLAT, "moving"),
    ):
        with pytest.raises(LabelError, match=f"the {which} landmarks lie on one line"):
            fit(named(moving), named(fixed))
    with pytest.raises(LabelError, match="they share 2"):
        fit(named(SKULL), {name: named(SKULL)[name] for name in NAMES[:2]} | {"hyoid": np.zeros(3)})


def test_a_regular_set_mirrored_gives_no_warning() -> None:
    """No one rotation is best for a mirrored tetrahedron; that is for us to say."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
    fit: Fit = fit_rigid(named(corners), named(corners))
    assert fit.rms_mm < 1e-9
    with pytest.raises(LabelError, match="mirror image"):
        fit_rigid(named(corners), named(-corners))


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.spatial.transform", None)
    with pytest.raises(
        MissingExtraError, match=r"Aligning landmarks needs .*dicom-sidecar\[align\]"
    ):
        fit_rigid(named(SKULL), named(SKULL))
    anatomical_frame(named(SKULL), ["nose"], ["chin"], ["bregma"])
