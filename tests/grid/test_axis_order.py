"""All 48 ways in which three axes can be permuted and mirrored, and the 8 of two."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.axes import ALL_ORDERS

from sidecar.grid.axis_order import AS_STORED, AxisOrder

#: Columns, rows, slices of the stacks here; no two alike.
SIZE = (4, 3, 2)
#: [slice, row, column], every value another; and the same in colours.
STACK = np.arange(24).reshape(SIZE[::-1])
COLOURS = np.stack([STACK, -STACK, 100 + STACK], axis=-1)
ORDERS = st.sampled_from(ALL_ORDERS)
PLANE_ORDERS = [
    AxisOrder(along, mirrored)
    for along in ((0, 1), (1, 0))
    for mirrored in product((False, True), repeat=2)
]


def points(size: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(product(*map(range, size)))


def test_there_are_48_of_them() -> None:
    assert len(set(ALL_ORDERS)) == 48
    seen = {order.apply(STACK).tobytes() + bytes(order.pick(SIZE)) for order in ALL_ORDERS}
    assert len(seen) == 48


@pytest.mark.parametrize("order", ALL_ORDERS)
def test_a_pixel_of_the_turned_stack_is_the_voxel_it_maps_to(order: AxisOrder) -> None:
    turned, colours = order.apply(STACK), order.apply(COLOURS)
    assert turned.shape == order.pick(SIZE)[::-1]
    for p in points(order.pick(SIZE)):
        source = order.map(p, SIZE)
        assert turned[p[::-1]] == STACK[tuple(source[::-1])]
        assert colours[p[::-1]].tolist() == COLOURS[tuple(source[::-1])].tolist()


@pytest.mark.parametrize("order", PLANE_ORDERS)
def test_planes_turn_as_stacks_do(order: AxisOrder) -> None:
    size, plane = SIZE[:2], STACK[0]
    for p in points(order.pick(size)):
        assert order.apply(plane)[p[::-1]] == plane[tuple(order.map(p, size)[::-1])]
    in_stack = AxisOrder((*order.along, 2), (*order.mirrored, False))
    assert np.array_equal(in_stack.apply(STACK), [order.apply(plane) for plane in STACK])


@given(ORDERS, st.lists(st.tuples(*[st.floats(-9, 9)] * 3), min_size=1))
def test_the_inverse_undoes_an_order(order: AxisOrder, places: list[tuple[float, ...]]) -> None:
    assert ~order @ order == order @ ~order == AS_STORED
    assert ~~order == order
    assert np.array_equal((~order).apply(order.apply(STACK)), STACK)
    there = order.map(places, SIZE)
    assert np.allclose((~order).map(there, order.pick(SIZE)), places, atol=1e-12)


@given(ORDERS, ORDERS, ORDERS)
def test_orders_compose_and_composition_is_associative(
    a: AxisOrder, b: AxisOrder, c: AxisOrder
) -> None:
    assert np.array_equal((a @ b).apply(STACK), b.apply(a.apply(STACK)))
    assert (a @ b) @ c == a @ (b @ c)
    assert a @ AS_STORED == AS_STORED @ a == a
    assert ~(a @ b) == ~b @ ~a
    assert (a @ b).pick("xyz") == b.pick(a.pick("xyz"))
    p = points((a @ b).pick(SIZE))
    assert np.array_equal((a @ b).map(p, SIZE), a.map(b.map(p, a.pick(SIZE)), SIZE))


def test_indices_stay_whole_and_views_stay_views() -> None:
    order = AxisOrder((2, 0, 1), (True, False, True))
    assert order.map([[0, 0, 0]], SIZE).tolist() == [[0, 2, 1]]
    assert order.map([[0, 0, 0]], SIZE).dtype.kind == "i"
    assert np.shares_memory(order.apply(STACK), STACK)


def test_what_runs_backwards_is_told_by_source_axis() -> None:
    """PNG x along the slices, which run backwards; y along the columns, which do not."""
    order = AxisOrder.of((2, 0, 1), (False, True, True))
    assert order.mirrored == (True, False, True)
    assert order.signs == (-1, 1, -1)
    assert (~order).mirrored == (False, True, True)
