"""ImageJ and Fiji tables, written as Analyze > Measure and Save As write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, ONE, STACK, Landmark, check, check_columns, slices
from kit.tool_files.imagej import areas, coordinates, points, results

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers import READERS as REGISTERED
from sidecar.labels.readers.imagej import READER
from sidecar.labels.readers.imagej_xy import READER as READER_XY


def write(tmp_path: Path, text: str, name: str = "Results.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_points_come_back(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, results(points(LANDMARKS), delimiter=delimiter))
    assert READER.recognises(path, path.read_bytes())
    labels = READER.read(path, STACK)
    check(labels, LANDMARKS)
    assert (labels.pixel_origin, labels.shapes.kinds) == ("center", ("point",))
    assert any("calibrated" in note for note in labels.notes)
    assert any("1.52u" in note and "--pixel-origin corner" in note for note in labels.notes)
    assert labels.columns["shape_id"] == [str(n) for n in range(1, len(LANDMARKS) + 1)]
    assert set(labels.columns["Mean"]) == {"87"}


def test_centroids_of_areas_come_back(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, results(areas(LANDMARKS))), STACK)
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "corner"
    assert any("Rows that measure areas: 7" in note for note in labels.notes)


def test_points_and_areas_in_the_same_columns(tmp_path: Path) -> None:
    labels = READER.read(
        write(tmp_path, results(points(LANDMARKS[:3]) + areas(LANDMARKS[3:]))), STACK
    )
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "center and corner"


def test_a_forced_origin_is_obeyed_for_every_row(tmp_path: Path) -> None:
    path = write(tmp_path, results(points(LANDMARKS[:2]) + areas(LANDMARKS[:2])))
    corner = READER.read(path, STACK, ReadOptions("corner"))
    np.testing.assert_allclose(
        corner.xy,
        [(m.x - 0.5, m.y - 0.5) for m in LANDMARKS[:2]] + [(m.x, m.y) for m in LANDMARKS[:2]],
    )
    assert corner.pixel_origin == "corner"
    assert READER.read(path, STACK, ReadOptions("center")).xy[2].tolist() == list(
        LANDMARKS[0].corner
    )


def test_without_area_the_user_has_to_say(tmp_path: Path) -> None:
    path = write(tmp_path, results([(12.5, 40.5, 1)], header=" ,X,Y,Slice"))
    assert READER.recognises(path, path.read_bytes())
    with pytest.raises(LabelError, match=r"row 2: has no column Area.*--pixel-origin center"):
        READER.read(path, STACK)
    assert READER.read(path, STACK, ReadOptions("center")).xy.tolist() == [[12.5, 40.5]]
    assert READER.read(path, STACK, ReadOptions("corner")).xy.tolist() == [[12, 40]]


def test_the_summary_is_not_four_landmarks(tmp_path: Path) -> None:
    summary = [(name, 0, 1, 1, 1, 50.0, 60.0, 2.0) for name in ("Mean", "SD", "Min", "Max")]
    labels = READER.read(write(tmp_path, results([*points(LANDMARKS), *summary])), STACK)
    check(labels, LANDMARKS)
    assert any("summary" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (" ,Area,X,Y,Slice,Angle,Length", (41, 12.5, 40.5, 3, -45.0, 40.8), "line or an angle"),
        (" ,Area,X,Y,Slice,Angle", (0, 0.0, 0.0, 3, 90.0), "line or an angle"),
        (" ,Area,X,Y,Slice", (0.0625, 12.5, 40.5, 3), "calibrated.*Set Scale"),
        (" ,Area,X,Y,Slice", (25, 0, 0, 3), "but not its centroid"),
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
        READER.read(write(tmp_path, results([row], header)), STACK)


def test_a_fitted_ellipse_has_an_angle_but_is_an_area(tmp_path: Path) -> None:
    labels = READER.read(
        write(
            tmp_path,
            results([(25, 13.0, 41.0, 9.0, 4.0, 30.0, 1)], " ,Area,X,Y,Major,Minor,Angle,Slice"),
        ),
        STACK,
    )
    assert labels.xy.tolist() == [[12.5, 40.5]]


def place(tmp_path: Path, label: str, slice_: object = "", stack: Any = STACK) -> list[int]:
    header, row = (
        (" ,Label,Area,X,Y,Slice", (label, 0, 1.0, 2.0, slice_))
        if slice_ != ""
        else (" ,Label,Area,X,Y", (label, 0, 1.0, 2.0))
    )
    return slices(READER.read(write(tmp_path, results([row], header)), stack))


def test_one_png_opened_by_itself_is_named_by_its_title(tmp_path: Path) -> None:
    """Its Slice, when Stack position is measured, is 1 on whatever PNG it lies."""
    assert place(tmp_path, "slice_0007.png") == [7]
    assert place(tmp_path, "slice_0007.png", 1) == [7]
    assert place(tmp_path, "slice_0007.png:left condyle", 1) == [7]


def test_one_png_of_another_export_keeps_its_name(tmp_path: Path) -> None:
    """Its Slice is 1, which is not the first PNG of this export: identity refuses the name."""
    for name in ("slice_0007_gjgbtf.png", "beetle-7_0007_gjgbtf"):
        for title in (name, f"{name}:left condyle-12"):
            row = (title, 0, 1.0, 2.0, 1)
            text = results([row], " ,Label,Area,X,Y,Slice")
            labels = READER.read(write(tmp_path, text), STACK)
            assert labels.image == [name] and np.isnan(labels.slice).all()


def test_where_there_is_no_label_the_name_of_the_file_tells(tmp_path: Path) -> None:
    for header, row in ((" ,Area,X,Y", (0, 1.0, 2.0)), (" ,Area,X,Y,Slice", (0, 1.0, 2.0, 1))):
        path = write(tmp_path, results([row], header), "slice_0007_gjgbtf.csv")
        labels = READER.read(path, STACK)
        assert labels.image == ["slice_0007_gjgbtf"] and np.isnan(labels.slice).all()
    path = write(tmp_path, results([(0, 1.0, 2.0, 4)], " ,Area,X,Y,Slice"), "slice_0007.csv")
    with pytest.raises(LabelError, match="Slice is 4, but the file names another slice"):
        READER.read(path, STACK)


def test_the_title_of_a_png_and_another_slice_contradict_each_other(tmp_path: Path) -> None:
    """A stack bears the name of its first image, and which that was it does not tell."""
    with pytest.raises(LabelError, match="Were only some of the PNGs opened"):
        place(tmp_path, "slice_0003.png:8", 8)


def test_a_stack_whose_title_is_a_png_is_a_stack(tmp_path: Path) -> None:
    assert place(tmp_path, "slice_0000.png:slice_0007", 8) == [7]
    assert place(tmp_path, "slice_0000.png:slice_0007") == [7]
    tagged = dataclasses.replace(
        STACK, names=tuple(f"{name[:-4]}_gjgbtf.png" for name in STACK.names)
    )
    assert place(tmp_path, "slice_0000.png:slice_0007", 8, tagged) == [7]


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
            r"row 2: Slice is 4, but Label names another slice, 'slice_0006'.*only some of the PNGs"
        ),
    ):
        place(tmp_path, "png:slice_0006", 4)


def test_a_multi_point_selection_has_the_label_of_the_slice_on_display(tmp_path: Path) -> None:
    rows = [("png:slice_0003", 0, 87, 87, 87, m.x, m.y, m.slice + 1) for m in LANDMARKS]
    labels = READER.read(write(tmp_path, results(rows)), STACK)
    assert slices(labels) == [m.slice for m in LANDMARKS]
    assert any("multi-point" in note for note in labels.notes)


def test_a_stack_without_slice_labels_puts_the_slice_on_display_behind(tmp_path: Path) -> None:
    rows = [(f"scan.tif:{name}8", 0, 1.0, 2.0, 4) for name in ("bregma:", "")]
    path = write(tmp_path, results(rows, " ,Label,Area,X,Y,Slice"))
    labels = READER.read(path, STACK)
    assert labels.columns["label"] == ["bregma", ""] and slices(labels) == [3, 3]


def test_neither_slice_nor_label(tmp_path: Path) -> None:
    path = write(tmp_path, results([(0, 1.0, 2.0)], " ,Area,X,Y"))
    with pytest.raises(LabelError, match=r"row 2: neither Slice nor Label.*Stack position"):
        READER.read(path, STACK)
    assert slices(READER.read(path, ONE)) == [0]


def test_slice_names_longer_than_imagej_keeps(tmp_path: Path) -> None:
    stack = dataclasses.replace(STACK, names=tuple(f"{n:04d}_{'x' * 80}.png" for n in range(12)))
    labels = READER.read(
        write(tmp_path, results([(f"png:{stack.names[7][:60]}", 0, 1.0, 2.0)], " ,Label,Area,X,Y")),
        stack,
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
        READER.read(path, STACK)


# --- what ROI Manager > Measure puts in Label


def measured_at_once(shown: str, landmarks: Sequence[Landmark]) -> list[tuple[object, ...]]:
    """All rows bear the slice on display; Slice is the selection's own."""
    return [(f"png:{m.name}:{shown}", 0, 87, 87, 87, m.x, m.y, m.slice + 1) for m in landmarks]


@pytest.mark.parametrize("shown", ["slice_0000", "slice_0011"])
def test_roi_manager_measure_has_the_slice_on_display_in_label(tmp_path: Path, shown: str) -> None:
    labels = READER.read(write(tmp_path, results(measured_at_once(shown, LANDMARKS))), STACK)
    check(labels, LANDMARKS)
    assert any("ROI Manager > Measure" in note for note in labels.notes)


def test_one_that_was_measured_at_another_slice_needs_the_user_to_say_so(tmp_path: Path) -> None:
    """Alone, it could as well be of a part of the stack."""
    path = write(tmp_path, results(measured_at_once("slice_0000", LANDMARKS[1:2])))
    with pytest.raises(LabelError, match=r"row 2: Slice is 4, but .*--slice-origin 1"):
        READER.read(path, STACK)
    check(READER.read(path, STACK, ReadOptions(slice_origin=1)), LANDMARKS[1:2])


def test_measured_one_by_one_and_at_once_in_one_table(tmp_path: Path) -> None:
    rows = [*measured_at_once("slice_0009", LANDMARKS), *points(LANDMARKS)]
    labels = READER.read(write(tmp_path, results(rows)), STACK)
    check(labels, (*LANDMARKS, *LANDMARKS))


def test_names_that_the_program_gives_tell_the_slice_where_nothing_else_does(
    tmp_path: Path,
) -> None:
    rows = [("png:0008-0040-0012:slice_0000", 0, 12.5, 40.5)]
    labels = READER.read(write(tmp_path, results(rows, " ,Label,Area,X,Y")), STACK)
    assert slices(labels) == [7]


def test_label_alone_is_told_to_be_the_slice_on_display(tmp_path: Path) -> None:
    rows = [("png:bregma:slice_0003", 25, 12.5, 40.5)]
    labels = READER.read(write(tmp_path, results(rows, " ,Label,Area,X,Y")), STACK)
    assert slices(labels) == [3]
    assert any("on display" in note for note in labels.notes)


def test_a_table_that_was_made_to_count_from_0(tmp_path: Path) -> None:
    path = write(tmp_path, results([(0, 1.0, 2.0, 0)], " ,Area,X,Y,Slice"))
    with pytest.raises(LabelError, match=r"row 2: Slice is 0.*--slice-origin 0"):
        READER.read(path, STACK)
    path = write(tmp_path, results([(0, 1.0, 2.0, 0), (0, 1.0, 2.0, 11)], " ,Area,X,Y,Slice"))
    assert slices(READER.read(path, STACK, ReadOptions(slice_origin=0))) == [0, 11]


def test_the_slice_label_is_handed_over_also_that_of_another_stack(tmp_path: Path) -> None:
    """Points measured on the scan itself, or on another export, bear the names of its images."""
    header = " ,Label,Area,X,Y,Slice"
    for name in ("slice_0003", "slice_0003_gjgbtf", "im03"):
        row = (f"stack:bregma:{name}", 0, 1.0, 2.0, 4)
        labels = READER.read(write(tmp_path, results([row], header)), STACK)
        assert (list(labels.image), labels.slice.tolist()) == ([name], [3])
        assert labels.columns["label"] == ["bregma"]
    unnamed = READER.read(write(tmp_path, results([("stack:LM:4", 0, 1.0, 2.0, 4)], header)), STACK)
    assert list(unnamed.image) == [""]


# --- whether X and Y are pixels


def named_by_the_program(landmarks: Sequence[Landmark], scale: float = 1.0) -> list[Any]:
    return [
        (
            f"png:{m.slice + 1:04d}-{int(m.y):04d}-{int(m.x):04d}:{Path(m.image).stem}",
            *(0, m.x * scale, m.y * scale, m.slice + 1),
        )
        for m in landmarks
    ]


NAMED = " ,Label,Area,X,Y,Slice"


def test_names_that_the_program_gives_confirm_pixels(tmp_path: Path) -> None:
    rows = named_by_the_program(LANDMARKS)
    labels = READER.read(write(tmp_path, results(rows, NAMED)), STACK)
    assert slices(labels) == [m.slice for m in LANDMARKS]
    assert not any("calibrated" in note for note in labels.notes)


@pytest.mark.parametrize("rows", [LANDMARKS, LANDMARKS[1:2]])
def test_names_that_the_program_gives_betray_a_scale(
    tmp_path: Path, rows: Sequence[Landmark]
) -> None:
    path = write(tmp_path, results(named_by_the_program(rows, 0.5), NAMED))
    with pytest.raises(LabelError, match=r"row 2: X and Y are .* pixel \d+, \d+, so .*calibrated"):
        READER.read(path, STACK)


def test_names_that_the_program_gives_betray_an_inverted_y(tmp_path: Path) -> None:
    row = ("png:0004-0010-0030:slice_0003", 0, 30.0, float(STACK.rows - 1 - 10), 4)
    with pytest.raises(LabelError, match=r"pixel 30, 10, so .*Invert Y"):
        READER.read(write(tmp_path, results([row], NAMED)), STACK)


def test_a_selection_that_was_moved_is_no_scale(tmp_path: Path) -> None:
    moved = [("png:0004-0001-0001:slice_0003", 0, 90.0, 80.0, 4)]
    rows = [*named_by_the_program(LANDMARKS), *moved]
    labels = READER.read(write(tmp_path, results(rows, NAMED)), STACK)
    assert labels.xy[-1].tolist() == [90, 80]


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (" ,Area,Mean,X,Y,Slice", "1,0.000,255,15.000,5.000,2", "Area is 0.000, with decimals"),
        (" ,Area,X,Y,BX,BY,Width,Height,Slice", "1,25,7.500,5,5,2.500,5,5,3", "BY is not a whole"),
    ],
)
def test_marks_that_a_scale_leaves(tmp_path: Path, header: str, row: str, column: str) -> None:
    with pytest.raises(LabelError, match=rf"row 2: {column}.*calibrated.*Set Scale"):
        READER.read(write(tmp_path, f"{header}\n{row}\n"), STACK)


def test_a_table_all_of_whose_numbers_have_decimals_tells_no_scale(tmp_path: Path) -> None:
    text = " ,Area,X,Y,Slice\n1,0.000,15.000,5.000,2.000\n"
    assert slices(READER.read(write(tmp_path, text), STACK)) == [1]


# --- what tables look like after other programs


FORMS = {
    "without row numbers": lambda text: "\n".join(
        line.split(",", 1)[1] for line in text.splitlines()
    ),
    "sep=": lambda text: f"sep=,\n{text}",
    "sep=;": lambda text: "sep=;\n" + text.replace(",", ";").replace(".", ","),
    "empty columns": lambda text: "\n".join(f"{line},," for line in text.splitlines()),
    "empty columns in rows": lambda text: "\n".join(
        line + ",,," * (n > 0) for n, line in enumerate(text.splitlines())
    ),
    "empty rows": lambda text: text + ",,,,,,,,\n" * 3,
    "semicolons": lambda text: text.replace(",", ";"),
    "R": lambda text: "\n".join(
        ",".join([f'"{n or ""}"', *(f'"{c}"' if n == 0 else c for c in line.split(","))])
        for n, line in enumerate(
            text.replace("X,Y", "X.1,Y").replace(" ,Label", "X,Label").splitlines()
        )
    ),
    "pandas": lambda text: text.replace(" ,Label", "Unnamed: 0,Label"),
}


@pytest.mark.parametrize("form", FORMS)
def test_tables_that_went_through_other_programs(tmp_path: Path, form: str) -> None:
    plain = results(points(LANDMARKS)).replace("\r\n", "\n")
    path = write(tmp_path, FORMS[form](plain))
    head = path.read_bytes()
    assert [r.name for r in REGISTERED.values() if r.recognises(path, head)][-1] == "imagej"
    labels = READER.read(path, STACK)
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "center"
    assert labels.left_out == (("3 empty rows left out",) if form == "empty rows" else ())


def test_a_few_columns_are_enough(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, "Area,X,Y,Slice\n25,101.500,75.500,4\n"), STACK)
    assert labels.xy.tolist() == [[101, 75]]
    assert slices(labels) == [3]


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    path = write(tmp_path, "sep=,\nArea,X,Y,Slice\n25,1,2,4\n,,,\n25,a,2,4\n")
    with pytest.raises(LabelError, match=r"Results\.csv, row 5: X 'a' is not a number"):
        READER.read(path, STACK)


# --- hyperstacks

HYPER = " ,Area,X,Y,Ch,Slice,Frame"


def test_in_a_hyperstack_slice_is_the_slice(tmp_path: Path) -> None:
    rows = [(0, 1.0, 2.0, 2, 1, 1), (0, 1.0, 2.0, 1, 5, 1)]
    labels = READER.read(write(tmp_path, results(rows, HYPER)), STACK)
    assert slices(labels) == [0, 4]
    assert any("Rows in other channels or frames: 1" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (HYPER, (0, 1.0, 2.0, 4, 1, 1)),
        (HYPER, (0, 1.0, 2.0, 1, 1, 4)),
        (" ,Area,X,Y,Frame", (0, 1.0, 2.0, 4)),
        (" ,Area,X,Y,Ch", (0, 1.0, 2.0, 4)),
    ],
)
def test_channels_or_frames_alone_may_be_the_slices(
    tmp_path: Path, header: str, row: tuple[object, ...]
) -> None:
    with pytest.raises(LabelError, match="row 2: lies in another channel or frame"):
        READER.read(write(tmp_path, results([row], header)), STACK)


# --- Save As > XY Coordinates


@pytest.mark.parametrize("origin", ["center", "corner"])
def test_xy_coordinates_come_back_when_the_user_says_what_was_selected(
    tmp_path: Path, origin: Any
) -> None:
    xy = [(m.x, m.y) if origin == "center" else m.corner for m in LANDMARKS]
    path = write(tmp_path, coordinates(xy), "slice_0000.txt")
    assert READER_XY.recognises(path, path.read_bytes())
    labels = READER_XY.read(path, ONE, ReadOptions(origin))
    np.testing.assert_allclose(labels.xy, [(m.x, m.y) for m in LANDMARKS], rtol=0, atol=1e-9)
    assert slices(labels) == [0] * len(LANDMARKS)
    assert labels.columns["vertex"] == [str(n) for n in range(len(LANDMARKS))]
    check_columns(labels)


def test_xy_coordinates_of_one_png_are_named_by_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, coordinates([(1, 2)]), "slice_0003_gjgbtf.txt")
    labels = READER_XY.read(path, STACK, ReadOptions("center"))
    assert labels.image == ["slice_0003_gjgbtf"] and np.isnan(labels.slice).all()


def test_xy_coordinates_say_neither_what_was_selected_nor_on_which_slice(tmp_path: Path) -> None:
    path = write(tmp_path, "12\t40\n13\t41\n", "xy.txt")
    with pytest.raises(
        LabelError, match=r"--pixel-origin center.*corner if it was an area or an angle"
    ):
        READER_XY.read(path, ONE)
    with pytest.raises(LabelError, match=r"on which slice.*\.roi"):
        READER_XY.read(path, STACK, ReadOptions("center"))


@pytest.mark.parametrize("text", ["1\t2\t3\n", "1\n", "1\tnan\n", "x\ty\n1\t2\n"])
def test_broken_xy_coordinates(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text, "xy.txt")
    assert not READER_XY.recognises(path, path.read_bytes())
    with pytest.raises(LabelError, match="row 1"):
        READER_XY.read(path, ONE, ReadOptions("center"))


def test_a_head_cut_within_a_number(tmp_path: Path) -> None:
    assert READER_XY.recognises(tmp_path, b"1.5\t2\n3\t4\n5.")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "slice_0003.csv",
            " ,Area,X,Y,File\n1,0,4,5,slice_0004.png\n",
            "row 2: its image is 'slice_0003.*', but File .slice_0004.png. names another",
        ),
        (
            "Results.csv",
            " ,Area,X,Y,Slice,File\n1,0,4,5,4,slice_0003.png\n2,0,4,5,4,png/slice_0004.png\n",
            "row 3: .* says PNG 3 .* names PNG 4; correct one of them",
        ),
        (
            "Results.csv",
            " ,Label,Area,X,Y,Filename\n1,slice_0003.png,0,4,5,slice_0004.png\n",
            "row 2: its image is 'slice_0003.png', but Filename 'slice_0004.png' names another PNG",
        ),
        (
            "Results.csv",
            " ,Label,Area,X,Y,File\n1,slice_0003_gjgbtf.png,0,4,5,slice_0003_bcdfgh.png\n",
            "row 2: its image is 'slice_0003_gjgbtf.png', but File '.*' names another PNG",
        ),
        (
            "Results.csv",
            " ,Area,X,Y,Slice,File\n1,0,4,5,4,slice_0003_gjgbtf.png\n",
            "row 2: File '.*' names a PNG of another export.*with --sidecar",
        ),
    ],
)
def test_a_column_that_names_another_png_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(LabelError, match=message):
        READER.read(write(tmp_path, text, name), STACK)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("slice_0003.csv", " ,Area,X,Y,File\n1,0,4,5,png/Slice_0003.PNG\n"),
        ("Results.csv", " ,Area,X,Y,Slice,File,Method\n1,0,4,5,4,slice_0003,Otsu 0004\n"),
        ("Results.csv", " ,Label,Area,X,Y,Slice,File\n1,scans:slice_0003,0,4,5,4,overview.png\n"),
        # of another export, which other rows may be of
        (
            "Results.csv",
            " ,Label,Area,X,Y,File\n1,slice_0003.png,0,4,5,a/slice_0003.png\n"
            "2,slice_0002_gjgbtf.png,0,4,5,b/slice_0002_gjgbtf.png\n",
        ),
        # a stack that was named after its first PNG
        ("Results.csv", " ,Label,Area,X,Y,Slice\n1,slice_0000.png:tip:slice_0003,0,4,5,4\n"),
    ],
)
def test_a_column_that_names_the_same_png_or_none_is_kept(
    tmp_path: Path, name: str, text: str
) -> None:
    labels = READER.read(write(tmp_path, text, name), STACK)
    assert labels.slice[0] == 3 or labels.image[0] == "slice_0003.png"
