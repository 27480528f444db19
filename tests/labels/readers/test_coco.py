"""COCO JSON, in the forms CVAT, Label Studio and the data set itself write it; pycocotools says
which pixels a shape covers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import (
    LANDMARKS,
    STACK,
    WHOLE_CENTER,
    WHOLE_CORNER,
    check,
    check_columns,
    entries,
    stated_sizes,
)
from kit.tool_files.coco import document, keypoints

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers.coco import READER

#: pycocotools 2.0.11 reads its own masks in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def mask_utils() -> Any:
    return pytest.importorskip("pycocotools.mask")


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "person_keypoints_default.json"
    path.write_text(json.dumps(content))
    return path


def test_keypoints_of_a_tool_that_writes_its_own_positions(tmp_path: Path) -> None:
    path = write(tmp_path, keypoints(LANDMARKS, corner=True))
    assert READER.recognises(path, path.read_bytes()[:65536])
    labels = READER.read(path, STACK)
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "corner"
    assert any("fractional" in note and "--pixel-origin center" in note for note in labels.notes)
    assert stated_sizes(labels)["slice_0003.png"] == (203, 151)


def test_keypoints_as_coco_defines_them(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, keypoints(WHOLE_CENTER, corner=False)), STACK)
    check(labels, WHOLE_CENTER)
    assert labels.pixel_origin == "center"
    assert any("whole numbers" in note and "--pixel-origin corner" in note for note in labels.notes)


@pytest.mark.parametrize(("origin", "shift"), [("center", 0.0), ("corner", -0.5)])
def test_a_forced_origin_is_obeyed_and_nothing_is_assumed(
    tmp_path: Path, origin: Any, shift: float
) -> None:
    labels = READER.read(
        write(tmp_path, keypoints(WHOLE_CENTER, corner=False)), STACK, ReadOptions(origin)
    )
    np.testing.assert_allclose(
        labels.xy, [(m.x + shift, m.y + shift) for m in WHOLE_CENTER], rtol=0, atol=1e-9
    )
    assert labels.notes == labels.left_out


def test_keypoints_that_are_not_labelled_are_left_out_and_do_not_decide_the_origin(
    tmp_path: Path,
) -> None:
    annotation = {"image_id": 1, "keypoints": [5, 6, 2, 0.5, 0.5, 0, 7, 8, 1]}
    labels = READER.read(write(tmp_path, document([annotation], ["a", "b"])), STACK)
    assert labels.xy.tolist() == [[5, 6], [7, 8]]
    assert labels.columns["label"] == ["a", "skull_2"]  # the category names two keypoints only
    assert labels.columns["vertex"] == ["0", "2"]
    assert labels.columns["visibility"] == ["2", "1"]
    assert labels.where(0) == "annotation 1, a"


def covered(labels: Any) -> set[tuple[int, int]]:
    """The pixels whose middle lies in the upright box that the vertices span."""
    (left, top), (right, bottom) = labels.xy.min(0), labels.xy.max(0)
    return {
        (x, y)
        for x in range(STACK.columns)
        for y in range(STACK.rows)
        if left < x < right and top < y < bottom
    }


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        ({"bbox": [0, 0, 1, 1]}, np.array([[0.0, 0.0, 1.0, 1.0]])),
        ({"bbox": [12, 40, 5, 7]}, np.array([[12.0, 40.0, 5.0, 7.0]])),
        ({"segmentation": [[2, 3, 6, 3, 6, 8, 2, 8]]}, [[2, 3, 6, 3, 6, 8, 2, 8]]),
    ],
)
def test_boxes_and_polygons_cover_the_pixels_that_pycocotools_says(
    tmp_path: Path, mask_utils: Any, annotation: dict[str, Any], shape: Any
) -> None:
    labels = READER.read(write(tmp_path, document([{"image_id": 3} | annotation])), STACK)
    oracle = mask_utils.decode(mask_utils.frPyObjects(shape, STACK.rows, STACK.columns))[:, :, 0]
    assert covered(labels) == {(int(x), int(y)) for y, x in np.argwhere(oracle)}
    assert labels.columns["label"] == ["skull"] * 4
    check_columns(labels)


def by_label_studio(content: dict[str, Any], contributor: str) -> dict[str, Any]:
    return content | {"info": content["info"] | {"contributor": contributor}}


def test_keypoints_of_label_studio_are_rounded_corner_positions(tmp_path: Path) -> None:
    """The file looks like one of pixel numbers; who wrote it tells."""
    content = keypoints(WHOLE_CORNER, corner=True)
    content["annotations"] = json.loads(json.dumps(content["annotations"]).replace(".0", ""))
    labels = READER.read(write(tmp_path, by_label_studio(content, "Label Studio")), STACK)
    check(labels, WHOLE_CORNER)
    assert labels.pixel_origin == "corner"
    assert any("rounded keypoints" in note for note in labels.notes)
    assert READER.read(write(tmp_path, content), STACK).pixel_origin == "center"


@pytest.mark.parametrize(
    ("contributor", "origin"),
    [("Label Studio Converter", "center"), ("Label Studio", "corner"), ("", "corner")],
)
def test_polygons_that_label_studio_traced_are_middles_of_pixels(
    tmp_path: Path, contributor: str, origin: str
) -> None:
    """A brush of pixels 5 … 15 and 21 … 22, traced through its outermost pixels."""
    traced = [5, 21, 5, 22, 15, 22, 15, 21]
    content = document(
        [{"image_id": 3, "segmentation": [traced]}, {"image_id": 3, "bbox": [1, 2, 3, 4]}]
    )
    labels = READER.read(write(tmp_path, by_label_studio(content, contributor)), STACK)
    shift = 0.5 if origin == "corner" else 0.0
    assert labels.xy[0].tolist() == [5 - shift, 21 - shift]
    assert labels.xy[4].tolist() == [0.5, 1.5]
    assert any("traces painted masks" in note for note in labels.notes) is (origin == "center")


def test_two_sizes_of_one_name_are_two_images(tmp_path: Path) -> None:
    content = keypoints(LANDMARKS, corner=True)
    content["images"].append(content["images"][3] | {"id": 51, "width": 406, "height": 302})
    with pytest.raises(
        LabelError, match=r"two sizes for 'slice_0003\.png', 203 × 151 and 406 × 302"
    ):
        READER.read(write(tmp_path, content), STACK)


def test_entries_are_handed_over(tmp_path: Path) -> None:
    content = document([{"image_id": n, "bbox": [1, 2, 3, 4]} for n in (3, 51)])
    content["images"].append(content["images"][2] | {"id": 51})
    labels = READER.read(write(tmp_path, content), STACK)
    assert entries(labels) == ["image 3"] * 4 + ["image 51"] * 4
    assert set(labels.image) == {"slice_0002.png"}


@pytest.mark.parametrize("size", [None, 0])
def test_sizes_that_a_tool_did_not_know(tmp_path: Path, size: object) -> None:
    content = document([{"image_id": 3, "bbox": [1, 2, 3, 4]}])
    for image in content["images"]:
        image |= {"width": size, "height": size}
    labels = READER.read(write(tmp_path, content), STACK)
    assert labels.xy[0].tolist() == [0.5, 1.5]
    assert {image.size for image in labels.images} == {None}


def test_a_box_up_to_the_edge(tmp_path: Path) -> None:
    boxes = [[0.1, 0, 202.9, 151], [100.33, 0, 102.68, 151], [100, 0, 104, 151]]
    content = document([{"image_id": 3, "bbox": box} for box in boxes])
    labels = READER.read(write(tmp_path, content), STACK)
    np.testing.assert_allclose(labels.xy[2::4], [[202.5, 150.5]] * 3, rtol=0, atol=1e-9)
    assert (labels.xy <= [202.5, 150.5]).all()
    assert any("2 areas reached beyond the edge" in note for note in labels.notes)


def test_what_has_no_shape_is_left_out_and_said(tmp_path: Path) -> None:
    unlabelled = {"image_id": 1, "keypoints": [0, 0, 0, 1, 2, 2]}
    content = document([unlabelled, {"image_id": 1, "caption": "a skull"}], ["a", "b"])
    assert READER.read(write(tmp_path, content), STACK).left_out == (
        "1 keypoint left out: not labelled (visibility 0)",
        "1 annotation left out: no keypoints, no polygon and no box",
    )


def test_the_box_of_an_annotation_with_a_polygon_is_derived_and_left_out(tmp_path: Path) -> None:
    annotation = {
        "image_id": 1,
        "segmentation": [[1.5, 2.5, 3.5, 2.5, 3.5, 5.5], [9.5, 9.5, 10.5, 9.5, 10.5, 11.5]],
        "bbox": [1, 2, 9, 9],
    }
    labels = READER.read(write(tmp_path, document([annotation])), STACK)
    assert labels.shapes.kinds == ("polygon",)
    assert labels.xy.tolist() == [[1, 2], [3, 2], [3, 5], [9, 9], [10, 9], [10, 11]]
    assert labels.columns["vertex"] == ["0", "1", "2"] * 2


def test_of_a_mask_the_box_is_read_and_that_is_said(tmp_path: Path, mask_utils: Any) -> None:
    mask = np.zeros((STACK.rows, STACK.columns), dtype=np.uint8, order="F")
    mask[30:40, 50:70] = 1
    rle = mask_utils.encode(mask)
    annotation = {
        "image_id": 1,
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
        "bbox": mask_utils.toBbox(rle).tolist(),
        "iscrowd": 1,
    }
    labels = READER.read(write(tmp_path, document([annotation])), STACK)
    assert labels.shapes.kinds == ("box",)
    assert covered(labels) == {(int(x), int(y)) for y, x in np.argwhere(mask)}
    assert any("1 mask left out" in note and "map-mask" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({"image_id": 99, "bbox": [1, 2, 3, 4]}, "annotation 1: image_id 99: no such entry"),
        ({"bbox": [1, 2, 3, 4]}, "image_id missing"),
        ({"image_id": 1, "category_id": 5, "bbox": [1, 2, 3, 4]}, "category_id 5: no such entry"),
        ({"image_id": 1, "bbox": [1, 2, 3]}, "bbox is not"),
        ({"image_id": 1, "bbox": [1, 2, "three", 4]}, "'three' is not a number"),
        ({"image_id": 1, "bbox": [1, 2, 3, 4], "attributes": {"rotation": 30.0}}, "rotated"),
        ({"image_id": 1, "keypoints": [1, 2]}, "keypoints are not"),
        ({"image_id": 1, "keypoints": [1, "two", 2]}, "'two' is not a number"),
        ({"image_id": 1, "segmentation": [[1, 2, 3]]}, "a polygon is not a list"),
        ({"image_id": 1, "segmentation": [7]}, "a polygon is not a list"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, annotation: dict[str, Any], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        READER.read(write(tmp_path, document([annotation])), STACK)


def test_ids_that_repeat_are_refused(tmp_path: Path) -> None:
    content = document([])
    content["images"][1]["id"] = 1
    with pytest.raises(LabelError, match="two entries of 'images' have the same id"):
        READER.read(write(tmp_path, content), STACK)


@pytest.mark.parametrize(
    "content",
    [
        [],
        1,
        {},
        {"images": [1], "categories": [], "annotations": []},
        document([]) | {"annotations": [1]},
    ],
)
def test_other_json(tmp_path: Path, content: Any) -> None:
    with pytest.raises(LabelError):
        READER.read(write(tmp_path, content), STACK)


def test_recognised_with_images_first_or_annotations_first(tmp_path: Path) -> None:
    content = document([{"image_id": 1, "bbox": [1, 2, 3, 4]}] * 1000)
    for order in (["images", "annotations", "categories"], ["annotations", "images", "categories"]):
        head = json.dumps({key: content[key] for key in order}).encode()[:65536]
        assert READER.recognises(tmp_path, head)
