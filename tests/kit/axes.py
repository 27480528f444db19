"""Axes, orders and decimations that hypothesis draws."""

from __future__ import annotations

from itertools import permutations, product

from hypothesis import strategies as st

from sidecar.grid.axis import Axis
from sidecar.grid.axis_order import AxisOrder
from sidecar.grid.decimation import Decimation

#: All ways in which three axes can be permuted and mirrored.
ALL_ORDERS = tuple(
    AxisOrder(along, mirrored)
    for along in permutations(range(3))
    for mirrored in product((False, True), repeat=3)
)


@st.composite
def axes(draw: st.DrawFn, length: int | None = None) -> Axis:
    """An upright axis of a source of ``length`` samples."""
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


@st.composite
def axes_in_sources(draw: st.DrawFn) -> tuple[Axis, int]:
    """An upright axis, and how many samples its source has."""
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


@st.composite
def decimations(draw: st.DrawFn) -> Decimation:
    """Three upright axes in any of the 48 orders."""
    columns, rows, slices = (draw(axes()) for _ in range(3))
    return Decimation(columns, rows, slices) @ draw(st.sampled_from(ALL_ORDERS))
