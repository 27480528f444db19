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
    Landmark,
    check,
    check_columns,
    stated_sizes,
)

from sidecar.errors import LabelError
from sidecar.labels.readers.coco import READER

#: pycocotools 2.0.11 reads its own masks in a way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def mask_utils() -> Any:
    return pytest.importorskip("pycocotools.mask")


def document(
    annotations: list[dict[str, Any]], keypoints: list[str] | None = None
) -> dict[str, Any]:
    images = [
        {
            "id": n + 1,
            "width": STACK.columns,
            "height": STACK.rows,
            "file_name": name,
            "license": 0,
            "date_captured": 0,
        }
        for n, name in enumerate(STACK.names)
    ]
    category: dict[str, Any] = {"id": 1, "name": "skull", "supercategory": ""}
    if keypoints is not None:
        category |= {"keypoints": keypoints, "skeleton": []}
    common = {"category_id": 1, "iscrowd": 0, "area": 1.0}
    return {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": {"contributor": "", "year": "2026"},
        "categories": [category],
        "images": images,
        "annotations": [
            {"id": n} | common | annotation for n, annotation in enumerate(annotations, 1)
        ],
    }


def keypoints(landmarks: tuple[Landmark, ...], corner: bool) -> dict[str, Any]:
    """One annotation for each slice, as a skeleton that is annotated on several images; keypoints
    elsewhere are 0, 0, 0.
    """
    annotations = []
    for slice_ in sorted({m.slice for m in landmarks}):
        flat: list[float] = []
        for m in landmarks:
            flat += (
                [*(m.corner if corner else (int(m.x), int(m.y))), 2]
                if m.slice == slice_
                else [0, 0, 0]
            )
        annotations.append(
            {
                "image_id": slice_ + 1,
                "keypoints": flat,
                "num_keypoints": 1,
                "bbox": [1, 2, 3, 4],
                "segmentation": [],
            }
        )
    return document(annotations, [m.name for m in landmarks])


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "person_keypoints_default.json"
    path.write_text(json.dumps(content))
    return path


def test_keypoints_of_a_tool_that_writes_its_own_positions(tmp_path: Path) -> None:
    path = write(tmp_path, keypoints(LANDMARKS, corner=True))
    assert READER.recognises(path, path.read_bytes()[:65536])
    labels = READER.read(path, STACK, None)
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "corner"
    assert any("fractional" in note and "--pixel-origin center" in note for note in labels.notes)
    assert stated_sizes(labels)["slice_0003.png"] == (203, 151)


def test_keypoints_as_coco_defines_them(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, keypoints(WHOLE_CENTER, corner=False)), STACK, None)
    check(labels, WHOLE_CENTER)
    assert labels.pixel_origin == "center"
    assert any("whole numbers" in note and "--pixel-origin corner" in note for note in labels.notes)


@pytest.mark.parametrize(("origin", "shift"), [("center", 0.0), ("corner", -0.5)])
def test_a_forced_origin_is_obeyed_and_nothing_is_assumed(
    tmp_path: Path, origin: Any, shift: float
) -> None:
    labels = READER.read(write(tmp_path, keypoints(WHOLE_CENTER, corner=False)), STACK, origin)
    np.testing.assert_allclose(
        labels.xy, [(m.x + shift, m.y + shift) for m in WHOLE_CENTER], rtol=0, atol=1e-9
    )
    assert labels.notes == ()


def test_keypoints_that_are_not_labelled_are_left_out_and_do_not_decide_the_origin(
    tmp_path: Path,
) -> None:
    annotation = {"image_id": 1, "keypoints": [5, 6, 2, 0.5, 0.5, 0, 7, 8, 1]}
    labels = READER.read(write(tmp_path, document([annotation], ["a", "b"])), STACK, None)
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
    labels = READER.read(write(tmp_path, document([{"image_id": 3} | annotation])), STACK, None)
    oracle = mask_utils.decode(mask_utils.frPyObjects(shape, STACK.rows, STACK.columns))[:, :, 0]
    assert covered(labels) == {(int(x), int(y)) for y, x in np.argwhere(oracle)}
    assert labels.columns["label"] == ["skull"] * 4
    check_columns(labels)


def test_the_box_of_an_annotation_with_a_polygon_is_derived_and_left_out(tmp_path: Path) -> None:
    annotation = {
        "image_id": 1,
        "segmentation": [[1.5, 2.5, 3.5, 2.5, 3.5, 5.5], [9.5, 9.5, 10.5, 9.5, 10.5, 11.5]],
        "bbox": [1, 2, 9, 9],
    }
    labels = READER.read(write(tmp_path, document([annotation])), STACK, None)
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
    labels = READER.read(write(tmp_path, document([annotation])), STACK, None)
    assert labels.shapes.kinds == ("box",)
    assert covered(labels) == {(int(x), int(y)) for y, x in np.argwhere(mask)}
    assert any("1 mask(s) left out" in note and "map-mask" in note for note in labels.notes)


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
        READER.read(write(tmp_path, document([annotation])), STACK, None)


def test_ids_that_repeat_are_refused(tmp_path: Path) -> None:
    content = document([])
    content["images"][1]["id"] = 1
    with pytest.raises(LabelError, match="two entries of 'images' have the same id"):
        READER.read(write(tmp_path, content), STACK, None)


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
        READER.read(write(tmp_path, content), STACK, None)


def test_recognised_with_images_first_or_annotations_first(tmp_path: Path) -> None:
    content = document([{"image_id": 1, "bbox": [1, 2, 3, 4]}] * 1000)
    for order in (["images", "annotations", "categories"], ["annotations", "images", "categories"]):
        head = json.dumps({key: content[key] for key in order}).encode()[:65536]
        assert READER.recognises(tmp_path, head)
