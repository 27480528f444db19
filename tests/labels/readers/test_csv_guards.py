"""Generic CSV: what spreadsheets leave in it, and tables of other programs that only look like it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK

from sidecar.errors import LabelError, UsageError, counted
from sidecar.labels.model import Labels, ReadOptions, SliceOrigin
from sidecar.labels.readers import READERS, read_labels


def read(
    tmp_path: Path, text: str, origin: SliceOrigin | None = None, format: str | None = None
) -> Labels:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode())
    return read_labels(path, STACK, format, ReadOptions(slice_origin=origin))


def table(first: int = 0, header: str = "label,x,y,slice", named: bool = False) -> str:
    rows = [f"{m.image if named else m.name},{m.x},{m.y},{m.slice + first}" for m in LANDMARKS]
    return "\n".join([header, *rows, ""])


SLICES = [m.slice for m in LANDMARKS]


# Counting from 0 or 1


def test_slices_count_from_0_which_is_said(tmp_path: Path) -> None:
    labels = read(tmp_path, table())
    assert labels.slice.tolist() == SLICES
    assert any("--slice-origin 1" in note for note in labels.notes)
    assert not any("--slice-origin" in note for note in read(tmp_path, table(), 0).notes)


def test_counting_from_1_comes_back_counted_from_0(tmp_path: Path) -> None:
    """What is written out says which PNG, so it counts as everything else does."""
    labels = read(tmp_path, table(1), 1)
    assert labels.slice.tolist() == SLICES
    assert labels.columns["slice"] == [str(k) for k in SLICES]
    halves = read(tmp_path, "x,y,slice\n1,2,1.5\n", 1)
    assert halves.slice.tolist() == [0.5] and halves.columns["slice"] == ["0.5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table(header="Label,X,Y,Slice"), r"row 1: .*X, Y and Slice.*--slice-origin 1"),
        (
            "x,y,slice\n1,2,1\n3,4,12\n",
            r"row 3: there is no slice 12 in a stack of 12 PNGs counted from 0.*--slice-origin 1",
        ),
        (
            table(1, named=True),
            r"row 2: the slice is 1, but label 'slice_0000.png' names PNG 0 .*origin 1",
        ),
        (
            "what,x,y,slice\nstack:bregma:slice_0003,1,2,7\n",
            r"row 2: the slice is 7, but what 'stack:bregma:slice_0003' names PNG 3 .*correct one",
        ),
        (
            "x,y,slice,path\n1,2,3,C:\\A\\slice_0003.png\n3,4,3,C:\\B\\slice_0003.png\n",
            r"row 3: path .*B.*slice_0003\.png' and .*A.*slice_0003\.png' are two images.*--images",
        ),
        (
            "label,x,y,slice,file\na,1,2,3,slice_0003_gjgbtf.png\n",
            r"row 2: file 'slice_0003_gjgbtf\.png' names a PNG of another export.*rename the column to image",
        ),
        (
            'label,x,y,slice,file\n"a",1,2,3,C:\\png\\beetle-7_0003_gjgbtf.png\n',
            r"row 2: file .*beetle-7_0003_gjgbtf\.png' names a PNG of another export",
        ),
        ('"","X","X.1","Y","Slice"\n"1",1,5,6,4\n', r"row 1: .*X and X\.1"),
        ("X,X.1,Y,Slice\n1,5,6,4\n", r"row 1: .*X and X\.1"),
    ],
)
def test_tables_that_may_count_otherwise_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(LabelError, match=rf"labels\.csv, {message}"):
        read(tmp_path, text, format="csv")


@pytest.mark.parametrize("slices", [1, 2, 9, 12])
@pytest.mark.parametrize("label", ["a", '"a"'])
def test_a_png_of_a_longer_export_is_noticed_on_a_short_one(
    tmp_path: Path, slices: int, label: str
) -> None:
    """The names of few PNGs begin with more characters than those of many."""
    stack, path = replace(STACK, slices=slices, names=STACK.names[:slices]), tmp_path / "a.csv"
    path.write_text(f"label,x,y,slice,file\n{label},1,2,0,slice_0035.png\n")
    with pytest.raises(LabelError, match=r"row 2: file 'slice_0035\.png' names a PNG of another"):
        read_labels(path, stack)


def test_the_list_of_the_roi_manager_holds_no_points(tmp_path: Path) -> None:
    """Also where the name of the file tells the PNG."""
    path = tmp_path / "slice_0003.csv"
    path.write_text(
        "Index,Name,Type,Group,X,Y,Width,Height,Points,Color,Fill,LWidth,Pos,C,Z,T\n"
        "0,0004-0040-0025,Rectangle,0,10,20,30,40,4,none,none,0,4,0,0,0\n"
    )
    with pytest.raises(LabelError, match=r"slice_0003\.csv, row 1: .*list of selections.*Save"):
        read_labels(path, STACK)


@pytest.mark.parametrize("origin", [0, 1])
def test_the_user_says_how_they_count(tmp_path: Path, origin: SliceOrigin) -> None:
    text = table(origin, "Label,X,Y,Slice")
    assert read(tmp_path, text, origin, "csv").slice.tolist() == SLICES
    assert read(tmp_path, table(origin, named=True), origin).slice.tolist() == SLICES
    with pytest.raises(LabelError, match="slice"):
        read(tmp_path, table(1 - origin, named=True), origin)


@pytest.mark.parametrize(
    "text",
    [
        "label,x,y,slice\nslice_0003.png,1,2,3\n",
        "label,x,y,slice\nSlice_0003,1,2,3\n",
        "Label,X,Y,image\na,1,2,slice_0003.png\n",
        "Label,X,Y,Image,Slice\na,1,2,slice_0003.png,3\n",
        "label,x,y,slice\nslice of life,1,2,3\n",
        "label,x,y,slice\nbeetle_2024_larger,1,2,3\n",
        "x,y,slice,Label\n1,2,3,png:slice_0003\n1,2,3,png:bregma:slice_0003\n",
        "x,y,slice,file\n1,2,3,A/slice_0003.png\n1,2,3,./a/slice_0003\n",
    ],
)
def test_what_agrees_or_says_nothing_is_read(tmp_path: Path, text: str) -> None:
    assert len(read(tmp_path, text)) == text.count("\n") - 1


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("slice_0007.png", "slice_0003.png"), "the name of the file says PNG 7 .* PNG 3; rename"),
        (("slice_0003_gjgbtf.png",), "names a PNG of another export.*rename the column to image"),
        (("A/slice_0007.png", "B/slice_0007.png"), "are two images"),
        (("slice_0007.png", "PNG:SLICE_0007", "7", ""), None),
    ],
)
def test_cells_of_a_table_that_is_named_after_a_png(
    tmp_path: Path, cells: tuple[str, ...], message: str | None
) -> None:
    """They may say that its labels are on other PNGs."""
    path = tmp_path / "slice_0007.csv"
    path.write_text("label,x,y,file\n" + "".join(f"a,1,2,{cell}\n" for cell in cells))
    if message is None:
        assert read_labels(path, STACK).image == ["slice_0007.png"] * len(cells)
        return
    with pytest.raises(LabelError, match=rf"slice_0007\.csv, row {len(cells) + 1}: .*{message}"):
        read_labels(path, STACK)


@pytest.mark.parametrize(
    ("name", "text"), [("a", "label,x,y,slice\n2,1,2,0\n"), ("1", "label,x,y\n2,1,2\n")]
)
def test_numbers_of_landmarks_are_no_names_of_adopted_images(
    tmp_path: Path, name: str, text: str
) -> None:
    stack = replace(STACK, slices=3, names=("1.png", "2.png", "3.png"))
    path = tmp_path / f"{name}.csv"
    path.write_text(text)
    assert read_labels(path, stack).columns["label"] == ["2"]
    path.write_text(text.replace("2,1", "2.png,1"))
    with pytest.raises(LabelError, match=r"label '2\.png' names PNG 1"):
        read_labels(path, stack)


def test_cells_of_a_table_of_the_only_png(tmp_path: Path) -> None:
    """It need not say which PNG it is of, but may say that it is of another export."""
    stack, path = replace(STACK, slices=1, names=("slice_0000_gjgbtf.png",)), tmp_path / "a.csv"
    path.write_text("label,x,y,file\na,1,2,slice_0000_gjgbtf.png\n")
    assert len(read_labels(path, stack)) == 1
    path.write_text("label,x,y,file\na,1,2,slice_0000_bcdfgh.png\n")
    with pytest.raises(LabelError, match=r"row 2: file .* names a PNG of another export"):
        read_labels(path, stack)


def test_a_table_that_is_named_after_a_png(tmp_path: Path) -> None:
    """Beside slices that it contradicts, for identity to refuse; a stack bears its first name."""
    for name, header, image, slice_ in (
        ("slice_0003.csv", "x,y", "slice_0003.png", None),
        ("slice_0003_gjgbtf.csv", "x,y", "slice_0003_gjgbtf", None),
        ("slice_0003.csv", "x,y,slice", "slice_0003.png", 7),
        ("slice_0000.csv", "x,y,slice", "", 7),
    ):
        path = tmp_path / name
        path.write_text(f"{header}\n1,2{'' if slice_ is None else f',{slice_}'}\n")
        labels = read_labels(path, STACK)
        found = [None if np.isnan(k) else k for k in labels.slice.tolist()]
        assert (labels.image, found) == ([image], [slice_])


def test_names_with_tags_and_without_them_are_compared(tmp_path: Path) -> None:
    tagged = replace(STACK, names=tuple(f"{name[:-4]}_gjgbtf.png" for name in STACK.names))
    path = tmp_path / "labels.csv"
    names = ("slice_0003_gjgbtf", "SLICE_0003_GJGBTF.PNG", "slice_0003", "png:a:slice_0003_gjgbtf")
    for name in names:
        path.write_text(f"label,x,y,slice\n{name},1,2,3\n")
        assert READERS["csv"].read(path, tagged).slice.tolist() == [3]
        path.write_text(f"label,x,y,slice\n{name},1,2,4\n")
        with pytest.raises(LabelError, match="names PNG 3"):
            READERS["csv"].read(path, tagged)
    path.write_text("label,x,y,slice\nslice_0003_bcdfgh,1,2,3\n")
    with pytest.raises(LabelError, match="another export"):
        READERS["csv"].read(path, tagged)


def test_a_slice_number_of_another_format_is_not_to_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"version": "5", "imagePath": "slice_0003.png", "shapes": []}')
    with pytest.raises(UsageError, match=r"--slice-origin is for tables.*a\.json.*LabelMe"):
        read_labels(path, STACK, None, ReadOptions(slice_origin=1))
    assert {name for name, r in READERS.items() if r.numbers_slices} == {"csv", "imagej"}


# What spreadsheets leave


PLAIN = "label,x,y,slice,remark\na,1.5,2,3,\nb,4,5,6,good\n"
FORMS = {
    "plain": PLAIN,
    "sep=": f"sep=,\n{PLAIN}",
    "sep=;": "sep=;\n" + PLAIN.replace(",", ";").replace("1.5", "1,5"),
    "quoted sep=": '"sep=,"\r\n' + PLAIN.replace("\n", "\r\n"),
    "rows of commas": PLAIN.replace("b,", ",,,,\n ,,,,\nb,") + ",,,,\n",
    "empty columns": PLAIN.replace("\n", ",,\n"),
    "empty columns below": PLAIN.replace(",\n", ",,,\n").replace("good\n", "good,,\n"),
    "both": PLAIN.replace("\n", ",,\n") + ",,,,,,\n",
    "both, quoted": PLAIN.replace("\n", ",,\n").replace("good", '"good"') + ",,,,,,\n",
    "rows of semicolons": PLAIN.replace(",", ";") + ";;;;\n",
    "rows of commas above": ",,,,\n,,,,\n" + PLAIN,
    "rows of semicolons above": "\n;;;;\n" + PLAIN.replace(",", ";"),
    "rows of commas above, quoted": ",,,,\n,,,,\n" + PLAIN.replace("good", '"good"'),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_spreadsheets_leave_is_undone(tmp_path: Path, form: str) -> None:
    labels = read(tmp_path, FORMS[form])
    assert {name: list(cells) for name, cells in labels.columns.items()} | {"x": []} == {
        "label": ["a", "b"],
        "x": [],
        "y": ["2", "5"],
        "slice": ["3", "6"],
        "remark": ["", "good"],
    }
    assert labels.xy.tolist() == [[1.5, 2], [4, 5]]
    once = ("both", "both, quoted", "rows of semicolons", "rows of semicolons above")
    twice = ("rows of commas above", "rows of commas above, quoted")
    empty = {"rows of commas": 3, **dict.fromkeys(once, 1), **dict.fromkeys(twice, 2)}.get(form)
    assert labels.left_out == ((f"{counted(empty, 'empty row')} left out",) if empty else ())


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    for text in (
        "sep=,\nlabel,x,y,slice\na,1,2,3\n,,,\nb,one,5,6\n",
        'sep=,\nlabel,x,y,slice\n"a",1,2,3\n,,,\nb,one,5,6\n',
    ):
        with pytest.raises(LabelError, match=r"labels\.csv, row 5: .*'one'"):
            read(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "label,x,y,slice,\na,1,2,3,note\n",  # a column without a name, but not empty
        "label,x,y,slice\na,1,2,3\nb,1,2,3,4\n",
        "label,x,y,slice,,\na,1,2,3,,\nb,1,2,3,4,\n",
        "label,x,y,slice,,\na,1,2\n",
    ],
)
def test_cells_that_hold_something_are_not_cut(tmp_path: Path, text: str) -> None:
    if text.count("note"):
        assert read(tmp_path, text).columns[""] == ["note"]
    else:
        with pytest.raises(LabelError, match=r"twice|cells, but the header has"):
            read(tmp_path, text)
