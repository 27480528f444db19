"""Outlines and run lengths to pixels, against the plain definitions and pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.painted_masks import rle_pack
from numpy.typing import NDArray
from pycocotools import mask as cocomask

from sidecar.masks.raster import coco_counts, fill_ellipse, fill_rings, fill_runs, unpack_runs

coordinates = st.floats(-3, 15, width=16) | st.integers(-3, 15).map(float)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9).map(np.array)
bitmaps = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1)).map(
    lambda case: np.random.default_rng(case[2]).random(case[:2]) < 0.5
)


def inside(ring: NDArray[np.float64], x: float, y: float) -> bool:
    """Even-odd rule, one edge after the other: crossings of the ray from (x, y) to the left."""
    odd = False
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if (y0 <= y) != (y1 <= y):
            upper, lower = ((x0, y0), (x1, y1)) if y0 < y1 else ((x1, y1), (x0, y0))
            crossing = upper[0] + (y - upper[1]) * (lower[0] - upper[0]) / (lower[1] - upper[1])
            odd ^= bool(crossing <= x)
    return odd


@pytest.mark.slow
@given(st.lists(rings, min_size=1, max_size=3))
def test_a_pixel_is_in_when_its_middle_is_within_an_odd_number_of_rings(
    outlines: list[NDArray[np.float64]],
) -> None:
    filled = fill_rings(outlines, 10, 12)
    expected = [
        [sum(inside(ring, x, y) for ring in outlines) % 2 == 1 for x in range(12)]
        for y in range(10)
    ]
    np.testing.assert_array_equal(filled, expected)


def test_the_box_around_the_first_pixel_is_that_pixel() -> None:
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    assert np.argwhere(fill_rings([corners], 4, 4)).tolist() == [[0, 0]]


def test_a_box_does_not_grow_by_its_outline() -> None:
    # What LabelMe's own converter, which draws the outline too, makes 5 × 4 pixels of.
    corner = np.array([(2, 3), (5, 3), (5, 7), (2, 7)])
    filled = fill_rings([corner - 0.5], 10, 10)
    assert filled.sum() == 12
    assert np.argwhere(filled).min(axis=0).tolist() == [3, 2]


@given(st.lists(st.integers(0, 12), min_size=2, max_size=2), st.integers(1, 11))
def test_shapes_with_a_common_edge_share_no_pixel_and_leave_none_out(
    line: list[int], row: int
) -> None:
    """A square cut by a line, also through pixel middles."""
    left, right = (0.0, float(row)), (12.0, float(line[0]))
    above = fill_rings([np.array([(0, 0), (12, 0), right, left])], 12, 12)
    below = fill_rings([np.array([left, right, (12, 12), (0, 12)])], 12, 12)
    assert not (above & below).any()
    assert (above | below).all()


def test_an_ellipse_holds_the_middles_within_it() -> None:
    vertices = np.array([(5.3, 4.1), (8.3, 5.6), (4.55, 5.6)])  # turned, half axes 3.354 and 1.677
    y, x = np.mgrid[:10, :12]
    along, across = (x - 5.3, y - 4.1), np.array([3, 1.5]) / np.hypot(3, 1.5)
    u = along[0] * across[0] + along[1] * across[1]
    v = -along[0] * across[1] + along[1] * across[0]
    np.testing.assert_array_equal(
        fill_ellipse(vertices, 10, 12),
        (u / np.hypot(3, 1.5)) ** 2 + (v / np.hypot(0.75, 1.5)) ** 2 <= 1,
    )
    assert not fill_ellipse(np.array([(5, 5), (8, 5), (9, 5)]), 10, 12).any()


@given(bitmaps)
def test_coco_run_lengths(bitmap: NDArray[np.bool_]) -> None:
    rows, columns = bitmap.shape
    encoded = cocomask.encode(np.asfortranarray(bitmap.astype(np.uint8)))
    counts = coco_counts(encoded["counts"].decode())
    np.testing.assert_array_equal(fill_runs(counts, rows, columns, by_columns=True), bitmap)


def test_long_coco_run_lengths() -> None:
    bitmap = np.zeros((700, 900), dtype=bool)
    bitmap[100:650, 300:800] = True
    bitmap[200:210, 400:401] = False
    encoded = cocomask.encode(np.asfortranarray(bitmap.astype(np.uint8)))
    np.testing.assert_array_equal(
        fill_runs(coco_counts(encoded["counts"].decode()), 700, 900, by_columns=True), bitmap
    )


def test_run_lengths_along_rows() -> None:
    assert fill_runs([1, 2, 3], 2, 3, by_columns=False).tolist() == [
        [False, True, True],
        [False, False, False],
    ]


@pytest.mark.parametrize("counts", [[], [1, 2], [1, 2, 4], [-1, 7], [10**30]])
def test_run_lengths_of_another_size_are_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="run lengths"):
        fill_runs(counts, 2, 3, by_columns=False)


@pytest.mark.parametrize("text", ["\n", "P", "ooooooooooooooooo0"])
def test_damaged_coco_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="counts"):
        coco_counts(text)


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(1, 40)), min_size=1, max_size=12))
def test_packed_runs(runs: list[tuple[int, int]]) -> None:
    values = np.concatenate([np.full(length, value, np.uint8) for value, length in runs])
    np.testing.assert_array_equal(unpack_runs(rle_pack(values), len(values)), values)


def test_packed_runs_that_claim_too_much_or_end_early_are_refused() -> None:
    data = rle_pack(np.zeros(4000, np.uint8))
    with pytest.raises(ValueError, match="4000 values"):
        unpack_runs(data, 3999)
    with pytest.raises(ValueError, match="cut short"):
        unpack_runs(data[:-2], 4000)
