"""That the reduction does what factor and offset say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.grid.axis import Axis
from sidecar.grid.reduce import block_mean, reduce_plane, tent_weights


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from(["u1", "i1", "u2", "i2", "i4", "f4"]),
    st.integers(0, 2**32 - 1),
)
def test_block_means_are_exact_and_rounded_half_up(
    by_rows: int, by_columns: int, dtype: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (6 * by_rows, 8 * by_columns)
    if dtype == "f4":
        plane = rng.normal(size=shape).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        plane = rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    mean = plane.reshape(6, by_rows, 8, by_columns).astype(np.float64).mean(axis=(1, 3))
    reduced = block_mean(plane, by_rows, by_columns)
    assert reduced.dtype == plane.dtype
    if dtype == "f4":
        assert np.allclose(reduced, mean, rtol=1e-6)
    else:
        assert np.array_equal(reduced, np.floor(mean + 0.5 + 1e-12).astype(dtype))


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", "<i2", ">u2", ">i2"])
def test_the_packed_mean_is_the_plain_one(dtype: str) -> None:
    limits = np.iinfo(dtype)
    plane = (
        np.random.default_rng(1)
        .integers(limits.min, limits.max, (1026, 1282), endpoint=True)
        .astype(dtype)
    )
    view = plane[:, :].copy(order="F")  # not contiguous by rows: takes the general way
    assert np.array_equal(block_mean(plane, 2, 2), block_mean(view, 2, 2))


@given(st.integers(2, 200), st.data())
def test_tents_keep_constants_and_centroids(source_size: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, source_size))
    factor = source_size / size
    samples, weights = tent_weights(source_size, size)
    matrix = np.zeros((size, source_size))
    np.add.at(matrix, (np.arange(size)[:, None], samples), weights)
    assert matrix.min() >= -1e-12
    assert np.allclose(matrix.sum(axis=1), 1)
    centres = factor * np.arange(size) + (factor - 1) / 2
    inside = np.arange(source_size)[int(2 * factor) + 1 : source_size - int(2 * factor) - 1]
    assert np.allclose(matrix.sum(axis=0)[inside], 1 / factor)
    assert np.allclose((centres @ matrix)[inside] * factor, inside)


def test_cropped_colour_planes_are_reduced_by_channel() -> None:
    plane = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    reduced = reduce_plane(plane, Axis.blocks(4, 28, 3, "mean"), Axis.resize(2, 19, 7))
    assert reduced.shape == (7, 8, 3)
    for channel in range(3):
        assert np.array_equal(
            reduced[:, :, channel],
            reduce_plane(
                plane[:, :, channel], Axis.blocks(4, 28, 3, "mean"), Axis.resize(2, 19, 7)
            ),
        )
