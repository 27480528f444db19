"""Values by construction, and bounds that no error within the voxels breaks and that some error
reaches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sidecar.errors import LabelError
from sidecar.morphometrics.measure import Measurement, angle, area, distance, path_length

Measure = Callable[[Any, Any], Measurement]
#: A star with a dent, in order: the area is not that of its hull.
STAR = np.array([[0, 0], [4, 0], [4, 3], [2, 1], [0, 3]], dtype=float)
STAR_AREA = 4 * 3 - 4 * 2 / 2


def in_space(flat: Any, seed: int = 1) -> np.ndarray:
    """(N, 2) in a plane that is no coordinate plane, far from the origin."""
    rotation = Rotation.random(random_state=seed).as_matrix()
    return np.column_stack([flat, np.zeros(len(flat))]) @ rotation.T + [120.0, -80.0, 900.0]


def zeros(points: np.ndarray) -> np.ndarray:
    return np.zeros(len(points))


def test_values_and_units() -> None:
    triangle = in_space([(0, 0), (3, 0), (3, 4)])
    assert distance(triangle[[0, 2]], np.zeros(2)) == Measurement(pytest.approx(5), 0, "mm")
    assert path_length(triangle, zeros(triangle)) == Measurement(pytest.approx(7), 0, "mm")
    assert angle(triangle, zeros(triangle)) == Measurement(pytest.approx(90), 0, "°")
    assert area(triangle, zeros(triangle)) == Measurement(pytest.approx(6), 0, "mm²")
    assert area(in_space(STAR), zeros(STAR)).value == pytest.approx(STAR_AREA)
    assert area(in_space(STAR)[::-1], zeros(STAR)).value == pytest.approx(STAR_AREA)


@pytest.mark.parametrize("degrees", [0, 1e-5, 30, 60, 120, 179.9999, 180])
def test_angles_keep_their_digits_at_both_ends(degrees: float) -> None:
    turned = np.radians(degrees)
    points = in_space([(2, 0), (0, 0), (5 * np.cos(turned), 5 * np.sin(turned))])
    assert angle(points, np.zeros(3)).value == pytest.approx(degrees, abs=1e-9)


CASES: list[tuple[str, Measure, np.ndarray]] = [
    ("distance", distance, in_space([(0, 0), (3, 1)])),
    ("path", path_length, in_space([(0, 0), (3, 1), (3.5, 4), (0, 5)])),
    ("angle", angle, in_space([(2, 0), (0, 0), (1, 3)])),
    ("obtuse angle", angle, in_space([(2, 0), (0, 0), (-4, 0.5)])),
    ("star", area, in_space(STAR)),
    ("sliver", area, in_space([(0, 0), (9, 0), (9, 0.6), (0, 0.6)])),
]


@pytest.mark.parametrize(
    ("measure", "points"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_no_error_within_the_uncertainty_breaks_the_bound(
    measure: Measure, points: np.ndarray
) -> None:
    """20,000 draws, half of them on the surface of the balls, where the extremes are."""
    random = np.random.default_rng(7)
    uncertainty = np.linspace(0.1, 0.3, len(points))
    stated = measure(points, uncertainty)
    directions = random.normal(size=(20_000, len(points), 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    radii = np.where(
        random.random((20_000, 1)) < 0.5, 1.0, random.random((20_000, len(points))) ** (1 / 3)
    )
    moved = points + directions * (radii * uncertainty)[:, :, None]
    values = vectorised(measure, moved)
    assert np.abs(values - stated.value).max() <= stated.uncertainty


def vectorised(measure: Measure, moved: np.ndarray) -> np.ndarray:
    """The measures by other formulas: angles by the law of cosines, areas by triangles from the
    first vertex.
    """
    steps = np.linalg.norm(np.diff(moved, axis=1), axis=2)
    if measure in (distance, path_length):
        return steps.sum(axis=1)
    if measure is angle:
        across = np.linalg.norm(moved[:, 2] - moved[:, 0], axis=1)
        return np.degrees(
            np.arccos(
                np.clip(
                    (steps**2).sum(axis=1) / 2 / steps.prod(axis=1)
                    - across**2 / 2 / steps.prod(axis=1),
                    -1,
                    1,
                )
            )
        )
    spokes = moved[:, 1:] - moved[:, :1]
    return np.linalg.norm(np.cross(spokes[:, :-1], spokes[:, 1:]).sum(axis=1), axis=1) / 2


def test_the_bounds_are_reached() -> None:
    """A bound that nothing comes near would be no help."""
    u = np.array([0.1, 0.2])
    stretched = np.array([[-0.1, 0, 0], [5.2, 0, 0]])
    pair = np.array([[0.0, 0, 0], [5, 0, 0]])
    assert np.linalg.norm(stretched[1] - stretched[0]) - 5 == pytest.approx(
        distance(pair, u).uncertainty
    )

    hairpin, v = np.array([[0.0, 0, 0], [5, 0, 0], [0, 0, 0]]), np.array([0.1, 0.2, 0.3])
    longest = np.array([[-0.1, 0, 0], [5.2, 0, 0], [-0.3, 0, 0]])
    grown = path_length(longest, v).value - path_length(hairpin, v).value
    assert grown == pytest.approx(path_length(hairpin, v).uncertainty)

    square, w = in_space([(0, 0), (5, 0), (5, 5), (0, 5)]), np.full(4, 0.1)
    outward = (
        square
        + 0.1
        * (square - square.mean(axis=0))
        / np.linalg.norm(square - square.mean(axis=0), axis=1)[:, None]
    )
    assert area(outward, w).value - 25 == pytest.approx(area(square, w).uncertainty)

    arms, x = np.array([[4.0, 0, 0], [0, 0, 0], [0, 4, 0]]), np.array([0.4, 0, 0.4])
    turned = np.arcsin(0.1)
    tangent = 4 * np.cos(turned)  # where a line through the vertex touches the ball
    opened = (
        np.array(
            [[np.cos(-turned), np.sin(-turned), 0], [0, 0, 0], [-np.sin(turned), np.cos(turned), 0]]
        )
        * tangent
    )
    assert np.linalg.norm(opened - arms, axis=1) == pytest.approx([0.4, 0, 0.4])
    assert angle(opened, x).value - 90 == pytest.approx(angle(arms, x).uncertainty)


def test_an_angle_between_arms_shorter_than_their_uncertainty_is_anything() -> None:
    assert angle([[0.1, 0, 0], [0, 0, 0], [0, 9, 0]], [0.2, 0.2, 0.2]).uncertainty == 180


@given(st.integers(0, 10_000), st.floats(0.1, 50))
@settings(max_examples=50, deadline=None)
def test_turning_moving_and_scaling(seed: int, scale: float) -> None:
    """Lengths go with the scale, areas with its square, angles not; the uncertainty likewise; the
    place does not matter.
    """
    rotation, shift = (
        Rotation.random(random_state=seed).as_matrix(),
        np.random.default_rng(seed).uniform(-300, 300, 3),
    )
    for measure, power in ((path_length, 1), (area, 2)):
        before = measure(in_space(STAR), np.full(5, 0.05))
        after = measure(scale * in_space(STAR) @ rotation.T + shift, np.full(5, 0.05 * scale))
        assert after.value == pytest.approx(before.value * scale**power)
        assert after.uncertainty == pytest.approx(before.uncertainty * scale**power)
    corner = in_space(STAR)[1:4]
    before, after = (
        angle(corner, np.full(3, 0.05)),
        angle(scale * corner @ rotation.T + shift, np.full(3, 0.05 * scale)),
    )
    assert [after.value, after.uncertainty] == [
        pytest.approx(before.value),
        pytest.approx(before.uncertainty),
    ]


BOW_TIE = in_space([(0, 0), (4, 3), (4, 0), (0, 3)])
BENT = in_space([(0, 0), (4, 0), (4, 3), (0, 3)])
BENT = (
    BENT
    + np.array([0, 0, 0, 1.0])[:, None] * np.cross(BENT[1] - BENT[0], BENT[2] - BENT[1])[None] / 12
)


@pytest.mark.parametrize(
    ("measure", "points", "uncertainty", "says"),
    [
        (area, BOW_TIE, np.zeros(4), "crosses itself .the edges from vertex 0 and from vertex 2."),
        (area, BENT, np.full(4, 0.1), "mm off the plane of the polygon"),
        (area, BENT[:2], np.zeros(2), "at least 3 points, not 2"),
        (angle, BENT, np.zeros(4), "takes 3 points, not 4"),
        (angle, np.zeros((3, 3)), np.zeros(3), "at the same place"),
        (distance, BENT[:3], np.zeros(3), "takes 2 points, not 3"),
        (path_length, BENT[:1], np.zeros(1), "at least 2 points"),
        (distance, np.full((2, 3), np.nan), np.zeros(2), "finite numbers"),
        (distance, BENT[:2], np.full(2, np.nan), "finite numbers"),
        (distance, BENT[:2], np.full(2, -1.0), "must not be negative"),
        (distance, np.zeros((2, 2)), np.zeros(2), "must be .N, 3."),
        (distance, BENT[:2], np.zeros(3), "must be .N, 3."),
    ],
    ids=range(12),
)
def test_what_cannot_be_measured_is_refused(
    measure: Measure, points: np.ndarray, uncertainty: np.ndarray, says: str
) -> None:
    with pytest.raises(LabelError, match=says):
        measure(points, uncertainty)


def test_a_polygon_as_flat_as_its_uncertainty_has_an_area() -> None:
    assert area(BENT, np.full(4, 0.5)).value == pytest.approx(12, rel=0.1)


def test_touching_edges_are_no_crossing() -> None:
    """Neighbours share a vertex, and an outline may come back to one."""
    eight = in_space([(0, 0), (2, 0), (2, 2), (0, 0), (-2, 0), (-2, -2)])
    assert area(eight, zeros(eight)).value == pytest.approx(4)
