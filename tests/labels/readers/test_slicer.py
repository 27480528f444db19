"""3D Slicer: markups on the PNG stack, as JSON and as fcsv."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, check, check_columns
from kit.tool_files import slicer

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, Reader, ReadOptions
from sidecar.labels.readers.slicer import READERS

READER = READERS[0]


def read(tmp_path: Path, text: str, origin: PixelOrigin | None = None) -> Labels:
    path = tmp_path / ("F.mrk.json" if text.startswith("{") else "F.fcsv")
    path.write_text(text)
    assert READER.recognises(path, text.encode()[: 1 << 16])
    return READER.read(path, STACK, ReadOptions(origin))


@pytest.mark.parametrize(
    "text",
    [slicer.mrk(), slicer.fcsv(), slicer.fcsv(tail="")],
    ids=["mrk.json", "fcsv 5.2", "fcsv"],
)
def test_landmarks_come_back(tmp_path: Path, text: str) -> None:
    labels = read(tmp_path, text)
    check(labels)
    assert labels.pixel_origin == "center"
    assert any("spacing of 1" in note and "--from slicer-mm" in note for note in labels.notes)


@pytest.mark.parametrize("origin", [None, "center", "corner"])
def test_forced_origin_moves_all_three_axes(tmp_path: Path, origin: PixelOrigin | None) -> None:
    labels = read(
        tmp_path,
        slicer.document([slicer.markup("Fiducial", [slicer.point(1, "a", (100, 90, 8))])]),
        origin,
    )
    shift = 0.5 if origin == "corner" else 0.0
    assert [*labels.xy[0], labels.slice[0]] == [100 - shift, 90 - shift, 8 - shift]


@pytest.mark.parametrize("system", ["LPS", "1", "RAS", "0", None])
def test_every_spelling_of_the_coordinate_system_in_fcsv_and_its_default(
    tmp_path: Path, system: str | None
) -> None:
    """Without a line about it, the file is of a Slicer that wrote RAS."""
    check(read(tmp_path, slicer.fcsv(system=system)))


@pytest.mark.parametrize(
    "more",
    [{"coordinateSystem": "LPS"}, {"coordinateSystem": "RAS"}, {}],
    ids=["LPS", "RAS", "none"],
)
def test_coordinate_system_of_json_and_its_default(tmp_path: Path, more: dict[str, str]) -> None:
    """The default is LPS here, other than in fcsv."""
    sign = -1.0 if more.get("coordinateSystem") == "RAS" else 1.0
    points = [
        slicer.point(n, m.name, (sign * m.x, sign * m.y, m.slice))
        for n, m in enumerate(LANDMARKS, 1)
    ]
    markup = slicer.markup("Fiducial", points)
    del markup["coordinateSystem"]
    labels = read(tmp_path, slicer.document([{**markup, **more}]))
    check(labels)
    assert not any("-0.0" in cell for column in labels.columns.values() for cell in column)


def test_an_independent_reader_of_fcsv_agrees(tmp_path: Path) -> None:
    slicerio = pytest.importorskip("slicerio")
    labels = read(tmp_path, slicer.fcsv())
    theirs: Any = slicerio.read_markups_fcsv(tmp_path / "F.fcsv")["markups"][0]
    assert theirs["coordinateSystem"] == "LPS"
    ours = np.column_stack([labels.xy, labels.slice])
    np.testing.assert_allclose(
        ours, [point["position"] for point in theirs["controlPoints"]], rtol=0, atol=1e-12
    )
    assert list(labels.columns["label"]) == [point["label"] for point in theirs["controlPoints"]]
    slicerio.fcsv_to_markups_json(tmp_path / "F.fcsv", tmp_path / "theirs.mrk.json")
    check(read(tmp_path, (tmp_path / "theirs.mrk.json").read_text()))


@pytest.mark.parametrize(
    ("type_", "ours"),
    [("Line", "line"), ("Angle", "polyline"), ("Curve", "polyline"), ("ClosedCurve", "polygon")],
)
def test_lines_and_curves_keep_their_vertices_on_their_slices(
    tmp_path: Path, type_: str, ours: str
) -> None:
    count = 2 if type_ == "Line" else 3
    spread = [LANDMARKS[n] for n in (1, 4, 6)][:count]
    labels = read(
        tmp_path, slicer.document([slicer.markup(type_, slicer.points(spread), name="mandible")])
    )
    check_columns(labels)
    assert set(labels.columns["shape_type"]) == {ours}
    assert set(labels.columns["shape_id"]) == {"1"}
    assert set(labels.columns["label"]) == {"mandible"}
    assert labels.columns["vertex"] == [str(v) for v in range(count)]
    assert labels.columns["control_point"] == [m.name for m in spread]
    assert labels.slice.tolist() == [m.slice for m in spread]
    assert labels.xy.tolist() == [[m.x, m.y] for m in spread]


def test_two_markups_in_one_file_do_not_share_ids(tmp_path: Path) -> None:
    labels = read(
        tmp_path,
        slicer.document(
            [slicer.markup("Fiducial", slicer.points()), slicer.markup("Plane", slicer.points())]
        ),
    )
    assert len(set(labels.columns["shape_id"])) == len(labels) == 2 * len(LANDMARKS)
    assert any("normal" in note for note in labels.notes)


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_a_turned_roi_is_its_two_faces(tmp_path: Path, system: str) -> None:
    """A box turned by 90 degrees in the plane: its first axis runs along y."""
    sign = np.diag([1, 1, 1] if system == "LPS" else [-1, -1, 1])
    center, size = np.array([100.0, 70.0, 6.0]), [40.0, 20.0, 4.0]
    axes = sign @ np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    roi = slicer.markup(
        "ROI",
        [slicer.point(1, "R-1", (sign @ center).tolist())],
        system,
        roiType="Box",
        center=(sign @ center).tolist(),
        orientation=axes.ravel().astype(float).tolist(),
        size=size,
    )
    labels = read(tmp_path, slicer.document([roi]))
    check_columns(labels)
    assert labels.slice.tolist() == [4.0] * 4 + [8.0] * 4
    assert labels.columns["vertex"] == list("01230123")
    assert labels.columns["shape_id"] == ["1.1"] * 4 + ["1.2"] * 4
    for face in (labels.xy[:4], labels.xy[4:]):
        assert {tuple(corner) for corner in face.tolist()} == {
            (90.0, 50.0),
            (90.0, 90.0),
            (110.0, 50.0),
            (110.0, 90.0),
        }
        assert sorted(np.linalg.norm(face - np.roll(face, 1, axis=0), axis=1)) == [
            20.0,
            20.0,
            40.0,
            40.0,
        ]


def test_points_that_were_not_placed_are_left_out_with_a_note(tmp_path: Path) -> None:
    points = [*slicer.points(LANDMARKS[:2]), slicer.point(3, "later", (0, 0, 0), "undefined")]
    labels = read(tmp_path, slicer.document([slicer.markup("Fiducial", points)]))
    check(labels, LANDMARKS[:2])
    assert labels.left_out == (
        "1 control point left out (markup 1, control point 3): the position is 'undefined'",
    )

    text = slicer.fcsv(LANDMARKS[:2]) + "3,0,0,0,0,0,0,1,1,1,0,later,,,0,0\n"
    labels = read(tmp_path, text)
    check(labels, LANDMARKS[:2])
    assert "row 6" in labels.left_out[0] and "undefined" in labels.left_out[0]


def test_patient_millimetres_are_sent_to_project(tmp_path: Path) -> None:
    with pytest.raises(
        LabelError,
        match=r"F\.fcsv, row 11: lies outside the PNG stack of 203 x 151 x 12.*`sidecar project`",
    ):
        read(tmp_path, slicer.fcsv() + "9,-53.3,-73.3,-1204.5,0,0,0,1,1,1,0,far,,,2,0\n")


FIDUCIAL = slicer.markup("Fiducial", [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (slicer.document([{**FIDUCIAL, "type": "Sphere"}]), "markup 1: markup type 'Sphere'"),
        (
            slicer.document([{**FIDUCIAL, "coordinateSystem": "IJK"}]),
            "markup 1: .*'IJK' is not known; it must be LPS or RAS",
        ),
        (
            slicer.document([{**FIDUCIAL, "coordinateUnits": ["um", "UCUM", "micrometer"]}]),
            "markup 1: .*not in mm",
        ),
        (
            slicer.document([{**FIDUCIAL, "controlPoints": [{"position": [1, 2]}]}]),
            "markup 1, control point 1: .*2 numbers",
        ),
        (
            slicer.document([{**FIDUCIAL, "controlPoints": [{"label": "no position"}]}]),
            "control point 1: has no list 'position'",
        ),
        (
            slicer.document([{**FIDUCIAL, "controlPoints": [7]}]),
            "control point 1: is not an object",
        ),
        (
            slicer.document([{**FIDUCIAL, "controlPoints": [{"position": [1, 2, "3,5"]}]}]),
            "decimal comma",
        ),
        (
            slicer.document([{**FIDUCIAL, "controlPoints": [{"position": [1, 2, True]}]}]),
            "not a number",
        ),
        (slicer.document([{**FIDUCIAL, "type": "ROI"}]), "has no list 'center'"),
        (slicer.mrk()[:-40], "not valid JSON"),
        (slicer.fcsv(system="SPL"), "'SPL' is not known; it must be LPS or RAS"),
        (slicer.fcsv().replace("id,x,y,z", "id,z,y,x"), "columns are not those of Slicer"),
        (slicer.fcsv() + "9,1,2\n", "row 11: has no x, y and z"),
        (slicer.fcsv() + "9,1,2,inf,0,0,0,1,1,1,0,a,,\n", "row 11: .*not a number"),
    ],
)
def test_faults_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, text)


def test_other_json_is_not_slicer(tmp_path: Path) -> None:
    for document in (
        {"markups": "no"},
        {"shapes": [], "imagePath": ""},
        {"a": {"markups": [], "@schema": ""}},
    ):
        assert not READER.recognises(tmp_path / "a.json", json.dumps(document).encode())


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@pytest.mark.parametrize("make", [slicer.mrk, slicer.fcsv])
def test_markups_of_the_viewer_page_are_no_places_on_the_pngs(
    tmp_path: Path, make: Callable[[], str], reader: Reader
) -> None:
    """Millimetres of the scan may well lie within the stack: the page says what they are."""
    said = "sidecar tag bcdfgh series 1.2.3 specimen beetle-7"
    text = make().replace('"description": ""', f'"description": "{said}"')
    text = text.replace(",,vtkMRML", f",{said},vtkMRML")
    assert said in text
    path = tmp_path / "F.mrk.json"
    path.write_text(text)
    with pytest.raises(LabelError, match=r"in millimetres of the scan.*CSV that the page saves"):
        reader.read(path, STACK)
