"""Areas at the edge of their image."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.labels.readers.edges import Edges, last_digit
from sidecar.labels.shapes import Shape, box


@pytest.mark.parametrize(
    ("written", "digit"),
    [
        (["1", "203"], 1),
        (["0.5", "0.25"], 0.01),
        ([10, 10.5], 0.1),
        (["1e-3"], 0.001),
        (["2.5e2"], 1),
        ([], 1),
    ],
)
def test_the_last_digit(written: list[object], digit: float) -> None:
    assert last_digit(written) == pytest.approx(digit)


@pytest.mark.slow
@given(
    left=st.floats(0, 200),
    right=st.floats(0, 200),
    decimals=st.integers(0, 4),
)
def test_rounding_of_corner_and_size_never_leaves_the_image(
    left: float, right: float, decimals: int
) -> None:
    """A box inside of the image, written as corner and size with so many decimals."""
    left, right = sorted((left, right))
    x, width = round(left, decimals), round(right - left, decimals)
    cut = Edges(None).cut(box(x, 0, x + width, 9), (200, 9), last_digit([f"{x:.{decimals}f}"]))
    assert all(0 <= x <= 200 and 0 <= y <= 9 for x, y in cut)


def test_what_reaches_further_is_left_and_what_is_cut_is_counted() -> None:
    edges = Edges(None)
    inside = box(0, 0, 200, 9)
    assert edges.cut(inside, (200, 9), 0) == inside
    assert edges.notes == ()
    far = box(-0.51, 0, 10, 9)
    assert edges.cut(far, (200, 9), 0.1) == far
    assert edges.notes == ()
    assert edges.cut(box(-0.25, 0, 200.4, 9), (200, 9), 0) == inside
    assert edges.cut(box(0, 0, 201, 9), (200, 9), 1) == inside
    assert list(edges.notes) == [
        "2 areas reached beyond the edge of the image, by 1 px at most; the part outside was cut off"
    ]
    assert edges.cut([], (200, 9), 1) == []


def test_the_edge_is_where_the_pixel_origin_has_it() -> None:
    """Of center coordinates the first pixel begins at -0.5."""
    whole = box(-0.5, -0.5, 199.5, 8.5)
    over = box(-0.6, -0.5, 199.5, 8.6)
    assert Edges(None).cut(over, (200, 9), 0, "center") == whole
    assert Edges("center").cut(over, (200, 9), 0, "corner") == whole
    assert Edges("center").cut(whole, (200, 9), 1) == whole


def test_only_areas_are_cut() -> None:
    for type_, is_cut in (("box", True), ("polygon", True), ("line", False), ("circle", False)):
        shape = Shape(type_, [(1.0, 1.0), (200.004, 5.0)], "corner", "shape 1")
        assert (Edges(None).cut_shape(shape, (200, 9)).xy[1] == (200.0, 5.0)) is is_cut
