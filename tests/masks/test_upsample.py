"""From the PNG grid to the source grid: what each source sample shows, the ways to fill skipped
slices, and that nothing leans to one side.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kit.axes import axes_in_sources
from numpy.typing import NDArray

from sidecar.grid.axis import Axis
from sidecar.masks.upsample import Blend, Cells, Fill, blended, blends_of_samples, expand


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
def test_edges_lie_where_one_cell_ends_and_the_next_begins(case: tuple[Axis, int]) -> None:
    axis, length = case
    cells = Cells.of_samples(axis, length)
    assert len(cells.edges) == len(cells.shown) + 1
    for sample, cell in enumerate(cells.lookup):
        if cell >= 0:
            assert cells.edges[cell] < sample < cells.edges[cell + 1]
    assert set((cells.edges % 1).tolist()) == {0.5}


@given(axes_in_sources())
def test_a_sample_shows_the_pixel_it_is_nearest_to_and_halfway_both(case: tuple[Axis, int]) -> None:
    axis, length = case
    nearest = axis.pixels_of_samples(length)
    for sample, blend in enumerate(blends_of_samples(axis, length, "repeat")):
        if blend is None:
            assert nearest[sample] == -1
            continue
        away = [abs(axis.to_source(float(p)) - sample) for p in range(axis.size)]
        shown = [p for p in range(axis.size) if away[p] < min(away) + 1e-6]
        assert sorted({blend.lower, blend.upper}) == shown
        assert blend.part == pytest.approx((len(shown) - 1) / 2)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 8])
def test_whole_blocks_have_no_halves_and_cells_are_the_pixels(step: int) -> None:
    cells = Cells.of_samples(Axis.blocks(3, 3 + 5 * step, step, "mean"), 50)
    assert cells.shown == Cells.of_pixels(5).shown
    plane = np.arange(10).reshape(2, 5)
    assert cells.across(plane) is plane


def test_a_sample_halfway_between_two_columns_has_the_middle_of_what_differs() -> None:
    """Two pixels for three columns: the second of these lies halfway."""
    axis = Axis.resize(0, 6, 4)
    cells = Cells.of_samples(axis, 6)
    assert [blend.part for blend in cells.shown] == [0, 0.5, 0, 0, 0.5, 0]
    plane = np.array(
        [[0, 0, 1, 1], [1, 0, 1, 1], [1, 0, 1, 2], [1, 1, 1, 2], [1, 1, 1, 2], [0, 0, 1, 1]]
    )
    found = expand(cells.across(plane), np.arange(6), cells.lookup)
    assert found[:, [0, 2, 3, 5]].tolist() == plane.tolist()
    assert found[:, 1].tolist() == [0, 0, 1, 1, 1, 0]
    assert found[:, 4].tolist() == [1, 1, 1, 2, 1, 1]
    np.testing.assert_array_equal(cells.down(plane.T), cells.across(plane).T)


def test_even_steps_show_both_pngs_on_the_slice_halfway() -> None:
    axis = Axis.stride(0, 9, 2)
    halfway = [Blend(k, k + 1, 0.5) for k in range(4)]
    whole = [Blend(k, k) for k in range(5)]
    repeated = [blend for pair in zip(whole, [*halfway, whole[4]], strict=True) for blend in pair]
    assert list(blends_of_samples(axis, 10, "repeat")) == repeated
    assert list(blends_of_samples(axis, 10, "interpolate")) == repeated
    alone = [blend for k in range(5) for blend in (whole[k], None)]
    assert list(blends_of_samples(axis, 10, "none")) == alone


def test_odd_steps_repeat_one_slice_on_either_side() -> None:
    blends = blends_of_samples(Axis.stride(1, 8, 3), 12, "repeat")
    # Slice 0 lies before the crop; 9 to 11 are more than half a step from the last PNG, made of
    # slice 7.
    assert [b and b.lower for b in blends] == [None, 0, 0, 1, 1, 1, 2, 2, 2, None, None, None]


def test_means_of_slices_fill_what_they_are_made_of_and_nothing_else() -> None:
    axis = Axis.blocks(1, 9, 3, "mean")
    for fill in ("repeat", "none"):
        assert [b and b.lower for b in blends_of_samples(axis, 10, fill)] == [
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
    blends = blends_of_samples(Axis.stride(0, 7, 3), 9, "interpolate")
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

    slices = blends_of_samples(Axis.stride(0, 10, 3), 10, "repeat")
    assert [p is not None and int(p[0, 0]) for p in blended(planes(), slices, (1, 1))] == [
        0, 0, 1, 1, 1, 2, 2, 2, 3, 3,
    ]  # fmt: skip
    assert read == [0, 1, 2, 3]
    skipping = (Blend(1, 1), None, Blend(3, 3))
    shown = [p is not None and int(p[0, 0]) for p in blended(planes(), skipping, (1, 1))]
    assert shown == [1, False, 3]


def test_nothing_lies_between_two_empty_planes_and_half_of_a_shape_before_an_empty_one() -> None:
    shape = np.zeros((9, 9), np.uint8)
    shape[2:7, 2:7] = 3
    slices = (Blend(0, 1, 0.5), Blend(1, 2, 0.5), Blend(2, 3, 0.5))
    nothing, before, after = blended(iter([None, None, shape, None]), slices, (1, 1))
    assert nothing is None
    assert before is not None and after is not None
    assert np.count_nonzero(before) == 13
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(before, before[::-1])
    np.testing.assert_array_equal(before, before[:, ::-1])


def stacks(*shape: int) -> st.SearchStrategy[NDArray[np.uint8]]:
    """Labels 0, 1 and 2 in few and in many parts."""
    coarse = arrays(np.uint8, tuple(-(-n // 2) for n in shape), elements=st.integers(0, 2))
    fine = arrays(np.uint8, shape, elements=st.integers(0, 2))

    def doubled(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.kron(labels, np.ones((2,) * len(shape), np.uint8))[tuple(map(slice, shape))]

    return coarse.map(doubled) | fine


@pytest.mark.slow
@given(st.data(), st.sampled_from(["repeat", "interpolate"]), st.sampled_from([1.0, 0.7]))
def test_reversed_axes_give_reversed_labels(data: st.DataObject, fill: Fill, edge: float) -> None:
    """A stack that begins and ends with a PNG, turned around along any of its three axes."""
    step, size = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    slices = Axis.stride(0, (size - 1) * step + 1, step)
    rows, columns = (
        Axis.resize(0, data.draw(st.integers(5, 15)), 5)
        if data.draw(st.booleans())
        else Axis.stride(0, 4 * step + 1, step)
        for _ in range(2)
    )

    def upsampled(stack: NDArray[np.uint8]) -> NDArray[np.uint8]:
        across, down = (Cells.of_samples(axis, axis.stop) for axis in (columns, rows))
        shown = blended(iter(stack), blends_of_samples(slices, slices.stop, fill), (edge, 1.0))
        planes = [p for p in shown if p is not None]
        small = [down.down(across.across(plane)) for plane in planes]
        return np.array([expand(plane, down.lookup, across.lookup) for plane in small])

    stack = data.draw(stacks(size, 5, 5))
    for axis in range(3):
        np.testing.assert_array_equal(
            upsampled(np.flip(stack, axis)), np.flip(upsampled(stack), axis)
        )
