"""Contours along pixel edges enclose the pixels and nothing else, whichever rule a program fills
them by.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from sidecar.masks.contours import CUT, contours, trace

masks = st.tuples(
    st.integers(1, 14), st.integers(1, 14), st.floats(0.05, 0.98), st.integers(0, 2**32 - 1)
).map(lambda case: np.random.default_rng(case[3]).random(case[:2]) < case[2])


def winding(contour: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """How often a contour goes around the middle of every pixel: signed crossings of a ray to the
    right.
    """
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    turns = np.zeros(shape, dtype=np.int64)
    for (x0, y0), (x1, y1) in zip(contour, np.roll(contour, -1, axis=0), strict=True):
        if x0 == x1:
            turns += np.where(
                (min(y0, y1) < y) & (y < max(y0, y1)) & (x < x0), np.sign(y1 - y0), 0
            ).astype(np.int64)
    return turns


@given(masks)
def test_contours_enclose_the_pixels_by_either_rule(mask: NDArray[np.bool_]) -> None:
    turns = [winding(contour, mask.shape) for contour in contours(mask)]
    np.testing.assert_array_equal(sum((np.abs(t) for t in turns), np.zeros(mask.shape, int)), mask)


@given(masks)
def test_there_is_one_contour_for_every_part(mask: NDArray[np.bool_]) -> None:
    _, parts = ndimage.label(mask)
    assert len(contours(mask)) == parts


@given(masks)
def test_vertices_are_turns_on_the_lattice_and_edges_are_upright(mask: NDArray[np.bool_]) -> None:
    outer, holes = trace(mask)
    for ring in [*outer, *holes]:
        steps = np.roll(ring, -1, axis=0) - ring
        assert ((steps != 0).sum(axis=1) == 1).all()
        assert ((steps[:, 0] != 0) != (np.roll(steps, 1, axis=0)[:, 0] != 0)).all()


def test_a_hole_is_cut_in_along_a_line_that_no_pixel_middle_lies_on() -> None:
    mask = np.ones((5, 6), dtype=bool)
    mask[2, 3] = False
    (contour,) = contours(mask)
    y = 2 + CUT
    around_the_hole = [(3, y), (3, 2), (4, 2), (4, 3), (3, 3), (3, y)]
    assert sorted(map(tuple, contour.tolist())) == sorted(
        [(0, 0), (6, 0), (6, 5), (0, 5), (0, y), *around_the_hole, (0, y)]
    )
    assert all((y * f) % 1 != pytest.approx(0.5, abs=1e-3) for f in range(1, 50))


def test_an_empty_mask_has_no_contour() -> None:
    assert contours(np.zeros((3, 4), dtype=bool)) == []
