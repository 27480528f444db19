"""VGG Image Annotator.

The tool rounds: a landmark comes back exactly where it is whole in corner coordinates, else within
half a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, WHOLE_CORNER, check, check_columns, entries
from kit.tool_files.via import (
    HEADER,
    Region,
    as_csv,
    as_json,
    as_project,
    as_via1_csv,
    as_via1_json,
    regions,
)

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers.via import READER

FORMS: list[Callable[[Sequence[Region]], str]] = [
    as_csv,
    as_json,
    as_project,
    as_via1_json,
    as_via1_csv,
]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "via_region_data"
    path.write_text(text)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_landmarks_come_back(tmp_path: Path, form: Callable[[Sequence[Region]], str]) -> None:
    path = write(tmp_path, form(regions(WHOLE_CORNER)))
    assert READER.recognises(path, path.read_bytes())
    assert len(WHOLE_CORNER) > 1
    labels = READER.read(path, STACK)
    check(labels, WHOLE_CORNER)
    assert labels.pixel_origin == "corner"


@pytest.mark.parametrize("form", FORMS)
def test_other_landmarks_come_back_within_what_the_tool_rounds_away(
    tmp_path: Path, form: Callable[[Sequence[Region]], str]
) -> None:
    labels = READER.read(write(tmp_path, form(regions(LANDMARKS))), STACK)
    check(labels, LANDMARKS, tolerance=0.5)
    assert "whole numbers" in labels.notes[0]


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    path = write(tmp_path, as_json([("slice_0001.png", {"name": "point", "cx": 12, "cy": 40}, {})]))
    assert READER.read(path, STACK, ReadOptions("center")).xy.tolist() == [[12, 40]]


@pytest.mark.parametrize(
    ("attributes", "vertices", "ours"),
    [
        (
            {"name": "rect", "x": 10, "y": 20, "width": 5, "height": 6},
            [[9.5, 19.5], [14.5, 19.5], [14.5, 25.5], [9.5, 25.5]],
            "box",
        ),
        ({"name": "circle", "cx": 10, "cy": 20, "r": 5}, [[9.5, 19.5], [14.5, 19.5]], "circle"),
        (
            {"name": "ellipse", "cx": 10, "cy": 20, "rx": 5, "ry": 3},
            [[9.5, 19.5], [14.5, 19.5], [9.5, 22.5]],
            "ellipse",
        ),
        # a quarter turn, in radians, clockwise: the axis along x goes down, the one along y goes
        # left
        (
            {"name": "ellipse", "cx": 10, "cy": 20, "rx": 5, "ry": 3, "theta": math.pi / 2},
            [[9.5, 19.5], [9.5, 24.5], [6.5, 19.5]],
            "ellipse",
        ),
        (
            {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [4, 5, 6]},
            [[0.5, 3.5], [1.5, 4.5], [2.5, 5.5]],
            "polygon",
        ),
        (
            {"name": "polyline", "all_points_x": [1, 2], "all_points_y": [4, 5]},
            [[0.5, 3.5], [1.5, 4.5]],
            "polyline",
        ),
    ],
)
def test_shapes(tmp_path: Path, attributes: dict[str, Any], vertices: list[Any], ours: str) -> None:
    labels = READER.read(
        write(tmp_path, as_csv([("slice_0001.png", attributes, {"part": "a"})])), STACK
    )
    np.testing.assert_allclose(labels.xy, vertices, rtol=0, atol=1e-9)
    assert labels.shapes.kinds == (ours,)
    assert labels.columns["vertex"] == [str(n) for n in range(len(vertices))]
    assert set(labels.columns["label"]) == {"a"}
    check_columns(labels)


@pytest.mark.parametrize(
    ("attributes", "label"),
    [
        ({"part": "a"}, "a"),
        ({"quality": "good", "Name": "b"}, "b"),
        ({"quality": "good", "side": "left"}, ""),
        ({"parts": {"c": True, "d": False, "e": True}}, "c;e"),
        ({}, ""),
    ],
)
def test_the_label_is_the_only_attribute_or_the_one_called_name(
    tmp_path: Path, attributes: dict[str, Any], label: str
) -> None:
    labels = READER.read(
        write(
            tmp_path, as_json([("slice_0001.png", {"name": "point", "cx": 1, "cy": 2}, attributes)])
        ),
        STACK,
    )
    assert labels.columns["label"] == [label]
    assert len(labels.columns) == 8 + len(attributes)


def test_quotes_inside_the_json_inside_the_csv(tmp_path: Path) -> None:
    labels = READER.read(
        write(
            tmp_path,
            as_csv([("a.png", {"name": "point", "cx": 1, "cy": 2}, {"name": 'the "red", dot'})]),
        ),
        STACK,
    )
    assert labels.columns["label"] == ['the "red", dot']


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"name": "point", "cx": "one", "cy": 2}, "cx 'one' is not a number"),
        ({"name": "point", "cy": 2}, "cx None is not a number"),
        ({"name": "spiral"}, "'spiral' is not known"),
        ({"cx": 1, "cy": 2}, "has no text 'name'"),
        (
            {"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1]},
            "has 2 values of x and 1 of y",
        ),
        (
            {"name": "polygon", "all_points_x": [], "all_points_y": []},
            "has 0 values of x and 0 of y",
        ),
        ([1], "has no text 'name'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, shape: Any, message: str) -> None:
    with pytest.raises(LabelError, match=f"row 3: .*{message}"):
        READER.read(write(tmp_path, as_csv([("slice_0001.png", shape, {})])), STACK)


@pytest.mark.parametrize(
    "text",
    [
        "{}x",
        '{"a": 1}',
        '{"_via_img_metadata": []}',
        "x,y\n1,2\n",
        "",
        f"{HEADER}\na.png,1\n",
        f'{HEADER}\na.png,1,"{{}}",1,0,"{{""name"":NaN}}","{{}}"\n',
        f'{HEADER}\na.png,1,"{{}}",1,0,"{"[" * 100_000}","{{}}"\n',
    ],
)
def test_broken_files(tmp_path: Path, text: str) -> None:
    with pytest.raises(LabelError, match="via_region_data"):
        READER.read(write(tmp_path, text), STACK)


def test_a_rectangle_rounded_over_the_edge_is_cut_there(tmp_path: Path) -> None:
    """Corner 100.5 and size 102.5, each rounded up, come to one pixel more than the image has."""
    rect = {"name": "rect", "x": 101, "y": 0, "width": 103, "height": STACK.rows}
    labels = READER.read(write(tmp_path, as_csv([("slice_0001.png", rect, {})])), STACK)
    assert labels.xy.max(0).tolist() == [202.5, 150.5]
    assert any("the part outside was cut off" in note for note in labels.notes)


@pytest.mark.parametrize("form", [as_csv, as_json, as_project])
def test_images_of_one_name_differ_by_the_size_of_their_files(
    tmp_path: Path, form: Callable[[Sequence[Region]], str]
) -> None:
    labels = READER.read(write(tmp_path, form(regions(LANDMARKS[:1]))), STACK)
    assert entries(labels) == ["file of 16454 bytes"]
