"""What map-points wrote, read back; and every fault of such a file by file and row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.mapped_points import (
    EAR,
    LANDMARKS,
    NOSE,
    PATH,
    POLYGON,
    Scan,
    every_shape,
    mapped,
    point,
    shape,
    truth_mm,
    write_to,
)

from sidecar.errors import LabelError
from sidecar.labels.mapped_file import read_points
from sidecar.labels.writers import csv_points
from sidecar.morphometrics.measure import area, distance, path_length

HEAD = "label,x_mm,y_mm,z_mm,uncertainty_mm,space\n"


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapped.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("space", ["lps", "ras"])
def test_lps_comes_back_from_either_space(tmp_path: Path, space: str) -> None:
    points = read_points(
        write_to(tmp_path / "mapped.csv", csv_points.WRITER, mapped(LANDMARKS), space)
    )
    assert points.names == ("nose", "left ear", "tail")
    np.testing.assert_allclose(points.mm, mapped(LANDMARKS).patient, atol=0.5e-6)
    np.testing.assert_allclose(points.uncertainty_mm, mapped(LANDMARKS).uncertainty_mm, atol=0.5e-6)
    places, uncertainty = points.select("left ear", "nose")
    np.testing.assert_allclose(places, truth_mm([EAR, NOSE]), atol=1e-6)
    assert distance(places, uncertainty).value == pytest.approx(
        float(np.linalg.norm(truth_mm(EAR) - truth_mm(NOSE)))
    )
    assert list(points.positions()) == ["nose", "left ear", "tail"]


def test_rows_of_both_spaces_in_one_table(tmp_path: Path) -> None:
    points = read_points(table(tmp_path, HEAD + "a,1,2,3,0.1,LPS\nb,1,2,3,0.1,ras\n"))
    np.testing.assert_array_equal(points.mm, [[1, 2, 3], [-1, -2, 3]])


def test_shapes_of_the_table_can_be_measured(tmp_path: Path) -> None:
    points = read_points(
        write_to(tmp_path / "mapped.csv", csv_points.WRITER, mapped(every_shape()))
    )
    shapes = points.shapes()
    by_name = {points.names[rows[0]]: list(rows) for rows in map(shapes.rows, range(len(shapes)))}
    nerve, bone = by_name["nerve"], by_name["bone"]
    expected = np.linalg.norm(np.diff(truth_mm(PATH), axis=0), axis=1).sum()
    assert path_length(points.mm[nerve], points.uncertainty_mm[nerve]).value == pytest.approx(
        float(expected)
    )
    x, y = np.array(POLYGON)[:, :2].T  # on PNG pixels of 1 × 1.4 mm
    assert area(points.mm[bone], points.uncertainty_mm[bone]).value == pytest.approx(
        1.4 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    )


def test_an_empty_table_is_no_points(tmp_path: Path) -> None:
    points = read_points(table(tmp_path, HEAD))
    assert (points.names, points.mm.shape, len(points.shapes())) == ((), (0, 3), 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "label,x_mm,y_mm,z_mm,uncertainty_mm\na,1,2,3,0.1\n",
            "mapped.csv, row 1: has no column space; give the CSV",
        ),
        ("x_mm,y_mm,z_mm,uncertainty_mm,space\n1,2,3,0.1,LPS\n", "row 1: has no column label"),
        ("label,x_mm,y_mm,uncertainty_mm,space\na,1,2,0.1,LPS\n", "row 1: has no column z_mm"),
        ("label,x_mm,y_mm,z_mm,space\na,1,2,3,LPS\n", "row 1: has no column uncertainty_mm"),
        (
            HEAD + "a,1,2,3,0.1,LPS\nb,1,two,3,0.1,LPS\n",
            "mapped.csv, row 3: .*'two' is not a number",
        ),
        (HEAD + "a,1,nan,3,0.1,LPS\n", "row 2: .*nan"),
        (HEAD + "a,1,2,3,-0.1,LPS\n", "row 2: uncertainty_mm is negative"),
        (
            HEAD + "a,1,2,3,0.1,lps\nb,1,2,3,0.1,\n",
            "row 3: space is ''; it must be LPS, RAS or given",
        ),
        (HEAD + "a,1,2,3,0.1,LPI\n", "row 2: space is 'LPI'"),
        (
            HEAD + "a,1,2,3,0.1,LPS\nb,1,2,3,0.1,RAS\nc,1,2,3,0.1,Given\n",
            "row 4: space is Given, but LPS in the rows above",
        ),
        (HEAD + "a,1,2,3\n", "row 2: has 4 cells, but the header has 6"),
    ],
    ids=[
        "no space",
        "no label",
        "no z",
        "no uncertainty",
        "no number",
        "nan",
        "negative",
        "empty space",
        "other space",
        "spaces of two kinds",
        "short row",
    ],
)
def test_faults_are_named_by_file_and_row(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(LabelError, match=says) as caught:
        read_points(table(tmp_path, text))
    assert str(tmp_path) not in str(caught.value)


def test_a_scan_without_geometry_has_nothing_to_measure(tmp_path: Path) -> None:
    path = write_to(
        tmp_path / "mapped.csv", csv_points.WRITER, mapped(LANDMARKS, Scan(geometry=False))
    )
    with pytest.raises(
        LabelError, match=r"mapped\.csv, row 2: x_mm is empty. A scan without patient geometry"
    ):
        read_points(path)


def test_names_must_be_there_and_be_one(tmp_path: Path) -> None:
    rows = [*LANDMARKS, point(NOSE, "nose"), *shape("line", [NOSE, EAR], "crack")]
    points = read_points(write_to(tmp_path / "mapped.csv", csv_points.WRITER, mapped(rows)))
    with pytest.raises(
        LabelError, match=r"has no point 'chin'; it has 'nose', 'left ear', 'tail', 'crack'"
    ):
        points.select("chin")
    with pytest.raises(
        LabelError, match=r"has 2 points named 'nose' .row 2, row 5.; give each its own name"
    ):
        points.select("tail", "nose")
    with pytest.raises(LabelError, match="named 'nose'"):
        points.positions()


def test_faults_of_shapes_name_file_and_row(tmp_path: Path) -> None:
    head = "shape_type," + HEAD
    points = read_points(table(tmp_path, head + "point,a,1,2,3,0.1,LPS\nblob,b,1,2,3,0.1,LPS\n"))
    with pytest.raises(LabelError, match=r"^mapped\.csv, row 3: shape type 'blob'"):
        points.shapes()
