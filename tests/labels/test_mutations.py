"""Label files with any one value replaced by something else: read into finite points, or refused
with a LabelError; nothing else.

And each format is recognised by its own reader only.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, WHOLE_CORNER
from labels.readers import (
    test_coco,
    test_cvat,
    test_imagej,
    test_label_studio,
    test_labelme,
    test_makesense,
    test_via,
)

from sidecar.errors import LabelError
from sidecar.labels.model import Reader, ReadOptions
from sidecar.labels.readers import (
    coco,
    cvat,
    imagej,
    imagej_roi,
    imagej_xy,
    label_studio,
    labelme,
    makesense,
    via,
)

READERS = (
    coco.READER,
    cvat.READER,
    imagej.READER,
    imagej_xy.READER,
    imagej_roi.READER,
    label_studio.READER,
    labelme.READER,
    makesense.READER,
    makesense.READER_LINES,
    makesense.READER_BOXES,
    via.READER,
)

_KEYPOINT = test_label_studio.keypoint(LANDMARKS[0])
_RECTANGLE = test_label_studio.region(
    "rectanglelabels", {"x": 10, "y": 20, "width": 5, "height": 7, "rotation": 30}
)
_POLYGON = test_label_studio.region(
    "polygonlabels", {"points": [[10, 20], [30, 40]], "closed": True}
)
_ELLIPSE = {"name": "ellipse", "cx": 10, "cy": 20, "rx": 5, "ry": 3, "theta": 0.5}
_VIA: list[test_via.Region] = [
    *test_via.regions(WHOLE_CORNER[:1]),
    ("a.png", _ELLIPSE, {"parts": {"c": True}, "side": "left"}),
]
_COCO = test_coco.keypoints(LANDMARKS[:2], corner=True)
_COCO["annotations"].append({"id": 9, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]})
_COCO["annotations"].append(
    {"id": 10, "image_id": 1, "category_id": 1, "segmentation": [[1.5, 2.5, 3.5, 2.5, 3.5, 5.5]]}
)
_COCO["images"] = _COCO["images"][:2] + _COCO["images"][3:4]

JSON: list[tuple[Reader, Any]] = [
    (
        labelme.READER,
        test_labelme.document(
            [test_labelme.shape("a", [[1, 2], [3, 4]], "rectangle", flags={"b": True})]
        ),
    ),
    (coco.READER, _COCO),
    (label_studio.READER, [test_label_studio.task([_KEYPOINT, _RECTANGLE, _POLYGON])]),
    (via.READER, json.loads(test_via.as_json(_VIA))),
    (via.READER, json.loads(test_via.as_via1_json(_VIA))),
    (via.READER, json.loads(test_via.as_project(_VIA))),
]
TEXT: list[tuple[Reader, str]] = [
    (
        cvat.READER,
        test_cvat.annotations(
            test_cvat.image("slice_0003.png", test_cvat.point(LANDMARKS[0]), test_cvat.SKELETON)
        ),
    ),
    (cvat.READER, test_cvat.of_video(LANDMARKS[:2])),
    (
        imagej.READER,
        test_imagej.results(test_imagej.points(LANDMARKS[:2]) + test_imagej.areas(LANDMARKS[2:4])),
    ),
    (imagej_xy.READER, test_imagej.coordinates([(1, 2), (3, 4)])),
    (makesense.READER, "\n".join(map(test_makesense.row, WHOLE_CORNER))),
    (via.READER, test_via.as_csv(_VIA)),
]
ODD: list[Any] = [
    None,
    True,
    "x",
    "1,5",
    -1,
    1e308,
    float("nan"),
    10**400,
    [[]],
    {"a": []},
    ["a.png"],
]


def replaced(node: Any, odd: Any) -> Iterator[Any]:
    """The document with each of its nodes in turn replaced, and with each key in turn missing."""
    yield odd
    for key in (
        list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    ):
        for child in replaced(node[key], odd):
            changed = copy.copy(node)
            changed[key] = child
            yield changed
        if isinstance(node, dict):
            yield {other: value for other, value in node.items() if other != key}


def survive(reader: Reader, path: Path) -> bool:
    """Whether the file was read; if so, into finite points with all columns of one length."""
    try:
        labels = reader.read(
            path, STACK, ReadOptions("center" if reader is imagej_xy.READER else None)
        )
    except LabelError as error:
        assert str(path.parent) not in str(error)
        return False
    assert np.isfinite(labels.xy).all()
    assert not np.isinf(labels.slice).any()
    assert {len(column) for column in labels.columns.values()} <= {len(labels)}
    assert all(isinstance(cell, str) for column in labels.columns.values() for cell in column)
    return True


@pytest.mark.parametrize(("reader", "document"), JSON)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:10])
def test_json_with_any_value_replaced(
    tmp_path: Path, reader: Reader, document: Any, odd: Any
) -> None:
    path = tmp_path / "labels.json"
    for changed in replaced(document, odd):
        path.write_text(json.dumps(changed))
        survive(reader, path)
    path.write_text(json.dumps(document))
    assert survive(reader, path)


@pytest.mark.parametrize(("reader", "text"), TEXT)
@pytest.mark.parametrize("odd", ["", "x", "nan", "-1", "1e308", '"', "&", "\n", ";", "[1]"])
def test_text_with_any_value_replaced(tmp_path: Path, reader: Reader, text: str, odd: str) -> None:
    path = tmp_path / "labels"
    for value in re.finditer(r'[^,;"<>=\s\t]+', text):
        path.write_bytes((text[: value.start()] + odd + text[value.end() :]).encode())
        survive(reader, path)


@pytest.mark.parametrize(("reader", "text"), [*((r, json.dumps(d)) for r, d in JSON), *TEXT])
@pytest.mark.parametrize(
    "encode",
    [str.encode, lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16")],
)
def test_each_file_is_recognised_by_its_own_reader_only(
    tmp_path: Path, reader: Reader, text: str, encode: Callable[[str], bytes]
) -> None:
    head = encode(text)
    if "<?xml" in text and head[:2] != b"<?":
        return  # an XML declaration states the encoding, which the bytes would belie
    assert [r.name for r in READERS if r.recognises(tmp_path, head[:65536])] == [reader.name]


def test_names_are_unique() -> None:
    assert len({reader.name for reader in READERS}) == len(READERS)
