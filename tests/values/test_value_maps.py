"""Stored values → PNG values → back by the sidecar's line."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidecar.values.value_maps import Linear, Stored, dicom_window, robust_range


@given(
    st.booleans(), st.integers(2, 16), st.booleans(), st.floats(0.01, 50), st.floats(-2000, 2000)
)
def test_stored_values_come_back_without_loss(
    signed: bool, bits: int, inverted: bool, slope: float, intercept: float
) -> None:
    lowest = -(1 << (bits - 1)) if signed else 0
    highest = lowest + (1 << bits) - 1
    stored = np.array([lowest, lowest + 1, 0, highest], dtype=np.int32)
    values = Stored(lowest, highest, 16, inverted, (slope, intercept))
    png = values.apply(stored, (slope, intercept))
    assert png.dtype == np.uint16
    line = values.line
    assert np.allclose(line.slope * png + line.intercept, stored * slope + intercept)


@given(
    st.booleans(),
    st.sampled_from([8, 16]),
    st.floats(-3000, 3000),
    st.floats(1, 5000),
    st.floats(0.1, 4),
    st.floats(-1000, 1000),
)
def test_a_window_loses_at_most_half_a_step(
    inverted: bool, bits: int, lower: float, width: float, slope: float, intercept: float
) -> None:
    values = Linear(lower, lower + width, bits, inverted)
    stored = ((lower + width * np.linspace(0, 1, 41) - intercept) / slope).astype(np.float32)
    png = values.apply(stored, (slope, intercept))
    back = values.line.slope * png.astype(np.float64) + values.line.intercept
    step = abs(values.line.slope)
    assert (
        np.abs(back - (stored.astype(np.float64) * slope + intercept)).max() <= 0.502 * step + 1e-3
    )
    outside = values.apply(np.array([-1e9, 1e9], dtype=np.float32), (slope, intercept))
    assert sorted(outside.tolist()) == [0, 2**bits - 1]
    assert (outside[0] > outside[1]) == inverted


def test_the_dicom_window_is_that_of_the_standard() -> None:
    """PS3.3 C.11.2.1.2.1, its own example: centre 2048, width 4096 spans 0 to 4095."""
    assert dicom_window(2048, 4096) == (0, 4095)


def test_a_few_bright_voxels_do_not_make_the_window() -> None:
    values = np.concatenate([np.linspace(0, 100, 100_000), [1e6] * 5])
    lower, upper = robust_range(values)
    assert 0 <= lower < 1 and 99 < upper <= 100
    assert robust_range(np.full(10, 7.0)) == (7.0, 8.0)
