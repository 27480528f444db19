"""Files cut short, with a line missing, or with any value replaced: read into finite points, or
refused with a LabelError.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK
from kit.tool_files import qupath_feature, slicer_json, slicer_markup, slicer_points
from labels.test_recognised_once import FILES, READERS

from sidecar.errors import LabelError

ROI = slicer_markup(
    "ROI",
    [],
    center=[99.0, 70.0, 6.0],
    size=[4.0, 5.0, 2.0],
    orientation=[1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0],
)
RING = [[0, 0], [9, 0], [9, 9], [0, 0]]
JSON: list[tuple[str, dict[str, Any]]] = [
    (
        "slicer",
        json.loads(
            slicer_json([ROI, slicer_markup("Curve", slicer_points(LANDMARKS[:2]), name="suture")])
        ),
    ),
    (
        "qupath",
        qupath_feature(
            {"type": "MultiPolygon", "coordinates": [[RING, RING]]},
            2,
            classification={"names": ["a"]},
            name="b",
        ),
    ),
    ("qupath", qupath_feature({"type": "Polygon", "coordinates": [RING], "isEllipse": True}, 1)),
]
ODD: list[Any] = [None, True, -1, "x", "1,5", 1e308, 10**400, [], {}, [[1]], {"a": 1}]


def survive(name: str, path: Path) -> bool:
    """Whether the file was read."""
    try:
        labels = READERS[name].read(path, STACK)
    except LabelError as error:
        assert str(path.parent) not in str(error)
        return False
    assert np.isfinite(labels.xy).all()
    assert {len(column) for column in labels.columns.values()} <= {len(labels)}
    assert all(isinstance(cell, str) for column in labels.columns.values() for cell in column)
    return True


@pytest.mark.parametrize(
    ("reader", "name", "text"),
    [(reader, *file) for reader, files in FILES.items() for file in files],
)
def test_cut_short_or_with_a_line_missing(
    tmp_path: Path, reader: str, name: str, text: str
) -> None:
    path = tmp_path / name
    for end in range(0, len(text), 11):
        path.write_text(text[:end])
        survive(reader, path)
    lines = text.splitlines(keepends=True)
    for n in range(len(lines)):
        path.write_text("".join(lines[:n] + lines[n + 1 :]))
        survive(reader, path)
    path.write_text(text)
    assert survive(reader, path)


def replaced(node: Any, odd: Any) -> Iterator[Any]:
    """The document with each of its nodes in turn replaced."""
    yield odd
    for key in (
        list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    ):
        for child in replaced(node[key], odd):
            changed = copy.copy(node)
            changed[key] = child
            yield changed


@pytest.mark.parametrize(("reader", "document"), JSON)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:10])
def test_json_with_any_value_replaced(
    tmp_path: Path, reader: str, document: dict[str, Any], odd: Any
) -> None:
    path = tmp_path / "labels.json"
    for changed in replaced(document, odd):
        path.write_text(json.dumps(changed))
        survive(reader, path)
    path.write_text(json.dumps(document))
    assert survive(reader, path)
