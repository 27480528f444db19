"""Rows of vertices into shapes: identity kept, order kept, nothing guessed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.mapped_points import (
    CIRCLE,
    ELLIPSE,
    LINE,
    PATH_ACROSS,
    POLYGON,
    Scan,
    every_shape,
    mapped,
    point,
    shape,
    truth_mm,
    truth_source,
)

from sidecar.errors import LabelError
from sidecar.labels.mapped_shapes import VERTICES, drawn, require_patient, shapes_of


def refusal(rows: list[dict[str, object]], without: tuple[str, ...] = ()) -> str:
    points = mapped(rows)
    columns = {name: cells for name, cells in points.columns.items() if name not in without}
    with pytest.raises(LabelError) as caught:
        shapes_of(columns, len(points))
    return str(caught.value)


@given(st.lists(st.tuples(st.sampled_from(sorted(VERTICES)), st.integers(0, 3)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_sequence_of_shapes_comes_apart_again(kinds: list[tuple[str, int]]) -> None:
    """Also when neighbours share type, id and label, as shapes 1 of two images do."""
    expected, columns = [], {"shape_type": [], "shape_id": [], "vertex": [], "label": []}
    for type_, id_ in kinds:
        count = int(VERTICES[type_][0]) + (id_ if VERTICES[type_][1] == np.inf else 0)
        first = len(columns["vertex"])
        expected.append((type_, str(id_), tuple(range(first, first + count))))
        for vertex in range(count):
            for name, text in (
                ("shape_type", type_),
                ("shape_id", id_),
                ("vertex", vertex),
                ("label", "a"),
            ):
                columns[name].append(str(text))
    assert [(s.type, s.id, s.rows) for s in shapes_of(columns, len(columns["vertex"]))] == expected


def test_without_shape_type_every_row_is_a_point() -> None:
    shapes = shapes_of({"label": ["a", "b"], "shape_id": ["1", "1"]}, 2)
    assert [(s.type, s.label, s.rows, s.where) for s in shapes] == [
        ("point", "a", (0,), "label 1"),
        ("point", "b", (1,), "label 2"),
    ]


def test_a_path_across_slices_stays_one_shape() -> None:
    (one,) = drawn([mapped(shape("polyline", PATH_ACROSS))])
    np.testing.assert_allclose(one.outline().patient, truth_mm(PATH_ACROSS), atol=1e-9)


def test_without_vertex_rows_of_one_id_on_one_image_are_one_shape() -> None:
    rows = [
        *shape("polygon", POLYGON, id_="7", image="a.png"),
        *shape("line", LINE, id_="8", image="b.png"),
    ]
    points = mapped(rows)
    del points.columns["vertex"]
    assert [s.rows for s in shapes_of(points.columns, len(points))] == [(0, 1, 2, 3), (4, 5)]


def test_without_vertex_nothing_is_guessed() -> None:
    two_images = [
        *shape("polygon", POLYGON, image="a.png"),
        *shape("polygon", POLYGON, image="b.png"),
    ]
    assert "label 5" in refusal(
        two_images, without=("vertex",)
    ) and "add a column vertex" in refusal(two_images, without=("vertex",))
    assert "needs a column shape_id" in refusal(shape("line", LINE, id_=""), without=("vertex",))
    torn = [*shape("polygon", POLYGON), *shape("line", LINE, id_="2"), *shape("polygon", POLYGON)]
    assert "label 7" in refusal(torn, without=("vertex",))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            shape("polygon", POLYGON[:2]),
            "labels 1 to 2: a polygon needs at least 3 vertices, not 2",
        ),
        (shape("box", POLYGON[:3]), "a box needs 4 vertices, not 3"),
        (
            [{**row, "vertex": str(i + 1)} for i, row in enumerate(shape("line", LINE))],
            "label 1: vertex 1 is out of turn",
        ),
        (
            [{**row, "vertex": str(2 * i)} for i, row in enumerate(shape("line", LINE))],
            "label 2: vertex 2 is out of turn",
        ),
        (
            [{**row, "vertex": "two"} for row in shape("line", LINE)],
            "vertex 'two' is not a whole number",
        ),
        ([{**row, "vertex": "²"} for row in shape("line", LINE)], "is not a whole number"),
        (
            [point((1, 1, 0), shape_type="blob")],
            "label 1: shape type 'blob' is none of point, line",
        ),
    ],
    ids=range(7),
)
def test_what_makes_no_shape_is_refused(rows: list[dict[str, object]], says: str) -> None:
    assert says in refusal(rows)


def test_a_second_file_is_named() -> None:
    with pytest.raises(LabelError, match=r"^file 2, labels 1 to 2: a polygon"):
        drawn([mapped(shape("polygon", POLYGON)), mapped(shape("polygon", POLYGON[:2]))])


@pytest.mark.parametrize(("type_", "vertices"), [("circle", CIRCLE), ("ellipse", ELLIPSE)])
def test_round_outlines_lie_on_the_curve_that_was_drawn(
    type_: str, vertices: list[tuple[float, float, float]]
) -> None:
    """In PNG pixels, where it was a circle; in millimetres pixels are oblong, and the truth is the
    mapped curve.
    """
    (one,) = drawn([mapped(shape(type_, vertices))])
    outline = one.outline()
    centre, *ends = np.array(vertices)[:, :2]
    u = ends[0] - centre
    v = ends[1] - centre if type_ == "ellipse" else np.array([-u[1], u[0]])
    png = (outline.source[:, :2] - 0.5) / 2
    along = np.linalg.solve(np.column_stack([u, v]), (png - centre).T)
    np.testing.assert_allclose((along**2).sum(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(
        outline.patient,
        truth_mm(np.column_stack([png, np.full(len(png), vertices[0][2])])),
        atol=1e-9,
    )
    assert len(outline.patient) == 64


def test_straight_outlines_are_the_vertices_themselves() -> None:
    for one in drawn([mapped(every_shape())]):
        if one.shape.type not in ("circle", "ellipse"):
            np.testing.assert_allclose(one.outline().source, truth_source(one.png), atol=1e-12)


def test_a_circle_on_two_slices_is_refused() -> None:
    (one,) = drawn([mapped(shape("circle", [(5, 5, 1), (6, 5, 2)]))])
    with pytest.raises(LabelError, match="more than one slice"):
        one.outline()


def test_a_scan_without_patient_geometry_is_told_the_way_out() -> None:
    with pytest.raises(
        LabelError, match="no patient geometry, which TPS needs: write csv, json or imagej"
    ):
        require_patient([mapped([point((1, 1, 0))], Scan(geometry=False))], "TPS")
