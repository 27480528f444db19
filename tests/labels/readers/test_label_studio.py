"""Label Studio JSON, written as Label Studio 1.x writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, check_columns, entries, stated_sizes
from kit.tool_files.label_studio import SIZE, keypoint, percent, region, task

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers.label_studio import READER


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "project-4-at-2026-11-23.json"
    path.write_text(json.dumps(content))
    return path


def test_landmarks_come_back(tmp_path: Path) -> None:
    path = write(
        tmp_path, [task([keypoint(m)], f"/data/upload/4/624cb493-{m.image}") for m in LANDMARKS]
    )
    assert READER.recognises(path, path.read_bytes())
    labels = READER.read(path, STACK)
    assert labels.columns["label"] == [m.name for m in LANDMARKS]
    assert list(labels.image) == [
        f"/data/upload/4/624cb493-{m.image}" for m in LANDMARKS
    ]  # as in the file
    np.testing.assert_allclose(labels.xy, [(m.x, m.y) for m in LANDMARKS], rtol=0, atol=1e-9)
    assert stated_sizes(labels)[labels.image[0]] == (203, 151)
    assert (labels.pixel_origin, labels.shapes.kinds) == ("corner", ("point",))
    check_columns(labels)


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    path = write(tmp_path, [task([keypoint(LANDMARKS[0])])])
    np.testing.assert_allclose(
        READER.read(path, STACK, ReadOptions("center")).xy, [LANDMARKS[0].corner], rtol=0, atol=1e-9
    )


W, H = STACK.columns / 100, STACK.rows / 100


@pytest.mark.parametrize(
    ("type_", "value", "vertices", "ours"),
    [
        (
            "rectanglelabels",
            {"x": 10 / W, "y": 20 / H, "width": 5 / W, "height": 7 / H, "rotation": 0},
            [[10, 20], [15, 20], [15, 27], [10, 27]],
            "box",
        ),
        # a quarter turn clockwise about the top-left corner: the top edge points down, the left
        # edge points left
        (
            "rectanglelabels",
            {"x": 10 / W, "y": 20 / H, "width": 5 / W, "height": 7 / H, "rotation": 90},
            [[10, 20], [10, 25], [3, 25], [3, 20]],
            "box",
        ),
        (
            "rectangle",
            {"x": 10 / W, "y": 20 / H, "width": 5 / W, "height": 7 / H},
            [[10, 20], [15, 20], [15, 27], [10, 27]],
            "box",
        ),
        (
            "ellipselabels",
            {"x": 10 / W, "y": 20 / H, "radiusX": 5 / W, "radiusY": 7 / H, "rotation": 0},
            [[10, 20], [15, 20], [10, 27]],
            "ellipse",
        ),
        (
            "ellipselabels",
            {"x": 10 / W, "y": 20 / H, "radiusX": 5 / W, "radiusY": 7 / H, "rotation": 90},
            [[10, 20], [10, 25], [3, 20]],
            "ellipse",
        ),
        (
            "polygonlabels",
            {"points": [[10 / W, 20 / H], [30 / W, 40 / H], [1 / W, 2 / H]], "closed": True},
            [[10, 20], [30, 40], [1, 2]],
            "polygon",
        ),
        (
            "polygonlabels",
            {"points": [[10 / W, 20 / H], [30 / W, 40 / H]], "closed": False},
            [[10, 20], [30, 40]],
            "polyline",
        ),
    ],
)
def test_shapes(
    tmp_path: Path, type_: str, value: dict[str, Any], vertices: list[Any], ours: str
) -> None:
    labels = READER.read(write(tmp_path, [task([region(type_, value)])]), STACK)
    np.testing.assert_allclose(labels.xy + 0.5, vertices, rtol=0, atol=1e-9)
    assert labels.shapes.kinds == (ours,)
    assert labels.columns["vertex"] == [str(n) for n in range(len(vertices))]
    check_columns(labels)


def test_the_rotation_that_label_studio_users_measured(tmp_path: Path) -> None:
    """label-studio#2293: on 1000 x 500 pixels, (200, 100) 300 x 100 turned by 90 degrees covers
    (100, 100) 100 x 300.
    """
    value = {"x": 20, "y": 20, "width": 30, "height": 20, "rotation": 90}
    path = write(
        tmp_path,
        [task([region("rectanglelabels", value, original_width=1000, original_height=500)])],
    )
    corners = READER.read(path, STACK).xy + 0.5
    np.testing.assert_allclose(
        [corners.min(0), corners.max(0)], [[100, 100], [200, 400]], rtol=0, atol=1e-9
    )


def test_labels_that_are_set_apart_from_the_shape(tmp_path: Path) -> None:
    value = percent(10, 20) | {"width": 0.5}
    names = region("keypoint", value | {"labels": ["a", "b"]}, id="r1", type="labels")
    results = [region("keypoint", value, id="r1"), names, region("keypoint", value, id="r2")]
    labels = READER.read(write(tmp_path, [task(results)]), STACK)
    assert labels.columns["label"] == ["a;b", ""]
    assert labels.columns["shape_id"] == ["r1", "r2"]


def test_several_annotators_are_told_apart(tmp_path: Path) -> None:
    content = task([keypoint(LANDMARKS[0])])
    content["annotations"].append(
        content["annotations"][0]
        | {
            "id": 1002,
            "completed_by": {"id": 11, "email": "someone@example.org"},
        }
    )
    labels = READER.read(write(tmp_path, [content]), STACK)
    assert labels.columns["annotation"] == ["1001", "1002"]
    assert labels.columns["completed_by"] == ["10", "11"]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    brush = region("brushlabels", {"format": "rle", "rle": [0, 1, 2]})
    choice = region("choices", {"choices": ["good"]})
    content = task([brush, choice, keypoint(LANDMARKS[1])])
    content["annotations"].append(
        {"id": 1002, "completed_by": 3, "was_cancelled": True, "result": [keypoint(LANDMARKS[0])]}
    )
    content["predictions"] = [{"id": 1, "result": [keypoint(LANDMARKS[0])]}]
    labels = READER.read(write(tmp_path, [content]), STACK)
    assert labels.columns["label"] == ["bregma"]
    assert set(labels.left_out) == {
        "1 brush region left out: masks are areas of pixels, so use map-mask",
        "1 choices region left out: not an outline",
        "1 cancelled annotation left out",
        "1 model prediction left out",
    }


def test_nothing_left_out_nothing_said(tmp_path: Path) -> None:
    assert READER.read(write(tmp_path, [task([keypoint(LANDMARKS[0])])]), STACK).notes == ()


@pytest.mark.parametrize(
    "data",
    [
        {"img": "a.png"},
        {"img": "a.png", "text": "hi", "video": "a.mp4"},
        {"stack": ["z.png", "a.png"], "text": "hi"},
        {"image": "a.png", "preview": "A.jpg"},
    ],
)
def test_the_image_of_a_region(tmp_path: Path, data: dict[str, Any]) -> None:
    content = task([keypoint(LANDMARKS[0]) | ({"item_index": 1} if "stack" in data else {})]) | {
        "data": data
    }
    assert list(READER.read(write(tmp_path, [content]), STACK).image) == ["a.png"]


def test_two_images_of_one_task_are_one_where_the_tag_says_so(tmp_path: Path) -> None:
    """Every export calls its PNGs alike: one upload may be of another scan than the other."""
    host = "https://host/4ac13f39-{}.jpg?width=100"
    for name, is_one in (("slice_0003_gjgbtf", True), ("slice_0003", False)):
        data = {"image": f"{name}.png", "preview": host.format(name)}
        path = write(tmp_path, [task([keypoint(LANDMARKS[0])]) | {"data": data}])
        if is_one:
            assert READER.read(path, STACK).image == [f"{name}.png"]
        else:
            with pytest.raises(LabelError, match="the task names two images"):
                READER.read(path, STACK)


def test_a_task_that_holds_the_image_itself(tmp_path: Path) -> None:
    data = {"image": "data:image/png;base64,iVBORw0KGgo="}
    path = write(tmp_path, [task([keypoint(LANDMARKS[0])]) | {"data": data}])
    with pytest.raises(LabelError, match="hold the image itself and not its name"):
        READER.read(path, STACK)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (
            [region("keypointlabels", {"x": "ten", "y": 1})],
            "task 1, region Dx_aB91ISN: coordinate 'ten' is not a number",
        ),
        ([region("keypointlabels", {"y": 1})], "coordinate None is not a number"),
        ([region("keypointlabels", percent(1, 2), image_rotation=90)], "rotated in Label Studio"),
        (
            [region("keypointlabels", percent(1, 2), original_width=None)],
            "original_width None is not a number",
        ),
        (
            [keypoint(LANDMARKS[0]), keypoint(LANDMARKS[0]) | {"original_width": 9}],
            "states two sizes for .*203 × 151 and 9 × 151",
        ),
        ([region("polygonlabels", {"points": [[1]]})], "list of"),
        ([{"type": "keypointlabels"}], "has no object 'value'"),
        ([{"value": {}}], "has no text 'type'"),
        ([3], "has no text 'type'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, results: list[Any], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        READER.read(write(tmp_path, [task(results)]), STACK)


@pytest.mark.parametrize(
    "second",
    ["/data/upload/4/734cb493-slice_0004.png", ["slice_0003.png"], "s3://bucket/slice_0004.jpg"],
)
@pytest.mark.parametrize("keys", [("image", "image2"), ("left", "right")])
def test_a_task_of_two_images_is_refused_naming_both(
    tmp_path: Path, keys: tuple[str, str], second: Any
) -> None:
    """A region names the tag it is on, and the tag's image stands in the labelling setup only."""
    content = task([keypoint(LANDMARKS[0]) | {"to_name": keys[1]}]) | {
        "data": {keys[0]: "/data/upload/4/624cb493-slice_0003.png", keys[1]: second}
    }
    with pytest.raises(LabelError, match=rf"two images, {keys[0]} .*slice_0003.*{keys[1]} .*000"):
        READER.read(write(tmp_path, [content]), STACK)


def test_a_region_of_several_images_that_does_not_tell_which(tmp_path: Path) -> None:
    content = task([keypoint(LANDMARKS[0])]) | {"data": {"stack": ["a.png", "b.png"]}}
    with pytest.raises(LabelError, match="has 2 images, and the region does not say which"):
        READER.read(write(tmp_path, [content]), STACK)


@pytest.mark.parametrize(
    "reference",
    [
        "/data/upload/1/abcd0123-slice_0003.png",
        "s3://bucket/png/slice_0003.png",
        "/data/local-files/?d=scans%2Fpng%2Fslice_0003.png",
        "/data/upload/4/624cb493-slice_0003.jpg",
    ],
)
def test_references_are_handed_over_as_they_are(tmp_path: Path, reference: str) -> None:
    labels = READER.read(write(tmp_path, [task([keypoint(LANDMARKS[1])], reference)]), STACK)
    assert list(labels.image) == [reference]
    assert stated_sizes(labels) == {reference: (203, 151)}
    assert entries(labels) == ["task 1"]


def test_a_box_up_to_the_edge(tmp_path: Path) -> None:
    """Corner and size rounded each on its own may come to more than 100 %."""
    for x, width in ((33.3, 66.7), (33.33, 66.68), (100 / 3, 200 / 3)):
        value = {"x": x, "y": 0, "width": width, "height": 100, "rotation": 0}
        labels = READER.read(write(tmp_path, [task([region("rectanglelabels", value)])]), STACK)
        assert (labels.xy.max(0) <= [202.5, 150.5]).all()
        np.testing.assert_allclose(labels.xy.max(0), [202.5, 150.5], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "data", [{}, {"a": "a.png", "b": "b.png"}, {"stack": ["a.png"]}, {"image": 3}]
)
def test_tasks_that_do_not_say_which_image(tmp_path: Path, data: dict[str, Any]) -> None:
    content = task([keypoint(LANDMARKS[0]) | {"item_index": 5}]) | {"data": data}
    with pytest.raises(LabelError, match="region Dx_aB91ISN"):
        READER.read(write(tmp_path, [content]), STACK)


@pytest.mark.parametrize(
    "content",
    [
        {},
        1,
        [1],
        [{"annotations": 3}],
        [{"annotations": [1], "data": {}}],
        [{"annotations": [], "data": 1}],
    ],
)
def test_other_json(tmp_path: Path, content: Any) -> None:
    with pytest.raises(LabelError):
        READER.read(write(tmp_path, content), STACK)


def test_json_min_is_not_recognised(tmp_path: Path) -> None:
    head = json.dumps(
        [{"image": "/data/a.png", "id": 1, "kp": [percent(1, 2) | SIZE], "annotator": 1}]
    ).encode()
    assert not READER.recognises(tmp_path, head)


def test_recognised_by_a_first_annotation_longer_than_the_start(tmp_path: Path) -> None:
    content = json.dumps([task([keypoint(LANDMARKS[0])] * 500)]).encode()
    assert len(content) > 65536
    assert READER.recognises(tmp_path, content[:65536])
