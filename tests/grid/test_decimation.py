"""A decimation is an order of three upright axes, and sidecar.json keeps it to the last bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.axes import ALL_ORDERS, axes, decimations
from pydantic import TypeAdapter

from sidecar.document.axes import decimation_model, decimation_of
from sidecar.document.model import Decimation as Model
from sidecar.document.writing import facts
from sidecar.grid.axis_order import AS_STORED, AxisOrder
from sidecar.grid.decimation import Decimation

PIXELS = np.array([(0.0, 0.0, 0.0), (1.0, 2.0, 3.0), (7.25, -0.5, 2.5), (40.0, 3.0, 11.5)])
ORDERS = st.sampled_from(ALL_ORDERS)


@given(axes(), axes(), axes(), ORDERS)
def test_a_decimation_is_its_order_of_three_upright_axes(
    columns: object, rows: object, slices: object, order: AxisOrder
) -> None:
    upright = Decimation(columns, rows, slices)
    made = upright @ order
    assert made.order == order
    assert made.size == order.pick(upright.size)
    assert np.allclose(made.to_source(PIXELS), upright.to_source(order.map(PIXELS, upright.size)))
    assert made.upright.order == AS_STORED
    assert all(axis.factor > 0 for axis in made.upright.axes)
    for axis, first in zip(made.upright.axes, upright.axes, strict=True):
        assert axis.offset == pytest.approx(first.offset, abs=1e-9)
        assert (axis.factor, axis.size, axis.method) == (first.factor, first.size, first.method)
    again = made.upright @ made.order
    assert again.along == made.along
    assert np.allclose(again.to_source(PIXELS), made.to_source(PIXELS))


@given(decimations(), ORDERS)
def test_turning_pngs_turns_the_pixels_that_they_map(
    decimation: Decimation, order: AxisOrder
) -> None:
    turned = decimation @ order
    assert turned.order == decimation.order @ order
    assert np.allclose(
        turned.to_source(PIXELS), decimation.to_source(order.map(PIXELS, decimation.size))
    )
    back = turned @ ~order
    assert back.along == decimation.along
    assert np.allclose(back.to_source(PIXELS), decimation.to_source(PIXELS))


@given(decimations())
def test_pixels_and_source_are_inverse_and_the_matrix_says_the_same(
    decimation: Decimation,
) -> None:
    source = decimation.to_source(PIXELS)
    assert np.allclose(decimation.to_pixel(source), PIXELS)
    by_matrix = np.column_stack([PIXELS, np.ones(len(PIXELS))]) @ decimation.matrix.T
    assert np.allclose(by_matrix[:, :3], source)
    assert np.array_equal(by_matrix[:, 3], np.ones(len(PIXELS)))


@given(decimations())
def test_the_document_gives_a_decimation_back_to_the_last_bit(decimation: Decimation) -> None:
    text = json.dumps(facts(decimation_model(decimation)))
    assert decimation_of(TypeAdapter(Model).validate_json(text)) == decimation


def test_a_whole_source_maps_to_itself() -> None:
    whole = Decimation.whole(5, 4, 3)
    assert whole.size == (5, 4, 3)
    assert np.array_equal(whole.to_source(PIXELS), PIXELS)
    for order in ALL_ORDERS:
        turned = whole @ order
        assert np.array_equal(turned.to_source(PIXELS), order.map(PIXELS, whole.size))
