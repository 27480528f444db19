"""From the PNG grid to the source grid: planes repeated exactly, and the ways to fill skipped
slices.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.axes import axes_in_sources

from sidecar.grid.axis import Axis
from sidecar.masks.upsample import (
    Blend,
    blended,
    expand,
    pixel_edges,
    slices_of_samples,
)


@given(axes_in_sources(), axes_in_sources(), st.randoms(use_true_random=False))
def test_a_plane_is_repeated_exactly(
    columns: tuple[Axis, int], rows: tuple[Axis, int], random: object
) -> None:
    across, down = columns[0].pixels_of_samples(columns[1]), rows[0].pixels_of_samples(rows[1])
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


@given(axes_in_sources())
def test_edges_lie_where_one_pixel_ends_and_the_next_begins(case: tuple[Axis, int]) -> None:
    axis, length = case
    lookup = axis.pixels_of_samples(length)
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
