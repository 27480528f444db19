"""Tables of values: what they give does not depend on how their numbers are counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidecar.values.lookup_table import LookupTable
from sidecar.values.real_world import RealWorldMap

tables = st.builds(
    lambda first, entries: LookupTable(first, np.array(entries, "<u2").tobytes()),
    st.integers(-40000, 70000),
    st.lists(st.integers(0, 65535), min_size=1, max_size=20),
)
values = st.lists(st.integers(-70000, 140000), min_size=1, max_size=20).map(np.array)


@given(table=tables, stored=values)
def test_what_lies_beyond_takes_the_ends(table: LookupTable, stored: np.ndarray) -> None:
    entries, last = table.entries, table.first + len(table.entries) - 1
    for value, found in zip(stored.tolist(), table.apply(stored).tolist(), strict=True):
        assert found == entries[min(max(value, table.first), last) - table.first]


@given(table=tables, stored=values, by=st.integers(-70000, 70000))
def test_a_table_of_other_numbers_gives_the_same(
    table: LookupTable, stored: np.ndarray, by: int
) -> None:
    assert np.array_equal(table.moved(by).apply(stored + by), table.apply(stored))
    assert np.array_equal(table.turned(by).apply(by - stored), table.apply(stored))


@given(
    slope=st.floats(0.01, 100),
    intercept=st.floats(-1000, 1000),
    a=st.sampled_from([-3.0, -0.5, 0.25, 2.0]),
    b=st.floats(-1000, 1000),
    stored=st.integers(0, 4095),
)
def test_a_line_of_stored_values_is_one_of_modality_values(
    slope: float, intercept: float, a: float, b: float, stored: int
) -> None:
    found = RealWorldMap(0, 4095, slope, intercept, (), "1", "L").after(a, b)
    value = a * stored + b
    assert found.first <= value <= found.last
    assert found.slope is not None and found.intercept is not None
    assert np.isclose(found.slope * value + found.intercept, slope * stored + intercept)
