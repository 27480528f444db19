"""3D Slicer's .mrk.json, against the facts of Slicer's own schema, and .fcsv, read back by
slicerio.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from kit.mapped_points import (
    BETWEEN_COLUMNS,
    BETWEEN_ROWS,
    BOX,
    COLUMN_COSINES,
    FACTOR,
    LANDMARKS,
    NORMAL,
    ROW_COSINES,
    Scan,
    every_shape,
    mapped,
    point,
    shape,
    truth_mm,
    write_to,
)

from sidecar.errors import LabelError
from sidecar.labels.writers import fcsv, slicer

TO_RAS = np.array([-1.0, -1.0, 1.0])

_NUMBERS3 = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
#: The facts of markups-schema-v1.0.3.json about what we write; stricter, as it forbids what that
#: does not name.
FACTS = {
    "type": "object",
    "required": ["@schema", "markups"],
    "properties": {
        "@schema": {"type": "string", "pattern": r"/markups-schema-v1\.\d+\.\d+\.json#$"},
        "markups": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "coordinateSystem", "coordinateUnits", "controlPoints"],
                "additionalProperties": False,
                "properties": {
                    "type": {
                        "enum": [
                            "Fiducial",
                            "Line",
                            "Angle",
                            "Curve",
                            "ClosedCurve",
                            "Plane",
                            "ROI",
                        ]
                    },
                    "name": {"type": "string"},
                    "coordinateSystem": {"enum": ["LPS", "RAS"]},
                    "coordinateUnits": {"enum": ["mm", "um"]},
                    "roiType": {"type": "string"},
                    "center": _NUMBERS3,
                    "size": _NUMBERS3,
                    "orientation": {
                        "type": "array",
                        "items": {"type": "number"},
                        "minItems": 9,
                        "maxItems": 9,
                    },
                    "controlPoints": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["id", "label", "position"],
                            "additionalProperties": False,
                            "properties": {
                                "id": {"type": "string"},
                                "label": {"type": "string"},
                                "description": {"type": "string"},
                                "position": _NUMBERS3,
                                "positionStatus": {"enum": ["undefined", "preview", "defined"]},
                            },
                        },
                    },
                },
            },
        },
    },
}


def markups(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, FACTS)
    return document["markups"]


def positions(markup: dict[str, Any]) -> np.ndarray:
    return np.array([point["position"] for point in markup["controlPoints"]])


def test_every_shape_becomes_its_markup(tmp_path: Path) -> None:
    written = markups(write_to(tmp_path / "part", slicer.WRITER, mapped(every_shape())))
    assert [(m["type"], m["name"], len(m["controlPoints"])) for m in written] == [
        ("Fiducial", "points", 3),
        ("Line", "crack", 2),
        ("Curve", "nerve", 3),
        ("ClosedCurve", "bone", 4),
        ("ROI", "region", 1),
        ("ClosedCurve", "eye", 64),
        ("ClosedCurve", "lens", 64),
    ]
    for markup, rows in zip(
        written[:4], ([0, 1, 2], [3, 4], [5, 6, 7], [8, 9, 10, 11]), strict=True
    ):
        np.testing.assert_allclose(
            positions(markup), truth_mm([every_shape()[row]["at"] for row in rows]), atol=1e-9
        )
    assert [p["label"] for p in written[0]["controlPoints"]] == ["nose", "left ear", "tail"]
    middle = np.array(every_shape()[0]["at"])
    corners = middle + np.array(
        [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    )
    farthest = np.linalg.norm(
        truth_mm(corners) - truth_mm(middle), axis=1
    ).max()  # of the PNG voxel, which gantry tilt shears
    assert written[0]["controlPoints"][0]["description"] == f"uncertainty {farthest:.3g} mm"


@pytest.mark.parametrize("space", ["lps", "ras"])
def test_both_say_in_which_space_they_are(tmp_path: Path, space: str) -> None:
    """The list read back by slicerio from .fcsv, and by the schema's rules from .mrk.json."""
    slicerio = pytest.importorskip("slicerio.markups")
    (from_fcsv,) = slicerio.read_markups_fcsv(
        write_to(tmp_path / "fcsv", fcsv.WRITER, mapped(LANDMARKS), space)
    )["markups"]
    (from_json,) = markups(write_to(tmp_path / "json", slicer.WRITER, mapped(LANDMARKS), space))
    for markup in (from_fcsv, from_json):
        assert (markup["type"], markup["coordinateSystem"]) == ("Fiducial", space.upper())
        signs = TO_RAS if space == "ras" else np.ones(3)
        np.testing.assert_allclose(
            positions(markup) * signs, truth_mm([p["at"] for p in LANDMARKS]), atol=1e-9
        )
        assert [p["label"] for p in markup["controlPoints"]] == ["nose", "left ear", "tail"]


@pytest.mark.parametrize("space", ["lps", "ras"])
def test_an_roi_spans_its_png_slice(tmp_path: Path, space: str) -> None:
    """Its eight corners are the box at the lower and the upper face of the slice, on the normal
    though the stack is sheared.
    """
    (roi,) = markups(write_to(tmp_path / "part", slicer.WRITER, mapped(shape("box", BOX)), space))
    signs = TO_RAS if space == "ras" else np.ones(3)
    axes = np.array(roi["orientation"]).reshape(3, 3) * signs[:, None]
    np.testing.assert_allclose(
        axes, np.column_stack([ROW_COSINES, COLUMN_COSINES, NORMAL]), atol=1e-9
    )
    np.testing.assert_allclose(
        roi["size"], [6.5 * FACTOR * BETWEEN_COLUMNS, 6 * FACTOR * BETWEEN_ROWS, 2 * 1.2], atol=1e-9
    )
    np.testing.assert_allclose(
        np.array(roi["center"]) * signs, truth_mm(BOX).mean(axis=0), atol=1e-9
    )
    np.testing.assert_allclose(positions(roi)[0], roi["center"])
    assert np.linalg.det(np.array(roi["orientation"]).reshape(3, 3)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("vertices", "scan"),
    [
        ([(5.0, 2.0, 2.0), (8.0, 5.0, 2.0), (5.0, 8.0, 2.0), (2.0, 5.0, 2.0)], Scan()),
        ([(x, y, 0.0) for x, y, _ in BOX], Scan(slices=1)),
        ([(2.0, 3.0, 2.0), (8.5, 3.0, 2.0), (8.5, 9.0, 2.0), (2.5, 9.5, 2.0)], Scan()),
        ([(2.0, 3.0, 2.0), (2.0, 3.0, 2.0), (2.0, 9.0, 2.0), (2.0, 9.0, 2.0)], Scan()),
    ],
    ids=["turned on oblong pixels", "a single slice", "no rectangle", "no width"],
)
def test_a_box_that_is_no_box_in_mm_is_its_outline(
    tmp_path: Path, vertices: list[tuple[float, float, float]], scan: Scan
) -> None:
    (markup,) = markups(
        write_to(tmp_path / "part", slicer.WRITER, mapped(shape("box", vertices), scan))
    )
    assert markup["type"] == "ClosedCurve"
    np.testing.assert_allclose(positions(markup), truth_mm(vertices), atol=1e-9)


def test_specimens_have_lists_of_their_own(tmp_path: Path) -> None:
    rows = [
        point((1, 1, 0), "nose", specimen="mouse 1"),
        point((2, 2, 1), "nose", specimen="mouse 2"),
    ]
    written = markups(write_to(tmp_path / "part", slicer.WRITER, mapped(rows)))
    assert [(m["name"], len(m["controlPoints"])) for m in written] == [
        ("mouse 1", 1),
        ("mouse 2", 1),
    ]


def test_fcsv_is_what_slicer_of_any_age_understands(tmp_path: Path) -> None:
    lines = (
        write_to(tmp_path / "part", fcsv.WRITER, mapped(LANDMARKS))
        .read_text(encoding="utf-8")
        .splitlines()
    )
    assert lines[1] == "# CoordinateSystem = 1"  # the word LPS is RAS to versions before 4.11
    assert lines[2] == "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"
    assert [len(line.split(",")) for line in lines[3:]] == [14] * 3
    assert lines[3].split(",")[4:] == ["1", "0", "0", "0", "1", "1", "0", "nose", "", ""]


@pytest.mark.parametrize("label", ["tip, left", 'the "tip"', "tip #2", "a=b", "two\nlines"])
def test_fcsv_refuses_names_that_its_readers_would_tear_apart(tmp_path: Path, label: str) -> None:
    with pytest.raises(LabelError, match="fcsv allows none in a name; rename it, or write slicer"):
        write_to(tmp_path / "part", fcsv.WRITER, mapped([point((1, 1, 0), label)]))


def test_fcsv_refuses_shapes(tmp_path: Path) -> None:
    with pytest.raises(
        LabelError,
        match=r"labels.csv, row 2 to row 5: fcsv cannot hold a box; leave it out, or write csv, json, slicer",
    ):
        write_to(tmp_path / "part", fcsv.WRITER, mapped(shape("box", BOX)))


@pytest.mark.parametrize("writer", [slicer.WRITER, fcsv.WRITER], ids=["mrk.json", "fcsv"])
def test_two_scans_and_scans_without_geometry_are_refused(tmp_path: Path, writer: Any) -> None:
    with pytest.raises(LabelError, match="of 2 scans"):
        write_to(
            tmp_path / "part", writer, [mapped(LANDMARKS), mapped(LANDMARKS, Scan(series="1.2.3"))]
        )
    with pytest.raises(LabelError, match="no patient geometry"):
        write_to(tmp_path / "part", writer, mapped(LANDMARKS, Scan(geometry=False)))
