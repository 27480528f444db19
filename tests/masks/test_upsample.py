"""From the PNG grid to the source grid: lookups against the plain definition, and the ways to fill
skipped slices.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.grid.axis import Axis
from sidecar.masks.upsample import (
    Blend,
    blended,
    expand,
    pixel_edges,
    pixels_of_samples,
    slices_of_samples,
)


@st.composite
def axes(draw: st.DrawFn) -> tuple[Axis, int]:
    start = draw(st.integers(0, 7))
    length = draw(st.integers(1, 60))
    after = draw(st.integers(0, 5))
    kind = draw(st.sampled_from(["stride", "blocks", "resize"]))
    if kind == "stride":
        axis = Axis.stride(start, start + length, draw(st.integers(1, 6)))
    elif kind == "blocks":
        axis = Axis.blocks(start, start + length, draw(st.integers(1, length)), "mean")
    else:
        axis = Axis.resize(start, start + length, draw(st.integers(1, length)))
    return axis, start + length + after


def nearest(axis: Axis, sample: int) -> int:
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


@given(axes())
def test_every_sample_has_the_label_of_the_pixel_it_is_nearest_to(case: tuple[Axis, int]) -> None:
    axis, length = case
    assert pixels_of_samples(axis, length).tolist() == [
        nearest(axis, sample) for sample in range(length)
    ]


@given(axes())
def test_samples_of_a_pixel_map_back_to_it(case: tuple[Axis, int]) -> None:
    axis, length = case
    lookup = pixels_of_samples(axis, length)
    if axis.method != "resize":
        assert all((lookup[list(axis.samples(p))] == p).all() for p in range(axis.size))
    assert sorted(set(lookup.tolist()) - {-1}) == list(range(axis.size))


@given(axes(), axes(), st.randoms(use_true_random=False))
def test_a_plane_is_repeated_exactly(
    columns: tuple[Axis, int], rows: tuple[Axis, int], random: object
) -> None:
    across, down = pixels_of_samples(*columns), pixels_of_samples(*rows)
    plane = (
        np.random.default_rng(0).integers(1, 255, (rows[0].size, columns[0].size)).astype(np.uint8)
    )
    out = expand(plane, down, across)
    assert out.dtype == plane.dtype
    for y in range(rows[1]):
        for x in range(columns[1]):
            assert out[y, x] == (
                plane[down[y], across[x]] if down[y] >= 0 and across[x] >= 0 else 0
            )


@given(axes())
def test_edges_lie_where_one_pixel_ends_and_the_next_begins(case: tuple[Axis, int]) -> None:
    axis, length = case
    lookup = pixels_of_samples(axis, length)
    edges = pixel_edges(lookup, axis.size)
    assert len(edges) == axis.size + 1
    for sample in range(length):
        if lookup[sample] >= 0:
            assert edges[lookup[sample]] < sample < edges[lookup[sample] + 1]
    assert set((edges % 1).tolist()) == {0.5}


def test_even_steps_give_the_slice_halfway_to_the_lower_png() -> None:
    axis = Axis.stride(0, 9, 2)
    assert [b and b.nearest for b in slices_of_samples(axis, 10, "repeat")] == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
    ]
    assert [b and b.nearest for b in slices_of_samples(axis, 10, "none")] == [
        0,
        None,
        1,
        None,
        2,
        None,
        3,
        None,
        4,
        None,
    ]


def test_odd_steps_repeat_one_slice_on_either_side() -> None:
    blends = slices_of_samples(Axis.stride(1, 8, 3), 12, "repeat")
    # Slice 0 lies before the crop; 9 to 11 are more than half a step from the last PNG, made of
    # slice 7.
    assert [b and b.nearest for b in blends] == [None, 0, 0, 1, 1, 1, 2, 2, 2, None, None, None]


def test_means_of_slices_fill_what_they_are_made_of_and_nothing_else() -> None:
    axis = Axis.blocks(1, 9, 3, "mean")
    for fill in ("repeat", "none"):
        assert [b and b.nearest for b in slices_of_samples(axis, 10, fill)] == [
            None,
            0,
            0,
            0,
            1,
            1,
            1,
            None,
            None,
            None,
        ]


def test_interpolation_lies_between_the_neighbours_and_repeats_beyond_them() -> None:
    blends = slices_of_samples(Axis.stride(0, 7, 3), 9, "interpolate")
    assert [b and (b.lower, b.upper) for b in blends] == [
        (0, 0),
        (0, 1),
        (0, 1),
        (1, 1),
        (1, 2),
        (1, 2),
        (2, 2),
        (2, 2),
        None,
    ]
    assert [b.part for b in blends if b] == pytest.approx([0, 1 / 3, 2 / 3, 0, 1 / 3, 2 / 3, 0, 0])


def test_planes_are_read_once_in_order_and_two_are_held() -> None:
    read: list[int] = []

    def planes() -> object:
        for k in range(4):
            read.append(k)
            yield np.full((1, 1), k)

    shown = blended(
        planes(),
        slices_of_samples(Axis.stride(0, 10, 3), 10, "interpolate"),
        lambda a, b, part: a + part * (b - a),
    )
    assert [float(plane[0, 0]) for plane in shown] == pytest.approx([k / 3 for k in range(10)])
    assert read == [0, 1, 2, 3]
    skipping = (Blend(1, 1), None, Blend(3, 3))
    assert [
        plane is not None and int(plane[0, 0])
        for plane in blended(planes(), skipping, lambda a, b, part: a)
    ] == [1, False, 3]
