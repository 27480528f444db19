"""The measuring eye finds spots where they are, to what its docstring says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from .phantoms import (
    centroid,
    centroid3d,
)


def gaussian(size: int, sigma: float, x: float, y: float) -> NDArray[np.float64]:
    line = np.arange(size)
    return np.outer(
        np.exp(-((line - y) ** 2) / (2 * sigma**2)), np.exp(-((line - x) ** 2) / (2 * sigma**2))
    )


@given(
    x=st.floats(25, 35),
    y=st.floats(25, 35),
    sigma=st.floats(1, 3.5),
    sign=st.sampled_from([-1, 1]),
    dx=st.floats(-2, 2),
)
def test_centroid_of_an_ideal_spot(x: float, y: float, sigma: float, sign: int, dx: float) -> None:
    image = 7000 + sign * 5000 * gaussian(61, sigma, x, y)
    assert centroid(image, (x + dx, y - dx), 5 * sigma) == pytest.approx((x, y), abs=2e-4)


@given(x=st.floats(25, 35), y=st.floats(25, 35), sigma=st.floats(1.5, 5))
def test_a_narrow_window_does_not_pull_the_centroid(x: float, y: float, sigma: float) -> None:
    assert centroid(
        100 + 50 * gaussian(61, sigma, x, y), (x + 1, y - 1), 3 * sigma
    ) == pytest.approx((x, y), abs=4e-3)


@given(x=st.floats(25, 35), y=st.floats(25, 35), radius=st.floats(12, 15))
def test_centroid_in_eight_bits(x: float, y: float, radius: float) -> None:
    image = np.rint(20 + 200 * gaussian(61, 2.5, x, y)).astype(np.uint8)
    assert centroid(image, (x, y), radius) == pytest.approx((x, y), abs=0.02)


@pytest.mark.parametrize(("sigma", "factor"), [(2.5, 2), (2.5, 3), (2.5, 4), (3.0, 5)])
def test_block_means_keep_the_centroid_as_the_formula_says(sigma: float, factor: int) -> None:
    """source = factor · pixel + (factor − 1)/2, to the alias that scene.py states; and no other
    offset would do.
    """
    alias = np.exp(-2 * np.pi**2 * sigma**2 / factor**2) / np.sin(np.pi / factor)
    assert alias < 0.005
    size = 21 * factor
    for x in np.linspace(size / 2, size / 2 + factor, 9):
        means = (
            gaussian(size, sigma, x, size / 2 + 0.3)
            .reshape(21, factor, 21, factor)
            .mean(axis=(1, 3))
        )
        found = (
            np.array(centroid(means, (10, 10), 5 * sigma / factor + 1)) * factor + (factor - 1) / 2
        )
        assert found == pytest.approx((x, size / 2 + 0.3), abs=1.2 * alias + 1e-4)


def test_every_fourth_sample_aliases_more_as_the_formula_says() -> None:
    alias = 4 * np.pi * 2.5**2 / 4 * np.exp(-2 * np.pi**2 * 2.5**2 / 4**2)
    errors = [
        centroid(gaussian(84, 2.5, x, 42.0)[::4, ::4], (10, 10), 6)[0] * 4 - x
        for x in np.linspace(40, 44, 17)
    ]
    assert max(map(abs, errors)) == pytest.approx(alias, rel=0.1)


def test_centroid_in_three_dimensions() -> None:
    slices = np.exp(-((np.arange(20) - 9.3) ** 2) / (2 * 1.5**2))
    stack = 10 + 200 * slices[:, np.newaxis, np.newaxis] * gaussian(61, 2.5, 30.2, 28.7)
    assert centroid3d(stack, (30, 29, 9), 12.5, 7.5) == pytest.approx((30.2, 28.7, 9.3), abs=1e-3)


def test_no_spot_is_no_place() -> None:
    with pytest.raises(ValueError, match="no spot"):
        centroid(np.full((40, 40), 5), (20, 20), 8)
    with pytest.raises(ValueError, match=r"spot|around"):
        centroid(gaussian(40, 2, 5, 5), (500, 500), 8)
