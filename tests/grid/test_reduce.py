"""Factor and offset of every kind of decimation, and that the reduction does what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.grid.axis import Axis
from sidecar.grid.reduce import block_mean, reduce_plane, tent_weights


@st.composite
def axes(draw: st.DrawFn, length: int | None = None) -> Axis:
    n = length or draw(st.integers(4, 300))
    start = draw(st.integers(0, n - 2))
    stop = draw(st.integers(start + 1, n))
    kind = draw(st.sampled_from(["stride", "mean", "max", "resize"]))
    step = draw(st.integers(1, stop - start))
    if kind == "stride":
        return Axis.stride(start, stop, step)
    if kind == "resize":
        return Axis.resize(start, stop, draw(st.integers(1, stop - start)))
    return Axis.blocks(start, stop, step, "mean" if kind == "mean" else "max")


@given(axes(), st.floats(-5, 500))
def test_pixel_and_source_are_inverse(axis: Axis, pixel: float) -> None:
    assert axis.to_pixel(axis.to_source(np.array([pixel])))[0] == pytest.approx(pixel, abs=1e-9)


@given(st.integers(1, 9), st.integers(2, 90), st.integers(0, 7))
def test_a_pixel_lies_at_the_middle_of_the_samples_it_is_made_of(
    step: int, size: int, start: int
) -> None:
    stop = start + size * step
    for axis in (
        Axis.stride(start, stop, step),
        Axis.blocks(start, stop, step, "mean"),
        Axis.resize(start, stop, size),
    ):
        assert axis.size == size
        assert (axis.start, axis.stop <= stop) == (start, True)
        for pixel in (0, size - 1):
            samples = axis.samples(pixel)
            assert axis.to_source(np.array([float(pixel)]))[0] == pytest.approx(
                sum(samples) / len(samples)
            )


@given(st.data())
def test_decimations_compose(data: st.DataObject) -> None:
    """Decimating a decimated stack is one decimation: crop, scale and step in any order of two."""
    outer = data.draw(axes())
    inner = data.draw(axes(length=outer.size)) if outer.size >= 4 else Axis.stride(0, outer.size, 1)
    pixel = np.array([0.0, 1.0, 2.75, inner.size - 1.0])
    assert np.allclose(outer.then(inner).to_source(pixel), outer.to_source(inner.to_source(pixel)))


def test_the_factor_comes_from_sizes() -> None:
    assert Axis.resize(0, 203, 102) == Axis(203 / 102, (203 / 102 - 1) / 2, 102, "resize")
    assert Axis.resize(10, 210, 100) == Axis(2.0, 10.5, 100, "mean")
    assert Axis.blocks(0, 203, 2, "mean") == Axis(2.0, 0.5, 101, "mean"), (
        "the last column fills no block of two"
    )
    assert Axis.stride(3, 10, 3) == Axis(3.0, 3.0, 3, "stride")


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
