"""Rows of a table into shapes: identity kept, order kept, nothing guessed, every fault by file and
row.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.mapped_points import LINE, POLYGON, columns_of, point, row_of, shape

from sidecar.errors import LabelError
from sidecar.labels.grouping import group
from sidecar.labels.tables.columns import PIECE, Made
from sidecar.labels.vertices import TYPES, VERTICES, Shapes, refuse_incomplete


def grouped(columns: dict[str, list[str]]) -> Shapes:
    count = len(next(iter(columns.values()), []))
    return group(Made.of(columns, count), count, Path("labels.csv"), row_of)


def runs(shapes: Shapes) -> list[tuple[str, range]]:
    """Type and rows of each shape."""
    return [(TYPES[code], shapes.rows(k)) for k, code in enumerate(shapes.type.tolist())]


def refusal(rows: list[dict[str, object]], without: tuple[str, ...] = ()) -> str:
    columns = {name: list(cells) for name, cells in columns_of(rows).items() if name not in without}
    with pytest.raises(LabelError) as caught:
        refuse_incomplete(grouped(columns), Path("labels.csv"))
    return str(caught.value)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(VERTICES)), st.integers(0, 3)), max_size=12),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_any_sequence_of_shapes_comes_apart_again(
    kinds: list[tuple[str, int]], upper: bool
) -> None:
    """Also when neighbours share type, id and label, as shapes 1 of two images do."""
    expected = []
    columns: dict[str, list[str]] = {"shape_type": [], "shape_id": [], "vertex": [], "label": []}
    for type_, id_ in kinds:
        count = int(VERTICES[type_][0]) + (id_ if VERTICES[type_][1] == np.inf else 0)
        first = len(columns["vertex"])
        expected.append((type_, str(id_), range(first, first + count)))
        for vertex in range(count):
            columns["shape_type"].append(type_.upper() if upper else type_)
            columns["shape_id"].append(str(id_))
            columns["vertex"].append(str(vertex))
            columns["label"].append("a")
    shapes = grouped(columns)
    ids = shapes.texts["shape_id"]
    found = [
        (TYPES[code], ids[shapes.first[k]], shapes.rows(k))
        for k, code in enumerate(shapes.type.tolist())
    ]
    assert found == expected
    assert [str(vertex) for vertex in shapes.vertex] == columns["vertex"]


def test_without_shape_type_every_row_is_a_point() -> None:
    shapes = grouped({"label": ["a", "b"], "shape_id": ["1", "1"]})
    assert shapes.kinds == ("point",) and shapes.type_of_label == ["point", "point"]
    assert [shapes.rows(k) for k in range(len(shapes))] == [range(1), range(1, 2)]
    assert [shapes.where(k) for k in range(len(shapes))] == ["row 2", "row 3"]
    assert list(shapes.texts["label"]) == ["a", "b"]
    assert list(shapes.texts["specimen"]) == ["", ""]


def test_no_rows_are_no_shapes() -> None:
    for cells in ({"label": []}, {"shape_type": [], "vertex": []}):
        shapes = grouped(cells)
        assert (len(shapes), shapes.kinds, shapes.type_of_label) == (0, (), [])


def test_without_vertex_rows_of_one_id_on_one_image_are_one_shape() -> None:
    rows = [
        *shape("polygon", POLYGON, id_="7", image="a.png"),
        *shape("line", LINE, id_="8", image="b.png"),
    ]
    columns = {name: list(cells) for name, cells in columns_of(rows).items() if name != "vertex"}
    assert runs(grouped(columns)) == [("polygon", range(4)), ("line", range(4, 6))]


@pytest.mark.parametrize("numbered", [True, False])
def test_long_tables_come_apart_as_short_ones(numbered: bool) -> None:
    """Rows are taken a few thousand at a time; shapes run across the seams, also one of all rows."""
    count = 3 * PIECE + 5
    columns = {"shape_type": ["polyline"] * count, "shape_id": ["1"] * count}
    numbers = {"vertex": [str(n) for n in range(count)]} if numbered else {}
    assert runs(grouped(columns | numbers)) == [("polyline", range(count))]
    ids = {"shape_id": [str(n // 5) for n in range(count)]}
    numbers = {"vertex": [str(n % 5) for n in range(count)]} if numbered else {}
    expected = [("polyline", range(n, n + 5)) for n in range(0, count - 2, 5)]
    expected += [("polyline", range(count - count % 5, count))] * (count % 5 != 0)
    assert runs(grouped(columns | ids | numbers)) == expected
    torn = ids["shape_id"].copy()
    torn[2 * PIECE + 8] = "0"
    with pytest.raises(LabelError, match=rf"^labels\.csv, row {2 * PIECE + 10}: "):
        grouped(columns | {"shape_id": torn} | numbers)


def test_without_vertex_nothing_is_guessed() -> None:
    two_images = [
        *shape("polygon", POLYGON, image="a.png"),
        *shape("polygon", POLYGON, image="b.png"),
    ]
    told = refusal(two_images, without=("vertex",))
    assert "labels.csv, row 6" in told and "add a column vertex" in told
    assert "needs a column shape_id" in refusal(shape("line", LINE, id_=""), without=("vertex",))
    torn = [*shape("polygon", POLYGON), *shape("line", LINE, id_="2"), *shape("polygon", POLYGON)]
    assert "labels.csv, row 8: a polygon needs a column shape_id" in refusal(
        torn, without=("vertex",)
    )


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            shape("polygon", POLYGON[:2]),
            "labels.csv, row 2 to row 3: a polygon needs at least 3 vertices, not 2",
        ),
        (shape("box", POLYGON[:3]), "a box needs 4 vertices, not 3"),
        (
            [{**row, "vertex": str(i + 1)} for i, row in enumerate(shape("line", LINE))],
            "labels.csv, row 2: vertex 1 is out of order",
        ),
        (
            [{**row, "vertex": str(2 * i)} for i, row in enumerate(shape("line", LINE))],
            "labels.csv, row 3: vertex 2 is out of order",
        ),
        (
            [{**row, "vertex": "two"} for row in shape("line", LINE)],
            "vertex 'two' is not a whole number",
        ),
        ([{**row, "vertex": "²"} for row in shape("line", LINE)], "is not a whole number"),
        (
            [point((1, 1, 0), shape_type="blob")],
            "labels.csv, row 2: shape type 'blob' is not known; the types are point, line",
        ),
    ],
    ids=range(7),
)
def test_what_makes_no_shape_is_refused(rows: list[dict[str, object]], says: str) -> None:
    assert says in refusal(rows)
