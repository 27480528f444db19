"""Planes and stacks: the DICOM equation, its inverse, and what is derived from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.dicom.stacks.irregularities import irregularities
from sidecar.errors import GeometryError
from sidecar.grid.stack import Stack, anatomical_letters

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
OBLIQUE = (0.36, 0.928, -0.096, -0.8, 0.36, 0.48)


def stack(
    positions: object,
    orientation: tuple[float, ...] = AXIAL,
    spacing: tuple[float, float] = (0.7, 0.4),
) -> Stack:
    places = np.asarray(positions, dtype=float)
    return Stack(40, 30, spacing, places, np.tile(orientation, (len(places), 1)))


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    """Any stack a scanner could write: turned, sheared, uneven, on coarse or micrometre grids."""
    angles = draw(st.tuples(*[st.floats(-3, 3)] * 3))
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        c, s = np.cos(angle), np.sin(angle)
        i, j = [(1, 2), (2, 0), (0, 1)][axis]
        one = np.eye(3)
        one[i, i] = one[j, j] = c
        one[i, j], one[j, i] = -s, s
        turn = one @ turn
    unit = draw(st.sampled_from([0.001, 0.05, 1.0]))
    spacing = (unit * draw(st.floats(0.2, 5)), unit * draw(st.floats(0.2, 5)))
    gaps = draw(st.lists(st.floats(0.2, 7), min_size=1, max_size=12))
    heights = unit * np.concatenate([[0], np.cumsum(gaps)])
    shear = draw(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)))
    offsets = np.outer(heights, [*shear, 1.0]) @ turn.T
    origin = np.array(draw(st.tuples(*[st.floats(-500, 500)] * 3)))
    return Stack(
        40, 30, spacing, origin + offsets, np.tile([*turn[:, 0], *turn[:, 1]], (len(heights), 1))
    )


@given(stacks(), st.floats(-10, 60), st.floats(-10, 60), st.floats(-3, 15))
def test_index_and_patient_are_inverse(one: Stack, column: float, row: float, along: float) -> None:
    index = np.array([[column, row, along]])
    assert np.abs(one.to_index(one.to_patient(index)) - index).max() < 1e-7


def test_the_equation_of_the_standard() -> None:
    """PS3.3 C.7.6.2.1.1 by hand:

    Pixel Spacing[1] goes with the column, Pixel Spacing[0] with the row.
    """
    one = stack([(-31.5, 18.25, -407.0), (-31.5, 18.25, -405.7)], OBLIQUE)
    expected = (
        np.array([-31.5, 18.25, -407.0])
        + 5 * 0.4 * np.array(OBLIQUE[:3])
        + 7 * 0.7 * np.array(OBLIQUE[3:])
    )
    assert np.allclose(one.to_patient([5, 7, 0]), expected, atol=1e-12)


def test_between_planes_a_point_lies_on_the_line_between_them() -> None:
    one = stack([(0, 0, 0), (0, 0, 1), (0, 3, 5)])
    assert np.allclose(one.to_patient([0, 0, 1.25]), [[0, 0.75, 2]])
    assert np.allclose(one.to_patient([0, 0, 3]), [[0, 6, 9]]), (
        "beyond the last plane it goes on as before it"
    )


def test_planes_that_are_nearly_parallel_keep_their_own_orientation() -> None:
    angle = 8e-4
    tilted = (1.0, 0.0, 0.0, 0.0, float(np.cos(angle)), float(np.sin(angle)))
    one = Stack(40, 30, (1.0, 1.0), np.array([(0, 0, 0), (0, 0, 2.0)]), np.array([AXIAL, tilted]))
    assert np.allclose(
        one.to_patient([0, 29, 1]), [[0, 29 * np.cos(angle), 2 + 29 * np.sin(angle)]], atol=1e-12
    )
    index = np.array([[39, 29, 0.4], [0, 0, 1], [12, 17.5, -0.5]])
    assert np.abs(one.to_index(one.to_patient(index)) - index).max() < 1e-9


def test_a_single_plane_has_no_slice_axis() -> None:
    one = stack([(1, 2, 3)])
    assert one.affine is None and not one.affine_is_exact and one.tilt_degrees == 0
    with pytest.raises(GeometryError, match="single slice"):
        one.to_patient([0, 0, 0.25])
    on_it = one.to_patient([5, 7, 0])
    back = one.to_index(np.vstack([on_it, on_it + np.array([0, 0, 1])]))
    assert np.allclose(back[0], [5, 7, 0]) and np.isnan(back[1, 2])


@pytest.mark.parametrize(
    ("positions", "orientation", "spacing", "word"),
    [
        ([(0, 0, 0), (0, 0, 0)], AXIAL, (1, 1), "in order"),
        ([(0, 0, 1), (0, 0, 0)], AXIAL, (1, 1), "in order"),
        ([(0, 0, np.nan)], AXIAL, (1, 1), "finite"),
        ([(0, 0, 0)], AXIAL, (1, 0), "positive"),
        ([(0, 0, 0)], (1, 0, 0, 1, 0, 0), (1, 1), "orthogonal"),
        ([(0, 0, 0)], (2, 0, 0, 0, 1, 0), (1, 1), "orthogonal"),
        ([], AXIAL, (1, 1), "one position"),
    ],
)
def test_what_is_no_stack_is_refused(
    positions: list[object], orientation: tuple[float, ...], spacing: tuple[float, float], word: str
) -> None:
    with pytest.raises(GeometryError, match=word):
        Stack(
            4,
            4,
            spacing,
            np.array(positions, dtype=float).reshape(-1, 3),
            np.tile(orientation, (len(positions), 1)).reshape(-1, 6),
        )


@given(stacks())
def test_the_affine_states_its_worst_residual(one: Stack) -> None:
    assert one.affine is not None
    corners = np.array(
        [
            (c, r, s)
            for c in (0, one.columns - 1)
            for r in (0, one.rows - 1)
            for s in range(one.slices)
        ],
        dtype=float,
    )
    by_affine = (one.affine.matrix @ np.column_stack([corners, np.ones(len(corners))]).T).T[:, :3]
    worst = np.linalg.norm(by_affine - one.to_patient(corners), axis=1).max()
    assert worst == pytest.approx(one.affine.residual_mm, rel=1e-6, abs=1e-9)


def test_tilt_is_the_angle_between_stack_axis_and_normal() -> None:
    angle = np.radians(18)
    one = stack([(0, k * np.sin(angle), k * np.cos(angle)) for k in range(5)])
    assert one.tilt_degrees == pytest.approx(18)
    assert one.affine_is_exact, "a sheared stack is affine all the same"
    uneven = stack([(0, 0, z) for z in (0, 1, 2, 4, 5)])
    assert not uneven.affine_is_exact


@pytest.mark.parametrize("angle", [0, 12])
@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE])
def test_a_block_that_is_shifted_is_no_tilt(angle: float, orientation: tuple[float, ...]) -> None:
    along, across = np.cross(orientation[:3], orientation[3:]), np.array(orientation[:3])
    steps = np.arange(9)[:, None] * (along + np.tan(np.radians(angle)) * across)
    shifted = stack(steps + np.where(np.arange(9) > 5, 3.0, 0.0)[:, None] * across, orientation)
    assert shifted.tilt_degrees == pytest.approx(angle, abs=1e-9)
    assert shifted.sideways == pytest.approx([0, 0, 0, 0, 0, 3, 0, 0], abs=1e-9)
    told = irregularities(shifted)
    assert [line.partition(":")[0] for line in told] == [
        *["gantry tilt"] * bool(angle),
        "slices are shifted sideways",
        "no single affine describes these planes",
    ]
    assert "by 3 mm after slice 5 (0-based); every" in told[-2]


def test_rounded_positions_are_no_tilt() -> None:
    """Each gap is off by more than the tolerance of a tilt, but not the whole stack."""
    along = np.cross(OBLIQUE[:3], OBLIQUE[3:])
    rounded = stack(np.round(np.arange(20)[:, None] * 7.01 * along, 1), OBLIQUE)
    assert np.degrees(rounded.sideways / rounded.gaps).max() > 0.3
    assert rounded.tilt_degrees < 0.05
    assert not any("tilt" in line or "shifted" in line for line in irregularities(rounded))


def test_letters() -> None:
    assert anatomical_letters((1, 0, 0)) == "L"
    assert anatomical_letters((0, 0.9, -0.4)) == "PF"
    assert anatomical_letters((-1, 0.05, 0)) == "R"
