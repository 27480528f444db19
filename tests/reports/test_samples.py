"""The maths behind the views: which samples, where their edges are, and what lies between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.made_exports import oblique_sidecar

from sidecar.errors import UsageError
from sidecar.grid.axis_order import AxisOrder
from sidecar.reports.labels import ShownLabel, distances, measured
from sidecar.reports.make import check_size, nice, usual_size
from sidecar.reports.overview import Projections, shown, shrunk
from sidecar.reports.samples import CrossSection, bilinear, edges, span
from sidecar.reports.space import Space

LENGTHS = st.floats(1e-4, 1e4)


@given(st.floats(-20, 120), st.floats(0.01, 5), st.floats(0.1, 100))
def test_a_span_is_every_sample_that_the_window_touches(
    centre: float, step: float, size: float
) -> None:
    found = set(span(centre, step, size, 100))
    for i in range(100):
        nearest = max(0.0, abs(i - centre) - 0.5) * step
        if nearest < size / 2 - 1e-9:
            assert i in found
        if nearest > size / 2 + 1e-9:
            assert i not in found


@given(st.integers(0, 50), st.integers(1, 50), st.floats(0, 100), st.floats(0.01, 5))
def test_a_run_laid_out_backwards_is_the_mirror_image(
    start: int, count: int, centre: float, step: float
) -> None:
    left, right = edges(range(start, start + count), centre, step, 1)
    assert right - left == pytest.approx(count * step)
    assert edges(range(start, start + count), centre, step, -1) == pytest.approx((-right, -left))
    assert edges(range(7, 8), 7.0, 2.0, 1) == (-1.0, 1.0)


def test_between_pixels_a_plane_is_linear_and_on_them_it_is_itself() -> None:
    rows, columns = np.indices((5, 7))
    plane = (3 * columns - 11 * rows + 100).astype(np.int16)
    at = np.random.default_rng(1).uniform(0, (6, 4), (50, 2))
    np.testing.assert_allclose(
        bilinear(plane, at[:, 0], at[:, 1]), 3 * at[:, 0] - 11 * at[:, 1] + 100, atol=1e-9
    )
    np.testing.assert_array_equal(bilinear(plane, columns.ravel(), rows.ravel()), plane.ravel())
    np.testing.assert_array_equal(bilinear(np.full((1, 1), 5), np.zeros(2), np.zeros(2)), [5, 5])
    colours = np.dstack([plane, -plane, plane])
    np.testing.assert_allclose(
        bilinear(colours, at[:, 0], at[:, 1])[:, 1],
        -(3 * at[:, 0] - 11 * at[:, 1] + 100),
        atol=1e-9,
    )


@pytest.mark.parametrize(
    "look",
    [
        AxisOrder((0, 2, 1), (False, True, False)),
        AxisOrder((1, 2, 0)),
        AxisOrder((2, 1, 0), (True, True, False)),
    ],
)
def test_a_section_of_a_linear_scan_is_linear_in_millimetres(look: AxisOrder) -> None:
    """Any linear function of patient millimetres comes back exactly, through tilt, uneven gaps and
    oblique planes.
    """
    sidecar = oblique_sidecar()
    space = Space.of(sidecar)
    stack = space.stack
    gradient, centre = np.array([3.0, -7.0, 2.0]), np.array([20.3, 17.8, 4.4])
    middle = stack.to_patient(centre)[0]
    section = CrossSection(space, look, middle, 6.0, channels=1)
    for number in section.slices.tolist():
        rows, columns = np.indices((stack.rows, stack.columns))
        grid = np.column_stack([columns.ravel(), rows.ravel(), np.full(rows.size, number)])
        plane = (stack.to_patient(grid) @ gradient).reshape(rows.shape)
        section.take(number, plane, lambda values: np.asarray(values, dtype=np.float64))
    pixels = section.pixels
    along = (np.arange(len(pixels)) - len(pixels) // 2) * space.finest
    down, right = np.meshgrid(along, along, indexing="ij")
    to_right, downwards, _ = space.vectors(look)
    points = middle + right[..., None] * to_right + down[..., None] * downwards
    seen = np.isfinite(pixels)
    index = stack.to_index(points.reshape(-1, 3))
    inner = np.all(
        (index >= 0) & (index <= [stack.columns - 1, stack.rows - 1, stack.slices - 1]), axis=1
    ).reshape(seen.shape)
    assert seen[inner].all()
    assert inner.sum() > 100
    np.testing.assert_allclose(pixels[inner], (points @ gradient)[inner], rtol=1e-5)


def test_slices_that_a_section_does_not_need_are_not_asked_for() -> None:
    space = Space.of(oblique_sidecar())
    section = CrossSection(
        space, AxisOrder((0, 2, 1)), space.stack.to_patient([20, 20, 3])[0], 1.1, channels=1
    )
    assert section.slices.tolist() == [2, 3, 4]


def test_projections_are_the_maxima_of_the_stack() -> None:
    stack = np.random.default_rng(1).integers(0, 65535, (5, 7, 9)).astype(np.uint16)
    projections = Projections((9, 7, 5), 1, 16)
    for number, image in enumerate(stack):
        projections.add(number, image)
    np.testing.assert_array_equal(projections.across(0, 1), stack.max(axis=0))
    np.testing.assert_array_equal(projections.across(0, 2), stack.max(axis=1))
    np.testing.assert_array_equal(projections.across(1, 2), stack.max(axis=2))
    lower, upper = projections.contrast()
    assert (stack < lower).mean() <= 0.005 <= (stack <= lower).mean()
    assert (stack <= upper).mean() >= 0.995
    assert Projections((9, 7, 5), 1, 8).contrast() == (0, 255)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_a_smaller_projection_keeps_every_maximum_in_its_block(
    rows: int, columns: int, largest: int
) -> None:
    image = np.arange(rows * columns).reshape(rows, columns)
    small, n = shrunk(image, largest)
    assert max(small.shape) <= largest
    assert (n - 1) * largest < max(rows, columns)
    for row in range(small.shape[0]):
        for column in range(small.shape[1]):
            assert (
                small[row, column]
                == image[row * n : (row + 1) * n, column * n : (column + 1) * n].max()
            )


def test_shades_round_half_up_and_nothing_is_black() -> None:
    assert shown(np.array([-1, 0, 50, 100, 200, np.nan]), (0, 100)).tolist() == [
        0,
        0,
        128,
        255,
        255,
        0,
    ]
    values = np.arange(256)
    assert (shown(values, (0, 255)) == values).all()


@given(LENGTHS)
def test_nice_lengths_are_one_two_or_five(length: float) -> None:
    found = nice(length)
    assert 0.4 * length < found <= length * (1 + 1e-6)
    assert float(f"{found:.0e}".split("e")[0]) in (1, 2, 5)


def test_the_size_is_bounded_by_what_can_be_shown_pixel_by_pixel() -> None:
    space = Space.of(oblique_sidecar())
    assert 32 <= usual_size(space) / space.finest <= 64
    check_size(usual_size(space), space, 1000)
    for size, count in (
        (3.9 * space.finest, 1),
        (513 * space.finest, 1),
        (200 * space.finest, 200),
        (float("nan"), 1),
    ):
        with pytest.raises(UsageError, match="--size"):
            check_size(size, space, count)


def test_the_head_is_up_and_views_have_the_names_of_their_planes() -> None:
    space = Space.of(oblique_sidecar(orientation=(1, 0, 0, 0, 1, 0), drift=0))
    own, coronal, sagittal = space.looks(
        oblique_sidecar(orientation=(1, 0, 0, 0, 1, 0), drift=0).decimation
    )
    assert [space.name(look) for look in (own, coronal, sagittal)] == [
        "axial",
        "coronal",
        "sagittal",
    ]
    letters = [
        [space.letters(to) for to in (*space.vectors(look)[:2], -space.vectors(look)[1])]
        for look in (own, coronal, sagittal)
    ]
    assert letters == [["L", "P", "A"], ["L", "F", "H"], ["P", "F", "H"]]


def test_distances_are_between_points_only() -> None:
    def label(number: int, x: float, part: str = "") -> ShownLabel:
        return ShownLabel(
            number, "", part, np.zeros(3), np.zeros(3), np.array([x, 0, 0]), 0.25, "", 0
        )

    labels = [
        label(1, 0),
        label(2, 3),
        label(3, 9, "polygon, vertex 0"),
        label(4, 4),
        label(5, np.nan),
    ]
    points = measured(labels)
    assert [found.number for found in points] == [1, 2, 4]
    assert [[m.value for m in row] for row in distances(points)] == [[], [3], [4, 1]]
    assert distances(points)[1][0].uncertainty == 0.5
