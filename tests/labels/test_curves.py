"""Semilandmarks: equidistant points on curves of known form, against where they are on it; and what
the files of geomorph and of 3D Slicer say of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.command_line import invoked
from kit.made_exports import Export
from kit.phantoms import Spec, write
from kit.tables import rows

import sidecar
from sidecar.errors import GeometryError, LabelError, UsageError
from sidecar.labels.arc_length import equidistant
from sidecar.mapping import Sidecar

Floats = Any


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> Sidecar:
    """A half-size export of a tilted, oblique stack with uneven gaps."""
    folder = tmp_path_factory.mktemp("curves")
    write(
        Spec(
            columns=120, rows=110, slices=14, orientation="oblique", tilt_degrees=9.0,
            pixel_spacing=(0.5, 0.5),
            slice_gaps=tuple(2.0 + 0.7 * (k % 3) for k in range(13)), markers=False, junk=False,
        ),
        folder / "scan",
    )  # fmt: skip
    return sidecar.export(folder / "scan", folder / "png", scale=0.5)


def in_patient(png: Sidecar, local: Floats) -> Floats:
    """mm about the middle of the stack, along its axes as the patient has them."""
    columns, rows_, slices = png.size
    (middle,) = png.to_patient([((columns - 1) / 2, (rows_ - 1) / 2)], (slices - 1) / 2)
    assert png.stack is not None
    across = png.stack.axes[0][:, 0] / np.linalg.norm(png.stack.axes[0][:, 0])
    normal = png.stack.normal
    return middle + local @ np.array([across, np.cross(normal, across), normal])


def helix(turn: Floats, radius: float = 15.0, rise: float = 1.5) -> Floats:
    return np.column_stack([radius * np.cos(turn), radius * np.sin(turn), rise * turn - 9.0])


def written(png: Sidecar, path: Path, **curves: tuple[str, Floats]) -> Path:
    """A label file of curves: name → type, (N, 3) mm."""
    lines = ["label,shape_type,shape_id,vertex,x,y,slice,reader,curve_points"]
    for name, (kind, patient) in curves.items():
        xy, slices = png.from_patient(patient)
        for vertex, ((x, y), k) in enumerate(zip(xy.tolist(), slices.tolist(), strict=True)):
            lines.append(f"{name},{kind},{name},{vertex},{x!r},{y!r},{k!r},me,")
    path.write_text("\n".join(lines) + "\n")
    return path


def along(patient: Floats) -> Floats:
    """The length of the way to each point."""
    steps = np.linalg.norm(np.diff(patient, axis=0), axis=1)
    return np.concatenate([[0], np.cumsum(steps)])


def test_points_of_a_helix_across_slices(png: Sidecar, tmp_path: Path) -> None:
    """Its length is even in its turn, and so are its equidistant points."""
    turn = np.linspace(0, 4 * np.pi, 2001)
    labels = written(png, tmp_path / "h.csv", helix=("polyline", in_patient(png, helix(turn))))
    points = sidecar.map_points(labels, png, curve_points=9)
    truth = in_patient(png, helix(np.linspace(0, 4 * np.pi, 9)))
    assert np.abs(points.patient - truth).max() < 2e-3
    assert np.abs(points.patient[[0, -1]] - truth[[0, -1]]).max() < 1e-6, "the ends are kept"
    slices = points.source[:, 2]
    assert len(set(slices.round(3))) == 9 and np.ptp(slices) > 5
    again = png.to_patient(points.png[:, :2], points.png[:, 2])
    assert np.abs(again - points.patient).max() < 1e-6, "pixel and millimetres are one place"
    assert points["vertex"].tolist() == [str(n) for n in range(9)]
    assert set(points["label"]) == {"helix"} and set(points["reader"]) == {"me"}
    assert set(points["shape_type"]) == {"polyline"}
    assert points["sop_instance_uid"][0] == png.instances(points.source[:1]).sop_instance_uid[0]


def test_points_of_a_circle_come_once_around(png: Sidecar, tmp_path: Path) -> None:
    flat = np.linspace(0, 2 * np.pi, 1500, endpoint=False)
    tilt = np.array([[1, 0, 0.3], [0, 1, 0], [-0.3, 0, 1]])
    axes = np.linalg.qr(tilt.T)[0].T  # a circle in a plane across many slices

    def around(turn: Floats) -> Floats:
        ring = 18 * np.column_stack([np.cos(turn), np.sin(turn), np.zeros(len(turn))])
        return in_patient(png, ring @ axes)

    labels = written(png, tmp_path / "c.csv", orbit=("polygon", around(flat)))
    points = sidecar.map_points(labels, png, curve_points=12)
    truth = around(np.arange(12) * np.pi / 6)
    assert len(points) == 12 and np.abs(points.patient - truth).max() < 2e-3
    assert set(points["shape_type"]) == {"polygon"}
    assert np.ptp(points.source[:, 2]) > 2


def test_the_labels_say_how_many_and_the_option_overrules(png: Sidecar, tmp_path: Path) -> None:
    """Rows of landmarks stay what they are."""
    turn = np.linspace(0, 2, 7)
    labels = written(png, tmp_path / "l.csv", jaw=("polyline", in_patient(png, helix(turn))))
    text = labels.read_text().replace(",me,\n", ",me,5\n")
    labels.write_text(text + "tip,point,,0,30,20,3,me,\ntail,,,,31.5,20,3.25,you,\n")
    names = ["jaw"] * 5 + ["tip", "tail"]
    plain = sidecar.map_points(labels, png)
    assert plain.names == names
    assert plain["curve_points"].tolist() == [""] * 7, "the points ask for no others"
    mapped = tmp_path / "mapped.csv"
    plain.write(mapped)
    again = sidecar.map_points(mapped, png)
    assert again.names == names and np.abs(again.patient - plain.patient).max() < 1e-5
    assert plain["x"][-2:].tolist() == [30, 31.5] and plain["reader"][-1] == "you"
    assert "1 curve with 5 points each" in " ".join(plain.notes)
    assert len(sidecar.map_points(labels, png, curve_points=3)) == 3 + 2
    drawn = sidecar.map_points(labels, png, curve_points=0)
    assert len(drawn) == 7 + 2 and not any("curve" in note for note in drawn.notes)
    told = invoked("map-points", labels, "--sidecar", str(png.folder.local))  # type: ignore[union-attr]
    assert [row["label"] for row in rows(told.stdout)] == names
    for wrong, says in (("1", "from 2"), ("-3", "from 2"), ("many", "from 2"), ("99999", "10000")):
        labels.write_text(text.replace(",me,5\n", f",me,{wrong}\n"))
        with pytest.raises(LabelError, match=f"row 2: curve points are '{wrong}'.*{says}"):
            sidecar.map_points(labels, png)
    with pytest.raises(UsageError, match="curve_points=1"):
        sidecar.map_points(labels, png, curve_points=1)


def test_semilandmarks_stay_where_they_are_on_another_export(png: Sidecar, tmp_path: Path) -> None:
    """They are not made equidistant once more, which would cut the corner of an L."""
    corner = np.array([[5.0, 5, 2], [25, 5, 2], [25, 15, 2]])
    places = png.to_patient(corner[:, :2], corner[:, 2])
    labels = written(png, tmp_path / "l.csv", jaw=("polyline", places))
    labels.write_text(labels.read_text().replace(",me,\n", ",me,4\n"))
    first = sidecar.map_points(labels, png)
    first.write(tmp_path / "mapped.csv")
    table = rows((tmp_path / "mapped.csv").read_text())
    assert all(len(row[axis].partition(".")[2]) <= 6 for row in table for axis in "xy")
    invoked("project", tmp_path / "mapped.csv", "--sidecar", png.folder, "-o", tmp_path / "l2.csv")
    again = sidecar.map_points(tmp_path / "l2.csv", png)
    assert len(again) == 4 and again["vertex"].tolist() == first["vertex"].tolist()
    np.testing.assert_allclose(again.patient, first.patient, atol=1e-5)


def test_uncertainty_follows_from_the_neighbours(png: Sidecar, tmp_path: Path) -> None:
    turn = np.linspace(0, 4 * np.pi, 30)
    labels = written(png, tmp_path / "u.csv", helix=("polyline", in_patient(png, helix(turn))))
    drawn = sidecar.map_points(labels, png, curve_points=0)
    made = sidecar.map_points(labels, png, curve_points=17)
    ends, ways = along(drawn.patient), np.linspace(0, along(drawn.patient)[-1], 17)
    expected = np.interp(ways, ends, drawn.uncertainty_mm)
    assert made.uncertainty_mm == pytest.approx(expected, rel=1e-9)
    assert np.ptp(drawn.uncertainty_mm) > 0.1, "gaps are uneven, and so is what they hide"


def test_a_curve_without_length_and_a_scan_without_millimetres(
    png: Sidecar, tmp_path: Path
) -> None:
    labels = tmp_path / "l.csv"
    head = "label,shape_type,shape_id,vertex,x,y,slice\n"
    labels.write_text(head + "a,polyline,1,0,5,5,2\na,polyline,1,1,5,5,2\n")
    with pytest.raises(LabelError, match="row 2: all its vertices lie in one place"):
        sidecar.map_points(labels, png, curve_points=4)
    bare = Export(geometry=False).sidecar()
    labels.write_text(head + "a,line,1,0,5,5,2\na,line,1,1,6,5,2\n")
    with pytest.raises(LabelError, match="no millimetres"):
        sidecar.map_points(labels, bare, curve_points=4)


def as_geomorph_reads(text: str) -> tuple[list[str], Floats]:
    """specimens and (n, p, 3) as `readland.tps(readcurves = TRUE)` of geomorph goes about it: all
    lines with "=" are taken out, and what is left is cut into specimens of LM3 + POINTS rows.
    """
    lines = [line for line in text.splitlines() if "COMMENT=" not in line]
    counts = [int(line.removeprefix("LM3=")) for line in lines if line.startswith("LM3=")]
    curves = [int(line.removeprefix("CURVES=")) for line in lines if line.startswith("CURVES=")]
    of_curve = [int(line.removeprefix("POINTS=")) for line in lines if line.startswith("POINTS=")]
    assert len(set(counts)) == 1 and len(set(curves)) == 1 and len(curves) == len(counts)
    p = counts[0] + sum(of_curve[: curves[0]])
    numbers = [[float(n) for n in line.split()] for line in lines if "=" not in line]
    names = [line.removeprefix("ID=") for line in lines if line.startswith("ID=")]
    return names, np.array(numbers).reshape(len(counts), p, 3)


def test_tps_holds_landmarks_then_curves(png: Sidecar, tmp_path: Path) -> None:
    jaw = in_patient(png, helix(np.linspace(0, 3, 40)))
    orbit = in_patient(png, helix(np.linspace(2, 4, 25)))
    labels = written(png, tmp_path / "t.csv", jaw=("polyline", jaw), orbit=("polygon", orbit))
    labels.write_text(labels.read_text() + "tip,point,,,30,20,3,me,\ntail,point,,,31,20,3,me,\n")
    points = sidecar.map_points(labels, png, curve_points=6)
    assert points.write(tmp_path / "s.tps") == ()
    text = (tmp_path / "s.tps").read_text()
    names, array = as_geomorph_reads(text)
    assert names == ["png"] and array.shape == (1, 2 + 6 + 6, 3)
    order = [12, 13, *range(12)]  # landmarks first
    assert np.abs(array[0] - points.patient[order]).max() < 1e-8
    assert "landmarks in order: tip, tail; curves in order: jaw (open), orbit (closed)" in text
    only = written(png, tmp_path / "o.csv", jaw=("polyline", jaw))
    (note,) = sidecar.map_points(only, png, curve_points=6).write(tmp_path / "o.tps")
    assert "readland.tps refuses" in note
    others = r"csv, json, slicer \(\.mrk\.json\), tps, imagej, dicom-sr or dicom-rtstruct"
    with pytest.raises(LabelError, match=f"MorphoJ cannot hold a polyline; .*or write {others}$"):
        points.write(tmp_path / "s.txt", to="morphoj")


def test_curves_of_specimens_need_the_same_number(png: Sidecar, tmp_path: Path) -> None:
    jaw = in_patient(png, helix(np.linspace(0, 3, 10)))
    labels = written(png, tmp_path / "a.csv", jaw=("polyline", jaw))
    lines = labels.read_text().splitlines()
    one = [f"{line},a" for line in lines[1:]]
    two = [f"{line},b" for line in lines[1:-1]]
    text = "\n".join([f"{lines[0]},specimen", *one, *two]) + "\ntip,point,,,30,20,3,me,,a\n"
    labels.write_text(text)
    with pytest.raises(LabelError, match=r"is open with 9 points here, but open with 10 points"):
        sidecar.map_points(labels, png).write(tmp_path / "a.tps")
    sidecar.map_points(labels, png, curve_points=4).write(tmp_path / "a.tps")
    names, array = as_geomorph_reads((tmp_path / "a.tps").read_text().replace("NA", "nan"))
    assert names == ["a", "b"] and array.shape == (2, 5, 3)
    assert np.isnan(array[1, 0]).all() and not np.isnan(array[:, 1:]).any()


def test_slicer_gets_curves_with_the_points_on_them(png: Sidecar, tmp_path: Path) -> None:
    jaw = in_patient(png, helix(np.linspace(0, 3, 40)))
    orbit = in_patient(png, helix(np.linspace(2, 4, 25)))
    labels = written(png, tmp_path / "m.csv", jaw=("polyline", jaw), orbit=("polygon", orbit))
    points = sidecar.map_points(labels, png, curve_points=7)
    points.write(tmp_path / "m.mrk.json")
    curves = json.loads((tmp_path / "m.mrk.json").read_text())["markups"]
    assert [(one["type"], one["name"]) for one in curves] == [
        ("Curve", "jaw"), ("ClosedCurve", "orbit"),
    ]  # fmt: skip
    placed = [point["position"] for one in curves for point in one["controlPoints"]]
    assert np.abs(np.array(placed) - points.patient).max() < 1e-9
    assert [len(one["controlPoints"]) for one in curves] == [7, 7]
    back = sidecar.project(tmp_path / "m.mrk.json", png)
    assert np.abs(back.png - points.png).max() < 1e-6


def test_lines_and_polygons_of_other_tools(png: Sidecar, tmp_path: Path) -> None:
    assert png.folder is not None and png.folder.local is not None
    name = png.document.images.files[6].name
    corners = [[10.5, 10.5], [30.5, 10.5], [30.5, 20.5], [10.5, 20.5]]
    shapes = [
        {"label": "box", "shape_type": "polygon", "points": corners, "flags": {}},
        {"label": "edge", "shape_type": "linestrip", "points": corners[:3], "flags": {}},
    ]
    columns, rows_, _ = png.size
    document = {"version": "5.0.1", "flags": {}, "shapes": shapes, "imagePath": name,
                "imageData": None, "imageHeight": rows_, "imageWidth": columns}  # fmt: skip
    labels = tmp_path / f"{name.removesuffix('.png')}.json"
    labels.write_text(json.dumps(document))
    points = sidecar.map_points(labels, png, curve_points=6)
    kinds = list(zip(points["label"], points["shape_type"], points["vertex"], strict=True))
    assert kinds == [("box", "polygon", str(n)) for n in range(6)] + [
        ("edge", "polyline", str(n)) for n in range(6)
    ]
    # The voxel is square: ten of sixty pixels around, and six of thirty along, from the middle
    assert points.png[:6, :2] == pytest.approx(
        np.array([[10, 10], [20, 10], [30, 10], [30, 20], [20, 20], [10, 20]])
    )
    assert points.png[6:, :2] == pytest.approx(
        np.array([[10, 10], [16, 10], [22, 10], [28, 10], [30, 14], [30, 20]])
    )
    carried = [float(x) for x in points.files[0].points.columns["x"]]
    assert carried == pytest.approx(points.png[:, 0] + 0.5), "as LabelMe has them"


@given(
    st.lists(st.tuples(*[st.floats(-50, 50, allow_subnormal=False)] * 3), min_size=3, max_size=12),
    st.integers(3, 40),
    st.booleans(),
)
def test_points_are_the_same_way_apart(
    vertices: list[tuple[float, float, float]], count: int, closed: bool
) -> None:
    line = np.array(vertices)
    whole = np.vstack([line, line[:1]]) if closed else line
    length = along(whole)[-1]
    if length == 0:
        with pytest.raises(GeometryError):
            equidistant(line, count, closed)
        return
    found = equidistant(line, count, closed)
    made, steps = found.of(line), count if closed else count - 1
    ways = along(whole)[found.before] + found.part * np.linalg.norm(
        line[found.after] - line[found.before], axis=1
    )
    assert ways == pytest.approx(np.arange(count) * length / steps, rel=1e-9, abs=1e-9 * length)
    assert np.array_equal(made[0], line[0])
    if not closed:
        assert np.array_equal(made[-1], line[-1])
