"""Factor and offset of every kind of axis, how axes compose, and which sample is nearest."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.axes import axes, axes_in_sources

from sidecar.grid.axis import Axis, AxisMap, first_touched, nearest, nearest_of
from sidecar.grid.reduce import tent_weights

FACTORS = st.floats(0.01, 100) | st.floats(-100, -0.01)
MAPS = st.builds(AxisMap, FACTORS, st.floats(-1e4, 1e4))


def same(one: AxisMap, other: AxisMap) -> bool:
    scale = 1 + abs(one.offset) + abs(other.offset) + abs(one.factor)
    return bool(
        np.isclose(one.factor, other.factor, rtol=1e-12)
        and abs(one.offset - other.offset) <= 1e-11 * scale
    )


@given(axes(), st.floats(-5, 500))
def test_pixel_and_source_are_inverse(axis: Axis, pixel: float) -> None:
    assert axis.to_pixel(axis.to_source(pixel)) == pytest.approx(pixel, abs=1e-9)


@given(MAPS, axes())
def test_the_inverse_of_an_axis_after_it_is_the_identity_to_the_last_bit(
    line: AxisMap, axis: Axis
) -> None:
    assert ~line @ line == AxisMap(1.0, 0.0)
    assert ~axis @ axis == Axis(1.0, 0.0, axis.size, axis.method)
    assert ~axis.reversed() @ axis.reversed() == Axis(1.0, 0.0, axis.size, axis.method)
    assert ~~axis == axis
    assert (~axis).to_source(2.5) == axis.to_pixel(2.5)
    assert (~axis).to_pixel(2.5) == axis.to_source(2.5)


@given(MAPS, MAPS, MAPS, st.floats(-500, 500))
def test_composition_is_one_after_the_other_and_associative(
    a: AxisMap, b: AxisMap, c: AxisMap, pixel: float
) -> None:
    scale = 1 + abs(a.factor) * (abs(b.factor) * abs(pixel) + abs(b.offset)) + abs(a.offset)
    apart = (a @ b).to_source(pixel) - a.to_source(b.to_source(pixel))
    assert abs(apart) <= 1e-12 * scale
    assert same((a @ b) @ c, a @ (b @ c))
    back = (~a @ b).to_source(pixel) - a.to_pixel(b.to_source(pixel))
    assert abs(back) <= 1e-12 * scale / abs(a.factor) * (1 + 1 / abs(a.factor))
    assert np.isclose(((~a @ b) @ c).factor, (~a @ (b @ c)).factor, rtol=1e-12)


@given(st.data())
def test_decimating_a_decimated_stack_is_one_decimation(data: st.DataObject) -> None:
    """Crop, scale and step in any order of two."""
    outer = data.draw(axes())
    inner = data.draw(axes(length=outer.size)) if outer.size >= 4 else Axis.stride(0, outer.size, 1)
    pixel = np.array([0.0, 1.0, 2.75, inner.size - 1.0])
    both = outer @ inner
    assert both.size == inner.size
    assert both.method == (outer.method if inner.factor == 1 else inner.method)
    assert np.allclose(both.to_source(pixel), outer.to_source(inner.to_source(pixel)))
    assert same(~outer @ both, inner)


@given(axes(), st.floats(-5, 300))
def test_a_reversed_axis_counts_from_the_other_end(axis: Axis, pixel: float) -> None:
    back = axis.reversed()
    other = axis.size - 1 - pixel
    assert back.to_source(pixel) == pytest.approx(axis.to_source(other), abs=1e-9)
    assert (back.size, back.method) == (axis.size, axis.method)
    assert same(back.reversed(), axis)
    assert axis.upright is axis
    assert same(back.upright, axis)
    assert back.ends == pytest.approx(axis.ends[::-1], abs=1e-9)


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
            assert axis.extent(pixel) == samples
            assert axis.to_source(float(pixel)) == pytest.approx(sum(samples) / len(samples))


@given(st.integers(0, 9), st.integers(2, 200), st.data())
def test_samples_of_a_resized_pixel_are_those_that_weigh_in_it(
    start: int, length: int, data: st.DataObject
) -> None:
    axis = Axis.resize(start, start + length, data.draw(st.integers(1, length)))
    if axis.method != "resize":
        return
    samples, weights = tent_weights(length, axis.size)
    for pixel in range(axis.size):
        heavy = samples[pixel][np.abs(weights[pixel]) > 1e-9] + start
        assert set(heavy.tolist()) <= set(axis.samples(pixel))


def test_the_factor_comes_from_sizes() -> None:
    assert Axis.resize(0, 203, 102) == Axis(203 / 102, (203 / 102 - 1) / 2, 102, "resize")
    assert Axis.resize(10, 210, 100) == Axis(2.0, 10.5, 100, "mean")
    assert Axis.blocks(0, 203, 2, "mean") == Axis(2.0, 0.5, 101, "mean"), (
        "the last column fills no block of two"
    )
    assert Axis.stride(3, 10, 3) == Axis(3.0, 3.0, 3, "stride")


@given(st.floats(-1e6, 1e6) | st.integers(-2000, 2000).map(lambda twice: twice / 2))
def test_the_nearest_sample_is_the_lower_one_halfway(place: float) -> None:
    """By fractions, which round nothing."""
    exact = ceil(Fraction(place) - Fraction(1, 2))
    assert nearest(place) == exact
    assert abs(Fraction(place) - exact) <= Fraction(1, 2)
    assert first_touched(place) == -nearest(-place)
    assert nearest_of(place, 9) == min(max(exact, 0), 8)


def test_halfway_goes_to_the_lower_and_what_has_no_place_has_no_sample() -> None:
    places = [-0.5, 0.5, 0.50000001, 1.5, 2.5, np.nan]
    assert np.array_equal(nearest(places), [-1, 0, 1, 1, 2, np.nan], equal_nan=True)
    assert nearest(0.5 + 1e-10) == 1
    assert nearest(0.5 + 1e-10, leeway=1e-9) == 0


def owner(axis: Axis, sample: int) -> int:
    """The pixel whose centre, factor · p + offset, is nearest to a sample; the lower one of two; -1
    beyond half a pixel, by fractions.
    """
    size = axis.size
    factor = (
        Fraction(round(axis.factor))
        if axis.method == "stride"
        else Fraction(axis.stop - axis.start, size)
    )
    offset = Fraction(axis.start) if axis.method == "stride" else axis.start + (factor - 1) / 2
    distance = [abs(sample - (factor * p + offset)) for p in range(size)]
    best = min(range(size), key=lambda p: (distance[p], p))
    if 2 * distance[best] > factor or sample < axis.start:
        return -1
    if axis.method != "stride" and sample >= axis.stop:
        return -1
    return best


@given(axes_in_sources())
def test_every_sample_lies_in_the_pixel_it_is_nearest_to(case: tuple[Axis, int]) -> None:
    axis, length = case
    assert axis.pixels_of_samples(length).tolist() == [owner(axis, s) for s in range(length)]


@given(axes_in_sources())
def test_samples_of_a_pixel_map_back_to_it(case: tuple[Axis, int]) -> None:
    axis, length = case
    lookup = axis.pixels_of_samples(length)
    if axis.method != "resize":
        assert all((lookup[list(axis.samples(p))] == p).all() for p in range(axis.size))
    assert sorted(set(lookup.tolist()) - {-1}) == list(range(axis.size))
