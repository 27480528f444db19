"""Points of a scan in files of 3D Slicer and of the viewer page, put onto the PNGs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.made_exports import GEOMETRIES, Export, oblique_sidecar
from kit.mapped_points import LANDMARKS, LINE, PATH, POLYGON, every_shape, mapped, write_to
from kit.tables import rows
from kit.tool_files import slicer

from sidecar.errors import LabelError
from sidecar.labels.project import project_file
from sidecar.labels.writers import fcsv
from sidecar.labels.writers import slicer as markups
from sidecar.mapping import Sidecar

#: PNG x, y and slice of two points, on the PNGs of `oblique_sidecar`.
PLACES = [(3.25, 4.5, 1.0), (12.0, 7.75, 3.25)]


def page_says(sidecar: Sidecar, specimen: str = "beetle 7", series: str = "", tag: str = "") -> str:
    """As `toDescription` of the page's identity.js."""
    own = sidecar.document.source.series_instance_uid
    return f"sidecar tag {tag or 'bcdfgh'} series {series or own} specimen {specimen}"


def as_json(sidecar: Sidecar, system: str, descriptions: list[str]) -> str:
    signs = {"LPS": (1, 1, 1), "RAS": (-1, -1, 1)}[system]
    mm = [sidecar.to_patient([place[:2]], place[2])[0] * signs for place in PLACES]
    points = [
        {"id": str(i), "label": f"p{i}", "description": told, "position": list(position),
         "positionStatus": "defined"}
        for i, (position, told) in enumerate(zip(mm, descriptions, strict=True))
    ]  # fmt: skip
    markup = {"type": "Fiducial", "name": "F", "coordinateSystem": system, "coordinateUnits": "mm"}
    head = {"@schema": markups.SCHEMA, "markups": [{**markup, "controlPoints": points}]}
    return json.dumps(head)


def as_fcsv(sidecar: Sidecar, system: str, descriptions: list[str]) -> str:
    lines = [
        "# Markups fiducial file version = 4.11",
        f"# CoordinateSystem = {system}",
        "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
    ]
    signs = {"LPS": (1, 1, 1), "RAS": (-1, -1, 1)}[system]
    for i, (place, told) in enumerate(zip(PLACES, descriptions, strict=True)):
        x, y, z = sidecar.to_patient([place[:2]], place[2])[0] * signs
        lines.append(f"{i},{x},{y},{z},0,0,0,1,1,1,0,p{i},{told},")
    return "\n".join(lines) + "\n"


Formats = pytest.mark.parametrize(
    ("name", "make"), [("F.mrk.json", as_json), ("F.fcsv", as_fcsv)], ids=["json", "fcsv"]
)
Make = Callable[[Sidecar, str, list[str]], str]


@Formats
@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_markups_come_back_whatever_axes_they_say(
    tmp_path: Path, name: str, make: Make, system: str
) -> None:
    sidecar = oblique_sidecar()
    (tmp_path / name).write_text(make(sidecar, system, ["", "seen twice"]))
    projection = project_file(tmp_path / name, sidecar)
    np.testing.assert_allclose(projection.png, PLACES, rtol=0, atol=1e-9)
    assert list(projection.columns["label"]) == ["p0", "p1"]
    assert list(projection.columns["description"]) == ["", "seen twice"]
    assert list(projection.columns["image"]) == ["slice_0001.png", "slice_0003.png"]


@Formats
def test_points_of_the_page_hold_on_every_export_of_their_scan(
    tmp_path: Path, name: str, make: Make
) -> None:
    """Another tag is another export, and millimetres hold on both; another series is another
    body.
    """
    sidecar = oblique_sidecar(specimen="moth")
    own = sidecar.document.source.series_instance_uid
    (tmp_path / name).write_text(make(sidecar, "LPS", [page_says(sidecar)] * 2))
    projection = project_file(tmp_path / name, sidecar)
    np.testing.assert_allclose(projection.png, PLACES, rtol=0, atol=1e-9)
    told = {key: list(projection.columns[key]) for key in ("specimen", "series_uid", "tag")}
    assert told == {"specimen": ["moth"] * 2, "series_uid": [own] * 2, "tag": [""] * 2}
    assert "description" not in projection.columns
    other = [page_says(sidecar), page_says(sidecar, series="1.2.3")]
    (tmp_path / name).write_text(make(sidecar, "LPS", other))
    with pytest.raises(
        LabelError, match=r"(control point 2|row 5): is of series 1\.2\.3, but this"
    ):
        project_file(tmp_path / name, sidecar)


@Formats
def test_on_a_voxel_size_given_by_hand_places_in_the_patient_are_refused(
    tmp_path: Path, name: str, make: Make
) -> None:
    placed = oblique_sidecar()
    (tmp_path / name).write_text(make(placed, "RAS", ["", ""]))
    given = replace(placed.document, version="1.1", coordinate_system=None, geometry="given")
    with pytest.raises(LabelError, match=r"its millimetres are of the patient, .* given by hand"):
        project_file(tmp_path / name, Sidecar.of(given))
    with pytest.raises(LabelError, match="has only millimetres, but this scan has no patient geom"):
        project_file(tmp_path / name, oblique_sidecar(geometry=False))


def test_what_map_points_writes_for_slicer_comes_back(tmp_path: Path) -> None:
    """All shapes of a .mrk.json but the box, which Slicer has as an ROI; points of a .fcsv."""
    part = mapped(
        [row for row in every_shape() if row["shape_type"] not in ("circle", "ellipse", "box")]
    )
    path = write_to(tmp_path / "points.mrk.json", markups.WRITER, part, "ras")
    projection = project_file(path, part.sidecar)
    expected = [row["at"] for row in LANDMARKS] + LINE + PATH + POLYGON
    np.testing.assert_allclose(projection.png, expected, rtol=0, atol=1e-9)
    kinds = ["point"] * 3 + ["line"] * 2 + ["polyline"] * 3 + ["polygon"] * 4
    assert list(projection.columns["shape_type"]) == kinds
    path = write_to(tmp_path / "points.fcsv", fcsv.WRITER, mapped(LANDMARKS))
    np.testing.assert_allclose(
        project_file(path, part.sidecar).png, [row["at"] for row in LANDMARKS], rtol=0, atol=1e-7
    )


@pytest.mark.parametrize("kind", GEOMETRIES)
def test_labels_on_the_outer_edges_come_back(tmp_path: Path, kind: str) -> None:
    """A box up to the edge of the image has such corners, and millimetres are rounded."""
    placed = GEOMETRIES[kind].sidecar()
    columns, height, slices = placed.size
    right, bottom, last = columns - 0.5, height - 0.5, slices - 1.0
    corners = np.array([(-0.5, -0.5, 0), (right, -0.5, last), (right, bottom, 0), (-0.5, 7, last)])
    mm = placed.to_patient(corners[:, :2], corners[:, 2])
    lines = ["x_mm,y_mm,z_mm", *(f"{x:.6f},{y:.6f},{z:.6f}" for x, y, z in mm)]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    png = project_file(tmp_path / "p.csv", placed).png
    np.testing.assert_allclose(png, corners, rtol=0, atol=1e-3)
    assert placed.contains(png[:, :2], png[:, 2]).all()


def test_points_without_a_position_are_left_out_and_told(tmp_path: Path) -> None:
    sidecar = oblique_sidecar()
    document = json.loads(as_json(sidecar, "LPS", ["", ""]))
    controls = document["markups"][0]["controlPoints"]
    controls[1]["positionStatus"] = "undefined"
    path = tmp_path / "F.mrk.json"
    path.write_text(json.dumps(document))
    projection = project_file(path, sidecar)
    assert len(projection.png) == 1 and "1 control point left out" in projection.notes[-1]
    controls[0]["positionStatus"] = "undefined"
    path.write_text(json.dumps(document))
    with pytest.raises(LabelError, match=r"holds no points: 2 control points left out"):
        project_file(path, sidecar)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"position": [1e5, 0, 0]}, "outside the PNGs"),
        ({"position": [1e12, 0, 0]}, "too large to be a place in any scan"),
        ({"label": "=1+1"}, "begins like a formula"),
    ],
    ids=["elsewhere", "nowhere", "formula"],
)
def test_faults_name_file_and_point(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    sidecar = oblique_sidecar()
    document = json.loads(as_json(sidecar, "LPS", ["", ""]))
    document["markups"][0]["controlPoints"][1] |= change
    path = tmp_path / "F.mrk.json"
    path.write_text(json.dumps(document))
    with pytest.raises(LabelError, match=rf"F\.mrk\.json, markup 1, control point 2: .*{says}"):
        project_file(path, sidecar)


def test_the_hint_of_map_points_leads_there_and_back(run: CommandLine, tmp_path: Path) -> None:
    """Markups on the scan itself: map-points sends them to project, whose table it maps."""
    png = tmp_path / "png"
    png.mkdir()
    sidecar = Export(origin=(500.0, 31.25, -104.0)).write(png)
    place = (20.5, 30.25, 4.0)
    text = slicer.document(
        [
            slicer.markup(
                "Fiducial", [slicer.point(1, "tip", sidecar.to_patient([place[:2]], 4)[0].tolist())]
            )
        ]
    )
    path = tmp_path / "F.mrk.json"
    path.write_text(text)
    told = run.refuses(
        "map-points", path, "--sidecar", png, says="`sidecar project`, which takes .mrk.json"
    )
    assert "patient millimetres" in told
    run.done("project", path, "--sidecar", png, "-o", tmp_path / "labels.csv")
    mapped_back = run.done("map-points", tmp_path / "labels.csv", "--sidecar", png).out
    (row,) = rows(mapped_back)
    assert row["label"] == "tip"
    assert [float(row[f"source_{name}"]) for name in ("column", "row", "slice")] == pytest.approx(
        place
    )


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("label,image,x,y\na,slice_0002.png,3,4\n", "`sidecar map-points` first, and give the"),
        ("label,slice,X,Y,x_mm,y_mm\na,2,3,4,1,1\n", "`sidecar map-points` first, and give the"),
        ("label,x\na,3\n", "; give a table with one of these sets of columns"),
    ],
)
def test_labels_on_pngs_are_sent_to_map_points(
    run: CommandLine, tmp_path: Path, text: str, way_out: str
) -> None:
    png = tmp_path / "png"
    png.mkdir()
    Export().write(png)
    (tmp_path / "labels.csv").write_text(text)
    says = ("labels.csv, row 1: has neither the columns x_mm", way_out)
    run.refuses("project", tmp_path / "labels.csv", "--sidecar", png, says=says)
