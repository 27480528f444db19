"""make-sense CSV.

The tool rounds: a landmark comes back exactly where it is whole in corner coordinates, else within
half a pixel.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, WHOLE_CORNER, check, check_columns, stated_sizes
from kit.tool_files.makesense import row

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers.makesense import READER, READER_BOXES, READER_LINES


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels_my-project_20261123.csv"
    path.write_text(text)
    return path


def test_landmarks_come_back(tmp_path: Path) -> None:
    path = write(tmp_path, "\n".join(map(row, WHOLE_CORNER)))
    assert READER.recognises(path, path.read_bytes())
    labels = READER.read(path, STACK)
    assert len(WHOLE_CORNER) > 1
    check(labels, WHOLE_CORNER)
    assert stated_sizes(labels) == {m.image: (203, 151) for m in WHOLE_CORNER}
    assert labels.pixel_origin == "corner"


def test_other_landmarks_come_back_within_what_the_tool_rounds_away(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, "\n".join(map(row, LANDMARKS))), STACK)
    check(labels, LANDMARKS, tolerance=0.5)
    assert "whole numbers" in labels.notes[0]


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    assert READER.read(
        write(tmp_path, "a,12,40,slice_0001.png,203,151"), STACK, ReadOptions("center")
    ).xy.tolist() == [[12, 40]]


AMBIGUOUS = "a,10,20,30,40,slice_0001.png,203,151"
SURELY_LINES = AMBIGUOUS + "\nb,150,100,140,20,slice_0001.png,203,151"


def test_lines_and_rectangles_look_alike_and_are_refused_unless_the_user_says(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, AMBIGUOUS)
    assert READER.recognises(path, path.read_bytes())
    with pytest.raises(LabelError, match="--from makesense-lines or makesense-boxes"):
        READER.read(path, STACK)


def test_lines(tmp_path: Path) -> None:
    labels = READER_LINES.read(write(tmp_path, AMBIGUOUS), STACK)
    np.testing.assert_allclose(labels.xy, [[9.5, 19.5], [29.5, 39.5]], rtol=0, atol=1e-9)
    assert labels.shapes.kinds == ("line",)
    check_columns(labels)


def test_rectangles(tmp_path: Path) -> None:
    labels = READER_BOXES.read(write(tmp_path, AMBIGUOUS), STACK)
    np.testing.assert_allclose(
        labels.xy, [[9.5, 19.5], [39.5, 19.5], [39.5, 59.5], [9.5, 59.5]], rtol=0, atol=1e-9
    )
    assert labels.shapes.kinds == ("box",)


def test_lines_that_no_rectangle_could_be_are_read_and_said(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, SURELY_LINES), STACK)
    np.testing.assert_allclose(
        labels.xy, [[9.5, 19.5], [29.5, 39.5], [149.5, 99.5], [139.5, 19.5]], rtol=0, atol=1e-9
    )
    assert any("read as lines" in note for note in labels.notes)


def test_a_rectangle_up_to_the_edge_is_not_taken_for_a_line(tmp_path: Path) -> None:
    """x 100.5 and width 102.5 are rounded to 101 and 103: one more than the image has."""
    with pytest.raises(LabelError, match="makesense-boxes"):
        READER.read(write(tmp_path, "a,101,20,103,40,slice_0001.png,203,151"), STACK)


def test_unlabelled_shapes_that_the_tool_dropped_are_said(tmp_path: Path) -> None:
    labels = READER.read(
        write(tmp_path, "a,1,2,slice_0001.png,203,151\n\nb,3,4,slice_0002.png,203,151"), STACK
    )
    assert labels.columns["shape_id"] == ["1", "3"]
    assert any("1 empty row" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,b,1,2,slice_0001.png,203,151", "row 1: has 7 fields"),
        ("a,x,2,slice_0001.png,203,151", "row 1: coordinate 'x' is not a number"),
        ("a,nan,2,slice_0001.png,203,151", "'nan' is not a number"),
        ("a,1,2,slice_0001.png,wide,151", "'wide' is not a number"),
        ("a,1,2", "has 3 fields"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        READER.read(write(tmp_path, line), STACK)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"label,x,y,image\na,1,2,slice_0001.png\n",
        b"a,1,2\n",
        b"1\t2\n",
        b"a,1.5,2,slice_0001.png,203,151\n",
    ],
)
def test_other_tables_are_not_recognised(tmp_path: Path, head: bytes) -> None:
    assert not any(
        reader.recognises(tmp_path, head) for reader in (READER, READER_LINES, READER_BOXES)
    )


def test_a_head_cut_within_a_row_is_recognised(tmp_path: Path) -> None:
    assert READER.recognises(tmp_path, b"a,1,2,slice_0001.png,203,151\nb,3,4,slice_0")
