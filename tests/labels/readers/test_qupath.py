"""QuPath: GeoJSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, check, check_columns
from kit.tool_files import qupath

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, ReadOptions
from sidecar.labels.readers.qupath import READER


def read(
    tmp_path: Path,
    document: object,
    name: str = "slice_0003.geojson",
    stack: PngStack = STACK,
    origin: PixelOrigin | None = None,
) -> Labels:
    path = tmp_path / name
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text)
    assert READER.recognises(path, text.encode()[: 1 << 16])
    return READER.read(path, stack, ReadOptions(origin))


def test_landmarks_come_back(tmp_path: Path) -> None:
    labels = read(tmp_path, qupath.points())
    check(labels)
    assert labels.pixel_origin == "corner"


@pytest.mark.parametrize("as_list", [True, False])
def test_a_list_of_features_and_a_single_one(tmp_path: Path, as_list: bool) -> None:
    feature = qupath.feature(
        {"type": "Point", "coordinates": [13, 41]}, 3, classification=qupath.class_of("nasion")
    )
    labels = read(tmp_path, [feature] if as_list else feature)
    assert labels.xy.tolist() == [[12.5, 40.5]]
    assert labels.columns["label"] == ["nasion"]


@pytest.mark.parametrize(("origin", "x"), [(None, 12.5), ("corner", 12.5), ("center", 13.0)])
def test_forced_origin(tmp_path: Path, origin: PixelOrigin | None, x: float) -> None:
    labels = read(
        tmp_path, qupath.feature({"type": "Point", "coordinates": [13, 41]}, 3), origin=origin
    )
    assert labels.xy[0, 0] == x
    assert labels.pixel_origin == (origin or "corner")


def test_rings_and_parts_are_told_apart_and_not_closed_twice(tmp_path: Path) -> None:
    outline, hole = [[0, 0], [60, 0], [60, 60], [0, 0]], [[10, 5], [20, 5], [20, 10], [10, 5]]
    other = [[100, 100], [120, 100], [120, 120], [100, 100]]
    labels = read(
        tmp_path,
        qupath.feature({"type": "MultiPolygon", "coordinates": [[outline, hole], [other]]}, 2),
    )
    check_columns(labels)
    assert labels.columns["part"] == ["0"] * 6 + ["1"] * 3
    assert labels.columns["ring"] == ["0"] * 3 + ["1"] * 3 + ["0"] * 3
    assert labels.columns["vertex"] == list("012012012")
    assert len(set(labels.columns["shape_id"])) == 3
    assert set(labels.columns["shape_type"]) == {"polygon"}
    assert labels.xy.tolist() == [
        [x - 0.5, y - 0.5] for ring in (outline, hole, other) for x, y in ring[:-1]
    ]
    assert labels.slice.tolist() == [2.0] * 9


def test_lines_and_many_points(tmp_path: Path) -> None:
    points = [[1.5, 2.5], [3.25, 4.0], [5.0, 6.0]]
    geometries: list[dict[str, Any]] = [
        {"type": "MultiPoint", "coordinates": points},
        {"type": "LineString", "coordinates": points[:2]},
        {"type": "LineString", "coordinates": points},
        {"type": "MultiLineString", "coordinates": [points[:2], points[1:]]},
        {"type": "Polygon", "coordinates": [[*points, points[0]]]},
    ]
    labels = read(tmp_path, [qupath.feature(g, 1) for g in geometries])
    assert (
        labels.columns["shape_type"]
        == ["point"] * 3 + ["line"] * 2 + ["polyline"] * 3 + ["line"] * 4 + ["polygon"] * 3
    )
    assert labels.columns["vertex"] == list("012010120101012")
    np.testing.assert_array_equal(labels.xy[:3], np.array(points) - 0.5)


def test_an_ellipse_comes_as_a_marked_polygon(tmp_path: Path) -> None:
    turns = [2 * math.pi * n / 64 for n in range(64)]
    around = [[round(50 + 20 * math.cos(a), 2), round(40 + 10 * math.sin(a), 2)] for a in turns]
    geometry: dict[str, Any] = {
        "type": "Polygon",
        "coordinates": [[*around, around[0]]],
        "isEllipse": True,
    }
    labels = read(tmp_path, qupath.feature(geometry, 4))
    assert set(labels.columns["shape_type"]) == {"ellipse"}
    assert labels.xy.tolist() == [[49.5, 39.5], [69.5, 39.5], [49.5, 49.5]]


def test_the_label_is_the_class_or_else_the_name(tmp_path: Path) -> None:
    point: dict[str, Any] = {"type": "Point", "coordinates": [1, 1]}
    properties: list[dict[str, Any]] = [
        {"classification": qupath.class_of("Tumour: Positive"), "name": "a"},
        {"classification": {"names": ["Tumour", "Positive"], "color": [1, 2, 3]}},
        {"name": "bregma"},
        {},
    ]
    labels = read(tmp_path, [qupath.feature(point, 1, **p) for p in properties])
    assert labels.columns["label"] == ["Tumour: Positive", "Tumour: Positive", "bregma", ""]
    assert labels.columns["name"] == ["a", "", "bregma", ""]


def test_the_ids_of_version_0_2_name_kinds_and_are_not_taken_for_ids(tmp_path: Path) -> None:
    point = {
        "type": "Feature",
        "id": "PathAnnotationObject",
        "geometry": {"type": "Point", "coordinates": [1, 1]},
        "properties": {},
    }
    assert read(tmp_path, [point, point]).columns["shape_id"] == ["1", "2"]


def test_no_plane_and_no_png_in_the_name_is_refused(tmp_path: Path) -> None:
    document = qupath.feature({"type": "Point", "coordinates": [1, 1]})
    with pytest.raises(LabelError, match=r"labels\.geojson: .*which PNG.*slice_0000\.png"):
        read(tmp_path, document, "labels.geojson")
    with pytest.raises(LabelError, match="which PNG"):
        read(tmp_path, document, "slice_0003a.geojson")
    other = read(tmp_path, document, "slice_00031.geojson")
    assert other.image == ["slice_00031"], "an export of more PNGs has it, and identity refuses it"
    single = read(
        tmp_path, document, "labels.geojson", replace(STACK, slices=1, names=STACK.names[:1])
    )
    assert single.slice.tolist() == [0.0]


@pytest.mark.parametrize(
    "name", ["slice_0003_annotations.geojson", "slice_0003.png - QuPath.geojson", "Slice_0003.json"]
)
def test_a_name_that_begins_with_that_of_a_png(tmp_path: Path, name: str) -> None:
    labels = read(tmp_path, qupath.feature({"type": "Point", "coordinates": [1, 1]}), name)
    assert list(labels.image) == ["slice_0003.png"]


def test_planes_and_the_name_of_a_png_are_both_handed_over(tmp_path: Path) -> None:
    """Identity refuses them where they contradict each other. A stack bears its first name."""
    document = qupath.feature({"type": "Point", "coordinates": [1, 1]}, 5)
    for name, image in (("slice_0003.json", "slice_0003.png"), ("slice_0000.json", "")):
        labels = read(tmp_path, document, name)
        assert (labels.image, labels.slice.tolist()) == ([image], [5])


def test_the_longest_name_counts(tmp_path: Path) -> None:
    stack = replace(STACK, slices=2, names=("beetle.png", "beetle-2.png"))
    labels = read(
        tmp_path, qupath.feature({"type": "Point", "coordinates": [1, 1]}), "beetle-2.json", stack
    )
    assert list(labels.image) == ["beetle-2.png"]


def test_nuclei_are_left_out_and_counted(tmp_path: Path) -> None:
    cell = qupath.feature({"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 0]]]}, 2)
    cell["nucleusGeometry"] = cell["geometry"]
    assert read(tmp_path, [cell, cell]).left_out == (
        "2 nucleus outlines left out: the outline of the cell was read",
    )


def test_no_plane_but_the_name_of_a_png(tmp_path: Path) -> None:
    """PNGs labelled one by one: QuPath offers the image's name for the export."""
    labels = read(
        tmp_path,
        qupath.points([LANDMARKS[0], replace(LANDMARKS[1], slice=0)]),
        "slice_0005.geojson",
    )
    assert list(labels.image) == ["slice_0005.png"] * 2
    assert np.isnan(labels.slice).all()
    assert any("slice_0005.png" in note for note in labels.notes)


def test_a_plane_says_more_than_the_file_name(tmp_path: Path) -> None:
    check(read(tmp_path, qupath.points(), "slice_0005.geojson"))


POINT: dict[str, Any] = {"type": "Point", "coordinates": [1, 1]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            qupath.feature({"type": "GeometryCollection", "geometries": [POINT]}),
            "feature 1: geometry 'GeometryCollection'",
        ),
        (qupath.feature({"type": "Point", "coordinates": [1]}), "feature 1: coordinates"),
        (
            qupath.feature({"type": "Point", "coordinates": ["1,5", 1]}),
            "feature 1: .*decimal comma",
        ),
        (
            qupath.feature({"type": "Polygon", "coordinates": [[1, 2], [3, 4]]}),
            "feature 1: coordinates",
        ),
        (qupath.feature({"type": "Polygon", "coordinates": None}), "feature 1: has no list"),
        (
            qupath.feature({"type": "Polygon", "coordinates": [[]], "isEllipse": True}),
            "ellipse without coordinates",
        ),
        (
            qupath.feature({**POINT, "plane": {"c": 0, "z": 0, "t": 2}}),
            "feature 1: lies on a time point",
        ),
        (qupath.feature({**POINT, "plane": {"z": -1, "t": 0}}), "slices count from 0"),
        (qupath.feature({**POINT, "plane": {"z": 1.5, "t": 0}}), "not a whole number"),
        (
            {
                "type": "FeatureCollection",
                "features": [qupath.feature(POINT), {"type": "Feature", "geometry": None}],
            },
            "feature 2: has no object",
        ),
        (
            {"type": "FeatureCollection", "features": {"0": qupath.feature(POINT)}},
            "no list 'features'",
        ),
        (json.dumps(qupath.feature(POINT))[:-3], "not valid JSON"),
    ],
)
def test_faults_name_the_place(tmp_path: Path, document: object, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, document)


def test_geojson_of_maps_is_not_qupath(tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [13.4, 52.5]},
        "properties": {"name": "Berlin"},
    }
    for document in (feature, {"type": "FeatureCollection", "features": [feature]}):
        assert not READER.recognises(tmp_path / "map.geojson", json.dumps(document).encode())


def test_recognised_by_its_id_before_a_geometry_longer_than_the_head(tmp_path: Path) -> None:
    feature = qupath.feature({"type": "Polygon", "coordinates": [[[n, n] for n in range(20_000)]]})
    head = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()[: 1 << 16]
    assert b"objectType" not in head
    assert READER.recognises(tmp_path / "a.geojson", head)
