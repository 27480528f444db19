"""ImageJ and Fiji tables, written as Analyze > Measure and Save As write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, Landmark, check, check_columns, slices

from sidecar.errors import LabelError
from sidecar.labels.readers.imagej import READER, READER_XY

ONE = dataclasses.replace(STACK, slices=1, names=STACK.names[:1])


def results(
    rows: Sequence[Sequence[object]],
    header: str = " ,Label,Area,Mean,Min,Max,X,Y,Slice",
    delimiter: str = ",",
) -> str:
    """Row numbers in a column whose name is a space; three decimals; \\r\\n on Windows."""
    lines = [header.replace(",", delimiter)]
    for n, row in enumerate(rows, 1):
        lines.append(
            delimiter.join([str(n), *(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row)])
        )
    return "\r\n".join(lines) + "\r\n"


def points(landmarks: Sequence[Landmark]) -> list[tuple[object, ...]]:
    """Point selections that have names, on a sequence of PNGs opened as a stack: file name without
    extension is the slice label.
    """
    return [
        (f"png:{m.name}:{Path(m.image).stem}", 0, 87, 87, 87, m.x, m.y, m.slice + 1)
        for m in landmarks
    ]


def areas(landmarks: Sequence[Landmark]) -> list[tuple[object, ...]]:
    return [
        (f"png:{m.name}:{Path(m.image).stem}", 25, 87, 80, 92, *m.corner, m.slice + 1)
        for m in landmarks
    ]


def write(tmp_path: Path, text: str, name: str = "Results.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_points_come_back(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, results(points(LANDMARKS), delimiter=delimiter))
    assert READER.recognises(path, path.read_bytes())
    labels = READER.read(path, STACK, None)
    check(labels, LANDMARKS)
    assert (labels.pixel_origin, labels.shapes.kinds) == ("center", ("point",))
    assert any("calibrated" in note for note in labels.notes)
    assert any("1.52u" in note and "--pixel-origin corner" in note for note in labels.notes)
    assert labels.columns["shape_id"] == [str(n) for n in range(1, len(LANDMARKS) + 1)]
    assert set(labels.columns["Mean"]) == {"87"}


def test_centroids_of_areas_come_back(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, results(areas(LANDMARKS))), STACK, None)
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "corner"
    assert any("7 row(s) measure areas" in note for note in labels.notes)


def test_points_and_areas_in_the_same_columns(tmp_path: Path) -> None:
    labels = READER.read(
        write(tmp_path, results(points(LANDMARKS[:3]) + areas(LANDMARKS[3:]))), STACK, None
    )
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "center and corner"


def test_a_forced_origin_is_obeyed_for_every_row(tmp_path: Path) -> None:
    path = write(tmp_path, results(points(LANDMARKS[:2]) + areas(LANDMARKS[:2])))
    corner = READER.read(path, STACK, "corner")
    np.testing.assert_allclose(
        corner.xy,
        [(m.x - 0.5, m.y - 0.5) for m in LANDMARKS[:2]] + [(m.x, m.y) for m in LANDMARKS[:2]],
    )
    assert corner.pixel_origin == "corner"
    assert READER.read(path, STACK, "center").xy[2].tolist() == list(LANDMARKS[0].corner)


def test_without_area_the_user_has_to_say(tmp_path: Path) -> None:
    path = write(tmp_path, results([(12.5, 40.5, 1)], header=" ,X,Y,Slice"))
    assert READER.recognises(path, path.read_bytes())
    with pytest.raises(LabelError, match=r"row 2: without a column Area.*--pixel-origin center"):
        READER.read(path, STACK, None)
    assert READER.read(path, STACK, "center").xy.tolist() == [[12.5, 40.5]]
    assert READER.read(path, STACK, "corner").xy.tolist() == [[12, 40]]


def test_the_summary_is_not_four_landmarks(tmp_path: Path) -> None:
    summary = [(name, 0, 1, 1, 1, 50.0, 60.0, 2.0) for name in ("Mean", "SD", "Min", "Max")]
    labels = READER.read(write(tmp_path, results(points(LANDMARKS) + summary)), STACK, None)
    check(labels, LANDMARKS)
    assert any("summary" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (" ,Area,X,Y,Slice,Angle,Length", (41, 12.5, 40.5, 3, -45.0, 40.8), "line or angle"),
        (" ,Area,X,Y,Slice,Angle", (0, 0.0, 0.0, 3, 90.0), "line or angle"),
        (" ,Area,X,Y,Slice", (0.0625, 12.5, 40.5, 3), "calibrated.*Set Scale"),
        (" ,Area,X,Y,Slice", (25, 0, 0, 3), "without its centroid"),
        (" ,Area,X,Y,Slice", (0, "NaN", 40.5, 3), "X 'NaN' is not a number"),
        (" ,Area,X,Y,Slice", (0, "12,5", 40.5, 3), "fields"),
        (" ,Area,X,Y,Slice", (0, "twelve", 40.5, 3), "X 'twelve' is not a number"),
        (" ,Area,X,Y,Slice", (0, 12.5, 40.5, 2.5), "Slice '2.500' is not a whole number"),
        (" ,Area,Mean,Min", (0, 1, 2), "no columns X and Y"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, header: str, row: Sequence[object], message: str
) -> None:
    with pytest.raises(LabelError, match=rf"Results\.csv.*{message}"):
        READER.read(write(tmp_path, results([row], header)), STACK, None)


def test_a_fitted_ellipse_has_an_angle_but_is_an_area(tmp_path: Path) -> None:
    labels = READER.read(
        write(
            tmp_path,
            results([(25, 13.0, 41.0, 9.0, 4.0, 30.0, 1)], " ,Area,X,Y,Major,Minor,Angle,Slice"),
        ),
        STACK,
        None,
    )
    assert labels.xy.tolist() == [[12.5, 40.5]]


# --- which PNG a row lies on


def place(tmp_path: Path, label: str, slice_: object = "", stack: Any = STACK) -> list[int]:
    header, row = (
        (" ,Label,Area,X,Y,Slice", (label, 0, 1.0, 2.0, slice_))
        if slice_ != ""
        else (" ,Label,Area,X,Y", (label, 0, 1.0, 2.0))
    )
    return slices(READER.read(write(tmp_path, results([row], header)), stack, None))


def test_one_png_opened_by_itself_is_named_by_its_title(tmp_path: Path) -> None:
    """Its Slice, when Stack position is measured, is 1 on whatever PNG it lies."""
    assert place(tmp_path, "slice_0007.png") == [7]
    assert place(tmp_path, "slice_0007.png", 1) == [7]
    assert place(tmp_path, "slice_0007.png:left condyle", 1) == [7]


def test_a_stack_whose_title_is_a_png_is_a_stack(tmp_path: Path) -> None:
    assert place(tmp_path, "slice_0000.png:slice_0007", 8) == [7]
    assert place(tmp_path, "slice_0000.png:slice_0007") == [7]


def test_without_slice_the_slice_label_tells(tmp_path: Path) -> None:
    assert place(tmp_path, "png:slice_0007") == [7]


def test_without_names_the_slice_number_tells(tmp_path: Path) -> None:
    assert place(tmp_path, "scan.tif:8", 8) == [7]
    assert place(tmp_path, "", 8) == [7]


def test_a_label_of_another_slice_is_refused(tmp_path: Path) -> None:
    """A stack of every second PNG: slice 4 of it is slice_0006."""
    with pytest.raises(
        LabelError,
        match=(
            r"row 2: Slice 4 is not the slice that Label names, 'slice_0006'.*only some of the PNGs"
        ),
    ):
        place(tmp_path, "png:slice_0006", 4)


def test_a_multi_point_selection_has_the_label_of_the_slice_on_display(tmp_path: Path) -> None:
    rows = [("png:slice_0003", 0, 87, 87, 87, m.x, m.y, m.slice + 1) for m in LANDMARKS]
    labels = READER.read(write(tmp_path, results(rows)), STACK, None)
    assert slices(labels) == [m.slice for m in LANDMARKS]
    assert any("multi-point" in note for note in labels.notes)


def test_neither_slice_nor_label(tmp_path: Path) -> None:
    path = write(tmp_path, results([(0, 1.0, 2.0)], " ,Area,X,Y"))
    with pytest.raises(LabelError, match=r"row 2: neither Slice nor Label.*Stack position"):
        READER.read(path, STACK, None)
    assert slices(READER.read(path, ONE, None)) == [0]


def test_slice_names_longer_than_imagej_keeps(tmp_path: Path) -> None:
    stack = dataclasses.replace(STACK, names=tuple(f"{n:04d}_{'x' * 80}.png" for n in range(12)))
    labels = READER.read(
        write(tmp_path, results([(f"png:{stack.names[7][:60]}", 0, 1.0, 2.0)], " ,Label,Area,X,Y")),
        stack,
        None,
    )
    assert labels.image[0] == stack.names[7][:60]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"x,y,slice,label\n1,2,3,a\n",
        b"label,X,Y\na,1,2\n",
        b",X,Y\n0,1,2\n",  # written by pandas
        b"X,Y,Value\n1,2,3\n",
        b"Area,Mean\n1,2\n",
        b'{"X": 1, "Y": 2}',
    ],
)
def test_other_tables_are_not_recognised(tmp_path: Path, head: bytes) -> None:
    assert not READER.recognises(tmp_path, head)


def test_recognised_without_row_numbers(tmp_path: Path) -> None:
    assert READER.recognises(tmp_path, b"Area,Mean,Min,Max,X,Y\n0,1,1,1,2,3\n")


def test_a_label_in_another_encoding_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "Results.csv"
    path.write_bytes(results([("Schädel", 0, 1, 1, 1, 1.0, 2.0, 1)]).encode("cp1252"))
    with pytest.raises(LabelError, match="not UTF-8"):
        READER.read(path, STACK, None)


# --- Save As > XY Coordinates


def coordinates(xy: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{x:.4f}\t{y:.4f}\n" for x, y in xy)


@pytest.mark.parametrize("origin", ["center", "corner"])
def test_xy_coordinates_come_back_when_the_user_says_what_was_selected(
    tmp_path: Path, origin: Any
) -> None:
    xy = [(m.x, m.y) if origin == "center" else m.corner for m in LANDMARKS]
    path = write(tmp_path, coordinates(xy), "slice_0000.txt")
    assert READER_XY.recognises(path, path.read_bytes())
    labels = READER_XY.read(path, ONE, origin)
    np.testing.assert_allclose(labels.xy, [(m.x, m.y) for m in LANDMARKS], rtol=0, atol=1e-9)
    assert slices(labels) == [0] * len(LANDMARKS)
    assert labels.columns["vertex"] == [str(n) for n in range(len(LANDMARKS))]
    check_columns(labels)


def test_xy_coordinates_say_neither_what_was_selected_nor_on_which_slice(tmp_path: Path) -> None:
    path = write(tmp_path, "12\t40\n13\t41\n", "xy.txt")
    with pytest.raises(LabelError, match=r"--pixel-origin center.*corner if it was an area"):
        READER_XY.read(path, ONE, None)
    with pytest.raises(LabelError, match=r"on which slice.*\.roi"):
        READER_XY.read(path, STACK, "center")


@pytest.mark.parametrize("text", ["1\t2\t3\n", "1\n", "1\tnan\n", "x\ty\n1\t2\n"])
def test_broken_xy_coordinates(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text, "xy.txt")
    assert not READER_XY.recognises(path, path.read_bytes())
    with pytest.raises(LabelError, match="row 1"):
        READER_XY.read(path, ONE, "center")


def test_a_head_cut_within_a_number(tmp_path: Path) -> None:
    assert READER_XY.recognises(tmp_path, b"1.5\t2\n3\t4\n5.")
