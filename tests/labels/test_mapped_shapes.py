"""Shapes on the scan: their outlines, and how their faults are told."""

from __future__ import annotations

import numpy as np
import pytest
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
from sidecar.labels.mapped_shapes import require_patient, shapes_of


def test_a_path_across_slices_stays_one_shape() -> None:
    (one,) = shapes_of([mapped(shape("polyline", PATH_ACROSS))])
    np.testing.assert_allclose(one.outline().patient, truth_mm(PATH_ACROSS), atol=1e-9)


def test_a_fault_names_the_file_and_the_rows() -> None:
    parts = [mapped(shape("line", LINE)), mapped(shape("polygon", POLYGON), file="more.csv")]
    told = [str(one.error("no")) for one in shapes_of(parts)]
    assert told == ["labels.csv, row 2 to row 3: no", "more.csv, row 2 to row 5: no"]


@pytest.mark.parametrize(("type_", "vertices"), [("circle", CIRCLE), ("ellipse", ELLIPSE)])
def test_round_outlines_lie_on_the_curve_that_was_drawn(
    type_: str, vertices: list[tuple[float, float, float]]
) -> None:
    """In PNG pixels, where it was a circle; in millimetres pixels are oblong, and the truth is the
    mapped curve.
    """
    (one,) = shapes_of([mapped(shape(type_, vertices))])
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
    for one in shapes_of([mapped(every_shape())]):
        if one.type not in ("circle", "ellipse"):
            np.testing.assert_allclose(one.outline().source, truth_source(one.png), atol=1e-12)


def test_a_circle_on_two_slices_is_refused() -> None:
    (one,) = shapes_of([mapped(shape("circle", [(5, 5, 1), (6, 5, 2)]))])
    with pytest.raises(LabelError, match="more than one slice"):
        one.outline()


def test_a_scan_without_patient_geometry_is_told_the_way_out() -> None:
    with pytest.raises(
        LabelError, match="no patient geometry, which TPS needs; write csv, json or imagej"
    ):
        require_patient([mapped([point((1, 1, 0))], Scan(geometry=False))], "TPS")
