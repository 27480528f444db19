"""LabelMe JSON, written as LabelMe 5 writes it: one file for each image."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, Landmark, check, check_columns, stated_sizes
from kit.tool_files.labelme import document, shape

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers.labelme import READER


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2))
    return path


@pytest.mark.parametrize("folder", ["", "../png/", "..\\png\\"])
@pytest.mark.parametrize("landmark", LANDMARKS)
def test_every_landmark_comes_back(tmp_path: Path, landmark: Landmark, folder: str) -> None:
    path = write(
        tmp_path / "a.json",
        document([shape(landmark.name, [list(landmark.corner)], "point")], folder + landmark.image),
    )
    assert READER.recognises(path, path.read_bytes()[:65536])
    labels = READER.read(path, STACK)
    check(labels, [landmark])
    assert stated_sizes(labels) == {labels.image[0]: (203, 151)}
    assert (labels.tool, labels.pixel_origin, labels.shapes.kinds) == (
        "LabelMe",
        "corner",
        ("point",),
    )


def test_an_area_at_the_edge_is_cut_there(tmp_path: Path) -> None:
    """Of the size that the file states, which may be that of a resized copy."""
    rectangle = shape("a", [[-1e-9, 5], [203.2, 9]], "rectangle")
    labels = READER.read(write(tmp_path / "a.json", document([rectangle])), STACK)
    assert labels.xy[:, 0].tolist() == [-0.5, 202.5, 202.5, -0.5]
    assert any("1 area reached beyond the edge" in note for note in labels.notes)


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", document([shape("a", [[12.5, 40.5]], "point")]))
    assert READER.read(path, STACK, ReadOptions("center")).xy.tolist() == [[12.5, 40.5]]


@pytest.mark.parametrize(
    ("points", "shape_type", "vertices", "ours"),
    [
        ([[10, 20], [30, 50]], "line", [[9.5, 19.5], [29.5, 49.5]], "line"),
        (
            [[10, 20], [30, 50], [7, 8]],
            "linestrip",
            [[9.5, 19.5], [29.5, 49.5], [6.5, 7.5]],
            "polyline",
        ),
        (
            [[10, 20], [30, 50], [7, 8]],
            "polygon",
            [[9.5, 19.5], [29.5, 49.5], [6.5, 7.5]],
            "polygon",
        ),
        (
            [[30, 50], [10, 20]],
            "rectangle",
            [[9.5, 19.5], [29.5, 19.5], [29.5, 49.5], [9.5, 49.5]],
            "box",
        ),
        ([[10, 20], [13, 24]], "circle", [[9.5, 19.5], [12.5, 23.5]], "circle"),
        (
            [[10, 20], [12, 18], [14, 20], [12, 22]],
            "oriented_rectangle",
            [[9.5, 19.5], [11.5, 17.5], [13.5, 19.5], [11.5, 21.5]],
            "box",
        ),
    ],
)
def test_shapes(
    tmp_path: Path, points: list[Any], shape_type: str, vertices: list[Any], ours: str
) -> None:
    path = write(tmp_path / "a.json", document([shape("a", points, shape_type)]))
    labels = READER.read(path, STACK)
    np.testing.assert_allclose(labels.xy, vertices, rtol=0, atol=1e-9)
    assert labels.shapes.kinds == (ours,)
    assert labels.columns["vertex"] == [str(n) for n in range(len(vertices))]
    assert labels.where(1) == "shape 1, vertex 1"
    check_columns(labels)


@pytest.mark.parametrize("kind", ["rectangle", "rotation"])
def test_a_box_of_four_corners_as_x_anylabeling_writes_it(tmp_path: Path, kind: str) -> None:
    """Upright or turned, its corners are as in the file."""
    turned = [[10, 20], [12, 18], [14, 20], [12, 22]]
    for points in ([[10, 20], [30, 20], [30, 50], [10, 50]], turned):
        path = write(tmp_path / "a.json", document([shape("a", points, kind, score=0.9)]))
        labels = READER.read(path, STACK)
        assert (labels.xy + 0.5).tolist() == points
        assert labels.shapes.kinds == ("box",)


def test_a_file_named_after_another_png_is_refused(tmp_path: Path) -> None:
    content = document([shape("a", [[1, 2]], "point")], "..\\png\\slice_0003.png")
    assert len(READER.read(write(tmp_path / "slice_0003.json", content), STACK)) == 1
    with pytest.raises(
        LabelError,
        match=r"slice_0004\.json: .*two names: 'slice_0004' and '\.\./png/slice_0003\.png'",
    ):
        READER.read(write(tmp_path / "slice_0004.json", content), STACK)


def test_identity_is_kept(tmp_path: Path) -> None:
    flags = {"damaged": True, "checked": False}
    shapes = [
        shape("a", [[1, 2]], "point", group_id=7, description="left", flags=flags),
        shape("b", [[3, 4], [5, 6]], "line"),
    ]
    labels = READER.read(write(tmp_path / "a.json", document(shapes)), STACK)
    assert labels.columns["shape_id"] == ["1", "2", "2"]
    assert [labels.columns[name][0] for name in ("group_id", "description", "flags")] == [
        "7",
        "left",
        "damaged",
    ]


def test_masks_are_left_out_and_said(tmp_path: Path) -> None:
    shapes = [
        shape("m", [[2, 3], [5, 7]], "mask", mask="iVBORw0KGgo="),
        shape("a", [[1, 2]], "point"),
    ]
    labels = READER.read(write(tmp_path / "a.json", document(shapes)), STACK)
    assert len(labels) == 1
    assert "1 mask left out" in labels.notes[0] and "map-mask" in labels.notes[0]
    assert labels.where(0) == "shape 2"
    assert labels.left_out == labels.notes


def test_an_image_without_shapes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", document([]))
    assert READER.recognises(path, path.read_bytes())
    assert len(READER.read(path, STACK)) == 0


def test_recognised_when_the_embedded_image_or_many_shapes_fill_the_start(tmp_path: Path) -> None:
    many = json.dumps(document([shape("a", [[1.5, 2.5]], "point") for _ in range(2000)])).encode()
    embedded = json.dumps(
        dict(sorted((document([]) | {"imageData": "QUJD" * 50_000}).items()))
    ).encode()
    for content in (many, embedded):
        assert len(content) > 65536
        assert READER.recognises(tmp_path, content[:65536])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (shape("a", [["x", 2]], "point"), "shape 1: coordinate 'x' is not a number"),
        (shape("a", [[1]], "point"), "shape 1: coordinates are not a list"),
        (shape("a", [[1, 2], [3, 4]], "point"), "a point cannot have 2 points"),
        (shape("a", [], "polygon"), "a polygon cannot have 0 points"),
        (shape("a", [[1, 2], [3, 4], [5, 6]], "rectangle"), "a rectangle cannot have 3 points"),
        (shape("a", [[1, 2]], "spiral"), "shape type 'spiral' is not known"),
        (shape("a", [[1, 2]], ["point"]), "is not known"),
        ("point", "has no list 'points'"),
        (None, "has no list 'points'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, bad: Any, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        READER.read(write(tmp_path / "a.json", document([bad])), STACK)


@pytest.mark.parametrize(
    "bad",
    ["[]", "1", "{}", '{"imagePath": "a.png"}', '{"imagePath": 3, "shapes": []}', '{"shapes": {}}'],
)
def test_other_json(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(bad)
    with pytest.raises(LabelError, match=r"a\.json"):
        READER.read(path, STACK)


@pytest.mark.parametrize("data", ["no base64 at all", 5, "", None])
def test_an_image_that_cannot_be_read_tells_nothing(tmp_path: Path, data: object) -> None:
    content = document([shape("a", [[1, 2]], "point")]) | {"imageData": data}
    (image,) = READER.read(write(tmp_path / "a.json", content), STACK).images
    assert image.embedded is None or image.embedded() == b""


def test_the_image_is_not_kept(tmp_path: Path) -> None:
    """Those of a thousand files would fill memory: it is read anew where it is looked at."""
    pixels = base64.b64encode(bytes(range(256)) * 64).decode()
    content = document([shape("a", [[1, 2]], "point")]) | {"imageData": pixels}
    labels = READER.read(write(tmp_path / "a.json", content), STACK)
    (image,) = labels.images
    assert image.embedded is not None and image.embedded() == bytes(range(256)) * 64
    assert pixels[:100] not in repr(labels)
