"""Shapes between two planes: no third label, areas on the line between, no side that they lean
to.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kit.shapes_between import halfway
from numpy.typing import NDArray

from sidecar.masks.interpolate import change_between

LabelArray = NDArray[np.uint8]
PARTS = st.sampled_from([0.5, 0.25, 1 / 3, 2 / 3, 0.2, 0.9])
SPACINGS = st.sampled_from([(1.0, 1.0), (0.7, 0.4), (2.0, 1.0)])


@st.composite
def planes(draw: st.DrawFn) -> tuple[LabelArray, LabelArray]:
    """Two planes of one size: noise, or discs that moved, grew, came or went."""
    shape = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    if draw(st.booleans()):
        values = st.integers(0, 3)
        lower, upper = (draw(arrays(np.uint8, shape, elements=values)) for _ in range(2))
        return lower, upper
    y, x = np.indices(shape)
    pair = []
    for _ in range(2):
        plane = np.zeros(shape, np.uint8)
        for label in (1, 2):
            centre, radius = draw(st.tuples(*[st.integers(0, 14)] * 2)), draw(st.integers(0, 7))
            plane[(y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2] = label
        pair.append(plane)
    return pair[0], pair[1]


@pytest.mark.slow
@given(planes(), PARTS, SPACINGS)
def test_reversed_and_mirrored_planes_give_the_same_labels(
    pair: tuple[LabelArray, LabelArray], part: float, spacing: tuple[float, float]
) -> None:
    lower, upper = pair
    found = change_between(lower, upper, spacing).at(part)
    np.testing.assert_array_equal(change_between(upper, lower, spacing).at(1 - part), found)
    for axis in (0, 1):
        mirrored = change_between(np.flip(lower, axis), np.flip(upper, axis), spacing).at(part)
        np.testing.assert_array_equal(np.flip(mirrored, axis), found)


@given(planes(), PARTS, PARTS, SPACINGS)
def test_a_pixel_changes_once_from_its_one_label_to_its_other(
    pair: tuple[LabelArray, LabelArray], one: float, other: float, spacing: tuple[float, float]
) -> None:
    lower, upper = pair
    change = change_between(lower, upper, spacing)
    earlier, later = change.at(min(one, other)), change.at(max(one, other))
    assert np.all((earlier == lower) | (earlier == upper))
    assert np.all((later == upper) | (later == earlier))
    np.testing.assert_array_equal(change.at(0), lower)
    np.testing.assert_array_equal(change.at(1), upper)


@given(planes(), SPACINGS)
def test_halfway_scipy_finds_the_same(
    pair: tuple[LabelArray, LabelArray], spacing: tuple[float, float]
) -> None:
    lower, upper = pair
    found = change_between(lower, upper, spacing).at(0.5)
    np.testing.assert_array_equal(found, halfway(lower, upper, spacing))


@pytest.mark.parametrize("part", [0.1, 0.25, 0.5, 0.8])
def test_the_area_of_every_part_of_a_shape_goes_in_a_line(part: float) -> None:
    """A disc that moves, one that grows, one that ends, and one of another label that begins: each
    alone, though three of them have one label. Twelve pixels of a disc can mirror one another.
    """
    y, x = np.mgrid[:120, :120]

    def disc(cy: float, cx: float, radius: float) -> NDArray[np.bool_]:
        return np.asarray((y - cy) ** 2 + (x - cx) ** 2 < radius**2)

    lower, upper = np.zeros((2, 120, 120), np.uint8)
    for plane, shapes in (
        (lower, [(disc(30, 30, 14.2), 1), (disc(30, 90, 9.4), 1), (disc(90, 30, 12.7), 1)]),
        (upper, [(disc(33, 37, 14.2), 1), (disc(30, 90, 16.3), 1), (disc(90, 90, 11.1), 2)]),
    ):
        for where, label in shapes:
            plane[where] = label
    found = change_between(lower, upper, (1.0, 1.0)).at(part)
    for quarter in np.s_[:60, :60], np.s_[:60, 60:], np.s_[60:, :60], np.s_[60:, 60:]:
        before, now, after = (np.count_nonzero(p[quarter]) for p in (lower, found, upper))
        assert now == pytest.approx((1 - part) * before + part * after, abs=6)
    ending = np.argwhere(found[60:, :60]) - (30, 30)
    np.testing.assert_allclose(ending.mean(axis=0), 0, atol=1e-9)
    moved = np.argwhere(found[:60, :60]).mean(axis=0)
    np.testing.assert_allclose(moved, (30 + 3 * part, 30 + 7 * part), atol=0.3)


def test_large_shapes_end_in_their_middle() -> None:
    """Farther from an outline than distances are counted, pixels change from the middle."""
    y, x = np.mgrid[:601, :701]
    oval = (((y - 300) / 290) ** 2 + ((x - 350) / 340) ** 2 < 1).astype(np.uint8)
    found = change_between(oval, np.zeros_like(oval), (1.0, 1.0)).at(0.5)
    assert np.count_nonzero(found) == pytest.approx(np.count_nonzero(oval) / 2, abs=6)
    assert oval[found > 0].all()
    np.testing.assert_allclose(np.argwhere(found).mean(axis=0), (300, 350), atol=1e-9)
